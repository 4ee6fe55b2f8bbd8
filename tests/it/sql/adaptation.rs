//! Additions carried and changes substituted.

use super::*;

fn addition(column: &str, data_type: &str) -> Addition {
    Addition { table: "raw".to_owned(), column: column.to_owned(), data_type: DataType::parse(data_type) }
}

fn with(additions: &[Addition]) -> Vec<Table> {
    let mut raw = table("raw", RAW);
    raw.columns.extend(additions.iter().map(|added| Column::new(&added.column, added.data_type.clone())));
    vec![raw, table("other", "id int, o string")]
}

/// The adapted SELECT of one model, or why its addition was not carried.
fn adapted(select: &str, additions: &[Addition]) -> String {
    let sources = with(additions);
    let graph = graph(vec![carrying("m", select)], &sources);
    let adaptation = adapt(&graph, &sources, &sources, additions, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    match (adaptation.models.as_slice(), adaptation.not_carried.as_slice()) {
        ([model], []) => model.select().to_owned(),
        ([], []) => "unchanged".to_owned(),
        ([], [not, ..]) => format!("not carried: {}", not.reason),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::text("SELECT a FROM raw", "SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw")]
#[case::lines(
    "SELECT\n    a,\n    b AS x -- last\nFROM raw",
    "SELECT\n    a,\n    b AS x, -- last\n    nullif(trim(\"new col\"), '') AS new_col\nFROM raw"
)]
#[case::comma_first(
    "SELECT\n    a\n  , b\nFROM raw",
    "SELECT\n    a\n  , b\n  , nullif(trim(\"new col\"), '') AS new_col\nFROM raw"
)]
#[case::crlf(
    "SELECT\r\n  a,\r\n  b\r\nFROM raw",
    "SELECT\r\n  a,\r\n  b,\r\n  nullif(trim(\"new col\"), '') AS new_col\r\nFROM raw"
)]
#[case::cte(
    "WITH s AS (SELECT a FROM raw WHERE b > ''), t AS (SELECT lower(a) AS x FROM s) SELECT x FROM t",
    "WITH s AS (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw WHERE b > ''), t AS (SELECT lower(a) AS x, new_col FROM s) SELECT x, new_col FROM t"
)]
#[case::inner_star(
    "WITH s AS (SELECT * FROM raw) SELECT a FROM s",
    "WITH s AS (SELECT * FROM raw) SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM s"
)]
#[case::outer_star(
    "WITH s AS (SELECT a FROM raw) SELECT * FROM s",
    "WITH s AS (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw) SELECT * FROM s"
)]
#[case::join(
    "SELECT r.a, o.o FROM raw AS r LEFT JOIN other AS o ON o.id = r.id",
    "SELECT r.a, o.o, nullif(trim(r.\"new col\"), '') AS new_col FROM raw AS r LEFT JOIN other AS o ON o.id = r.id"
)]
#[case::other_star(
    "SELECT r.a, o.* FROM raw AS r, other AS o",
    "SELECT r.a, o.*, nullif(trim(r.\"new col\"), '') AS new_col FROM raw AS r, other AS o"
)]
#[case::derived(
    "SELECT t.a FROM (SELECT a FROM raw) AS t ORDER BY t.a",
    "SELECT t.a, new_col FROM (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw) AS t ORDER BY t.a"
)]
#[case::window(
    "SELECT a, row_number() OVER (ORDER BY b) AS n, max(b) OVER () AS x FROM raw",
    "SELECT a, row_number() OVER (ORDER BY b) AS n, max(b) OVER () AS x, nullif(trim(\"new col\"), '') AS new_col FROM raw"
)]
#[case::dead_end(
    "WITH n AS (SELECT count(*) AS n FROM raw) SELECT a, n FROM raw CROSS JOIN n",
    "WITH n AS (SELECT count(*) AS n FROM raw) SELECT a, n, nullif(trim(raw.\"new col\"), '') AS new_col FROM raw CROSS JOIN n"
)]
#[case::aggregate_in_a_subquery(
    "SELECT a, (SELECT max(o) FROM other) AS m FROM raw",
    "SELECT a, (SELECT max(o) FROM other) AS m, nullif(trim(\"new col\"), '') AS new_col FROM raw"
)]
#[case::limited_star(
    "SELECT a FROM (SELECT * FROM raw LIMIT 5) AS t",
    "SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM (SELECT * FROM raw LIMIT 5) AS t"
)]
#[case::star("SELECT * FROM raw", "unchanged")]
#[case::star_with_limit("SELECT * FROM raw ORDER BY a LIMIT 5", "unchanged")]
#[case::united_stars("SELECT * FROM raw UNION ALL SELECT * FROM raw", "unchanged")]
#[case::sample_variance("SELECT var_samp(id) AS v FROM raw", "not carried: an aggregate makes one row of many")]
#[case::quoted_aggregate("SELECT \"count\"(*) AS v FROM raw", "not carried: an aggregate makes one row of many")]
#[case::exists(
    "SELECT o FROM other WHERE EXISTS (SELECT * FROM raw WHERE raw.id = other.id)",
    "not carried: only a subquery inside an expression reads the table"
)]
#[case::distinct("SELECT DISTINCT a FROM raw", "not carried: DISTINCT would keep more rows")]
#[case::group("SELECT a, count(*) AS n FROM raw GROUP BY a", "not carried: GROUP BY makes one row of many")]
#[case::aggregate("SELECT count(*) AS n FROM raw", "not carried: an aggregate makes one row of many")]
#[case::filtered(
    "SELECT sum(id) FILTER (WHERE a > '') AS n FROM raw",
    "not carried: an aggregate makes one row of many"
)]
#[case::inner_group(
    "WITH s AS (SELECT a FROM raw GROUP BY a) SELECT a FROM s",
    "not carried: GROUP BY makes one row of many"
)]
#[case::union(
    "SELECT a FROM raw UNION ALL SELECT o FROM other",
    "not carried: a set operation (UNION, INTERSECT or EXCEPT) needs the same columns on both sides"
)]
#[case::limit("SELECT a FROM raw ORDER BY a LIMIT 3", "not carried: LIMIT keeps some rows only")]
#[case::twice(
    "SELECT x.a FROM raw AS x JOIN raw AS y ON x.id = y.id",
    "not carried: the model reads the table in more than one place"
)]
#[case::expression(
    "SELECT o FROM other WHERE id IN (SELECT id FROM raw)",
    "not carried: only a subquery inside an expression reads the table"
)]
#[case::listed("WITH s (x) AS (SELECT a FROM raw) SELECT x FROM s", "not carried: the CTE lists its columns")]
fn an_added_text_column(#[case] select: &str, #[case] expected: &str) {
    assert_eq!(adapted(select, &[addition("new col", "string")]), expected);
}

#[test]
fn other_types_are_carried_as_they_are() {
    let additions = [addition("rating", "int"), addition("9 Lives!", "double"), addition("order", "array<string>")];
    let expected = "SELECT a, rating, \"9 lives!\" AS _9_lives, \"order\" FROM raw";
    assert_eq!(adapted("SELECT a FROM raw", &additions), expected);
    let lines = "SELECT\n  a, -- x\n  rating,\n  \"9 lives!\" AS _9_lives,\n  \"order\"\nFROM raw";
    assert_eq!(adapted("SELECT\n  a -- x\nFROM raw", &additions), lines);
}

#[test]
fn partition_columns_stay_last() {
    let text = "/* crawlguard\nadditions: carry\npartitioned_by: d\n*/\nSELECT a, b AS d FROM raw";
    let additions = [addition("n", "int")];
    let sources = with(&additions);
    let adaptation =
        adapt(&graph(vec![model("m", text)], &sources), &sources, &sources, &additions, &[]).expect("it carries");
    assert_eq!(adaptation.models[0].text, text.replace("SELECT a,", "SELECT a, n,"));
    let lines = text.replace("a, b", "\n  a, -- the a\n  b");
    let adaptation =
        adapt(&graph(vec![model("m", &lines)], &sources), &sources, &sources, &additions, &[]).expect("it carries");
    assert_eq!(adaptation.models[0].text, lines.replace("-- the a", "-- the a\n  n,"));
}

#[test]
fn an_addition_goes_on_to_the_models_that_opted_in() {
    let models = vec![
        carrying("int_m", "SELECT a FROM raw"),
        carrying("fact", "SELECT a FROM int_m"),
        model("closed", "SELECT a FROM int_m"),
        carrying("behind", "SELECT a FROM closed"),
        carrying("summed", "SELECT count(*) AS n FROM int_m"),
        model("star", "SELECT * FROM raw"),
        carrying("of_star", "SELECT a FROM star"),
    ];
    let additions = [addition("Fresh", "string")];
    let sources = with(&additions);
    let adaptation = adapt(&graph(models, &sources), &sources, &sources, &additions, &[]).expect("it carries");
    let texts: BTreeMap<&str, &str> =
        adaptation.models.iter().map(|model| (model.name.as_str(), model.select())).collect();
    assert_eq!(
        texts,
        BTreeMap::from([
            ("int_m", "SELECT a, nullif(trim(fresh), '') AS fresh FROM raw"),
            ("fact", "SELECT a, fresh FROM int_m"),
            ("of_star", "SELECT a, nullif(trim(fresh), '') AS fresh FROM star"),
        ])
    );
    let not: Vec<&str> = adaptation.not_carried.iter().map(|not| not.model.as_str()).collect();
    assert_eq!(not, ["summed"]);
}

#[rstest]
#[case::collision("SELECT a, b AS new_col FROM raw", "new col", "1: an added column would be named `new_col`")]
#[case::inner_collision(
    "WITH s AS (SELECT a, b AS new_col FROM raw) SELECT a FROM s",
    "new col",
    "an added column would be named `new_col`"
)]
#[case::distinct_star("SELECT DISTINCT * FROM raw", "new col", "a new column would decide which rows the model has")]
#[case::union_of_stars("SELECT * FROM raw UNION SELECT * FROM raw", "new col", "decide which rows the model has")]
#[case::counted_union(
    "SELECT id, count(*) AS n FROM (SELECT * FROM raw UNION SELECT * FROM raw) AS q GROUP BY id",
    "new col",
    "decide which rows the model has"
)]
#[case::intersect("SELECT q.id FROM (SELECT * FROM raw INTERSECT SELECT * FROM raw) AS q", "new col", "which rows")]
#[case::except("SELECT q.id FROM (SELECT * FROM raw EXCEPT ALL SELECT * FROM raw) AS q", "new col", "which rows")]
#[case::listed_star(
    "SELECT t.x FROM (SELECT id FROM raw) AS u (y), (SELECT * FROM other, raw) AS t (x, z)",
    "new col",
    "an alias lists 2 columns of 9"
)]
#[case::union_star(
    "SELECT * FROM raw UNION ALL SELECT id, a, b, c, a, a, list FROM raw",
    "new col",
    "a set operation of 8 and 7 columns"
)]
#[case::ambiguous(
    "WITH s AS (SELECT id FROM raw) SELECT s.id FROM s JOIN other AS t ON t.id = s.id WHERE o > ''",
    "o",
    "ambiguous column `o`"
)]
#[case::captured(
    "WITH s AS (SELECT id FROM raw) SELECT t.id FROM s JOIN other AS t ON t.id = s.id \
     WHERE EXISTS (SELECT 1 FROM s AS s2 WHERE CAST(s2.id AS varchar) = o)",
    "o",
    "a new column would decide which rows the model has"
)]
#[case::no_name("SELECT a FROM raw", "!!", "has no letter a to z and no digit to make a name of")]
fn what_cannot_be_proven_is_a_problem(#[case] select: &str, #[case] column: &str, #[case] expected: &str) {
    let additions = [addition(column, "string")];
    let sources = with(&additions);
    let result = adapt(&graph(vec![carrying("m", select)], &sources), &sources, &sources, &additions, &[]);
    assert!(messages(result).join("\n").contains(expected));
}

#[test]
fn two_additions_of_one_name_collide() {
    let additions = [addition("new col", "string"), addition("new-col", "string")];
    let sources = with(&additions);
    let result = adapt(&graph(vec![carrying("m", "SELECT a FROM raw")], &sources), &sources, &sources, &additions, &[]);
    assert!(messages(result)[0].contains("would be named `new_col`"));
}

/// `raw` as promised, and as it is: its first two columns changed places, and one more stands between them.
#[rstest]
#[case::names("SELECT id, a FROM (SELECT * FROM raw) AS t ORDER BY id, a", &[])]
#[case::star("SELECT * FROM two", &["a name means another column; it changes `id`, `n`"])]
#[case::listed(
    "WITH t (x, y, z, u, v, w, l) AS (SELECT * FROM raw) SELECT x FROM t",
    &["an alias lists 7 columns of 8"]
)]
#[case::list_of_new("SELECT t.p FROM (SELECT id, id FROM raw UNION ALL SELECT * FROM two) AS t (p, q)", &["it changes `p`"])]
#[case::position("SELECT id FROM (SELECT * FROM raw ORDER BY 2 LIMIT 1) AS t", &["it changes which rows there are"])]
#[case::grouped("SELECT count(*) AS n FROM two GROUP BY id", &[])]
#[case::except("SELECT count(*) AS n FROM (SELECT id, length(a) FROM raw EXCEPT SELECT * FROM two)", &["an IN puts together"])]
#[case::row_in("SELECT id FROM raw WHERE (id, id) IN (SELECT * FROM two)", &["an IN puts together"])]
#[case::exists("SELECT id FROM raw WHERE EXISTS (SELECT * FROM two WHERE two.id = raw.id)", &[])]
fn what_rests_on_the_order_of_columns_is_held_against_the_promised_one(
    #[case] select: &str,
    #[case] expected: &[&str],
) {
    let promised = [table("raw", RAW), table("two", "id int, n int")];
    let mut found = promised.clone();
    found[0].columns.swap(0, 1);
    found[0].columns.insert(1, Column::new("new", DataType::String));
    found[1].columns.swap(0, 1);
    let result = adapt(&graph(vec![model("m", select)], &promised), &promised, &found, &[], &[]);
    let problems = if result.is_ok() { Vec::new() } else { messages(result) };
    assert_eq!(problems.is_empty(), expected.is_empty(), "{problems:?}");
    for expected in expected {
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }
}

const DEEP: &str = "struct<a:int,b:array<struct<c:string>>>";

/// `raw` has lost c, list and deep, and its id has become a string.
fn substituted(select: &str) -> Result<String, Problems> {
    let sources = [table("raw", "id string, a string, b string"), table("other", "id int, o string")];
    let changes = [
        Substitution::TypedNull { table: "raw".into(), column: "c".into(), data_type: DataType::String },
        Substitution::TryCast { table: "raw".into(), column: "id".into(), data_type: DataType::Int },
        Substitution::TypedNull {
            table: "raw".into(),
            column: "list".into(),
            data_type: DataType::parse("array<string>"),
        },
        Substitution::TypedNull { table: "raw".into(), column: "deep".into(), data_type: DataType::parse(DEEP) },
    ];
    let promised = with(&[addition("deep", DEEP)]);
    let adaptation = adapt(&graph(vec![model("m", select)], &sources), &promised, &sources, &[], &changes)?;
    Ok(adaptation.models.first().map_or_else(|| "unchanged".to_owned(), |model| model.select().to_owned()))
}

#[rstest]
#[case("SELECT id, c FROM raw", "SELECT TRY_CAST(id AS integer) AS id, CAST(NULL AS varchar) AS c FROM raw")]
#[case(
    "SELECT r.id AS i, lower(r.\"C\") AS x FROM raw AS r",
    "SELECT TRY_CAST(r.id AS integer) AS i, lower(CAST(NULL AS varchar)) AS x FROM raw AS r"
)]
#[case(
    "WITH s AS (SELECT id, a FROM raw WHERE c > '') SELECT id, a FROM s",
    "WITH s AS (SELECT TRY_CAST(id AS integer) AS id, a FROM raw WHERE CAST(NULL AS varchar) > '') SELECT id, a FROM s"
)]
#[case(
    "SELECT o FROM other WHERE id IN (SELECT id FROM raw)",
    "SELECT o FROM other WHERE id IN (SELECT TRY_CAST(id AS integer) AS id FROM raw)"
)]
#[case(
    "SELECT a, transform(ARRAY[c], id -> id) AS x FROM raw",
    "SELECT a, transform(ARRAY[CAST(NULL AS varchar)], id -> id) AS x FROM raw"
)]
#[case("SELECT list FROM raw", "SELECT CAST(NULL AS array(varchar)) AS list FROM raw")]
#[case("SELECT deep FROM raw", "SELECT CAST(NULL AS row(a integer, b array(row(c varchar)))) AS deep FROM raw")]
#[case("SELECT id, o FROM other", "unchanged")]
fn tolerated_changes_are_written_where_the_column_is_named(#[case] select: &str, #[case] expected: &str) {
    let adapted = substituted(select).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        adapted.replace("SELECT TRY_CAST(id AS integer) FROM", "SELECT TRY_CAST(id AS integer) AS id FROM"),
        expected
    );
}

#[rstest]
#[case("SELECT * FROM raw")]
#[case("SELECT a, o FROM raw JOIN other USING (id)")]
fn a_changed_column_taken_unnamed_is_a_problem(#[case] select: &str) {
    assert!(messages(substituted(select))[0].contains("of raw changed and is taken unnamed here"));
}

/// `a` of raw is called `new a` now.
fn renamed(select: &str) -> Result<String, Problems> {
    let sources = [table("raw", "id int, new a string, b string"), table("other", "id int, new a string, x string")];
    let change = Substitution::Renamed {
        table: "raw".into(),
        column: "a".into(),
        to: "New A".into(),
        data_type: DataType::String,
    };
    let promised = [table("raw", "id int, a string, b string"), sources[1].clone()];
    let adaptation = adapt(&graph(vec![model("m", select)], &promised), &promised, &sources, &[], &[change])?;
    Ok(adaptation.models.first().map_or_else(|| "unchanged".to_owned(), |model| model.select().to_owned()))
}

#[rstest]
#[case("SELECT a, b FROM raw", "SELECT \"new a\" AS a, b FROM raw")]
#[case("SELECT r.A, lower(r.a) AS x FROM raw AS r", "SELECT r.\"new a\" AS a, lower(r.\"new a\") AS x FROM raw AS r")]
#[case(
    "SELECT a AS x FROM raw WHERE a > '' ORDER BY a",
    "SELECT \"new a\" AS x FROM raw WHERE \"new a\" > '' ORDER BY \"new a\""
)]
#[case("SELECT a FROM raw ORDER BY a", "SELECT \"new a\" AS a FROM raw ORDER BY a")]
#[case("WITH s AS (SELECT a FROM raw) SELECT a FROM s", "WITH s AS (SELECT \"new a\" AS a FROM raw) SELECT a FROM s")]
#[case("SELECT b FROM raw", "unchanged")]
fn a_renamed_column_is_read_under_its_new_name(#[case] select: &str, #[case] expected: &str) {
    assert_eq!(renamed(select).unwrap_or_else(|problems| panic!("{problems}")), expected);
}

#[rstest]
#[case::star("SELECT * FROM raw", "`a` of raw changed and is taken unnamed here")]
#[case::ambiguous("SELECT raw.id, a AS x FROM raw JOIN other ON raw.id = other.id", "ambiguous column `new a`")]
#[case::captured_by_output("SELECT id AS \"new a\" FROM raw ORDER BY a", "decide which rows")]
#[case::captured_by_subquery(
    "SELECT id, (SELECT max(x) FROM other WHERE x = a) AS m FROM raw",
    "the adapted model reads `m` from other columns"
)]
#[case::captured_by_lambda(
    "SELECT transform(ARRAY[b], \"new a\" -> \"new a\" || a) AS m FROM raw",
    "reads `m` from other columns"
)]
fn a_new_name_that_means_something_else_is_a_problem(#[case] select: &str, #[case] expected: &str) {
    let found = messages(renamed(select)).join("\n");
    assert!(found.contains(expected), "{found}");
}

fn select() -> impl Strategy<Value = String> {
    let item =
        prop::sample::select(vec!["a", "lower(b) AS x", "ARRAY[a, c][1] AS y", "\"email address\"", "'é, ''q''' AS z"]);
    let gap = prop::sample::select(vec![", ", ",\n    ", " , /* , */ ", ",\r\n\t", "\n  , "]);
    let from = prop::sample::select(vec![
        "FROM raw",
        "FROM raw AS r WHERE r.a > 'FROM'",
        "FROM (SELECT a, b, c, \"email address\" FROM raw) AS t -- é",
        "FROM raw CROSS JOIN other ORDER BY 1",
    ]);
    (prop::collection::btree_set(item, 1..5), gap, from)
        .prop_map(|(items, gap, from)| format!("SELECT {} {from}", Vec::from_iter(items).join(gap)))
}

proptest! {
    #[test]
    fn nothing_added_changes_nothing(select in select()) {
        let sources = with(&[]);
        let adaptation = adapt(&graph(vec![carrying("m", &select)], &sources), &sources, &sources, &[], &[]);
        prop_assert_eq!(adaptation, Ok(Default::default()));
    }

    /// The original text is left when the insertions, found by a diff of bytes, are taken out.
    #[test]
    fn an_adaptation_only_inserts(select in select(), column in "[a-z]{3,8}[ -~é]{0,6}") {
        let additions = [addition(&column, "string")];
        let sources = with(&additions);
        let model = carrying("m", &select);
        let original = model.text.clone();
        let adaptation = adapt(&graph(vec![model], &sources), &sources, &sources, &additions, &[]).expect("it carries");
        let text = &adaptation.models[0].text;
        prop_assert!(text.len() > original.len());
        let mut wanted = original.bytes().peekable();
        for byte in text.bytes() {
            wanted.next_if_eq(&byte);
        }
        prop_assert_eq!(wanted.next(), None);
    }

    #[test]
    fn any_identifier_survives_quoting(name in "[^\0]{1,12}") {
        let text = format!("SELECT a AS {} FROM raw", ident::quote(&name));
        let sources = with(&[]);
        let lineage = Lineage::trace(&graph(vec![model("m", &text)], &sources), &sources).expect("it resolves");
        prop_assert_eq!(&lineage.output("m")[0].0, &name.to_lowercase());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(SELECT|WITH|FROM|[ a-z(),.*'\"\\[\\]>-]|é|AS|UNION|JOIN|CASE|OVER|UNNEST|ORDER BY|\n){0,30}") {
        let _ = Model::parse("sql/m.sql", &text);
        let _ = bind_slot(&text, "2026-01-02T03:04:05Z");
    }
}

#[test]
fn an_addition_goes_through_a_star_with_a_limit() {
    let models = vec![model("first", "SELECT * FROM raw LIMIT 5"), carrying("next", "SELECT a FROM first")];
    let additions = [addition("fresh", "int"), addition("limit", "int")];
    let sources = with(&additions);
    let adaptation = adapt(&graph(models, &sources), &sources, &sources, &additions, &[]).expect("it carries");
    let texts: Vec<&str> = adaptation.models.iter().map(Model::select).collect();
    assert_eq!(texts, ["SELECT a, fresh, \"limit\" FROM first"]);
    assert_eq!(adaptation.not_carried, []);
}
