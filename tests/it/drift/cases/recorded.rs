//! Cases about what our own crawler recorded with a table.

use crawlguard::schema::{MIXED_HEADERS, Table, UNREADABLE};

use super::{Case, case};
use crate::drift::lake::{Edit, csv, json, parquet};

pub fn all() -> Vec<Case> {
    [files(), headers()].into_iter().flatten().collect()
}

fn files() -> Vec<Case> {
    const A: &str = "a int";
    let unreadable = |table: Table| {
        table.parameter(UNREADABLE, "orders/2024-05-02.json:line 7: ends inside an object\n  help: fetch it again")
    };
    vec![
        case("files-unreadable", "cut_off", json(A), unreadable(json(A)), &["files-unreadable - unknown unknown"]),
        case(
            "files-unreadable",
            "alone",
            json(A),
            unreadable(parquet("b date")).edit(|table| table.deprecated = true),
            &["files-unreadable - unknown unknown"],
        ),
        Case {
            rule: "files-unreadable",
            name: "without_a_contract",
            promised: json(A),
            catalog: vec![json(A), unreadable(json(A).named("raw_refunds").at("s3://example-lake/refunds/"))],
            expected: &["files-unreadable - unknown unknown"],
        },
        case("files-unreadable", "near_miss_readable_again", unreadable(json(A)), json(A), &[]),
    ]
}

fn headers() -> Vec<Case> {
    const THREE: &str = "id bigint, amount double, channel string";
    const BREAKING: &[&str] = &["headers-differ - unsafe breaking"];
    const SWAPPED: &str = r#"[{"file":"2024-04.csv","header":["id","channel","amount"]}]"#;
    let differ = |name, headers: &str, expected| {
        case("headers-differ", name, csv(THREE), csv(THREE).parameter(MIXED_HEADERS, headers), expected)
    };
    let recorded = |table: Table| table.parameter(MIXED_HEADERS, SWAPPED);
    vec![
        differ("swapped", SWAPPED, BREAKING),
        differ("without_one", r#"[{"file":"1.csv","header":["col0","col1","col2"]}]"#, BREAKING),
        differ("longer", r#"[{"file":"1.csv","header":["id","amount","channel","note"]}]"#, BREAKING),
        differ(
            "five_files",
            r#"[{"file":"1.csv","header":["amount","id"]},{"file":"2.csv","header":["id"]},
                {"file":"3.csv","header":["id","channel"]},{"file":"4.csv","header":["channel"]},
                {"file":"5.csv","header":["x"]},{"file":"6.csv","header":["x"]}]"#,
            BREAKING,
        ),
        differ("not_understood", r#"{"2024-04.csv":["id"]}"#, &["headers-differ - unknown unknown"]),
        case(
            "headers-differ",
            "unknown_serde",
            json(THREE).serde("x.Serde"),
            recorded(json(THREE).serde("x.Serde")),
            &["headers-differ - unknown unknown"],
        ),
        case(
            "headers-differ",
            "beside_an_addition",
            csv("id bigint, amount double"),
            recorded(csv(THREE)),
            &["column-added-at-end channel safe tolerated", "headers-differ - unsafe breaking"],
        ),
        differ(
            "near_miss_trailing_columns_missing",
            r#"[{"file":"2024-03.csv","header":[]},{"file":"2024-04.csv","header":["ID","amount"]}]"#,
            &[],
        ),
        case("headers-differ", "near_miss_by_name", json(THREE), recorded(json(THREE)), &[]),
        case(
            "headers-differ",
            "near_miss_header_lost",
            csv(THREE),
            recorded(csv("col0 bigint, col1 double, col2 string")),
            &["header-lost - unsafe breaking"],
        ),
    ]
}
