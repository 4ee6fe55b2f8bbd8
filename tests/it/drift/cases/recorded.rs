//! Cases about what our own crawler recorded with a table.

use crawlguard::schema::{
    LACKING_FILES, MISSING_IN_NEWEST, MISSING_IN_SOME, MIXED_HEADERS, OUR_CRAWLER, QUOTED_VALUES, Table, UNREADABLE,
    UPDATED_BY_CRAWLER,
};

use super::{Case, case};
use crate::drift::lake::{Edit, csv, json, parquet};

pub fn all() -> Vec<Case> {
    [files(), headers(), missing(), quotes()].into_iter().flatten().collect()
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

fn quotes() -> Vec<Case> {
    const A: &str = "id string, name string";
    let quoted = |line: &str| csv(A).parameter(QUOTED_VALUES, line);
    let (one, two) = ("2024-05-02.csv, line 2", "2024-05-03.csv, line 2");
    vec![
        case("values-quoted", "appear", csv(A), quoted(one), &["values-quoted - safe breaking"]),
        case("values-quoted", "near_miss_known", quoted(one), quoted(two), &[]),
        case("values-quoted", "near_miss_gone_again", quoted(one), csv(A), &[]),
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
        differ(
            "another_name_in_its_place",
            r#"[{"file":"1.csv","header":["id","total","channel"]},{"file":"2.csv","header":["id","sum"]}]"#,
            &["headers-differ - safe breaking"],
        ),
        differ(
            "another_name_and_a_shift",
            r#"[{"file":"1.csv","header":["id","total","channel"]},{"file":"2.csv","header":["id","vat","amount"]}]"#,
            BREAKING,
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

fn missing() -> Vec<Case> {
    const TWO: &str = "id bigint, amount double";
    const RULE: &str = "column-missing-in-newest";
    const BACK: &str = "column-back-in-newest";
    let ours = |table: Table| table.parameter(UPDATED_BY_CRAWLER, OUR_CRAWLER);
    let missing = |table: Table, paths: &str| table.parameter(MISSING_IN_NEWEST, paths);
    let renamed = "id bigint, amount double, amount_eur double";
    vec![
        case(
            RULE,
            "alone",
            json(TWO),
            missing(json(TWO), r#"["amount"]"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "renamed",
            parquet(TWO),
            missing(parquet(renamed), r#"["amount"]"#),
            &["column-added-at-end amount_eur safe tolerated", "column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "nested",
            json("order struct<items:array<struct<price:double>>,tags:map<string,struct<a:int>>>"),
            missing(
                json(
                    "order struct<items:array<struct<price:double,unit_price:double>>,tags:map<string,struct<a:int>>>",
                ),
                r#"["order.items[].price","order.tags{value}.a"]"#,
            ),
            &[
                "struct-field-added order.items[].unit_price safe tolerated",
                "column-missing-in-newest order.items[].price safe breaking",
                "column-missing-in-newest order.tags{value}.a safe breaking",
            ],
        ),
        case(
            RULE,
            "partitioned",
            json(TWO).keys("day string"),
            missing(json(TWO).keys("day string"), r#"["amount"]"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "a_second_one",
            missing(json(TWO), r#"["id"]"#),
            missing(json(TWO), r#"["amount","id"]"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(RULE, "near_miss_accepted", missing(json(TWO), r#"["amount"]"#), missing(json(TWO), r#"["amount"]"#), &[]),
        case(
            RULE,
            "in_some_files",
            json(TWO),
            json(TWO).parameter(MISSING_IN_SOME, r#"["amount"]"#).parameter(LACKING_FILES, r#"{"amount":"us.json"}"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "in_all_files_after_some",
            json(TWO).parameter(MISSING_IN_SOME, r#"["amount"]"#),
            missing(json(TWO), r#"["amount"]"#).parameter(LACKING_FILES, r#"{"amount":"us.json"}"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "csv_that_ends_sooner",
            csv(TWO),
            csv(TWO).parameter(MISSING_IN_SOME, r#"["amount"]"#),
            &["column-missing-in-newest amount safe breaking"],
        ),
        case(
            RULE,
            "near_miss_back_again",
            missing(json(TWO), r#"["amount"]"#),
            ours(json(TWO)),
            &["column-back-in-newest amount safe tolerated"],
        ),
        case(
            BACK,
            "alone",
            missing(json(TWO), r#"["amount"]"#),
            ours(json(TWO)),
            &["column-back-in-newest amount safe tolerated"],
        ),
        case(
            BACK,
            "in_some_files",
            missing(json(TWO), r#"["amount"]"#),
            ours(json(TWO))
                .parameter(MISSING_IN_SOME, r#"["amount"]"#)
                .parameter(LACKING_FILES, r#"{"amount":"us.json"}"#),
            &["column-back-in-newest amount safe tolerated"],
        ),
        case(BACK, "near_miss_glue_records_nothing", missing(json(TWO), r#"["amount"]"#), json(TWO), &[]),
        case(
            BACK,
            "near_miss_gone_altogether",
            missing(json(TWO), r#"["amount"]"#),
            ours(json("id bigint")),
            &["column-removed amount safe breaking"],
        ),
        case(
            RULE,
            "near_miss_never_promised",
            json("id bigint"),
            missing(json(TWO), r#"["amount"]"#),
            &["column-added-at-end amount safe tolerated"],
        ),
        case(
            RULE,
            "near_miss_glue_records_nothing",
            json(TWO),
            json(renamed),
            &["column-added-at-end amount_eur safe tolerated"],
        ),
    ]
}
