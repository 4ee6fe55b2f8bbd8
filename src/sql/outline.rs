//! The outline of a query: its CTEs, SELECTs, select lists and relations as ranges of tokens.
//!
//! The parsed tree says what is a column; it does not say where a select list ends. The outline does, so text can be
//! inserted there, and it knows each name's scope.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::outliner::Outliner;
use super::source::Source;

/// A query expression: `WITH ctes branch UNION branch … ORDER BY tail`.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub ctes: Vec<Cte>,
    pub branches: Vec<Branch>,
    /// True if an operator other than UNION ALL stands between two branches: whole rows are compared.
    pub compares: bool,
    /// ORDER BY, LIMIT, OFFSET, FETCH.
    pub tail: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Branch {
    Select(Select),
    Nested(Query),
    Values(Range<usize>),
}

#[derive(Debug)]
pub(super) struct Cte {
    /// The token of its name.
    pub at: usize,
    pub name: String,
    pub columns: Vec<String>,
    pub query: Query,
    pub recursive: bool,
}

#[derive(Debug, Default)]
pub(super) struct Select {
    /// The SELECT keyword.
    pub at: usize,
    pub distinct: bool,
    pub items: Vec<Item>,
    pub relations: Vec<Relation>,
    pub using: Vec<Using>,
    /// Join conditions, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY.
    pub clauses: Vec<Range<usize>>,
    pub grouped: bool,
    /// Tokens of the FROM that are not understood: MATCH_RECOGNIZE, table functions, time travel, NATURAL.
    pub unread: Vec<usize>,
}

/// One entry of a select list.
#[derive(Debug)]
pub(super) struct Item {
    pub tokens: Range<usize>,
    /// The output name, lowercase; none for a star and for an unnamed expression.
    pub name: Option<String>,
    pub star: Option<Star>,
    /// The tokens without an alias.
    pub value: Range<usize>,
}

/// `USING (a, b)` of a join.
#[derive(Debug)]
pub(super) struct Using {
    /// The names in the bracket.
    pub names: Vec<usize>,
    /// The relations that are joined here: indexes.
    pub relations: Range<usize>,
}

/// `*`, or `relation.*`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Star {
    pub relation: Option<String>,
}

#[derive(Debug)]
pub(super) struct Relation {
    /// Its first token.
    pub at: usize,
    pub kind: RelationKind,
    pub alias: Option<String>,
    /// `AS t (a, b)`: the new names.
    pub columns: Vec<String>,
}

#[derive(Debug)]
pub(super) enum RelationKind {
    /// The name's parts as token range; the last part, lowercase, is the table.
    Table {
        name: String,
        parts: Range<usize>,
    },
    Derived(Query),
    /// UNNEST or another table function: its arguments.
    Function {
        arguments: Range<usize>,
        ordinality: bool,
    },
}

impl Relation {
    /// The name that qualifies this relation's columns.
    pub fn qualifier(&self) -> Option<&str> {
        match (&self.alias, &self.kind) {
            (Some(alias), _) => Some(alias),
            (None, RelationKind::Table { name, .. }) => Some(name),
            _ => None,
        }
    }
}

impl Item {
    /// True if AS (or a bare alias) gives the name.
    pub fn is_aliased(&self) -> bool {
        self.value != self.tokens
    }
}

impl Select {
    fn every_item(&self) -> Vec<&Item> {
        let derived = self.relations.iter().filter_map(|relation| match &relation.kind {
            RelationKind::Derived(query) => Some(query.items()),
            _ => None,
        });
        self.items.iter().chain(derived.flatten()).collect()
    }
}

impl Query {
    pub fn of(source: &Source) -> Self {
        Outliner { source }.query(0..source.tokens.len())
    }

    /// The queries inside an expression, outermost only.
    pub fn inside(source: &Source, range: Range<usize>) -> Vec<(Range<usize>, Self)> {
        let mut found = Vec::new();
        let mut index = range.start;
        while index < range.end {
            let opens_query =
                source.kind(index) == Some(T::LParen) && matches!(source.kind(index + 1), Some(T::Select | T::With));
            match source.partner(index) {
                Some(close) if opens_query => {
                    found.push((index + 1..close, Outliner { source }.query(index + 1..close)));
                    index = close + 1;
                }
                _ => index += 1,
            }
        }
        found
    }

    pub fn is_set_operation(&self) -> bool {
        self.branches.len() > 1
    }

    /// The entries of every select list, those of queries inside expressions left out.
    pub fn items(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.ctes.iter().flat_map(|cte| cte.query.items()).collect();
        for branch in &self.branches {
            match branch {
                Branch::Select(select) => items.extend(select.every_item()),
                Branch::Nested(query) => items.extend(query.items()),
                Branch::Values(_) => {}
            }
        }
        items
    }
}
