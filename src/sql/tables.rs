//! The tables that a query reads: names in FROM that are no CTE in scope.

use std::ops::Range;

use super::outline::{Branch, Query, Relation, RelationKind, Select};
use super::source::Source;
use crate::problem::{Problem, Problems};

/// One reference to a table.
#[derive(Debug, PartialEq, Eq)]
pub struct TableName {
    /// The last part, lowercase.
    pub name: String,
    /// All parts: tokens of the [`dialect()`](super::dialect()).
    pub tokens: Range<usize>,
    pub has_alias: bool,
}

/// Every reference to a table in a text, which has to be one SELECT; in text order.
pub fn tables(file: &str, select: &str) -> Result<Vec<TableName>, Problems> {
    let source = Source::read(select).map_err(|error| Problem::new(file, error.place, error.message, error.help))?;
    Ok(of(&source, &Query::of(&source)))
}

/// Every reference to a table, in text order.
pub(super) fn of(source: &Source, query: &Query) -> Vec<TableName> {
    let mut finder = Finder { source, found: Vec::new() };
    finder.query(query, &[]);
    finder.found.sort_by_key(|table| table.tokens.start);
    finder.found
}

struct Finder<'a> {
    source: &'a Source<'a>,
    found: Vec<TableName>,
}

impl Finder<'_> {
    fn query(&mut self, query: &Query, ctes: &[String]) {
        let mut ctes = ctes.to_vec();
        for cte in &query.ctes {
            let mut visible = ctes.clone();
            visible.extend(cte.recursive.then(|| cte.name.clone()));
            self.query(&cte.query, &visible);
            ctes.push(cte.name.clone());
        }
        for branch in &query.branches {
            match branch {
                Branch::Select(select) => self.select(select, &ctes),
                Branch::Nested(nested) => self.query(nested, &ctes),
                Branch::Values(range) => self.expression(range.clone(), &ctes),
            }
        }
        self.expression(query.tail.clone(), &ctes);
    }

    fn select(&mut self, select: &Select, ctes: &[String]) {
        for relation in &select.relations {
            self.relation(relation, ctes);
        }
        let items = select.items.iter().map(|item| &item.tokens);
        for range in items.chain(&select.clauses) {
            self.expression(range.clone(), ctes);
        }
    }

    fn relation(&mut self, relation: &Relation, ctes: &[String]) {
        match &relation.kind {
            RelationKind::Table { name, parts } => {
                if parts.len() > 1 || !ctes.contains(name) {
                    let has_alias = relation.alias.is_some();
                    self.found.push(TableName { name: name.clone(), tokens: parts.clone(), has_alias });
                }
            }
            RelationKind::Derived(query) => self.query(query, ctes),
            RelationKind::Function { arguments, .. } => self.expression(arguments.clone(), ctes),
        }
    }

    fn expression(&mut self, range: Range<usize>, ctes: &[String]) {
        for (_, query) in Query::inside(self.source, range) {
            self.query(&query, ctes);
        }
    }
}
