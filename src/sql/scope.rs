//! What names can mean at one place of a query.

use std::ops::Range;

use super::origins::Origins;
use super::resolved::Output;
use super::source::Mention;
use super::types;
use super::values;
use crate::schema::DataType;

/// A relation of a FROM.
pub(super) struct Bound {
    pub qualifier: Option<String>,
    /// The table, if it is one.
    pub table: Option<String>,
}

/// A column of the FROM.
pub(super) struct Offered {
    pub output: Output,
    relation: usize,
    /// True once a USING made one column of several: no relation qualifies it.
    merged: bool,
}

/// What names can mean at one place.
#[derive(Default)]
pub(super) struct Scope<'s> {
    pub relations: Vec<Bound>,
    /// In the order of `*`.
    pub columns: Vec<Offered>,
    /// Output columns, which ORDER BY sees first.
    pub outputs: Vec<Output>,
    pub parent: Option<&'s Scope<'s>>,
}

/// What a name turns out to be.
pub(super) enum Lookup {
    /// `qualified` if the mention's qualifier is a relation, not a column of which a field is read.
    Found {
        output: Output,
        table: Option<String>,
        qualified: bool,
    },
    Ambiguous(Origins),
    Unknown,
}

impl Scope<'_> {
    pub fn push(&mut self, bound: Bound, outputs: Vec<Output>) {
        let relation = self.relations.len();
        self.relations.push(bound);
        self.columns.extend(outputs.into_iter().map(|output| Offered { output, relation, merged: false }));
    }

    /// The types of the relations' columns of that name, as far as they are certain.
    pub fn types(&self, relations: &Range<usize>, name: &str) -> Vec<Option<DataType>> {
        let named = |column: &&Offered| relations.contains(&column.relation) && column.output.name == name;
        self.columns.iter().filter(named).map(|column| column.output.data_type.clone()).collect()
    }

    /// Makes one column of those that a USING names, and puts it ahead of the joined relations' others. Gives how many it
    /// was made of, and the tables that it is read from.
    /// <https://trino.io/docs/current/sql/select.html#joins>
    pub fn merge(&mut self, relations: &Range<usize>, name: &str, place: usize) -> (usize, Vec<String>) {
        let is_joined = |column: &Offered| relations.contains(&column.relation);
        let start = self.columns.iter().position(is_joined).unwrap_or(self.columns.len());
        let is_named = |column: &Offered| is_joined(column) && column.output.name == name;
        let (named, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.columns).into_iter().partition(is_named);
        self.columns = rest;
        let count = named.len();
        let read = named.iter().filter(|column| !column.merged);
        let tables = read.filter_map(|column| self.relations[column.relation].table.clone()).collect();
        if let Some(output) = named.into_iter().map(|column| column.output).reduce(merged) {
            self.columns.insert(start + place, Offered { output, relation: relations.start, merged: true });
        }
        (count, tables)
    }

    /// The columns that `relation.*` takes.
    pub fn of_relation(&self, qualifier: &str) -> impl Iterator<Item = &Output> {
        let taken = move |column: &&Offered| !column.merged && self.is_qualified(column, qualifier);
        self.columns.iter().filter(taken).map(|column| &column.output)
    }

    fn is_qualified(&self, column: &Offered, qualifier: &str) -> bool {
        self.relations[column.relation].qualifier.as_deref() == Some(qualifier)
    }

    /// True for a relation's column that a USING has made one of with another's: nothing qualifies it any more.
    pub fn is_merged(&self, mention: &Mention) -> bool {
        let is_relation =
            |qualifier: &String| self.relations.iter().any(|bound| bound.qualifier.as_ref() == Some(qualifier));
        let is_named = |column: &Offered| column.merged && column.output.name == mention.name;
        mention.qualifier.as_ref().is_some_and(is_relation) && self.columns.iter().any(is_named)
    }

    /// Finds a name here, else in the query around; `qualifier.name` may be a field of a column, too.
    pub fn lookup(&self, mention: &Mention) -> Lookup {
        match (&mention.qualifier, self.find(mention.qualifier.as_deref(), &mention.name)) {
            (Some(column), Lookup::Unknown) => self.find(None, column),
            (_, found) => found,
        }
    }

    fn find(&self, qualifier: Option<&str>, name: &str) -> Lookup {
        let qualified = qualifier.is_some();
        let outputs = self.outputs.iter().filter(|output| !qualified && output.name == name);
        let found = one(outputs.map(|output| (output, None)), qualified);
        if !matches!(found, Lookup::Unknown) {
            return found;
        }
        let is_meant = |column: &&Offered| match qualifier {
            Some(qualifier) => !column.merged && self.is_qualified(column, qualifier),
            None => true,
        };
        let columns = self.columns.iter().filter(|column| column.output.name == name).filter(is_meant);
        let table = |column: &Offered| self.relations[column.relation].table.clone().filter(|_| !column.merged);
        match (one(columns.map(|column| (&column.output, table(column))), qualified), self.parent) {
            (Lookup::Unknown, Some(parent)) => parent.find(qualifier, name),
            (found, _) => found,
        }
    }
}

/// Two columns of one name are ambiguous, of one relation as of two.
fn one<'o>(found: impl Iterator<Item = (&'o Output, Option<String>)>, qualified: bool) -> Lookup {
    let mut found: Vec<_> = found.collect();
    match found.pop() {
        None => Lookup::Unknown,
        Some((output, table)) if found.is_empty() => Lookup::Found { output: output.clone(), table, qualified },
        Some((last, _)) => {
            let others = found.iter().flat_map(|(output, _)| &output.origins);
            Lookup::Ambiguous(others.chain(&last.origins).cloned().collect())
        }
    }
}

fn merged(mut output: Output, other: Output) -> Output {
    output.values = Some(Box::new(values::union(output.values(), other.values())));
    output.data_type = output.data_type.zip(other.data_type).and_then(|(a, b)| types::common(&a, &b));
    output.origins.extend(other.origins);
    output.is_copy = false;
    output
}
