//! One ODCS quality rule → the checks it asks for.
//!
//! <https://bitol-io.github.io/open-data-contract-standard/latest/data-quality/>

use serde_json::{Map, Value};

use super::layout::Layout;
use super::place::{Found, Place};
use super::range::Range;
use crate::checks::{CheckKind, CheckSpec};
use crate::schema::DataType;
use crate::sql::ident::quote;
use crate::sql::to_dml;

const METRICS: &str = "use rowCount, nullValues, missingValues, invalidValues or duplicateValues";
const CUSTOM: &str = "use rowCountChange, freshness, references, movedRows or castLoss";

/// The custom check that an accepted retype brings.
pub(super) const CAST_LOSS: &str = "castLoss";

/// A metric of the ODCS library.
#[derive(Clone, Copy)]
enum Metric {
    RowCount,
    Nulls,
    Missing,
    Invalid,
    /// ODCS 3.0's `validValues`.
    Valid,
    Duplicates,
}

/// Reads the rules of a table (`column` is `None`) or of one of its columns.
pub(super) struct Rules<'r, 'f> {
    pub(super) found: &'r mut Found<'f>,
    pub(super) layout: &'r Layout<'r>,
    pub(super) column: Option<&'r str>,
}

impl Rules<'_, '_> {
    pub(super) fn read(&mut self, object: &Map<String, Value>, at: &Place<'_>, checks: &mut Vec<CheckSpec>) {
        let list = at.key("quality");
        for (index, rule) in self.found.list(object, at, "quality").iter().enumerate() {
            let at = list.index(index);
            let Some(rule) = self.found.object(rule, at) else { continue };
            let name = self.found.text(rule, &at, "name");
            if let Some(kind) = self.rule(rule, &at) {
                let name = name.unwrap_or(kind.name()).to_owned();
                checks.push(CheckSpec { name, column: self.column.map(str::to_owned), kind });
            }
        }
    }

    /// `None` without a problem only for prose.
    fn rule(&mut self, rule: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        match self.found.text(rule, at, "type") {
            Some("text") => None,
            None | Some("library") => self.library(rule, at),
            Some("custom") => self.custom(rule, at),
            Some("sql") => self.refuse(at.key("type"), "SQL rules are not run", METRICS),
            Some(other) => self.refuse(at.key("type"), format!("`{other}` is no type of rule"), METRICS),
        }
    }

    fn refuse<T: Default>(&mut self, at: Place<'_>, message: impl Into<String>, help: &str) -> T {
        self.found.add(at, message, help);
        T::default()
    }

    fn library(&mut self, rule: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        let (metric, percent) = self.metric(rule, at)?;
        let range = Range::read(self.found, rule, at)?;
        let empty = Map::new();
        let arguments = self.found.map(rule, at, "arguments").unwrap_or(&empty);
        let arguments_at = at.key("arguments");
        match metric {
            Metric::RowCount => self.row_count(range, at),
            Metric::Nulls => self.nulls(range, percent, at),
            Metric::Missing => {
                self.null_alone(arguments, &arguments_at);
                self.nulls(range, percent, at)
            }
            Metric::Invalid => self.at_most(range, at).and_then(|most| self.invalid(most, arguments, &arguments_at)),
            // ODCS 3.0 has the list beside the rule's name.
            Metric::Valid => self.at_most(range, at).and_then(|most| self.invalid(most, rule, at)),
            Metric::Duplicates if range.at_most() != Some(0) => {
                self.refuse(*at, "duplicates cannot be tolerated by number", "use mustBe: 0")
            }
            Metric::Duplicates => self.duplicates(arguments, &arguments_at),
        }
    }

    /// What the rule measures, and whether in percent of the rows.
    fn metric(&mut self, rule: &Map<String, Value>, at: &Place<'_>) -> Option<(Metric, bool)> {
        // ODCS 3.0 says `rule` where later versions say `metric`.
        let key = if rule.contains_key("metric") { "metric" } else { "rule" };
        let Some(name) = self.found.text(rule, at, key) else {
            return self.refuse(*at, "has no `metric`", METRICS);
        };
        let (metric, of_column) = match name {
            "rowCount" => (Metric::RowCount, false),
            "nullValues" => (Metric::Nulls, true),
            "missingValues" => (Metric::Missing, true),
            "invalidValues" => (Metric::Invalid, true),
            "validValues" if key == "rule" => (Metric::Valid, true),
            "duplicateValues" => (Metric::Duplicates, self.column.is_some()),
            "duplicateCount" if key == "rule" => (Metric::Duplicates, self.column.is_some()),
            _ => return self.refuse(at.key(key), format!("`{name}` is no metric known here"), METRICS),
        };
        if of_column != self.column.is_some() {
            let help = if of_column { "move it to a property" } else { "move it to the schema object" };
            return self.refuse(at.key(key), format!("`{name}` is not measured here"), help);
        }
        match (self.found.text(rule, at, "unit"), metric) {
            (None | Some("rows"), _) => Some((metric, false)),
            (Some("percent"), Metric::Nulls | Metric::Missing) => Some((metric, true)),
            _ => self.refuse(at.key("unit"), "cannot be measured for this metric", "count `rows`"),
        }
    }

    fn row_count(&mut self, range: Range, at: &Place<'_>) -> Option<CheckKind> {
        let Some((min, max)) = range.counts() else {
            return self.refuse(*at, "no number of rows satisfies it", "mend the bounds");
        };
        Some(CheckKind::RowCount { min, max })
    }

    fn at_most(&mut self, range: Range, at: &Place<'_>) -> Option<u64> {
        let most = range.at_most();
        if most.is_none() {
            self.found.add(*at, "does not say how many rows at most", "use mustBe: 0 or mustBeLessOrEqualTo");
        }
        most
    }

    fn nulls(&mut self, range: Range, percent: bool, at: &Place<'_>) -> Option<CheckKind> {
        if !percent {
            return Some(CheckKind::Nulls { max_rows: Some(self.at_most(range, at)?), max_share: None });
        }
        let max_share = range.share();
        if max_share.is_none() {
            self.found.add(*at, "does not say how much at most", "use mustBeLessOrEqualTo");
        }
        Some(CheckKind::Nulls { max_rows: None, max_share: Some(max_share?) })
    }

    fn null_alone(&mut self, arguments: &Map<String, Value>, at: &Place<'_>) {
        let values = self.found.list(arguments, at, "missingValues");
        if values.is_empty() || !values.iter().all(Value::is_null) {
            let help = "list null alone; use invalidValues for texts that stand for nothing";
            self.found.add(at.key("missingValues"), "only null is counted as missing", help);
        }
    }

    fn invalid(&mut self, max_rows: u64, arguments: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        let pattern = self.found.text(arguments, at, "pattern");
        let values = self.found.list(arguments, at, "validValues");
        match (values, pattern) {
            ([], Some(regex)) => Some(CheckKind::Pattern { regex: regex.to_owned(), max_rows }),
            ([_, ..], None) => {
                let values = texts(self.found, values, &at.key("validValues"));
                Some(CheckKind::AcceptedValues { values, max_rows })
            }
            _ => self.refuse(*at, "does not say what is valid", "give either `validValues` or `pattern`"),
        }
    }

    fn duplicates(&mut self, arguments: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        if let Some(column) = self.column {
            return Some(CheckKind::Unique { columns: vec![column.to_owned()] });
        }
        let list = at.key("properties");
        let names = self.found.list(arguments, at, "properties");
        if names.is_empty() {
            return self.refuse(list, "names no columns", "list the columns that are unique together");
        }
        let mut columns = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match name.as_str().and_then(|name| self.layout.find(name)) {
                Some(column) => columns.push(column.to_owned()),
                None => self.found.add(list.index(index), format!("{name} is no column"), "name a column"),
            }
        }
        Some(CheckKind::Unique { columns })
    }

    fn custom(&mut self, rule: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        let engine = self.found.text(rule, at, "engine").unwrap_or_default();
        if engine != "crawlguard" {
            let message = format!("rules of engine `{engine}` are not run");
            return self.refuse(at.key("engine"), message, "rewrite it for `crawlguard`, or as `type: text`");
        }
        let at = at.key("implementation");
        let Some(object) = rule.get("implementation").and_then(Value::as_object) else {
            return self.refuse(at, "is not an object", "start with `check`");
        };
        match (self.found.required_text(object, &at, "check", CUSTOM)?, self.column) {
            ("rowCountChange", None) => self.row_count_change(object, &at),
            ("freshness", Some(_)) => {
                self.found.only(object, &at, &["check", "maxAgeHours"]);
                Some(CheckKind::Freshness { max_age_hours: self.whole(object, &at, "maxAgeHours")? })
            }
            ("references", Some(_)) => {
                self.found.only(object, &at, &["check", "table", "column"]);
                let table = self.found.required_text(object, &at, "table", "name the other table");
                let column = self.found.required_text(object, &at, "column", "name the other table's column");
                Some(CheckKind::References { table: table?.to_lowercase(), column: column?.to_owned() })
            }
            ("movedRows", Some(column)) => self.moved_rows(object, &at, column),
            (CAST_LOSS, Some(column)) => self.cast_loss(object, &at, column),
            ("rowCountChange", Some(_)) => {
                self.refuse(at, "`rowCountChange` is about the table", "move it to the schema object")
            }
            (check @ ("freshness" | "references" | "movedRows" | CAST_LOSS), None) => {
                self.refuse(at, format!("`{check}` is about a column"), "move it to a property")
            }
            (check, _) => self.refuse(at.key("check"), format!("`{check}` is no check known here"), CUSTOM),
        }
    }

    fn whole(&mut self, object: &Map<String, Value>, at: &Place<'_>, key: &str) -> Option<u64> {
        let value = self.found.whole(object, at, key);
        if !object.contains_key(key) {
            self.found.add(*at, format!("has no `{key}`"), "add it");
        }
        value
    }

    fn row_count_change(&mut self, object: &Map<String, Value>, at: &Place<'_>) -> Option<CheckKind> {
        self.found.only(object, at, &["check", "maxShare"]);
        match self.found.number(object, at, "maxShare").filter(|share| *share >= 0.0) {
            Some(max_share) => Some(CheckKind::RowCountChange { max_share }),
            None => self.refuse(at.key("maxShare"), "is no share", "write 0.5 for ± 50 %"),
        }
    }

    fn cast_loss(&mut self, object: &Map<String, Value>, at: &Place<'_>, column: &str) -> Option<CheckKind> {
        self.found.only(object, at, &["check", "type", "maxLost"]);
        let help = "write the Glue type that models cast to: `bigint`, `date`, …";
        let text = self.found.required_text(object, at, "type", help)?;
        let Some(target_type) = to_dml(&DataType::parse(text)) else {
            return self.refuse(at.key("type"), format!("`{text}` is no type known here"), help);
        };
        let max_rows = self.found.whole(object, at, "maxLost").unwrap_or(0);
        let entry = self.layout.entries().find(|entry| entry.column.name == column);
        let source_type = entry.and_then(|entry| to_dml(&entry.column.data_type));
        Some(CheckKind::CastLoss { column_expression: quote(column), source_type, target_type, max_rows })
    }

    fn moved_rows(&mut self, object: &Map<String, Value>, at: &Place<'_>, column: &str) -> Option<CheckKind> {
        self.found.only(object, at, &["check", "values", "pattern", "maxDistance", "maxMoved", "maxLost"]);
        let values = self.found.list(object, at, "values");
        let values = texts(self.found, values, &at.key("values"));
        let regex = self.found.text(object, at, "pattern").map(str::to_owned);
        if values.is_empty() == regex.is_none() {
            self.found.add(*at, "does not say what stands in the anchor", "give either `values` or `pattern`");
        }
        let columns: Vec<String> = self.layout.data.iter().map(|entry| entry.column.name.clone()).collect();
        if !columns.iter().any(|data| data == column) {
            self.found.add(*at, "a partition key cannot be an anchor", "move it to a data column");
        }
        let distance = self.whole(object, at, "maxDistance")?;
        let max_distance = u32::try_from(distance).ok().filter(|distance| *distance > 0);
        if max_distance.is_none() {
            self.found.add(at.key("maxDistance"), "reaches no neighbouring column", "count columns from 1");
        }
        let max_moved = self.found.whole(object, at, "maxMoved");
        let max_lost = self.found.whole(object, at, "maxLost").unwrap_or(0);
        Some(CheckKind::MovedRows { values, regex, max_distance: max_distance?, columns, max_moved, max_lost })
    }
}

/// Scalars as texts; NULL is no value, so a null in the list says nothing.
pub(super) fn texts(found: &mut Found<'_>, values: &[Value], at: &Place<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Number(_) | Value::Bool(_) => texts.push(value.to_string()),
            Value::Null => {}
            _ => found.add(at.index(index), "is no single value", "list texts, numbers, true or false"),
        }
    }
    texts
}
