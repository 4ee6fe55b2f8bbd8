//! What several Parquet files' columns have in common.

use std::collections::BTreeMap;

use crate::catalog::crawl::listing::SourceFile;
use crate::catalog::crawl::log::Log;
use crate::catalog::crawl::missing::Missing;
use crate::schema::{Column, DataType, StructField, path};

/// Adds `found` to `known` by name, widening types where every value still fits.
pub(super) fn columns(known: &mut Vec<Column>, found: Vec<Column>, log: &mut Log<'_>) {
    for column in found {
        let Some(same) = known.iter_mut().find(|known| known.name == column.name) else {
            known.push(column);
            continue;
        };
        match widen(&same.data_type, &column.data_type) {
            Some(wide) => same.data_type = wide,
            None => log.push(
                "schema",
                format!("column `{}` is {} here and {} in older files", same.name, column.data_type, same.data_type),
                "write the files with one type",
            ),
        }
    }
}

/// What `all` files have together and some of the newest have not.
pub(super) fn missing(all: &[Column], newest: &[(&SourceFile, Vec<Column>)]) -> Missing {
    let lacked: Vec<(&SourceFile, Vec<String>)> =
        newest.iter().map(|(file, columns)| (*file, lacks(all, columns))).collect();
    let is_lacked = |path: &str| lacked.iter().all(|(_, paths)| paths.iter().any(|other| holds(other, path)));
    let mut first = BTreeMap::new();
    for (file, paths) in &lacked {
        for path in paths {
            first.entry(path).or_insert(*file);
        }
    }
    let mut missing = Missing::default();
    first.into_iter().for_each(|(path, file)| missing.add(path.clone(), file, is_lacked(path)));
    missing
}

/// True if the path is the other one, or inside it.
fn holds(other: &str, path: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// The paths of what `all` files have together and one has not.
fn lacks(all: &[Column], newest: &[Column]) -> Vec<String> {
    let mut paths = Vec::new();
    for column in all {
        let here = path::column(&column.name);
        match newest.iter().find(|newest| newest.name == column.name) {
            Some(newest) => add_missing(&column.data_type, &newest.data_type, &here, &mut paths),
            None => paths.push(here),
        }
    }
    paths
}

fn add_missing(all: &DataType, newest: &DataType, here: &str, paths: &mut Vec<String>) {
    use DataType::{Array, Map, Struct};
    match (all, newest) {
        (Array(all), Array(newest)) => add_missing(all, newest, &path::item(here), paths),
        (Map(_, all), Map(_, newest)) => add_missing(all, newest, &path::value(here), paths),
        (Struct(all), Struct(newest)) => {
            for field in all {
                let here = path::field(here, &field.name);
                match newest.iter().find(|newest| newest.name.eq_ignore_ascii_case(&field.name)) {
                    Some(newest) => add_missing(&field.data_type, &newest.data_type, &here, paths),
                    None => paths.push(here),
                }
            }
        }
        _ => {}
    }
}

/// The type that holds the values of both, `None` if neither is a promotion of the other.
fn widen(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Array, Decimal, Double, Float, Map, Struct};
    Some(match (a, b) {
        _ if a == b => a.clone(),
        (Float, Double) | (Double, Float) => Double,
        (Decimal { .. }, Decimal { .. }) if has_room(b, a) => b.clone(),
        (Decimal { .. }, Decimal { .. }) if has_room(a, b) => a.clone(),
        (Array(a), Array(b)) => Array(Box::new(widen(a, b)?)),
        (Map(key_a, a), Map(key_b, b)) => Map(Box::new(widen(key_a, key_b)?), Box::new(widen(a, b)?)),
        (Struct(a), Struct(b)) => Struct(fields(a, b)?),
        _ if integer_width(a)? < integer_width(b)? => b.clone(),
        _ => a.clone(),
    })
}

/// True if a decimal holds every value of another one: as many digits before the point, and behind it.
fn has_room(wide: &DataType, other: &DataType) -> bool {
    let digits = |data_type: &DataType| match data_type {
        DataType::Decimal { precision, scale } => Some((precision.checked_sub(*scale)?, *scale)),
        _ => None,
    };
    matches!((digits(wide), digits(other)), (Some(wide), Some(other)) if wide.0 >= other.0 && wide.1 >= other.1)
}

fn integer_width(data_type: &DataType) -> Option<u8> {
    match data_type {
        DataType::TinyInt => Some(8),
        DataType::SmallInt => Some(16),
        DataType::Int => Some(32),
        DataType::BigInt => Some(64),
        _ => None,
    }
}

fn fields(a: &[StructField], b: &[StructField]) -> Option<Vec<StructField>> {
    let mut merged = a.to_vec();
    for field in b {
        match merged.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&field.name)) {
            Some(same) => same.data_type = widen(&same.data_type, &field.data_type)?,
            None => merged.push(field.clone()),
        }
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: Option<&str>) {
        let [a, b] = [a, b].map(DataType::parse);
        assert_eq!(widen(&a, &b).map(|wide| wide.to_string()).as_deref(), expected, "{a} with {b}");
    }

    #[test]
    fn only_promotions_widen() {
        check("int", "int", Some("int"));
        check("int", "bigint", Some("bigint"));
        check("bigint", "tinyint", Some("bigint"));
        check("float", "double", Some("double"));
        check("array<int>", "array<bigint>", Some("array<bigint>"));
        check("map<string,float>", "map<string,double>", Some("map<string,double>"));
        check("struct<a:int>", "struct<b:string,a:bigint>", Some("struct<a:bigint,b:string>"));
        check("int", "double", None);
        check("bigint", "string", None);
        check("decimal(9,2)", "decimal(10,2)", Some("decimal(10,2)"));
        check("decimal(12,4)", "decimal(9,2)", Some("decimal(12,4)"));
        check("array<decimal(9,2)>", "array<decimal(18,2)>", Some("array<decimal(18,2)>"));
        check("decimal(10,2)", "decimal(10,4)", None);
        check("decimal(9,2)", "double", None);
        check("int", "decimal(10,0)", None);
        check("date", "timestamp", None);
        check("struct<a:int>", "struct<a:string>", None);
    }
}
