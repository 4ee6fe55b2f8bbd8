//! Levels: bytes, then policy, then readers; and what a removal says about renames.

use std::collections::BTreeMap;

use crawlguard::checks::{CheckKind, CheckSpec};
use crawlguard::contract::{Contract, Tolerance};
use crawlguard::drift::{ChangeKind, Finding, Level, Promotion, Verdict, diff, judge, judge_with};
use crawlguard::schema::{MISSING_IN_NEWEST, Table};
use crawlguard::sql::Reader;

use super::lake::{Edit, contract, csv, json};
use super::{changes, findings};

fn reader(model: &str) -> Reader {
    Reader { model: model.to_owned(), columns: vec!["amount".to_owned()] }
}

/// Judged in a project where the models read these columns (empty: the table).
fn judged(contract: Contract, catalog: Table, read: &[&str]) -> Vec<Finding> {
    let contracts = [contract];
    judge_with(&diff(&contracts, &[catalog]), &contracts, &|change| {
        let column = change.column().unwrap_or_default();
        Some(read.iter().filter(|name| **name == column).map(|_| reader("int_orders")).collect())
    })
}

fn rules(rules: &[(&str, Tolerance)]) -> BTreeMap<String, Tolerance> {
    rules.iter().map(|(rule, tolerance)| ((*rule).to_owned(), *tolerance)).collect()
}

#[test]
fn a_removal_breaks_only_where_somebody_reads() {
    let promised = json("id int, amount double");
    let read = judged(contract(&promised), json("id int"), &["amount"]);
    assert_eq!((read[0].level, &read[0].models), (Level::Breaking, &vec![reader("int_orders")]));
    let unread = judged(contract(&promised), json("id int"), &["id"]);
    assert_eq!((unread[0].level, unread[0].models.len()), (Level::Tolerated, 0));
}

#[test]
fn a_column_that_a_check_names_is_read() {
    let check = |name: &str, column: &str, kind: CheckKind| CheckSpec {
        name: name.to_owned(),
        column: Some(column.to_owned()),
        kind,
    };
    let nulls = |column: &str| check("nulls", column, CheckKind::Nulls { max_rows: None, max_share: None });
    let unique = CheckKind::Unique { columns: vec!["id".to_owned(), "Amount".to_owned()] };
    let reference = |table: &str| CheckKind::References { table: table.to_owned(), column: "amount".to_owned() };
    let moved = CheckKind::MovedRows {
        values: vec!["1".to_owned()],
        regex: None,
        max_distance: 1,
        columns: vec!["id".to_owned(), "amount".to_owned()],
        max_moved: None,
        max_lost: 0,
    };
    let found = |checks: Vec<CheckSpec>| {
        let promised = json("id int, amount double");
        judged(Contract { checks, ..contract(&promised) }, json("id int"), &[]).remove(0)
    };
    for checks in
        [vec![nulls("AMOUNT")], vec![check("nulls", "id", unique)], vec![check("nulls", "id", reference("raw_orders"))]]
    {
        let finding = found(checks);
        assert_eq!((finding.level, finding.models.len()), (Level::Breaking, 0));
        let named = "The check `nulls` (contracts/raw_orders.json) cannot be measured without the column.";
        assert!(finding.message.ends_with(named), "{}", finding.message);
    }
    let two = found(vec![check("b", "amount", CheckKind::Freshness { max_age_hours: 1 }), nulls("amount")]);
    let named = "The checks `b` (contracts/raw_orders.json), `nulls` (contracts/raw_orders.json) cannot be measured without the \
                 column.";
    assert!(two.message.ends_with(named), "{}", two.message);
    let rows = CheckKind::RowCount { min: None, max: None };
    for near_miss in
        [nulls("id"), check("a", "id", moved), check("a", "id", reference("raw_refunds")), check("a", "amount", rows)]
    {
        let finding = found(vec![near_miss]);
        assert_eq!(finding.level, Level::Tolerated, "{}", finding.message);
        assert!(!finding.message.contains("check"), "{}", finding.message);
    }
}

fn nulls_of(column: &str) -> CheckSpec {
    let kind = CheckKind::Nulls { max_rows: None, max_share: None };
    CheckSpec { name: "nulls".to_owned(), column: Some(column.to_owned()), kind }
}

#[test]
fn no_policy_tolerates_that_a_check_cannot_be_measured() {
    let found = |check: CheckSpec, after: &str| {
        let promised = json("id int, amount double");
        let mut contract = Contract { checks: vec![check], ..contract(&promised) };
        contract.policy.rules = rules(&[("column-removed", Tolerance::Tolerate), ("type-lossy", Tolerance::Tolerate)]);
        judged(contract, json(after), &["amount"]).remove(0)
    };
    assert_eq!(found(nulls_of("amount"), "id int").level, Level::Breaking);
    assert_eq!(found(nulls_of("id"), "id int").level, Level::Tolerated);
    let retyped = found(nulls_of("amount"), "id int, amount string");
    assert_eq!((retyped.rule.as_str(), retyped.level), ("type-lossy", Level::Tolerated), "it can still be measured");
}

#[test]
fn a_check_of_a_retired_contract_reads_nothing() {
    let reference = CheckKind::References { table: "raw_orders".to_owned(), column: "amount".to_owned() };
    let check = CheckSpec { name: "references".to_owned(), column: Some("id".to_owned()), kind: reference };
    let level = |retired: bool| {
        let refunds = json("id int").named("raw_refunds").edit(|table| table.deprecated = retired);
        let refunds = Contract { checks: vec![check.clone()], ..contract(&refunds) };
        let contracts = [contract(&json("id int, amount double")), refunds];
        let changes = diff(&contracts[..1], &[json("id int")]);
        judge_with(&changes, &contracts, &|_| Some(vec![])).remove(0).level
    };
    assert_eq!((level(false), level(true)), (Level::Breaking, Level::Tolerated));
}

#[test]
fn the_help_of_a_nested_retype_promises_no_cast() {
    let help = |promised: &str, found: &str| findings(&json(promised), &[json(found)]).remove(0).help;
    let nested = help("st struct<price:int>", "st struct<price:double>");
    assert!(!nested.contains("pin the column"), "{nested}");
    let nested = help("st struct<price:double>", "st struct<price:string>");
    assert!(
        nested.contains("nothing inside a column is cast for the models") && nested.contains("no check counts"),
        "{nested}"
    );
    let whole = help("price double", "price string");
    assert!(whole.contains("through TRY_CAST") && whole.contains("a check counts what that makes NULL"), "{whole}");
}

#[test]
fn a_nested_change_hits_who_reads_its_column() {
    let promised = json("order struct<price:double>");
    let found = judged(contract(&promised), json("order struct<price:date>"), &["order"]);
    assert_eq!((found[0].path.as_str(), found[0].models.len()), ("order.price", 1));
}

#[test]
fn a_table_without_contract_breaks_only_if_a_model_reads_it() {
    let promised = json("id int");
    let refunds = json("id int").named("raw_refunds").at("s3://example-lake/refunds/");
    let contracts = [contract(&promised)];
    let changes = diff(&contracts, &[promised, refunds]);
    let level = |readers: Option<Vec<Reader>>| judge_with(&changes, &contracts, &|_| readers.clone())[0].level;
    assert_eq!(level(None), Level::Tolerated);
    assert_eq!(level(Some(vec![])), Level::Tolerated);
    assert_eq!(level(Some(vec![reader("int_refunds")])), Level::Breaking);
}

#[test]
fn policy_replaces_a_default_and_a_column_wins_over_the_table() {
    let mut promised = contract(&json("id int, amount double, note string"));
    promised.policy.rules =
        rules(&[("column-removed", Tolerance::Tolerate), ("column-added-at-end", Tolerance::Break)]);
    promised.policy.columns = BTreeMap::from([("Amount".to_owned(), rules(&[("column-removed", Tolerance::Break)]))]);
    let levels: Vec<_> = judged(promised, json("id int, extra int"), &["id", "amount", "note"])
        .into_iter()
        .map(|finding| (finding.path, finding.level))
        .collect();
    let expected = [("amount", Level::Breaking), ("extra", Level::Breaking), ("note", Level::Tolerated)];
    assert_eq!(levels, expected.map(|(path, level)| (path.to_owned(), level)));
}

#[test]
fn no_policy_makes_bytes_readable() {
    let tolerant = |table: &Table| {
        let mut contract = contract(table);
        let every = crawlguard::drift::RULES.iter().map(|rule| (rule.id.to_owned(), Tolerance::Tolerate));
        contract.policy.rules = every.collect();
        contract
    };
    let promised = csv("id int, amount double");
    let shifted = judged(tolerant(&promised), csv("x int, id int, amount double"), &[]);
    assert_eq!(Verdict::of(&shifted), Verdict::Breaking);
    let promised = json("id int");
    let unreadable = judged(tolerant(&promised), json("id hllsketch"), &[]);
    assert_eq!(Verdict::of(&unreadable), Verdict::Unknown);
}

#[test]
fn what_no_rule_claims_is_breaking() {
    let mut change = changes(&json("id int"), &[json("id bigint")]).remove(0);
    change.kind = ChangeKind::Retyped(Promotion::Identical);
    let found = judge_with(&[change], &[], &|_| Some(vec![]));
    assert_eq!((found[0].rule.as_str(), found[0].level), ("unclassified-change", Level::Breaking));
}

#[test]
fn findings_are_sorted_whatever_the_order_of_contracts_and_tables() {
    let (a, b) = (json("id int, x int").named("raw_a"), json("id int, x int").named("raw_b"));
    let (new_a, new_b) = (json("id string, z int").named("raw_a"), json("y int, id int").named("raw_b"));
    let judged = |contracts: &[Contract], catalog: &[Table]| judge(&diff(contracts, catalog), contracts, None);
    let forwards = judged(&[contract(&a), contract(&b)], &[new_a.clone(), new_b.clone()]);
    let backwards = judged(&[contract(&b), contract(&a)], &[new_b, new_a]);
    assert_eq!(forwards, backwards);
    let keys: Vec<_> = forwards.iter().map(|finding| (&finding.table, &finding.path, &finding.rule)).collect();
    assert!(keys.len() == 5 && keys.is_sorted(), "{keys:?}");
}

#[test]
fn one_name_in_two_databases_is_compared_twice() {
    let promised = json("id int");
    let other = json("id date").edit(|table| table.database = "copy".to_owned());
    for catalog in [[promised.clone(), other.clone()], [other, promised.clone()]] {
        assert_eq!(findings(&promised, &catalog).len(), 1);
    }
}

#[test]
fn a_rename_is_suggested_with_score_and_reason() {
    let help = |before: &str, after: &str| {
        let findings = findings(&json(before), &[json(after)]);
        let removed = findings.into_iter().find(|finding| finding.rule.ends_with("-removed")).expect("one is removed");
        removed.help.split_once("change. ").map(|(_, suggestion)| suggestion.to_owned())
    };
    assert_eq!(
        help("id int, phone string, note string", "id int, phone_number string, note string").as_deref(),
        Some(
            "Possible rename to `phone_number` (score 0.87: same type, same place, similar name). To accept it as one, run \
             `crawlguard contracts update raw_orders --rename phone=phone_number`."
        )
    );
    let nested = help("o struct<a:int,price:double>", "o struct<a:int,unit_price:double>").expect("suggested");
    assert!(nested.starts_with("Possible rename to `o.unit_price`") && !nested.contains("--rename"), "{nested}");
    let retyped = help("phone string", "phone_number bigint").expect("suggested");
    assert!(!retyped.contains("--rename"), "another type is no rename that can be accepted: {retyped}");
    assert_eq!(help("id int, phone string", "weather double, id int"), None, "nothing alike");
    assert_eq!(help("id int, phone string", "id int"), None, "nothing added");
    let best = help("a int, amount double, b int", "a int, amount_eur double, b int, zone double").expect("suggested");
    assert!(best.contains("`amount_eur`"), "{best}");
}

#[test]
fn a_key_that_the_newest_file_renamed_is_suggested_too() {
    let help = |before: &str, after: &str, missing: &str| {
        let found = findings(&json(before), &[json(after).parameter(MISSING_IN_NEWEST, missing)]);
        let missing = found.into_iter().find(|finding| finding.rule == "column-missing-in-newest");
        missing.expect("it is missing").help
    };
    let column = help("id int, phone string", "id int, phone string, phone_number string", r#"["phone"]"#);
    assert!(column.contains("Possible rename to `phone_number`"), "{column}");
    assert!(!column.contains("contracts update raw_orders --rename"), "older files have the old name: {column}");
    // No name alike: what tells is that one went where the other came.
    let town = help("id int, town string", "id int, town string, city string, no int", r#"["town"]"#);
    let said = "Possible rename to `city` (score 0.40: same type, new where it is gone). Older files have the old name, so \
                `--rename` cannot take the two for one: if it is one column, accept, and before the next run write \
                `coalesce(city, town)` for `town` in the models.";
    assert!(town.ends_with(&said.replace("0.40", "0.70")), "{town}");
    let none = [
        help("town string", "town string, city string", r#"["town", "city"]"#),
        help("town string", "town string, city string, area string", r#"["town"]"#),
        help("town string, x string", "town string, x string, city string", r#"["town", "x"]"#),
        help("town string", "town string, city int", r#"["town"]"#),
    ];
    assert!(none.iter().all(|help| !help.contains("rename")), "{none:#?}");
    let field = help("o struct<price:int>", "o struct<price:int,unit_price:int>, price int", r#"["o.price"]"#);
    assert!(field.contains("Possible rename to `o.unit_price`"), "{field}");
}

#[test]
fn a_record_that_cannot_be_read_is_no_answer() {
    let found = findings(&json("id int"), &[json("id int").parameter(MISSING_IN_NEWEST, "amount")]);
    assert_eq!((found[0].level, found[0].is_acceptable()), (Level::Unknown, false));
}

#[test]
fn a_gone_source_is_acceptable_only_if_no_model_reads_it() {
    let promised = contract(&json("id int"));
    let contracts = [promised];
    let judged = |readers: Vec<Reader>| judge_with(&diff(&contracts, &[]), &contracts, &|_| Some(readers.clone()));
    assert!(judged(vec![])[0].is_acceptable());
    assert!(!judged(vec![reader("int_orders")])[0].is_acceptable());
}
