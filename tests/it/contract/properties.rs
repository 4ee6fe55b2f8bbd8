//! What holds of every table and every document.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn data_type() -> impl Strategy<Value = DataType> {
    let scalar = prop_oneof![
        Just(DataType::Boolean),
        Just(DataType::Int),
        Just(DataType::BigInt),
        Just(DataType::Double),
        Just(DataType::String),
        Just(DataType::Binary),
        Just(DataType::Date),
        Just(DataType::Timestamp),
        (1u16..300).prop_map(DataType::Varchar),
        (1u8..=38).prop_map(|precision| DataType::Decimal { precision, scale: precision / 2 }),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        let field =
            ("[a-z][a-z0-9_]{0,5}", inner.clone()).prop_map(|(name, data_type)| StructField { name, data_type });
        prop_oneof![
            inner.clone().prop_map(|item| DataType::Array(Box::new(item))),
            (inner.clone(), inner).prop_map(|(key, value)| DataType::Map(Box::new(key), Box::new(value))),
            vec(field, 0..3).prop_map(DataType::Struct),
        ]
    })
}

/// Columns and partition keys under names with the usual dirt; no two are the same but for case.
fn columns() -> impl Strategy<Value = (Vec<Column>, Vec<Column>)> {
    let evidence = prop_oneof![3 => Just(Evidence::Seen), 1 => Just(Evidence::None)];
    let column = ("[a-zé\"' .#:_-]{1,6}", data_type(), option::of("[ -~]{1,8}"), evidence);
    (vec(column, 1..8), 0usize..3).prop_map(|(columns, keys)| {
        let mut columns: Vec<Column> = columns
            .into_iter()
            .enumerate()
            .map(|(index, (name, data_type, comment, evidence))| Column {
                name: format!("{name}{index}"),
                data_type,
                comment: comment.map(String::into_boxed_str),
                evidence,
            })
            .collect();
        let keys = columns.split_off(columns.len().saturating_sub(keys).max(1));
        (columns, keys)
    })
}

fn any_texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map("[a-z.]{1,6}", "[ -~]{0,6}", 0..3)
}

fn table() -> impl Strategy<Value = Table> {
    let storage =
        (option::of("[a-z]{1,6}"), option::of("[a-zA-Z.]{1,9}"), any_texts(), option::of("[a-z.]{1,9}"), 0u32..3);
    let kind = prop_oneof![Just(TableKind::External), Just(TableKind::View), Just(TableKind::Iceberg)];
    let delimiter = prop_oneof![Just(texts([])), Just(texts([("delimiter", "|")]))];
    (columns(), storage, option::of("s3://[a-z]{1,5}/"), kind, delimiter).prop_map(
        |((columns, partition_keys), (label, serde, serde_parameters, format, lines), location, kind, parameters)| {
            Table {
                name: "raw_t".to_owned(),
                columns,
                partition_keys,
                storage: Storage {
                    classification: label.clone(),
                    serde,
                    serde_parameters,
                    input_format: format.clone(),
                    output_format: format,
                    compression: label,
                    skip_header_lines: lines,
                },
                location,
                kind,
                parameters,
                ..Table::default()
            }
        },
    )
}

/// Any JSON, as strangers put it into documents.
fn json_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Short fractions: serde_json reads the last digit of a long one exactly only with `float_roundtrip`.
        (-1000i32..1000).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,6}".prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((".{0,4}", inner), 0..3).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A table and its document, into which a stranger has put fields of their own, at any level and anywhere in the order.
fn decorated() -> impl Strategy<Value = (Table, Value)> {
    (table(), vec(("x-[a-z]{1,4}", json_value(), any::<prop::sample::Index>()), 0..6)).prop_map(|(table, extras)| {
        let mut value = Document::for_table("c.json", &table).value;
        for (key, extra, place) in extras {
            let columns = table.columns.len() + table.partition_keys.len();
            let object = match place.index(columns + 2) {
                0 => &mut value,
                1 => &mut value["schema"][0],
                column => &mut value["schema"][0]["properties"][column - 2],
            };
            let object = object.as_object_mut().expect("for_table writes objects");
            object.shift_insert(place.index(object.len()), key, extra);
        }
        (table, value)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_first_document_promises_its_table(table in table()) {
        let document = Document::for_table("c.json", &table);
        prop_assert_eq!(document.contract().map(|contract| contract.table), Ok(table));
    }

    #[test]
    fn accepting_what_is_promised_changes_nothing((table, value) in decorated()) {
        let read = document(&value);
        prop_assert_eq!(read.accept(&table).to_json(), read.to_json());
        prop_assert_eq!(Document::read("contracts/c.json", &read.to_json()), Ok(read.clone()));
        prop_assert_eq!(read.to_json(), format!("{value:#}\n"));
    }

    #[test]
    fn what_was_accepted_is_promised((_, value) in decorated(), mut next in table()) {
        let accepted = document(&value).accept(&next);
        let mut promised = accepted.contract().expect("stays a contract").table;
        // The description of a column that stays is the document's own.
        for columns in [&mut promised.columns, &mut promised.partition_keys, &mut next.columns, &mut next.partition_keys] {
            columns.iter_mut().for_each(|column| column.comment = None);
        }
        prop_assert_eq!(&promised, &next);
        prop_assert_eq!(accepted.accept(&next).to_json(), accepted.to_json());
    }

    #[test]
    fn glue_json_gives_back_the_table(mut table in table(), parameters in any_texts(), deprecated: bool) {
        table.parameters = parameters;
        table.database = "lake".to_owned();
        table.version = Some("3".to_owned());
        table.deprecated = deprecated;
        let written = glue_json::to_value(&table);
        let read = glue_json::read("t.json", &written.to_string()).expect("reads").remove(0);
        for (key, value) in &table.parameters {
            prop_assert_eq!(read.parameters.get(key), Some(value));
        }
        prop_assert_eq!(glue_json::to_value(&read), written);
        table.parameters = read.parameters.clone();
        prop_assert_eq!(read, table);
    }
}
