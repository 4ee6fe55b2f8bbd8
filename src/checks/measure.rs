//! Which numbers a check needs: the one list that the statement asks by and the judgement reads by.

use super::{CheckKind, CheckSpec};
use crate::sql::ident::{literal, quote};

/// The alias of the checked table, so that no name resolves to another one.
pub(super) const CHECKED: &str = "checked";

/// What one check has the statement measure.
pub(super) struct Measures {
    /// What is taken of every row, if anything is: selected once, whatever is made of it.
    pub value: Option<String>,
    /// Numbers over the whole table: what they are called, and the aggregate that gives them.
    pub totals: Vec<(String, String)>,
}

impl Measures {
    /// What `check` needs; `value` is the name under which its row value is selected. `has` tells which columns the checked
    /// table has: what stands beside a moved row is looked for in those alone.
    pub fn of(check: &CheckSpec, value: &str, slot: &str, has: &dyn Fn(&str) -> bool) -> Self {
        // The row count itself is always the statement's first number.
        if let CheckKind::RowCount { .. } | CheckKind::RowCountChange { .. } = check.kind {
            return Self { value: None, totals: Vec::new() };
        }
        match &check.kind {
            CheckKind::Unique { columns } => unique(columns, value),
            CheckKind::CastLoss { column_expression, source_type, target_type, .. } => {
                rows_where(value, &cast_loss(column_expression, source_type.as_deref(), target_type))
            }
            CheckKind::MovedRows { max_distance, .. } => {
                moved_rows(check.column.as_deref(), &check.kind, *max_distance, value, has)
            }
            kind => check.column.as_deref().map_or_else(unmeasurable, |name| of_column(kind, name, value, slot)),
        }
    }

    /// As many numbers, none of them known.
    pub fn unknown(self) -> Self {
        let totals = self.totals.into_iter().map(|(name, _)| (name, "NULL".to_owned())).collect();
        Self { value: None, totals }
    }
}

fn of_column(kind: &CheckKind, name: &str, value: &str, slot: &str) -> Measures {
    let column = column(name);
    match kind {
        CheckKind::Nulls { .. } => rows_where(value, &format!("{column} IS NULL")),
        CheckKind::AcceptedValues { values, .. } => rows_where(value, &unfit(&column, values, None)),
        CheckKind::Pattern { regex, .. } => rows_where(value, &unfit(&column, &[], Some(regex))),
        CheckKind::References { table, column: target } => {
            rows_where(value, &without_reference(&column, table, target))
        }
        CheckKind::Freshness { .. } => age(&column, value, slot),
        _ => unmeasurable(),
    }
}

/// A check that names no column: the number is NULL, and so is never a pass.
fn unmeasurable() -> Measures {
    Measures { value: None, totals: vec![("rows".into(), "NULL".into())] }
}

/// Counts the rows that `condition` holds for; over no rows that is 0, where a sum would be NULL.
fn rows_where(value: &str, condition: &str) -> Measures {
    Measures {
        value: Some(format!("CASE WHEN {condition} THEN 1 END")),
        totals: vec![("rows".into(), format!("count({value})"))],
    }
}

/// Rows that share a key with another, less one a key. NULL is no value: a key of NULLs alone is left out; beside a
/// value NULL counts as equal to NULL, where SQL's UNIQUE would let the whole key pass.
fn unique(columns: &[String], value: &str) -> Measures {
    if columns.is_empty() {
        return unmeasurable();
    }
    let columns: Vec<_> = columns.iter().map(|name| column(name)).collect();
    let any = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
    Measures {
        value: Some(format!("CASE WHEN {any} THEN ROW({}) END", columns.join(", "))),
        totals: vec![("rows".into(), format!("count({value}) - count(DISTINCT {value})"))],
    }
}

/// Seconds from the newest value to the slot; truncated, for engines differ over begun seconds. `TRY_CAST`, because one unreadable text must not fail every check.
fn age(column: &str, value: &str, slot: &str) -> Measures {
    let time = format!("TRY_CAST({column} AS timestamp)");
    let slot = format!("CAST({} AS timestamp)", literal(slot.trim_end_matches('Z').replacen('T', " ", 1).as_str()));
    Measures {
        value: Some(format!("CASE WHEN {time} <= {slot} THEN {time} END")),
        totals: vec![("seconds".into(), format!("date_diff('second', date_trunc('second', max({value})), {slot})"))],
    }
}

/// The target is qualified: a bare name that its table lacks would resolve to the checked table, and every row would pass.
fn without_reference(column: &str, table: &str, target: &str) -> String {
    let target = format!("referenced.{}", quote(target));
    let known = format!("SELECT {target} FROM {} AS referenced WHERE {target} IS NOT NULL", quote(table));
    format!("{column} IS NOT NULL AND {column} NOT IN ({known})")
}

/// What becomes NULL, and what becomes another value: rounded, cut, less exact, which shows when it is cast back. A text has
/// many spellings of one value (`007`, `7`), so of one that becomes no text NULL alone counts, and not of an empty one; of one
/// that stays a text the spaces at its end, which a `char` brings, do not.
///
/// The value is cast to its own type too: what is compared then is of one type, whatever the table has become since.
fn cast_loss(expression: &str, source_type: Option<&str>, target_type: &str) -> String {
    let cast = format!("TRY_CAST(({expression}) AS {target_type})");
    let differs = |own: String, back: String| format!("({cast} IS NULL OR {back} IS DISTINCT FROM {own})");
    let lost = match source_type {
        Some(source) if is_text(source) && is_text(target_type) => {
            differs(format!("rtrim(CAST(({expression}) AS varchar))"), format!("rtrim(CAST({cast} AS varchar))"))
        }
        Some(source) if has_spelling(source) && has_spelling(target_type) && !is_text(source) => {
            differs(format!("TRY_CAST(({expression}) AS {source})"), format!("TRY_CAST({cast} AS {source})"))
        }
        // An empty cell was NULL before its column became a text.
        Some(source) if is_text(source) => format!("trim({expression}) <> '' AND {cast} IS NULL"),
        _ => format!("{cast} IS NULL"),
    };
    format!("({expression}) IS NOT NULL AND {lost}")
}

fn is_text(dml_type: &str) -> bool {
    dml_type == "varchar" || dml_type.starts_with("varchar(") || dml_type.starts_with("char(")
}

/// True if a value has a text, and so can be cast there and back.
fn has_spelling(dml_type: &str) -> bool {
    !["array(", "map(", "row(", "varbinary"].iter().any(|start| dml_type.starts_with(start))
}

/// How far each row's anchor stands from its own column: its own place first, then outwards.
fn moved_rows(
    anchor: Option<&str>,
    kind: &CheckKind,
    max_distance: u32,
    value: &str,
    has: &dyn Fn(&str) -> bool,
) -> Measures {
    let (Some(anchor), CheckKind::MovedRows { values, regex, columns, .. }) = (anchor, kind) else {
        return unmeasurable();
    };
    let mut cases = vec![format!("WHEN {} THEN 0", fit(&column(anchor), values, regex.as_deref()))];
    let mut totals = vec![("in_place".to_owned(), rows_with(value, 0))];
    let place = columns.iter().position(|name| name.eq_ignore_ascii_case(anchor));
    // Farther than the table is wide there is nothing to find.
    for distance in 1..=max_distance.min(columns.len() as u32) {
        let beside = place.map(|place| neighbours(columns, place, distance)).into_iter().flatten();
        for neighbour in beside.filter(|name| has(name)) {
            cases.push(format!("WHEN {} THEN {distance}", fit(&column(neighbour), values, regex.as_deref())));
        }
        totals.push((format!("moved_{distance}"), rows_with(value, distance.into())));
    }
    totals.push(("lost".to_owned(), rows_with(value, -1)));
    Measures { value: Some(format!("CASE {} ELSE -1 END", cases.join(" "))), totals }
}

/// The columns `distance` places left and right of `place`, as far as there are any.
fn neighbours(columns: &[String], place: usize, distance: u32) -> impl Iterator<Item = &String> {
    let distance = distance as usize;
    let left = place.checked_sub(distance);
    [left, place.checked_add(distance)].into_iter().flatten().filter_map(|place| columns.get(place))
}

fn rows_with(value: &str, distance: i64) -> String {
    format!("count(CASE WHEN {value} = {distance} THEN 1 END)")
}

/// A value that is there and does not fit: NULL is no value.
fn unfit(column: &str, values: &[String], regex: Option<&str>) -> String {
    format!("{column} IS NOT NULL AND NOT ({})", fit(column, values, regex))
}

/// Whether a value is one of the texts or matches the pattern whole. `\z`, because `$` also stands before a last line break.
fn fit(column: &str, values: &[String], regex: Option<&str>) -> String {
    let text = format!("CAST({column} AS varchar)");
    let listed = (!values.is_empty()).then(|| {
        let values = values.iter().map(|value| literal(value)).collect::<Vec<_>>().join(", ");
        format!("{text} IN ({values})")
    });
    let matched = regex.map(|regex| format!("regexp_like({text}, {})", literal(&format!("\\A(?:{regex})\\z"))));
    match (listed, matched) {
        (Some(listed), Some(matched)) => format!("{listed} OR {matched}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "FALSE".to_owned(),
    }
}

fn column(name: &str) -> String {
    format!("{CHECKED}.{}", quote(name))
}
