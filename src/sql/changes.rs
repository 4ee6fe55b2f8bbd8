//! What is of another type than it was promised, by the column that it is in.

use std::collections::{BTreeMap, BTreeSet};

use super::Substitution;
use super::origins::Origin;
use crate::schema::{Column, DataType, Table, same_name};

/// What a change of type does to what reads the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeEffect {
    /// Nothing: whatever is made of the value stays what it is.
    None,
    /// The value stays, and what is computed from it may not: `7 / 2` is 3, `7.0 / 2` is 3.5.
    Computed,
    /// The value may be another.
    Value,
}

/// The effect of a change of type: before, after.
pub(super) type EffectOf<'a> = &'a dyn Fn(&DataType, &DataType) -> TypeEffect;

/// The promised tables, with wider columns and what is inside columns as it was found.
pub(super) fn reshaped(
    promised: &[Table],
    found: &[Table],
    substitutions: &[Substitution],
    effect: EffectOf,
) -> Vec<Table> {
    let mut tables = promised.to_vec();
    let found: BTreeMap<&str, &Table> = found.iter().map(|table| (table.name.as_str(), table)).collect();
    for table in &mut tables {
        let Some(found) = found.get(table.name.as_str()) else { continue };
        for column in &mut table.columns {
            let stays = |other: &Column| {
                is_same_kind(&column.data_type, &other.data_type)
                    || effect(&column.data_type, &other.data_type) != TypeEffect::Value
            };
            let substituted = substitutions.iter().any(|other| other.is_of(&table.name, &column.name));
            if let Some(other) = found.column(&column.name).filter(|other| !substituted && stays(other)) {
                column.data_type = other.data_type.clone();
            }
        }
    }
    tables
}

pub(super) fn is_same_kind(a: &DataType, b: &DataType) -> bool {
    use DataType::{Array, Map, Struct};
    matches!((a, b), (Array(_), Array(_)) | (Map(..), Map(..)) | (Struct(_), Struct(_)))
}

/// True for a struct, and for what has one inside it.
pub(super) fn has_fields(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) => true,
        DataType::Array(item) => has_fields(item),
        DataType::Map(key, value) => has_fields(key) || has_fields(value),
        _ => false,
    }
}

/// True if fields that both have stand in another order, at any depth.
pub(super) fn is_reordered(a: &DataType, b: &DataType) -> bool {
    use DataType::{Array, Map, Struct};
    match (a, b) {
        (Array(a), Array(b)) => is_reordered(a, b),
        (Map(key, value), Map(other_key, other)) => is_reordered(key, other_key) || is_reordered(value, other),
        (Struct(a), Struct(b)) => {
            let place = |name: &str| b.iter().position(|field| same_name(&field.name, name));
            let places: Vec<usize> = a.iter().filter_map(|field| place(&field.name)).collect();
            let inside = a.iter().filter_map(|field| Some((field, &b[place(&field.name)?])));
            !places.is_sorted()
                || inside.into_iter().any(|(field, other)| is_reordered(&field.data_type, &other.data_type))
        }
        _ => false,
    }
}

/// Names of fields that are gone or of another type, by the column that they are in; with both types where the other is wider and
/// has no effect but in a cast.
pub(super) type Changed = BTreeMap<(String, String), Fields>;

pub(super) type Fields = BTreeSet<(String, Option<(DataType, DataType)>)>;

pub(super) fn changed(promised: &[Table], reshaped: &[Table], effect: EffectOf) -> Changed {
    let mut changed = Changed::new();
    for (before, after) in promised.iter().zip(reshaped) {
        for (old, new) in before.columns.iter().zip(&after.columns) {
            let mut names = BTreeSet::new();
            changed_fields(&old.data_type, &new.data_type, effect, &mut names);
            if !names.is_empty() {
                changed.insert((before.name.to_lowercase(), old.name.to_lowercase()), names);
            }
        }
    }
    changed
}

fn changed_fields(before: &DataType, after: &DataType, effect: EffectOf, names: &mut Fields) {
    match (before, after) {
        (DataType::Array(before), DataType::Array(after)) => changed_fields(before, after, effect, names),
        (DataType::Map(_, before), DataType::Map(_, after)) => changed_fields(before, after, effect, names),
        (DataType::Struct(before), DataType::Struct(after)) => {
            for old in before {
                let name = old.name.to_lowercase();
                match after.iter().find(|new| new.name.to_lowercase() == name) {
                    Some(new) if is_same_kind(&old.data_type, &new.data_type) => {
                        changed_fields(&old.data_type, &new.data_type, effect, names);
                    }
                    Some(new) if old.data_type == new.data_type => {}
                    Some(new) if effect(&old.data_type, &new.data_type) == TypeEffect::None => {
                        names.insert((name, Some((old.data_type.clone(), new.data_type.clone()))));
                    }
                    _ => {
                        names.insert((name, None));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Types of single values that became others, by the column that they are in: before, after.
pub(super) type Wider = BTreeMap<Origin, BTreeSet<(DataType, DataType)>>;

/// What became wider in columns, at any depth.
pub(super) fn wider(promised: &[Table], reshaped: &[Table], effect: EffectOf) -> Wider {
    let mut wider = Wider::new();
    for (before, after) in promised.iter().zip(reshaped) {
        for (old, new) in before.all_columns().zip(after.all_columns()) {
            let mut pairs = BTreeSet::new();
            wider_values(&old.data_type, &new.data_type, effect, &mut pairs);
            if !pairs.is_empty() {
                wider.insert((before.name.to_lowercase(), old.name.to_lowercase()), pairs);
            }
        }
    }
    wider
}

fn wider_values(before: &DataType, after: &DataType, effect: EffectOf, pairs: &mut BTreeSet<(DataType, DataType)>) {
    match (before, after) {
        (DataType::Array(before), DataType::Array(after)) => wider_values(before, after, effect, pairs),
        (DataType::Map(key, before), DataType::Map(key_after, after)) => {
            wider_values(key, key_after, effect, pairs);
            wider_values(before, after, effect, pairs);
        }
        (DataType::Struct(before), DataType::Struct(after)) => {
            for old in before {
                if let Some(new) = after.iter().find(|new| same_name(&new.name, &old.name)) {
                    wider_values(&old.data_type, &new.data_type, effect, pairs);
                }
            }
        }
        _ if before != after && effect(before, after) != TypeEffect::Value => {
            pairs.insert((before.clone(), after.clone()));
        }
        _ => {}
    }
}
