//! One file of sql/.

use super::header::{self, Header};
use super::outline::{Branch, Query, Select};
use super::source::{self, Source};
use super::{slot, tables, zoned};
use crate::problem::{Problem, Problems, closest};

/// A model: a plain Athena SELECT that pastes into the console, with a comment block on top:
///
/// ```sql
/// /* crawlguard
/// materialized: table
/// primary_key: id
/// additions: carry
/// */
/// SELECT …
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The file's stem: the table that the model makes.
    pub name: String,
    pub file: String,
    /// The whole text, header included, byte for byte.
    pub text: String,
    pub materialization: Materialization,
    /// Columns that the output is partitioned by: the last ones of the SELECT, in order.
    pub partitioned_by: Vec<String>,
    pub primary_key: Vec<String>,
    /// Whether tolerated additions are carried into this model's output.
    pub carries_additions: bool,
    /// Tables it reads, lowercase, sorted, CTE names left out.
    pub reads: Vec<String>,
    /// The databases that its table names say: each with where it is said and the table's own name.
    pub databases: Vec<(String, String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Materialization {
    /// A Hive table in Parquet.
    Table,
    /// An Iceberg table (AWS only; embedded writes Parquet).
    Iceberg,
}

impl Model {
    /// Reads one file; every problem of header and SQL at once, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        Self::read(file, text, true)
    }

    /// Reads a SELECT that makes no table: its outputs need no names.
    pub fn query(text: &str) -> Result<Self, Problems> {
        Self::read("query", text, false)
    }

    fn read(file: &str, text: &str, makes_table: bool) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let header = Header::read(file, text, &mut problems);
        let (mut reads, mut databases) = (Vec::new(), Vec::new());
        match Source::read(text) {
            Ok(source) => {
                let query = Query::of(&source);
                let mut reading = Reading { file, source: &source, problems: &mut problems };
                if makes_table {
                    reading.outputs(&query, &header);
                }
                reading.not_reproducible();
                let tables = tables::of(&source, &query);
                reading.catalogs(&tables);
                let qualified = tables.iter().filter(|table| table.tokens.len() > 1);
                databases = qualified.map(|table| database(&source, table)).collect();
                reads = tables.into_iter().map(|table| table.name).collect();
                reads.sort();
                reads.dedup();
            }
            Err(error) => problems.push(Problem::new(file, error.place, error.message, error.help)),
        }
        let name = stem(file).to_lowercase();
        if name.is_empty() {
            problems.push(Problem::new(
                file,
                "",
                "no name to give the table",
                "name the file like the table: `name.sql`",
            ));
        }
        let model = Self {
            name,
            file: file.to_owned(),
            text: text.to_owned(),
            materialization: header.materialization,
            partitioned_by: header.partitioned_by,
            primary_key: header.primary_key,
            carries_additions: header.carries_additions,
            reads,
            databases,
        };
        Problems::or(problems, model)
    }

    /// Where the text first names a table that it reads: `line:column`.
    pub fn place_of(&self, table: &str) -> String {
        let Ok(source) = Source::read(&self.text) else { return String::new() };
        let tables = tables::of(&source, &Query::of(&source));
        let found = tables.iter().find(|found| found.name == table);
        found.map_or_else(String::new, |found| source.place(found.tokens.start))
    }

    /// The SELECT alone, without the header block and a trailing semicolon.
    pub fn select(&self) -> &str {
        let start = Header::read(&self.file, &self.text, &mut Vec::new()).length;
        let end = source::end(&self.text);
        self.text[start..end.max(start)].trim()
    }
}

fn database(source: &Source, table: &tables::TableName) -> (String, String, String) {
    let token = table.tokens.start;
    (source.place(token), source.name(token), table.name.clone())
}

fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".sql").unwrap_or(name)
}

/// What can be said of a SELECT without any schema.
struct Reading<'a> {
    file: &'a str,
    source: &'a Source<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn problem(&mut self, token: usize, message: String, help: &str) {
        self.problems.push(Problem::new(self.file, self.source.place(token), message, help));
    }

    fn outputs(&mut self, query: &Query, header: &Header) {
        let Some(select) = first_select(query) else { return };
        if header.materialization == Materialization::Table {
            for (token, word) in zoned::zoned(self.source, select) {
                self.problem(token, format!("`{word}` is a timestamp with time zone"), &zoned::help(&word));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for item in &select.items {
            if item.tokens.is_empty() {
                self.problem(
                    item.tokens.start,
                    "nothing between two commas of the select list".to_owned(),
                    "take the comma out",
                );
                continue;
            }
            match &item.name {
                Some(name) if seen.contains(&name.as_str()) => {
                    self.problem(
                        item.tokens.start,
                        format!("two output columns are named `{name}`"),
                        "rename one with AS",
                    );
                }
                Some(name) => seen.push(name),
                None if item.star.is_none() => {
                    self.problem(item.tokens.start, "an output column has no name".to_owned(), "name it with AS");
                }
                None => {}
            }
        }
        let starred = select.items.iter().any(|item| item.star.is_some());
        if !starred {
            let broken = broken_promises(&seen, &header.partitioned_by, &header.primary_key);
            self.problems.extend(broken.into_iter().map(|broken| broken.problem(self.file, self.source.text)));
        }
    }

    fn not_reproducible(&mut self) {
        for (token, word) in slot::not_reproducible(&self.source.tokens) {
            self.problem(token, format!("`{word}` gives other rows at each run"), slot::HELP);
        }
    }

    fn catalogs(&mut self, tables: &[tables::TableName]) {
        for table in tables.iter().filter(|table| table.tokens.len() > 3) {
            let help = format!("write `{}`: the target decides the catalog", table.name);
            self.problem(table.tokens.start, "a table name with a catalog".to_owned(), &help);
        }
    }
}

/// What a key of the header says of the output columns and the SELECT does not keep.
pub(super) struct BrokenPromise {
    key: &'static str,
    message: String,
    help: String,
}

impl BrokenPromise {
    /// At the key's own line.
    pub fn problem(self, file: &str, text: &str) -> Problem {
        Problem::new(file, header::place_of(text, self.key), self.message, self.help)
    }
}

/// The promises of a header that output columns of these names do not keep.
pub(super) fn broken_promises(names: &[&str], partitioned_by: &[String], primary_key: &[String]) -> Vec<BrokenPromise> {
    let mut broken = Vec::new();
    let last = &names[names.len().saturating_sub(partitioned_by.len())..];
    if last != partitioned_by {
        let wanted = partitioned_by.join(", ");
        let message = format!("the last output columns are not `partitioned_by: {wanted}`");
        let absent = partitioned_by.iter().filter(|name| !names.contains(&name.as_str()));
        let hint = absent.filter_map(|name| closest(name, names.iter().copied())).next();
        let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
        let help = format!("{hint}end the select list with {wanted}, in this order");
        broken.push(BrokenPromise { key: "partitioned_by", message, help });
    }
    for key in primary_key.iter().filter(|key| !names.contains(&key.as_str())) {
        let message = format!("primary_key `{key}` is no output column");
        let help = match closest(key, names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "name an output column".to_owned(),
        };
        broken.push(BrokenPromise { key: "primary_key", message, help });
    }
    broken
}

/// The SELECT that names the output columns.
pub(super) fn first_select(query: &Query) -> Option<&Select> {
    match query.branches.first()? {
        Branch::Select(select) => Some(select),
        Branch::Nested(query) => first_select(query),
        Branch::Values(_) => None,
    }
}
