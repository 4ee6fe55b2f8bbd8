//! Where an added column is written so that it reaches a model's output.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::clean::cleaned;
use super::edit::Edit;
use super::outline::Query;
use super::paths::{self, Link, Path};
use super::source::Source;
use super::{Addition, Model, ident};
use crate::problem::{Problem, Problems};

/// A new column of a table that a model may read: a raw table's, or a model's that carries it.
#[derive(Debug, Clone)]
pub(super) struct Arrival<'a> {
    pub addition: &'a Addition,
    pub table: String,
    pub column: String,
    /// True once text is trimmed and the name is snake_case.
    pub cleaned: bool,
}

/// What one arrival comes to in a model.
pub(super) enum Carried {
    /// The output column.
    As { column: String, cleaned: bool },
    /// It would have changed rows.
    Not { reason: String },
    /// The model does not opt in, and no star takes the column.
    Ignored,
}

/// Collects the insertions of one model.
pub(super) struct Carrier<'a> {
    pub model: &'a Model,
    pub source: &'a Source<'a>,
    pub query: &'a Query,
    pub edits: Vec<Edit>,
    /// Names inserted so far, by SELECT.
    inserted: BTreeMap<usize, BTreeSet<String>>,
}

impl<'a> Carrier<'a> {
    pub fn new(model: &'a Model, source: &'a Source<'a>, query: &'a Query) -> Self {
        Self { model, source, query, edits: Vec::new(), inserted: BTreeMap::new() }
    }

    pub fn carry(&mut self, arrival: &Arrival) -> Result<Carried, Problems> {
        let paths = paths::of(self.source, self.query, &arrival.table);
        if paths.iter().any(Path::is_star) {
            return Ok(Carried::As { column: arrival.column.clone(), cleaned: arrival.cleaned });
        }
        if !self.model.carries_additions {
            return Ok(Carried::Ignored);
        }
        let open: Vec<&Path> = paths.iter().filter(|path| path.blocked.is_none()).collect();
        let not = |reason: String| Ok(Carried::Not { reason });
        match (open.as_slice(), paths.first().and_then(|path| path.blocked.clone())) {
            ([path], _) => self.along(path, arrival),
            ([], Some(reason)) => not(reason),
            ([], None) => not("only a subquery inside an expression reads the table".to_owned()),
            _ => not("the model reads the table in more than one place".to_owned()),
        }
    }

    fn along(&mut self, path: &Path, arrival: &Arrival) -> Result<Carried, Problems> {
        let mut column = arrival.column.clone();
        let mut cleaned = arrival.cleaned;
        for (index, link) in path.links.iter().enumerate() {
            if link.is_star() {
                continue;
            }
            let named = qualified(link, &column);
            let projection = if cleaned {
                named
            } else {
                column = self.output_name(arrival)?;
                cleaned = true;
                clean(&named, arrival, &column)
            };
            self.insert(link, &column, &projection, index + 1 == path.links.len())?;
        }
        Ok(Carried::As { column, cleaned })
    }

    fn output_name(&self, arrival: &Arrival) -> Result<String, Problems> {
        ident::snake_case(&arrival.column).ok_or_else(|| {
            let message =
                format!("the added column `{}` has no letter a to z and no digit to make a name of", arrival.column);
            Problem::new(&self.model.file, "", message, "rename the column at its source").into()
        })
    }

    fn insert(&mut self, link: &Link, column: &str, projection: &str, is_final: bool) -> Result<(), Problems> {
        let select = link.select;
        let inserted = self.inserted.entry(select.at).or_default();
        let is_taken = select.items.iter().any(|item| item.name.as_deref() == Some(column));
        if is_taken || !inserted.insert(column.to_owned()) {
            let (other, help) = match is_taken {
                true => ("a column of this SELECT", "rename the model's column, or set `additions: ignore`"),
                false => ("another added column", "rename one of the two at the source, or set `additions: ignore`"),
            };
            let message = format!("an added column would be named `{column}`, and {other} already is");
            return Err(Problem::new(&self.model.file, self.source.place(select.at), message, help).into());
        }
        let partitions = if is_final { self.model.partitioned_by.len() } else { 0 };
        let Some(last) = select.items.len().checked_sub(partitions + 1) else {
            let message = "no output column stands ahead of the partition columns".to_owned();
            let help = "list the columns in the final SELECT";
            return Err(Problem::new(&self.model.file, self.source.place(select.at), message, help).into());
        };
        let is_first = inserted.len() == 1;
        let item = self.source.bytes(&select.items[last].tokens);
        self.edits.extend(after(self.source.text, item, projection, is_first));
        Ok(())
    }
}

/// The column as the SELECT has to name it: qualified where the FROM has other relations.
fn qualified(link: &Link, column: &str) -> String {
    let relations = &link.select.relations;
    match relations[link.relation].qualifier().filter(|_| relations.len() > 1) {
        Some(qualifier) => format!("{}.{}", ident::plain(qualifier), ident::plain(column)),
        None => ident::plain(column),
    }
}

/// The entry that takes the column in, under its output name.
fn clean(named: &str, arrival: &Arrival, column: &str) -> String {
    let value = cleaned(named, &arrival.addition.data_type);
    if value == named && arrival.column == column { value } else { format!("{value} AS {}", ident::plain(column)) }
}

/// Inserts a projection after an entry of a select list, with the list's line breaks, indentation and place of the
/// comma. A `--` comment stays with the entry whose line it ends.
fn after(text: &str, item: Range<usize>, projection: &str, is_first: bool) -> Vec<Edit> {
    let line_start = text[..item.start].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[line_start..item.start];
    let newline = if text[..line_start].ends_with("\r\n") { "\r\n" } else { "\n" };
    let rest = text[item.end..].lines().next().unwrap_or_default();
    let line_end = item.end + rest.len();
    let (has_comma, comment) = match rest.trim_start().strip_prefix(',') {
        Some(comment) => (true, comment.trim_start().starts_with("--")),
        None => (false, rest.trim_start().starts_with("--")),
    };
    let at = if comment { line_end } else { item.end };
    match before.trim() {
        "" if line_start > 0 => match (comment, has_comma) {
            (true, true) => vec![Edit::insert(at, format!("{newline}{before}{projection},"))],
            (true, false) if is_first => {
                vec![Edit::insert(item.end, ","), Edit::insert(at, format!("{newline}{before}{projection}"))]
            }
            _ => vec![Edit::insert(at, format!(",{newline}{before}{projection}"))],
        },
        "," => vec![Edit::insert(at, format!("{newline}{before}{projection}"))],
        _ => vec![Edit::insert(item.end, format!(", {projection}"))],
    }
}
