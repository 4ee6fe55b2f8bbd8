//! One change each: what a contract promises, what the catalog shows, and every finding that must come of it.

use crawlguard::schema::Table;

use super::lake::{Edit, avro, csv, json, orc, parquet};

mod recorded;
mod tables;
mod types;

pub struct Case {
    /// The rule under test.
    pub rule: &'static str,
    pub name: &'static str,
    pub promised: Table,
    pub catalog: Vec<Table>,
    /// `rule path decode level`, a `-` for the table's own path; nothing expected is a near miss.
    pub expected: &'static [&'static str],
}

fn case(
    rule: &'static str,
    name: &'static str,
    promised: Table,
    found: Table,
    expected: &'static [&'static str],
) -> Case {
    Case { rule, name, promised, catalog: vec![found], expected }
}

pub fn all() -> Vec<Case> {
    let areas = [columns(), types::all(), nested(), tables::storage(), tables::tables(), recorded::all()];
    areas.into_iter().flatten().collect()
}

fn columns() -> Vec<Case> {
    const TWO: &str = "id bigint, amount double";
    const THREE: &str = "id bigint, amount double, channel string";
    vec![
        case("column-added-at-end", "csv", csv(TWO), csv(THREE), &["column-added-at-end channel safe tolerated"]),
        case(
            "column-added-at-end",
            "no_serde",
            csv(TWO).serde("x.Serde"),
            csv(THREE).serde("x.Serde"),
            &["column-added-at-end channel unknown unknown"],
        ),
        case(
            "column-added-at-end",
            "near_miss_in_the_middle",
            json(TWO),
            json("id bigint, channel string, amount double"),
            &["column-added-in-middle channel safe tolerated"],
        ),
        case(
            "column-added-in-middle",
            "csv",
            csv(TWO),
            csv("id bigint, channel string, amount double"),
            &["column-added-in-middle channel unsafe breaking"],
        ),
        case(
            "column-added-in-middle",
            "json",
            json(TWO),
            json("channel string, id bigint, amount double"),
            &["column-added-in-middle channel safe tolerated"],
        ),
        case(
            "column-added-in-middle",
            "json_partitioned",
            json(TWO).keys("day string"),
            json("channel string, id bigint, amount double").keys("day string"),
            &["column-added-in-middle channel unsafe breaking"],
        ),
        case(
            "column-added-in-middle",
            "json_partitions_inherit",
            json(TWO).keys("day string"),
            json("channel string, id bigint, amount double").inherited(),
            &["column-added-in-middle channel safe tolerated"],
        ),
        case(
            "column-added-in-middle",
            "csv_partitions_inherit",
            csv(TWO).keys("day string"),
            csv("channel string, id bigint, amount double").inherited(),
            &["column-added-in-middle channel unsafe breaking"],
        ),
        case(
            "column-added-in-middle",
            "parquet_partitioned",
            parquet(TWO).keys("day string"),
            parquet("channel string, id bigint, amount double").keys("day string"),
            &["column-added-in-middle channel safe tolerated"],
        ),
        case(
            "column-added-in-middle",
            "orc_by_index",
            orc(TWO),
            orc("channel string, id bigint, amount double"),
            &["column-added-in-middle channel unsafe breaking"],
        ),
        case(
            "column-added-in-middle",
            "two_and_one_at_the_end",
            csv(TWO),
            csv("id bigint, a int, b int, amount double, c int"),
            &[
                "column-added-in-middle a unsafe breaking",
                "column-added-in-middle b unsafe breaking",
                "column-added-at-end c safe tolerated",
            ],
        ),
        case(
            "column-added-in-middle",
            "near_miss_at_the_end",
            csv(TWO),
            csv(THREE),
            &["column-added-at-end channel safe tolerated"],
        ),
        case(
            "column-removed",
            "json",
            json(THREE),
            json("id bigint, channel string"),
            &["column-removed amount safe breaking"],
        ),
        case(
            "column-removed",
            "json_partitioned",
            json(THREE).keys("day string"),
            json("id bigint, channel string").keys("day string"),
            &["column-removed amount unsafe breaking"],
        ),
        case(
            "column-removed",
            "csv",
            csv(THREE),
            csv("id bigint, channel string"),
            &["column-removed amount unsafe breaking"],
        ),
        case(
            "column-removed",
            "renamed_by_name",
            json(THREE),
            json("id bigint, total double, channel string"),
            &["column-removed amount safe breaking", "column-added-in-middle total safe tolerated"],
        ),
        case(
            "column-removed",
            "renamed_in_place",
            csv(THREE),
            csv("id bigint, total double, channel string"),
            &["column-removed amount safe breaking", "column-added-in-middle total safe tolerated"],
        ),
        case(
            "column-removed",
            "last_renamed_in_place",
            csv(TWO),
            csv("id bigint, total double"),
            &["column-removed amount safe breaking", "column-added-at-end total safe tolerated"],
        ),
        case(
            "column-removed",
            "replaced_in_place_by_another_type",
            csv(TWO),
            csv("id bigint, day date"),
            &["column-removed amount safe breaking", "column-added-at-end day unsafe breaking"],
        ),
        case(
            "column-removed",
            "removed_and_appended",
            csv(THREE),
            csv("id bigint, channel string, note string"),
            &["column-removed amount unsafe breaking", "column-added-at-end note unsafe breaking"],
        ),
        case(
            "column-removed",
            "a_name_with_dots",
            json("\u{e9} int, a.b[] int"),
            json("\u{e9} int"),
            &["column-removed \"a.b[]\" safe breaking"],
        ),
        case(
            "column-removed",
            "near_miss_case",
            json(THREE),
            json("id bigint, Amount double, channel string"),
            &["column-case-changed amount safe tolerated"],
        ),
        case(
            "column-reordered",
            "json",
            json(THREE),
            json("channel string, id bigint, amount double"),
            &["column-reordered channel safe tolerated"],
        ),
        case(
            "column-reordered",
            "avro_partitioned",
            avro(THREE).keys("day string"),
            avro("channel string, id bigint, amount double").keys("day string"),
            &["column-reordered channel unsafe breaking"],
        ),
        case(
            "column-reordered",
            "avro_partitions_inherit",
            avro(THREE).keys("day string"),
            avro("channel string, id bigint, amount double").inherited(),
            &["column-reordered channel safe tolerated"],
        ),
        case(
            "column-reordered",
            "passed_in_its_place",
            json("a int, b int, c int, d int, e int"),
            json("d int, e int, c int, a int, b int"),
            &["column-reordered a safe tolerated", "column-reordered c safe tolerated"],
        ),
        case(
            "column-reordered",
            "csv_block",
            csv("a int, b int, c int, d int, e int"),
            csv("d int, e int, a int, b int, c int"),
            &["column-reordered d unsafe breaking"],
        ),
        case(
            "column-reordered",
            "parquet_by_index",
            parquet(THREE).serde_parameter("parquet.column.index.access", "true"),
            parquet("channel string, id bigint, amount double").serde_parameter("parquet.column.index.access", "true"),
            &["column-reordered channel unsafe breaking"],
        ),
        case(
            "column-reordered",
            "near_miss_inserted",
            json(TWO),
            json("channel string, id bigint, amount double"),
            &["column-added-in-middle channel safe tolerated"],
        ),
        case(
            "column-case-changed",
            "json",
            json("userId int"),
            json("userid int"),
            &["column-case-changed userId safe tolerated"],
        ),
        case(
            "column-case-changed",
            "beyond_ascii",
            json("\u{c9}tat int"),
            json("\u{e9}tat int"),
            &["column-case-changed \u{c9}tat safe tolerated"],
        ),
        case(
            "column-case-changed",
            "case_sensitive",
            json("userId int").serde_parameter("case.insensitive", "false"),
            json("userid int").serde_parameter("case.insensitive", "false"),
            &["column-case-changed userId unsafe breaking"],
        ),
        case(
            "column-case-changed",
            "near_miss_letter",
            json("userid int"),
            json("user_id int"),
            &["column-added-at-end user_id safe tolerated", "column-removed userid safe breaking"],
        ),
        case(
            "column-duplicated",
            "partition_key",
            json(TWO).keys("day string"),
            json("id bigint, amount double, day string").keys("day string"),
            &["column-duplicated day unsafe breaking"],
        ),
        case(
            "column-duplicated",
            "in_another_case",
            csv(TWO),
            csv("id bigint, amount double, Amount double"),
            &["column-duplicated Amount unsafe breaking"],
        ),
        case(
            "column-duplicated",
            "in_the_place_of_another",
            parquet(THREE),
            parquet("id bigint, amount double, amount hllsketch"),
            &["column-removed channel safe breaking", "column-duplicated amount unsafe breaking"],
        ),
        case(
            "column-duplicated",
            "near_miss_field",
            json("order struct<id:int>").keys("day string"),
            json("order struct<id:int,day:string>").keys("day string"),
            &["struct-field-added order.day safe tolerated"],
        ),
        case(
            "header-lost",
            "csv",
            csv(TWO),
            csv("col0 string, col1 string").edit(|table| table.storage.skip_header_lines = 0),
            &["header-lost - unsafe breaking"],
        ),
        case("header-lost", "to_a_row", csv(TWO), csv("7 string, ann string"), &["header-lost - unsafe breaking"]),
        case(
            "header-lost",
            "near_miss_a_row_of_words",
            csv(TWO),
            csv("anna string, ann string"),
            &[
                "column-removed amount safe breaking",
                "column-removed id safe breaking",
                "column-added-at-end ann safe tolerated",
                "column-added-at-end anna safe tolerated",
            ],
        ),
        case(
            "header-lost",
            "near_miss_never_had_one",
            csv("col0 string"),
            csv("col0 string, col1 string"),
            &["column-added-at-end col1 safe tolerated"],
        ),
        case(
            "header-lost",
            "near_miss_one_of_two",
            csv(TWO),
            csv("id bigint, col1 double"),
            &["column-removed amount safe breaking", "column-added-at-end col1 safe tolerated"],
        ),
    ]
}

fn nested() -> Vec<Case> {
    const ORDER: &str = "order struct<items:array<struct<price:double,sku:string>>>";
    vec![
        case(
            "struct-field-added",
            "in_an_array",
            json(ORDER),
            json("order struct<items:array<struct<price:double,discount:double,sku:string>>>"),
            &["struct-field-added order.items[].discount safe tolerated"],
        ),
        case(
            "struct-field-added",
            "partitioned_middle",
            json(ORDER).keys("day string"),
            json("order struct<items:array<struct<price:double,discount:double,sku:string>>>").keys("day string"),
            &["struct-field-added order.items[].discount unsafe breaking"],
        ),
        case(
            "struct-field-added",
            "partitioned_end",
            json(ORDER).keys("day string"),
            json("order struct<items:array<struct<price:double,sku:string,discount:double>>>").keys("day string"),
            &["struct-field-added order.items[].discount safe tolerated"],
        ),
        case(
            "struct-field-added",
            "near_miss_column",
            json(ORDER),
            json(&format!("{ORDER}, discount double")),
            &["column-added-at-end discount safe tolerated"],
        ),
        case(
            "struct-field-removed",
            "in_an_array",
            json(ORDER),
            json("order struct<items:array<struct<sku:string>>>"),
            &["struct-field-removed order.items[].price safe breaking"],
        ),
        case(
            "struct-field-removed",
            "renamed",
            json(ORDER),
            json("order struct<items:array<struct<unit_price:double,sku:string>>>"),
            &[
                "struct-field-removed order.items[].price safe breaking",
                "struct-field-added order.items[].unit_price safe tolerated",
            ],
        ),
        case(
            "struct-field-removed",
            "near_miss_case",
            json(ORDER),
            json("order struct<items:array<struct<Price:double,sku:string>>>"),
            &["column-case-changed order.items[].price safe tolerated"],
        ),
        case(
            "struct-field-reordered",
            "json",
            json(ORDER),
            json("order struct<items:array<struct<sku:string,price:double>>>"),
            &["struct-field-reordered order.items[].price safe tolerated"],
        ),
        case(
            "struct-field-reordered",
            "partitions_inherit",
            json(ORDER).keys("day string"),
            json("order struct<items:array<struct<sku:string,price:double>>>").inherited(),
            &["struct-field-reordered order.items[].price safe tolerated"],
        ),
        case(
            "struct-field-reordered",
            "passed_in_its_place",
            json("o struct<a:int,b:int,c:int,d:int,e:int>"),
            json("o struct<d:int,e:int,c:int,a:int,b:int>"),
            &["struct-field-reordered o.a safe tolerated", "struct-field-reordered o.c safe tolerated"],
        ),
        case(
            "struct-field-reordered",
            "near_miss_type",
            parquet(ORDER),
            parquet("order struct<items:array<struct<price:float,sku:string>>>"),
            &["type-lossy order.items[].price unsafe breaking"],
        ),
        case(
            "type-widened",
            "in_a_map",
            json("tags map<string,array<int>>"),
            json("tags map<string,array<bigint>>"),
            &["type-widened tags{value}[] safe tolerated"],
        ),
    ]
}
