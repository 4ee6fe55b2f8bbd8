//! A tolerated change of a raw column, written where models name the column.

use super::edit::Edit;
use super::outline::Query;
use super::resolved::{Resolved, Site};
use super::source::Source;
use super::{Model, Substitution, ident, types};
use crate::problem::{Problem, Problems};
use crate::schema::DataType;

impl Substitution {
    pub fn table(&self) -> &str {
        match self {
            Self::TypedNull { table, .. } | Self::TryCast { table, .. } | Self::Renamed { table, .. } => table,
        }
    }

    pub(super) fn column(&self) -> &str {
        match self {
            Self::TypedNull { column, .. } | Self::TryCast { column, .. } | Self::Renamed { column, .. } => column,
        }
    }

    /// What the column is called once it changed.
    pub(super) fn name_now(&self) -> &str {
        match self {
            Self::Renamed { to, .. } => to,
            _ => self.column(),
        }
    }

    pub(super) fn data_type(&self) -> &DataType {
        match self {
            Self::TypedNull { data_type, .. } | Self::TryCast { data_type, .. } | Self::Renamed { data_type, .. } => {
                data_type
            }
        }
    }

    /// True if it stands for this column.
    pub fn is_of(&self, table: &str, column: &str) -> bool {
        self.table().eq_ignore_ascii_case(table) && self.column().to_lowercase() == column.to_lowercase()
    }
}

/// The edits of one model. `resolved` is the model over the tables as they were before the change.
pub(super) fn edits(
    model: &Model,
    source: &Source,
    query: &Query,
    resolved: &Resolved,
    substitutions: &[Substitution],
) -> Result<Vec<Edit>, Problems> {
    let mut problems = Vec::new();
    let mut problem = |token: usize, message: String, help: &str| {
        problems.push(Problem::new(&model.file, source.place(token), message, help));
    };
    for (token, table) in &resolved.unnamed {
        let hit = substitutions.iter().find(|substitution| substitution.table().eq_ignore_ascii_case(table));
        if let Some(substitution) = hit {
            let message = format!("`{}` of {table} changed and is taken unnamed here", substitution.column());
            problem(*token, message, "list the columns instead of `*` or USING");
        }
    }
    // They lose their name if the column is wrapped.
    let unnamed: Vec<_> =
        query.items().into_iter().filter(|item| !item.is_aliased()).map(|item| &item.tokens).collect();
    let mut edits = Vec::new();
    for site in &resolved.sites {
        let Some(substitution) = substitutions.iter().find(|other| other.is_of(&site.table, &site.column)) else {
            continue;
        };
        let Some(data_type) = types::to_dml(substitution.data_type()) else {
            let message = format!("`{}` has no type to read it as: {}", site.column, substitution.data_type());
            problem(site.tokens.start, message, "mend the contract's type");
            continue;
        };
        if source.name(site.tokens.end - 1) != site.column {
            let message = format!("a field of `{}`, which changed, is read here", site.column);
            problem(site.tokens.start, message, "qualify the column with its relation");
            continue;
        }
        edits.extend(at(source, site, substitution, &data_type, unnamed.contains(&&site.tokens)));
    }
    edits.sort_by_key(|edit| edit.bytes.start);
    edits.dedup();
    Problems::or(problems, edits)
}

fn at(source: &Source, site: &Site, substitution: &Substitution, data_type: &str, is_output: bool) -> Vec<Edit> {
    let bytes = source.bytes(&site.tokens);
    let name = if is_output { format!(" AS {}", ident::plain(&site.column)) } else { String::new() };
    match substitution {
        Substitution::TypedNull { .. } => vec![Edit { bytes, text: format!("CAST(NULL AS {data_type}){name}") }],
        Substitution::TryCast { .. } => {
            vec![Edit::insert(bytes.start, "TRY_CAST("), Edit::insert(bytes.end, format!(" AS {data_type}){name}"))]
        }
        Substitution::Renamed { to, .. } => {
            let bytes = source.bytes(&(site.tokens.end - 1..site.tokens.end));
            vec![Edit { bytes, text: format!("{}{name}", ident::plain(&to.to_lowercase())) }]
        }
    }
}
