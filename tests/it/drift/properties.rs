//! What holds for any two tables.

use std::collections::BTreeSet;

use crawlguard::drift::{Change, ChangeKind, RULES, Verdict, judge};
use crawlguard::schema::{Column, DataType, Table, path};
use proptest::prelude::*;

use super::changes;
use super::lake::{Edit, avro, contract, csv, json, orc, parquet};

fn data_type() -> impl Strategy<Value = DataType> {
    let primitives = ["int", "bigint", "double", "string", "date", "decimal(10,2)", "uniontype<int,string>"];
    let leaf = prop::sample::select(primitives.map(DataType::parse).to_vec());
    leaf.prop_recursive(2, 6, 3, |inner| {
        let fields = prop::collection::vec(("[abAB]", inner.clone()), 1..4);
        prop_oneof![
            inner.clone().prop_map(|item| DataType::parse(&format!("array<{item}>"))),
            inner.prop_map(|value| DataType::parse(&format!("map<string,{value}>"))),
            fields.prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(name, data_type)| format!("{name}:{data_type}")).collect();
                DataType::parse(&format!("struct<{}>", fields.join(",")))
            }),
        ]
    })
}

fn columns() -> impl Strategy<Value = Vec<Column>> {
    // Few names: the same one twice, in two cases or with a path's signs in it comes up often.
    let name = prop::sample::select(vec!["a", "b", "c", "d", "A", "b.c", "col0", "e e"]);
    prop::collection::vec((name, data_type()).prop_map(|(name, data_type)| Column::new(name, data_type)), 0..6)
}

fn table() -> impl Strategy<Value = Table> {
    let stored = [csv, json, avro, parquet, orc].map(|stored| stored(""));
    (prop::sample::select(stored.to_vec()), columns(), columns()).prop_map(|(table, columns, partition_keys)| {
        table.edit(|table| {
            table.columns = columns;
            table.partition_keys = partition_keys;
        })
    })
}

fn names(changes: &[Change], kinds: &[ChangeKind]) -> BTreeSet<String> {
    changes.iter().filter(|change| kinds.contains(&change.kind)).map(|change| change.path.clone()).collect()
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(table in table()) {
        prop_assert_eq!(changes(&table, std::slice::from_ref(&table)), []);
    }

    #[test]
    fn what_differs_is_never_clean(before in table(), after in table()) {
        prop_assume!(before != after);
        let contracts = [contract(&before)];
        let findings = judge(&changes(&before, &[after]), &contracts, None);
        prop_assert_ne!(Verdict::of(&findings), Verdict::Clean);
    }

    #[test]
    fn a_change_mirrors(before in table(), after in table()) {
        let (there, back) = (changes(&before, std::slice::from_ref(&after)), changes(&after, std::slice::from_ref(&before)));
        let lost = |changes: &[Change]| changes.iter().any(|change| change.kind == ChangeKind::HeaderLost);
        prop_assume!(!lost(&there) && !lost(&back));
        // What is added with a type that is not known is told as that.
        use ChangeKind::{ColumnAddedAtEnd, ColumnAddedInMiddle, ColumnDuplicated, FieldAdded, Unreadable};
        let added: Vec<Change> = there.into_iter().filter(|change| change.before.is_none()).collect();
        let (nested, whole): (Vec<_>, Vec<_>) = added.into_iter().partition(|change| !path::split(&change.path).0.is_empty());
        let columns = [ColumnAddedAtEnd, ColumnAddedInMiddle, ColumnDuplicated, Unreadable];
        prop_assert_eq!(names(&whole, &columns), names(&back, &[ChangeKind::ColumnRemoved]));
        prop_assert_eq!(names(&nested, &[FieldAdded, Unreadable]).len(), names(&back, &[ChangeKind::FieldRemoved]).len());
    }

    #[test]
    fn every_fact_is_worded_by_one_rule(before in table(), after in table()) {
        for change in changes(&before, &[after]) {
            let claimed = RULES.iter().filter(|rule| (rule.detect)(&change).is_some()).count();
            prop_assert_eq!(claimed, 1, "{:?}", change);
        }
    }

    #[test]
    fn one_more_finding_never_makes_a_verdict_better(before in table(), after in table()) {
        let contracts = [contract(&before)];
        let mut findings = judge(&changes(&before, &[after]), &contracts, None);
        let verdict = Verdict::of(&findings);
        while findings.pop().is_some() {
            prop_assert!(Verdict::of(&findings) <= verdict);
        }
    }
}
