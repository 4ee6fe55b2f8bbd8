//! What a query turns out to be: its columns, what it reads, and what is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fields::Access;
use super::origins::{Origin, Origins};
use super::types;
use super::unnest::Unnested;
use super::values::{Cast, Values};
use crate::problem::Problem;
use crate::schema::DataType;

/// One column of a table, CTE or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub name: String,
    pub origins: Origins,
    pub data_type: Option<DataType>,
    /// True if its values are those of its one origin, as they are.
    pub is_copy: bool,
    /// Whose values it has, where that is asked or several columns became one; a table's column has its own.
    pub values: Option<Box<Values>>,
}

impl Output {
    /// The column that this is, under another name or its own.
    pub fn copied(&self) -> Option<&Origin> {
        self.origins.iter().next().filter(|_| self.is_copy)
    }
}

/// The columns of a relation and what decides its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub outputs: Vec<Output>,
    pub rows: Origins,
}

/// A place that names a column of a table directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub tokens: Range<usize>,
    pub table: String,
    pub column: String,
}

/// One column of both sides of a set operation, or of a USING: the types, as far as they are certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct United {
    /// The last token of the set operation, or the name in the bracket.
    pub token: usize,
    pub name: String,
    pub sides: [Option<DataType>; 2],
}

impl United {
    pub fn common(&self) -> Option<DataType> {
        let [first, second] = &self.sides;
        types::common(first.as_ref()?, second.as_ref()?)
    }
}

#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub columns: Columns,
    pub sites: Vec<Site>,
    /// Tables whose columns a star, or a USING, takes unnamed: token and table.
    pub unnamed: Vec<(usize, String)>,
    /// What is read of columns, and inside them.
    pub accesses: Vec<Access>,
    /// UNNESTs over arrays of known type.
    pub unnested: Vec<Unnested>,
    /// What is put together by its place: in set operations, and in a subquery of several columns, as of an IN.
    pub paired: Vec<(Origins, Origins)>,
    /// Columns that set operations put under each other, and USING makes one of.
    pub united: Vec<United>,
    /// Where a change of type is followed: the types of what is made of the accesses, and of what it is made with.
    pub types: BTreeMap<(usize, usize), Option<DataType>>,
    /// There, too: the casts, by their first token.
    pub casts: BTreeMap<usize, Cast>,
    pub problems: Vec<Problem>,
}
