//! What an UNNEST gives: columns by their place.

use std::ops::Range;

use super::origins::Origins;
use super::outline::Relation;
use super::resolve::Resolver;
use super::resolved::{Columns, Output};
use super::scope::Scope;
use super::values::Values;
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

/// The columns that an UNNEST gives of itself.
#[derive(Debug, Default)]
pub(super) struct Given {
    names: Vec<String>,
    types: Vec<DataType>,
    values: Vec<Values>,
}

impl Resolver<'_> {
    /// An array written out has as many elements in every row, so its values decide no rows.
    pub(super) fn has_fixed_length(&self, arguments: &Range<usize>) -> bool {
        let open = arguments.start + 1;
        self.source.is_word(arguments.start, "array")
            && self.source.partner(open).is_some_and(|close| close + 1 == arguments.end)
    }

    pub(super) fn unnested(&self, relation: &Relation, origins: &Origins, ordinality: bool, given: &Given) -> Columns {
        let Given { names, types, values } = given;
        let names = if relation.columns.is_empty() { names } else { &relation.columns };
        let last = names.len().saturating_sub(1);
        let output = |(index, name): (usize, &String)| {
            let ordinal = ordinality && index == last;
            Output {
                name: name.clone(),
                origins: if ordinal { Origins::new() } else { origins.clone() },
                data_type: if ordinal { Some(DataType::BigInt) } else { types.get(index).cloned() },
                is_copy: false,
                values: if ordinal { None } else { values.get(index).cloned().map(Box::new) },
            }
        };
        Columns { outputs: names.iter().enumerate().map(output).collect(), rows: Origins::new() }
    }

    /// The columns that an UNNEST gives, in order; none if they are not certain. An array of structs gives one for each field,
    /// under its name where the model has no names for them.
    /// <https://trino.io/docs/current/sql/select.html#unnest>
    pub(super) fn given(
        &mut self,
        relation: &Relation,
        arguments: &Range<usize>,
        ordinality: bool,
        scope: &Scope,
    ) -> Given {
        let (mut types, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for argument in self.source.split(arguments.clone()) {
            if self.follows.is_some() {
                values.extend(self.elements(&argument, scope));
            }
            match self.data_type(argument, scope) {
                Some(DataType::Array(item)) => match *item {
                    DataType::Struct(fields) => {
                        names.extend(fields.iter().map(|field| field.name.to_lowercase()));
                        types.extend(fields.into_iter().map(|field| field.data_type));
                    }
                    other => types.push(other),
                },
                Some(DataType::Map(key, value)) => types.extend([*key, *value]),
                _ => return Given::default(),
            }
        }
        if relation.columns.is_empty() && names.len() == types.len() && !ordinality {
            return Given { names, types, values };
        }
        let named = relation.columns.len().saturating_sub(usize::from(ordinality));
        let fits = types.len() == named;
        self.found.unnested.push(Unnested { token: arguments.start, fits, fields: names });
        if fits { Given { names: Vec::new(), types, values } } else { Given::default() }
    }
}
