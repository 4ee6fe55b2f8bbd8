//! Cases about how and where a table is stored, and about tables as a whole.

use crawlguard::schema::{Storage, Table, TableKind};

use super::{Case, case};
use crate::drift::lake::{Edit, avro, csv, json, parquet};

pub fn storage() -> Vec<Case> {
    const A: &str = "a int";
    let literal = |table: Table, text: &str| table.parameter("avro.schema.literal", text);
    vec![
        case(
            "partition-key-changed",
            "added",
            json(A).keys("day string"),
            json(A).keys("day string, partition_0 string"),
            &["partition-key-changed partition_0 unsafe breaking"],
        ),
        case(
            "partition-key-changed",
            "removed",
            json(A).keys("day string"),
            json(A),
            &["partition-key-changed day unsafe breaking"],
        ),
        case(
            "partition-key-changed",
            "retyped",
            json(A).keys("year int"),
            json(A).keys("year string"),
            &["partition-key-changed year unsafe breaking"],
        ),
        case(
            "partition-key-changed",
            "reordered",
            json(A).keys("y int, m int"),
            json(A).keys("m int, y int"),
            &["partition-key-changed - unsafe breaking"],
        ),
        case(
            "partition-key-changed",
            "near_miss_column",
            json(A).keys("day string"),
            json("a int, b int").keys("day string"),
            &["column-added-at-end b safe tolerated"],
        ),
        case("format-changed", "json_to_parquet", json(A), parquet(A), &["format-changed - unsafe breaking"]),
        case(
            "format-changed",
            "label",
            json(A),
            json(A).edit(|table| table.storage.classification = None),
            &["format-changed - unsafe breaking"],
        ),
        case(
            "format-changed",
            "near_miss_unpromised",
            json(A).edit(|table| table.storage = Storage::default()),
            parquet(A),
            &[],
        ),
        case(
            "serde-changed",
            "lazy_to_open",
            csv(A),
            csv(A).serde(Storage::OPEN_CSV),
            &["serde-changed - unsafe breaking"],
        ),
        case("serde-changed", "near_miss_format", csv(A), json(A), &["format-changed - unsafe breaking"]),
        case(
            "serde-parameter-changed",
            "mapping",
            json(A),
            json(A).serde_parameter("mapping.a", "b"),
            &["serde-parameter-changed - unsafe breaking"],
        ),
        case(
            "serde-parameter-changed",
            "malformed",
            json(A),
            json(A).serde_parameter("ignore.malformed.json", "true"),
            &["serde-parameter-changed - safe breaking"],
        ),
        case(
            "serde-parameter-changed",
            "avro_copy",
            literal(avro(A), "{1}"),
            literal(avro(A), "{2}"),
            &["serde-parameter-changed - unsafe breaking"],
        ),
        case(
            "serde-parameter-changed",
            "near_miss_avro_follows",
            literal(avro(A), "{1}"),
            literal(avro("a int, b int"), "{2}"),
            &["column-added-at-end b safe tolerated"],
        ),
        case("serde-parameter-changed", "near_miss_derived", json(A), json(A).serde_parameter("paths", "a"), &[]),
        case(
            "delimiter-changed",
            "semicolon",
            csv(A),
            csv(A).serde_parameter("field.delim", ";"),
            &["delimiter-changed - unsafe breaking"],
        ),
        case("delimiter-changed", "near_miss_said_twice", csv(A), csv(A).parameter("delimiter", ","), &[]),
        case(
            "header-lines-changed",
            "none",
            csv(A),
            csv(A).edit(|table| table.storage.skip_header_lines = 0),
            &["header-lines-changed - unsafe breaking"],
        ),
        case("header-lines-changed", "near_miss_crawler_parameters", csv(A), csv(A).parameter("recordCount", "7"), &[]),
        case(
            "compression-changed",
            "gzip",
            json(A),
            json(A).edit(|table| table.storage.compression = Some("gzip".into())),
            &["compression-changed - safe breaking"],
        ),
        case(
            "compression-changed",
            "of_unset",
            json(A).edit(|table| table.storage.compression = None),
            json(A).edit(|table| table.storage.compression = Some("gzip".into())),
            &["compression-changed - safe breaking"],
        ),
        case(
            "compression-changed",
            "near_miss_unpromised",
            json(A).edit(|table| table.storage = Storage::default()),
            json(A).edit(|table| table.storage.compression = Some("gzip".into())),
            &[],
        ),
        case(
            "compression-changed",
            "near_miss_unset",
            json(A),
            json(A).edit(|table| table.storage.compression = None),
            &[],
        ),
        case(
            "location-changed",
            "folder",
            json(A),
            json(A).at("s3://example-lake/orders/2024/"),
            &["location-changed - safe breaking"],
        ),
        case("location-changed", "near_miss_slash", json(A), json(A).at("s3://example-lake/orders"), &[]),
    ]
}

pub fn tables() -> Vec<Case> {
    const A: &str = "a int";
    let beside = |rule, name, other: Table, expected| Case {
        rule,
        name,
        promised: json(A),
        catalog: vec![json(A), other],
        expected,
    };
    vec![
        Case {
            rule: "table-missing",
            name: "gone",
            promised: json(A),
            catalog: vec![],
            expected: &["table-missing - unsafe breaking"],
        },
        case("table-missing", "near_miss_case", json(A), json(A).named("RAW_ORDERS"), &[]),
        case(
            "table-deprecated",
            "marked",
            json(A),
            json(A).edit(|table| table.deprecated = true),
            &["table-deprecated - safe breaking"],
        ),
        case(
            "table-deprecated",
            "near_miss_updated_by_crawler",
            json(A),
            json(A).parameter("UPDATED_BY_CRAWLER", "nightly"),
            &[],
        ),
        case(
            "table-deprecated",
            "near_miss_retired",
            json(A).edit(|table| table.deprecated = true),
            json(A).edit(|table| table.deprecated = true),
            &[],
        ),
        beside(
            "table-new",
            "refunds",
            json(A).named("raw_refunds").at("s3://example-lake/refunds/"),
            &["table-new - safe tolerated"],
        ),
        beside(
            "table-new",
            "near_miss_stray",
            json(A).named("raw_orders_5f3c2b").at("s3://example-lake/x/"),
            &["stray-sibling - safe breaking"],
        ),
        beside(
            "table-new",
            "near_miss_deprecated",
            json(A).named("raw_refunds").at("s3://example-lake/refunds/").edit(|table| table.deprecated = true),
            &[],
        ),
        Case {
            rule: "table-new",
            name: "back_after_it_was_retired",
            promised: json(A).edit(|table| table.deprecated = true),
            catalog: vec![json(A)],
            expected: &["table-new - safe tolerated"],
        },
        Case {
            rule: "table-missing",
            name: "near_miss_retired",
            promised: json(A).edit(|table| table.deprecated = true),
            catalog: vec![],
            expected: &[],
        },
        beside(
            "stray-sibling",
            "near_miss_deprecated",
            json(A).named("raw_orders_5f3c2b").at("s3://example-lake/x/").edit(|table| table.deprecated = true),
            &[],
        ),
        beside(
            "stray-sibling",
            "hash",
            json(A).named("raw_orders_5f3c2b").at("s3://example-lake/x/"),
            &["stray-sibling - safe breaking"],
        ),
        beside(
            "stray-sibling",
            "folder",
            json(A).named("year_2017").at("s3://example-lake/orders/year=2017/part/"),
            &["stray-sibling - safe breaking"],
        ),
        beside(
            "stray-sibling",
            "near_miss_year_and_prefix",
            json(A).named("raw_orders_2024").at("s3://example-lake/orders_2024/"),
            &["table-new - safe tolerated"],
        ),
        beside(
            "stray-sibling",
            "near_miss_number",
            json(A).named("raw_orders_2").at("s3://example-lake/orders2/"),
            &["table-new - safe tolerated"],
        ),
        case(
            "table-kind-changed",
            "view",
            json(A),
            json("b int").kind(TableKind::View),
            &["table-kind-changed - unsafe breaking"],
        ),
        case(
            "table-kind-changed",
            "near_miss_still_a_view",
            json(A).kind(TableKind::View),
            json("a int, b int").kind(TableKind::View),
            &["column-added-at-end b safe tolerated"],
        ),
    ]
}
