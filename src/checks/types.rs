//! Promised column types against built ones.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CheckResult, CheckStatus};
use crate::schema::{Column, DataType, StructField, Table};

/// The name of the check that a promised type is.
pub const COLUMN_TYPE: &str = "column type";

/// A column that a contract promises of a model, its type as Glue spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnType {
    pub name: String,
    pub data_type: String,
}

impl ColumnType {
    /// All columns of a table, partition keys last.
    pub fn of(table: &Table) -> Vec<Self> {
        let one = |column: &Column| Self { name: column.name.clone(), data_type: column.data_type.to_string() };
        table.all_columns().map(one).collect()
    }
}

/// Judges every promised column by the table as the catalog shows it; `None` if it does not.
pub fn column_types(table: &str, promised: &[ColumnType], built: Option<&Table>) -> Vec<CheckResult> {
    let built = built.map(ColumnType::of);
    promised.iter().map(|column| result(table, column, built.as_deref())).collect()
}

fn result(table: &str, promised: &ColumnType, built: Option<&[ColumnType]>) -> CheckResult {
    let found = |built: &[ColumnType]| {
        built.iter().find(|column| column.name.eq_ignore_ascii_case(&promised.name)).map(|it| it.data_type.clone())
    };
    let (status, measured) = match built.map(found) {
        None => (CheckStatus::Inconclusive, Value::Null),
        Some(None) => (CheckStatus::Fail, json!("no such column")),
        Some(Some(found)) if agree(&promised.data_type, &found) => (CheckStatus::Pass, json!(found)),
        Some(Some(found)) => (CheckStatus::Fail, json!(found)),
    };
    CheckResult {
        table: table.to_owned(),
        check: COLUMN_TYPE.to_owned(),
        column: Some(promised.name.clone()),
        status,
        measured,
        bound: json!(promised.data_type),
    }
}

/// True if a built column's type is what is promised, both as Glue spells them.
pub fn agree(promised: &str, built: &str) -> bool {
    keeps(&comparable(DataType::parse(promised)), &comparable(DataType::parse(built)))
}

/// True if the built type is the promised one, or has more fields: whoever reads those that are promised still finds them.
fn keeps(promised: &DataType, built: &DataType) -> bool {
    match (promised, built) {
        (DataType::Array(promised), DataType::Array(built)) => keeps(promised, built),
        (DataType::Map(key, value), DataType::Map(built_key, built_value)) => {
            keeps(key, built_key) && keeps(value, built_value)
        }
        (DataType::Struct(promised), DataType::Struct(built)) => promised.iter().all(|field| {
            built.iter().any(|other| other.name == field.name && keeps(&field.data_type, &other.data_type))
        }),
        (promised, built) => promised == built,
    }
}

/// A type as far as every engine tells it. A text's length is what a literal or a cast left of it on Athena, and no length
/// is known of it elsewhere; the case of a field's name counts nowhere.
fn comparable(data_type: DataType) -> DataType {
    let nested = |inner: Box<DataType>| Box::new(comparable(*inner));
    match data_type {
        DataType::Char(_) | DataType::Varchar(_) => DataType::String,
        DataType::Array(item) => DataType::Array(nested(item)),
        DataType::Map(key, value) => DataType::Map(nested(key), nested(value)),
        DataType::Struct(fields) => DataType::Struct(fields.into_iter().map(field).collect()),
        other => other,
    }
}

fn field(field: StructField) -> StructField {
    StructField { name: field.name.to_lowercase(), data_type: comparable(field.data_type) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str) -> ColumnType {
        ColumnType { name: "a".to_owned(), data_type: data_type.to_owned() }
    }

    fn built(name: &str, data_type: &str) -> Table {
        Table { columns: vec![Column::new(name, DataType::parse(data_type))], ..Table::default() }
    }

    fn status(promised: &str, table: Option<&Table>) -> CheckStatus {
        column_types("t", &[column(promised)], table)[0].status
    }

    #[test]
    fn a_type_is_compared_by_what_it_is_whatever_its_spelling() {
        for (promised, found) in [
            ("int", "integer"),
            ("float", "real"),
            ("string", "varchar(3)"),
            ("char(2)", "string"),
            ("decimal(5, 2)", "decimal(5,2)"),
            ("array<varchar(9)>", "array<string>"),
            ("map<string,varchar(9)>", "map<varchar(1),string>"),
            ("struct<Id:int>", "struct<id:integer>"),
            ("array<struct<id:int>>", "array<struct<no:string,id:int>>"),
        ] {
            assert_eq!(status(promised, Some(&built("A", found))), CheckStatus::Pass, "{promised}: {found}");
        }
        for (promised, found) in [
            ("int", "bigint"),
            ("float", "double"),
            ("string", "int"),
            ("string", "binary"),
            ("decimal(5,2)", "decimal(5,3)"),
            ("array<int>", "array<bigint>"),
            ("struct<id:int>", "struct<no:int>"),
            ("struct<id:int,no:int>", "struct<id:int>"),
            ("struct<id:int>", "struct<id:bigint,no:int>"),
            ("date", "timestamp"),
        ] {
            assert_eq!(status(promised, Some(&built("a", found))), CheckStatus::Fail, "{promised}: {found}");
        }
    }

    #[test]
    fn a_missing_column_fails_and_an_unseen_table_proves_nothing() {
        let [missing] = &column_types("t", &[column("int")], Some(&built("b", "int")))[..] else {
            panic!("one column")
        };
        assert_eq!((missing.status, &missing.measured), (CheckStatus::Fail, &json!("no such column")));
        assert_eq!(status("int", None), CheckStatus::Inconclusive);
    }

    #[test]
    fn a_partition_key_is_a_column() {
        let table = Table { partition_keys: built("a", "int").columns, ..Table::default() };
        assert_eq!(status("int", Some(&table)), CheckStatus::Pass);
        assert_eq!(ColumnType::of(&table), [column("int")]);
    }
}
