//! Carrying a tolerated addition through the models that take additions in, by insertion only.

use super::{Graph, Model};
use crate::problem::Problems;
use crate::schema::{DataType, Table};

/// A column that appeared in a raw table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    pub table: String,
    pub column: String,
    pub data_type: DataType,
}

/// A tolerated change of a column that models name; it replaces the column where it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Substitution {
    /// Removed and tolerated: read as `CAST(NULL AS type)`.
    TypedNull { table: String, column: String, data_type: DataType },
    /// Retyped and tolerated, or widened and pinned: read as `TRY_CAST(column AS type)`.
    TryCast { table: String, column: String, data_type: DataType },
}

/// The adapted models and what was decided on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adaptation {
    /// Models whose text changed, whole text (header included), in build order.
    pub models: Vec<Model>,
    pub not_carried: Vec<NotCarried>,
}

/// An addition that would have changed rows (DISTINCT, GROUP BY, set operation) or that a model did not opt into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarried {
    pub model: String,
    pub table: String,
    pub column: String,
    pub reason: String,
}

/// Adapts every model that an addition or substitution reaches, and proves each: parsed again it is the original
/// plus inserted projections, it resolves against `sources` (the *new* schemas), and no existing output column changed
/// name, place (partition columns stay last) or type. What cannot be proven is a problem: the caller makes it breaking.
///
/// A carried text column is trimmed and its empty value becomes NULL; the output name is snake_case; a name that the
/// model already has is refused (a problem).
pub fn adapt(
    _graph: &Graph,
    _sources: &[Table],
    _additions: &[Addition],
    _substitutions: &[Substitution],
) -> Result<Adaptation, Problems> {
    todo!()
}
