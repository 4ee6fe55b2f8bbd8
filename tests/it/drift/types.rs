//! AWS's grid of schema updates, and the table of type changes.

use std::fmt::Write;

use crawlguard::drift::{ChangeKind, Decode, Promotion, Update};
use crawlguard::schema::{Binding, DataType, Format, Table};

use super::lake::{Edit, avro, csv, json, orc, parquet};
use super::{changes, lake};

/// As AWS prints it: a row an update, a column a format.
/// <https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html>
const GRID: [(Update, &str); 6] = [
    //                     CSV JSON AVRO PARQUET(name index) ORC(index name)
    (Update::Rename, "      Y   N    N    N           Y       Y     N"),
    (Update::AddInMiddle, " N   Y    Y    Y           N       N     Y"),
    (Update::AddAtEnd, "    Y   Y    Y    Y           Y       Y     Y"),
    (Update::Remove, "      N   Y    Y    Y           N       N     Y"),
    (Update::Reorder, "     N   Y    Y    Y           N       N     Y"),
    (Update::ChangeType, "  Y   Y    Y    Y           Y       Y     Y"),
];

fn formats(columns: &str) -> [Table; 7] {
    [
        csv(columns),
        json(columns),
        avro(columns),
        parquet(columns),
        parquet(columns).serde_parameter("parquet.column.index.access", "true"),
        orc(columns),
        orc(columns).serde_parameter("orc.column.index.access", "false"),
    ]
}

/// The catalog after an update of `a int, b int, c int`.
fn updated(update: Update) -> &'static str {
    match update {
        Update::Rename => "a int, x int, c int",
        Update::AddInMiddle => "a int, x int, b int, c int",
        Update::AddAtEnd => "a int, b int, c int, x int",
        Update::Remove => "a int, c int",
        Update::Reorder => "a int, c int, b int",
        Update::ChangeType => "a int, b bigint, c int",
    }
}

#[test]
fn the_grid_of_schema_updates_holds_cell_by_cell() {
    let mut right = 0;
    for (update, row) in GRID {
        let cells: Vec<bool> = row.split_whitespace().map(|cell| cell == "Y").collect();
        let befores = formats("a int, b int, c int");
        for ((supported, before), after) in cells.iter().zip(befores).zip(formats(updated(update))) {
            let expected = if *supported { Decode::Safe } else { Decode::Unsafe };
            let format = after.storage.format();
            assert_eq!(update.decode(format), expected, "{update:?} in {format:?}");
            // A change of type is possible for Parquet and ORC in partitioned tables only; a partition's own column list is
            // another matter.
            let keys = if update == Update::ChangeType { "day string" } else { "" };
            let (before, after) = (before.keys(keys), after.keys(keys));
            let changes = changes(&before, &[after]);
            assert!(!changes.is_empty());
            let worst = changes.iter().map(|change| change.decode).max().expect("not empty");
            if update == Update::Rename && !supported {
                // By name a rename is a loss: the promised column comes back NULL.
                assert!(changes.iter().any(|change| change.kind == ChangeKind::ColumnRemoved), "{format:?}");
            } else {
                assert_eq!(worst, expected, "{update:?} in {format:?}: {changes:?}");
            }
            right += 1;
        }
    }
    println!("{right}/42");
    assert_eq!(right, 42);
}

#[test]
fn a_type_change_needs_partitions_in_parquet_and_orc() {
    let safe: Vec<bool> = formats("a int")
        .into_iter()
        .zip(formats("a bigint"))
        .map(|(before, after)| changes(&before, &[after]).iter().all(|change| change.decode == Decode::Safe))
        .collect();
    assert_eq!(safe, [true, true, true, false, false, false, false]);
}

/// Partitions keep their own column list: CSV, JSON and Avro find a column in it by index, Parquet and ORC by name.
/// <https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html>
#[test]
fn in_a_partitioned_table_only_parquet_and_orc_by_name_stand_a_moved_column() {
    for update in [Update::AddInMiddle, Update::Remove, Update::Reorder, Update::AddAtEnd] {
        let befores = formats("a int, b int, c int").map(|table| table.keys("day string"));
        for (before, after) in befores.into_iter().zip(formats(updated(update))) {
            let format = after.storage.format();
            let by_name = matches!(format, Format::Parquet(Binding::Name) | Format::Orc(Binding::Name));
            let expected = if by_name || update == Update::AddAtEnd { Decode::Safe } else { Decode::Unsafe };
            let worst = changes(&before, &[after.keys("day string")]).iter().map(|change| change.decode).max();
            assert_eq!(worst, Some(expected), "{update:?} in {format:?}");
        }
    }
}

/// Where partitions have the table's column list, what AWS's grid says of the files is all there is to it.
#[test]
fn where_partitions_inherit_the_grid_holds_as_it_stands() {
    for update in [Update::AddInMiddle, Update::Remove, Update::Reorder, Update::AddAtEnd] {
        let befores = formats("a int, b int, c int").map(|table| table.keys("day string"));
        for (before, after) in befores.into_iter().zip(formats(updated(update))) {
            let format = after.storage.format();
            let worst = changes(&before, &[after.inherited()]).iter().map(|change| change.decode).max();
            assert_eq!(worst, Some(update.decode(format)), "{update:?} in {format:?}");
        }
    }
}

/// Every pair Athena documents as readable decodes in a partitioned table of every format, but for a text: what is no number
/// in it is NULL, or fails the query.
#[test]
fn documented_type_changes_decode_everywhere_but_for_texts() {
    let documented = [
        ("string", "tinyint smallint int bigint"),
        ("tinyint", "smallint int bigint"),
        ("smallint", "int bigint"),
        ("int", "bigint"),
        ("float", "double"),
    ];
    for (from, targets) in documented {
        for to in targets.split(' ') {
            let before = formats(&format!("a {from}")).map(|table| table.keys("day string"));
            let after = formats(&format!("a {to}")).map(|table| table.keys("day string"));
            for (before, after) in before.iter().zip(after) {
                let changes = changes(before, &[after]);
                let expected = if from == "string" { Decode::Unsafe } else { Decode::Safe };
                assert!(matches!(changes[..], [ref change] if change.decode == expected), "{changes:?}");
            }
        }
    }
}

const PRIMITIVES: [&str; 17] = [
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(10,2)",
    "decimal(20,4)",
    "decimal(5,0)",
    "string",
    "varchar(10)",
    "varchar(20)",
    "char(10)",
    "binary",
    "date",
    "timestamp",
];

#[test]
fn the_matrix_of_primitive_types() {
    let mut matrix = "from \\ to      ".to_owned();
    PRIMITIVES.iter().for_each(|to| write!(matrix, " {to:>13}").expect("a string"));
    for from in PRIMITIVES {
        write!(matrix, "\n{from:<15}").expect("a string");
        for to in PRIMITIVES {
            let promotion = Promotion::of(&DataType::parse(from), &DataType::parse(to));
            assert_eq!(promotion == Promotion::Identical, from == to);
            let cell = if promotion == Promotion::Identical { "=".to_owned() } else { format!("{promotion:?}") };
            write!(matrix, " {cell:>13}").expect("a string");
        }
    }
    insta::assert_snapshot!("promotions", matrix);
}

#[test]
fn widening_is_transitive_and_never_symmetric() {
    let widens =
        |from: &str, to: &str| Promotion::of(&DataType::parse(from), &DataType::parse(to)) == Promotion::Widening;
    for a in PRIMITIVES {
        for b in PRIMITIVES {
            assert!(!(widens(a, b) && widens(b, a)), "{a} and {b}");
            for c in PRIMITIVES.iter().filter(|c| widens(a, b) && widens(b, c)) {
                assert!(widens(a, c), "{a} → {b} → {c}");
            }
        }
    }
}

#[test]
fn a_nested_type_is_as_bad_as_its_worst_part() {
    let cases = [
        ("array<int>", "array<bigint>", Promotion::Widening),
        ("map<string,bigint>", "map<string,int>", Promotion::Narrowing),
        ("struct<a:int,b:int>", "struct<b:int,a:int>", Promotion::Widening),
        ("struct<a:int>", "struct<a:int,b:int>", Promotion::Widening),
        ("struct<a:int,b:int>", "struct<A:bigint>", Promotion::Lossy),
        ("struct<a:array<int>>", "struct<a:array<date>>", Promotion::Incompatible),
        ("array<int>", "int", Promotion::Incompatible),
        ("map<string,int>", "struct<a:int>", Promotion::Incompatible),
        ("int", "uniontype<int,string>", Promotion::Incompatible),
        ("string", "hllsketch", Promotion::Incompatible),
    ];
    for (from, to, expected) in cases {
        assert_eq!(Promotion::of(&DataType::parse(from), &DataType::parse(to)), expected, "{from} → {to}");
    }
    assert_eq!(lake::columns("m map<string,int>, d decimal(10,2)").len(), 2, "the builder splits at outer commas");
}
