//! `rollback` beside runs that are moved on by others.

use super::lake::Lake;
use super::lambda::{daily, ended, invoke, sweep};
use super::laptop::Laptop;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_not_put_back_under_a_run_that_would_publish_over_it() {
    let lake = Lake::new();
    lake.deploy();
    let laptop = Laptop::new(&lake);
    for slot in ["2026-01-02T12:00:00Z", "2026-01-03T12:00:00Z"] {
        assert_eq!(laptop.says(&["run", "--slot", slot]).code, Some(0));
    }
    lake.aws.account().athena.is_held = true;
    assert_eq!(invoke(&lake, &daily("2026-01-04T12:00:00Z")).await.unwrap()["state"], "waiting");
    let rows = |lake: &Lake| lake.aws.account().glue.table("shop", "int_orders").cloned();
    let before = rows(&lake);
    let said = laptop.says(&["rollback", "int_orders"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("run 20260104T120000Z is under way, and would publish over"), "{said:?}");
    assert!(said.err.contains("crawlguard --target prod run --slot 2026-01-04T12:00:00Z`"), "{said:?}");
    assert_eq!(rows(&lake), before);
    for _ in 0..10 {
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let said = laptop.says(&["rollback", "int_orders"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_ne!(rows(&lake), before);
}
