//! What an UNNEST gives: columns by their place.

use std::ops::Range;

use super::origins::Origins;
use super::outline::Relation;
use super::resolve::{Columns, Output, Resolver};
use super::scope::Scope;
use crate::schema::DataType;

/// What an UNNEST gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unnested {
    pub token: usize,
    /// False if it gives more or fewer columns than are named.
    pub fits: bool,
    /// The fields that become columns, by their place.
    pub fields: Vec<String>,
}

impl Resolver<'_> {
    /// An array written out has as many elements in every row, so its values decide no rows.
    pub(super) fn has_fixed_length(&self, arguments: &Range<usize>) -> bool {
        let open = arguments.start + 1;
        self.source.is_word(arguments.start, "array")
            && self.source.partner(open).is_some_and(|close| close + 1 == arguments.end)
    }

    pub(super) fn unnested(
        &self,
        relation: &Relation,
        origins: &Origins,
        ordinality: bool,
        types: &[DataType],
    ) -> Columns {
        let last = relation.columns.len().saturating_sub(1);
        let output = |(index, name): (usize, &String)| {
            let ordinal = ordinality && index == last;
            Output {
                name: name.clone(),
                origins: if ordinal { Origins::new() } else { origins.clone() },
                data_type: if ordinal { Some(DataType::BigInt) } else { types.get(index).cloned() },
            }
        };
        Columns { outputs: relation.columns.iter().enumerate().map(output).collect(), rows: Origins::new() }
    }

    /// The types of what an UNNEST gives, in order; empty if they are not certain. An array of structs gives a column for each
    /// field.
    /// <https://trino.io/docs/current/sql/select.html#unnest>
    pub(super) fn unnested_types(
        &mut self,
        relation: &Relation,
        arguments: &Range<usize>,
        ordinality: bool,
        scope: &Scope,
    ) -> Vec<DataType> {
        let (mut types, mut names) = (Vec::new(), Vec::new());
        for argument in self.source.split(arguments.clone()) {
            match self.data_type(argument, scope) {
                Some(DataType::Array(item)) => match *item {
                    DataType::Struct(fields) => {
                        names.extend(fields.iter().map(|field| field.name.to_lowercase()));
                        types.extend(fields.into_iter().map(|field| field.data_type));
                    }
                    other => types.push(other),
                },
                Some(DataType::Map(key, value)) => types.extend([*key, *value]),
                _ => return Vec::new(),
            }
        }
        let named = relation.columns.len().saturating_sub(usize::from(ordinality));
        let fits = types.len() == named;
        self.found.unnested.push(Unnested { token: arguments.start, fits, fields: names });
        if fits { types } else { Vec::new() }
    }
}
