//! The plan: which checks wait for what, and what they ask for.

use std::collections::BTreeMap;

use crawlguard::checks::{CheckKind, CheckSpec};
use crawlguard::contract::Contract;
use crawlguard::plan::{Action, Inputs, Plan, Step, build};
use crawlguard::schema::Table;
use crawlguard::sql::{Graph, Model};

use crate::drift::lake::{Edit, contract, json};
use crate::support::SLOT;

fn check(column: &str, kind: CheckKind) -> CheckSpec {
    CheckSpec { name: kind.name().to_owned(), column: Some(column.to_owned()), kind }
}

fn nulls(column: &str, max_rows: Option<u64>, max_share: Option<f64>) -> CheckSpec {
    check(column, CheckKind::Nulls { max_rows, max_share })
}

fn reference(column: &str, table: &str, target: &str) -> CheckSpec {
    check(column, CheckKind::References { table: table.to_owned(), column: target.to_owned() })
}

/// `raw_orders` with these checks and `raw_refunds`, over the catalog's tables; `int_orders` is a model of the first.
fn plan(checks: Vec<CheckSpec>, of_model: Vec<CheckSpec>, catalog: &[Table]) -> Plan {
    let orders = json("id int, city string, note string");
    let refunds = orders.clone().named("raw_refunds");
    let model = Contract {
        origin: crawlguard::contract::Origin::Model,
        checks: of_model,
        ..contract(&json("id int").named("int_orders"))
    };
    let contracts = [Contract { checks, ..contract(&orders) }, contract(&refunds), model];
    let text = "/* crawlguard\nprimary_key: id\n*/\nSELECT id FROM raw_orders\n";
    let model = Model::parse("sql/int_orders.sql", text).unwrap();
    let graph = Graph::new(vec![model], &["raw_orders".to_owned(), "raw_refunds".to_owned()]).unwrap();
    let inputs = Inputs {
        run_id: "20260102T030405Z",
        slot: SLOT,
        graph: &graph,
        contracts: &contracts,
        tables: catalog,
        extra_checks: &BTreeMap::new(),
    };
    build(inputs).unwrap()
}

fn both() -> [Table; 2] {
    let orders = json("id int, city string, note string");
    [orders.clone(), orders.named("raw_refunds")]
}

fn step<'a>(plan: &'a Plan, name: &str) -> (usize, &'a Step) {
    plan.steps.iter().enumerate().find(|(_, step)| step.name == name).unwrap()
}

fn asked<'a>(plan: &'a Plan, name: &str) -> (&'a str, &'a [CheckSpec]) {
    match &step(plan, name).1.action {
        Action::Check { select, checks, .. } => (select, checks),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_source_that_refers_to_a_model_is_held_against_what_this_run_builds() {
    let plan = plan(vec![reference("id", "int_orders", "id")], Vec::new(), &both());
    let (built, _) = step(&plan, "build int_orders");
    let (place, orders) = step(&plan, "check raw_orders");
    assert_eq!(orders.after, [built]);
    assert!(built < place, "a step waits for earlier ones only");
    let (select, checks) = asked(&plan, "check raw_orders");
    assert!(select.contains("\"stg_int_orders_20260102t030405z\" AS referenced"), "{select}");
    assert_eq!(checks[0].reference(), Some(("stg_int_orders_20260102t030405z", "id")));
    let (place, refunds) = step(&plan, "check raw_refunds");
    assert!(place < built && refunds.after.is_empty(), "what refers to no model waits for none");
}

#[test]
fn a_source_that_refers_to_a_source_waits_for_nothing() {
    let plan = plan(vec![reference("id", "raw_refunds", "id")], Vec::new(), &both());
    let (_, orders) = step(&plan, "check raw_orders");
    assert_eq!(orders.after, [0_usize; 0]);
    assert!(asked(&plan, "check raw_orders").0.contains("FROM \"raw_refunds\" AS referenced"));
}

#[test]
fn a_check_of_a_column_that_is_gone_leaves_the_others_measurable() {
    let moved = CheckKind::MovedRows {
        values: vec!["x".to_owned()],
        regex: None,
        max_distance: 1,
        columns: ["id", "city", "note"].map(str::to_owned).to_vec(),
        max_moved: None,
        max_lost: 0,
    };
    let checks = || {
        vec![
            nulls("city", None, None),
            check("id", CheckKind::Unique { columns: vec!["id".to_owned(), "city".to_owned()] }),
            reference("id", "raw_refunds", "city"),
            check("note", moved.clone()),
            nulls("note", None, None),
        ]
    };
    let whole = plan(checks(), Vec::new(), &both());
    let gone = both().map(|table| json("id int, note string").named(&table.name));
    let less = plan(checks(), Vec::new(), &gone);
    let (all, left) = (asked(&whole, "check raw_orders").0, asked(&less, "check raw_orders").0);
    assert_eq!((all.matches("\"city\"").count() > 3, left.matches("\"city\"").count()), (true, 0), "{left}");
    assert_eq!(all.matches(" AS m").count(), left.matches(" AS m").count(), "as many numbers");
    assert_eq!(left.matches("CAST(NULL AS varchar)").count(), 3, "{left}");
    assert!(left.contains("checked.\"note\" IS NULL"), "{left}");
}

/// The contract may be older than a tolerated change: what `2.5` loses as a whole number, no whole number shows.
#[test]
fn what_a_cast_loses_is_seen_by_the_type_that_the_column_has_now() {
    let loss = CheckKind::CastLoss {
        column_expression: "\"id\"".to_owned(),
        source_type: Some("integer".to_owned()),
        target_type: "smallint".to_owned(),
        max_rows: 0,
    };
    let found = both().map(|table| json("id double, city string").named(&table.name));
    let plan = plan(vec![check("id", loss)], Vec::new(), &found);
    let select = asked(&plan, "check raw_orders").0;
    assert!(select.contains("AS smallint) AS double) IS DISTINCT FROM"), "{select}");
}

#[test]
fn a_lax_rule_does_not_stand_for_a_primary_keys_own() {
    let of_key = |rule: CheckSpec| {
        let plan = plan(Vec::new(), vec![rule], &both());
        let strict = nulls("id", Some(0), None);
        let checks = asked(&plan, "check int_orders").1.iter();
        let of_nulls: Vec<_> = checks.filter(|check| matches!(check.kind, CheckKind::Nulls { .. })).collect();
        (of_nulls.len(), of_nulls.contains(&&strict))
    };
    for lax in [nulls("id", Some(5), None), nulls("id", None, Some(0.1)), nulls("id", Some(5), Some(0.1))] {
        assert_eq!(of_key(lax.clone()), (2, true), "{lax:?}");
    }
    for strict in [nulls("id", None, None), nulls("id", Some(0), Some(0.1)), nulls("id", None, Some(0.0))] {
        assert_eq!(of_key(strict.clone()).0, 1, "{strict:?}");
    }
}
