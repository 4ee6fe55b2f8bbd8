//! Every rule on every case, and what holds for the registry as a whole.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crawlguard::drift::{AsPromised, Change, ChangeKind, Decode, Finding, Promotion, RULES, Rule, diff, diff_beside};
use crawlguard::schema::{MIXED_HEADERS, Table, UNREADABLE};

use super::lake::{Edit, contract, json};
use super::{cases, changes, findings};

pub fn line(finding: &Finding) -> String {
    let path = if finding.path.is_empty() { "-" } else { &finding.path };
    let decode = match finding.decode {
        Decode::Safe => "safe",
        Decode::Unsafe => "unsafe",
        Decode::Unknown => "unknown",
    };
    format!("{} {path} {decode} {}", finding.rule, finding.level)
}

#[test]
fn every_case_gives_exactly_its_findings() {
    for case in cases::all() {
        let mut expected = case.expected.to_vec();
        let mut found: Vec<_> = findings(&case.promised, &case.catalog).iter().map(line).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{} / {}", case.rule, case.name);
    }
}

#[test]
fn a_table_against_itself_gives_nothing() {
    for case in cases::all() {
        // What our crawler recorded with a table holds whatever was promised.
        let recorded =
            |table: &&Table| [MIXED_HEADERS, UNREADABLE].iter().any(|key| table.parameters.contains_key(*key));
        for table in case.catalog.iter().chain([&case.promised]).filter(|table| !recorded(table)) {
            assert_eq!(changes(table, std::slice::from_ref(table)), [], "{} / {}", case.rule, case.name);
        }
    }
}

#[test]
fn a_table_that_is_as_promised_need_not_be_held() {
    // Where it stands is known from the catalog alone, and a part of it stands beside.
    let quiet = json("id bigint").named("raw_quiet").at("s3://example-lake/quiet/");
    let promised = contract(&quiet.clone().edit(|table| table.location = None));
    let parts = [
        json("id bigint").named("raw_part").at("s3://example-lake/quiet/part/"),
        quiet.clone().named("raw_quiet_1a2b"),
    ];
    for case in cases::all() {
        let contracts = [contract(&case.promised), promised.clone()];
        let catalog: Vec<Table> = [case.catalog.as_slice(), &parts, std::slice::from_ref(&quiet)].concat();
        let place = |table: &Table| {
            let contract = contracts.iter().find(|contract| contract.table.name == table.name)?;
            AsPromised::of(contract, table)
        };
        let held: Vec<Table> = catalog.iter().filter(|table| place(table).is_none()).cloned().collect();
        let beside: Vec<AsPromised> = catalog.iter().filter_map(place).collect();
        assert!(beside.iter().any(|place| place.name == quiet.name));
        let expected = diff(&contracts, &catalog);
        assert!(expected.iter().filter(|change| change.kind == ChangeKind::StraySibling).count() >= parts.len());
        assert_eq!(diff_beside(&contracts, &held, &beside), expected, "{} / {}", case.rule, case.name);
    }
}

#[test]
fn every_rule_fires_and_has_a_near_miss() {
    let cases = cases::all();
    for rule in RULES.iter().filter(|rule| rule.id != "unclassified-change") {
        let mine = || cases.iter().filter(|case| case.rule == rule.id);
        let fires = |expected: &[&str]| expected.iter().any(|line| line.split(' ').next() == Some(rule.id));
        assert!(mine().any(|case| fires(case.expected)), "{} fires nowhere", rule.id);
        let near_miss = |case: &cases::Case| case.name.starts_with("near_miss") && !fires(case.expected);
        assert!(mine().any(near_miss), "{} has no near miss", rule.id);
    }
    let known: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert!(cases.iter().all(|case| known.contains(case.rule)));
}

/// The rule that claims a kind. Without a wildcard: a new kind does not compile before it is placed here.
fn claims(kind: ChangeKind) -> &'static str {
    use ChangeKind as Kind;
    match kind {
        Kind::ColumnAddedAtEnd => "column-added-at-end",
        Kind::ColumnAddedInMiddle => "column-added-in-middle",
        Kind::ColumnDuplicated => "column-duplicated",
        Kind::ColumnRemoved => "column-removed",
        Kind::ColumnMissingInNewest => "column-missing-in-newest",
        Kind::ColumnBackInNewest => "column-back-in-newest",
        Kind::ColumnReordered => "column-reordered",
        Kind::ColumnCaseChanged => "column-case-changed",
        Kind::HeaderLost => "header-lost",
        Kind::Retyped(Promotion::Widening) => "type-widened",
        Kind::Retyped(Promotion::Narrowing) => "type-narrowed",
        Kind::Retyped(Promotion::Lossy) => "type-lossy",
        Kind::Retyped(Promotion::Incompatible) => "type-incompatible",
        Kind::Retyped(Promotion::Identical) => "unclassified-change",
        Kind::TypeShown => "type-shown",
        Kind::FieldAdded => "struct-field-added",
        Kind::FieldRemoved => "struct-field-removed",
        Kind::FieldReordered => "struct-field-reordered",
        Kind::PartitionKeyAdded
        | Kind::PartitionKeyRemoved
        | Kind::PartitionKeyRetyped
        | Kind::PartitionKeyReordered => "partition-key-changed",
        Kind::FormatChanged => "format-changed",
        Kind::SerdeChanged => "serde-changed",
        Kind::SerdeParameterChanged => "serde-parameter-changed",
        Kind::DelimiterChanged => "delimiter-changed",
        Kind::ValuesQuoted => "values-quoted",
        Kind::HeaderLinesChanged => "header-lines-changed",
        Kind::CompressionChanged => "compression-changed",
        Kind::LocationChanged => "location-changed",
        Kind::TableMissing => "table-missing",
        Kind::TableDeprecated => "table-deprecated",
        Kind::TableNew => "table-new",
        Kind::StraySibling => "stray-sibling",
        Kind::TableKindChanged => "table-kind-changed",
        Kind::Unreadable => "unreadable",
        Kind::FilesUnreadable => "files-unreadable",
        Kind::HeadersDiffer => "headers-differ",
    }
}

#[test]
fn every_kind_is_claimed_by_exactly_one_rule_and_seen_in_a_case() {
    let seen: BTreeSet<ChangeKind> =
        cases::all().iter().flat_map(|case| changes(&case.promised, &case.catalog)).map(|change| change.kind).collect();
    for &kind in ChangeKind::ALL {
        let change = Change {
            table: "raw_orders".to_owned(),
            path: "a".to_owned(),
            kind,
            place: None,
            before: None,
            after: None,
            decode: Decode::Safe,
            advice: None,
            file: None,
            shifted: Vec::new(),
            came: Vec::new(),
        };
        let claimed: Vec<_> =
            RULES.iter().filter(|rule| (rule.detect)(&change).is_some()).map(|rule| rule.id).collect();
        assert_eq!(claimed, [claims(kind)], "{kind:?}");
        assert!(seen.contains(&kind), "no case shows {kind:?}");
    }
    let claimed: BTreeSet<_> =
        ChangeKind::ALL.iter().map(|kind| claims(*kind)).chain(["unclassified-change"]).collect();
    assert_eq!(claimed, RULES.iter().map(|rule| rule.id).collect(), "a rule that claims no kind");
}

#[test]
fn rules_are_sorted_documented_and_one_file_each() {
    assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id), "not sorted by id");
    let mut files: Vec<String> = fs::read_dir(root().join("src/drift/rules"))
        .expect("the folder is part of the repository")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().replace(".rs", ""))
        .filter(|name| !["mod", "words"].contains(&name.as_str()))
        .collect();
    files.sort();
    assert_eq!(files, RULES.iter().map(|rule| rule.id.replace('-', "_")).collect::<Vec<_>>());
    let headings = ["What it does", "Why it matters", "Example", "How to resolve", "Known limits"];
    for rule in RULES {
        let found: Vec<_> = rule.docs.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(found, headings, "{}", rule.id);
        assert!(rule.docs.lines().all(|line| line.chars().count() <= 130), "{}: a long line", rule.id);
        assert!(rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{}", rule.id);
        assert_eq!(Rule::by_id(rule.id).map(|rule| rule.id), Some(rule.id));
    }
}

#[test]
fn docs_are_generated_from_the_rules() {
    let folder = root().join("docs/rules");
    let mut pages: Vec<(String, String)> = RULES.iter().map(|rule| (format!("{}.md", rule.id), rule.page())).collect();
    pages.push(("README.md".to_owned(), index()));
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(&folder).expect("writable");
        pages.iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("writable"));
    }
    for (name, text) in &pages {
        let stored = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(&stored, text, "docs/rules/{name} is not what the rules say; run this test with BLESS=1");
    }
    let stored = fs::read_dir(&folder).expect("the folder is part of the repository").count();
    assert_eq!(stored, pages.len(), "a page without a rule in docs/rules");
}

fn index() -> String {
    let mut text = "# Rules\n\nGenerated from the one list of rules (`src/drift/rule.rs`); `crawlguard explain RULE` prints a page.\n\n\
                    | rule | what it reports | if read | if unread |\n|---|---|---|---|\n"
        .to_owned();
    for rule in RULES {
        let Rule { id, summary, level_read, level_unread, .. } = rule;
        writeln!(text, "| [{id}]({id}.md) | {summary} | {level_read} | {level_unread} |").expect("a string");
    }
    text
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_message_is_a_sentence() {
    let mut shown = String::new();
    for case in cases::all() {
        for finding in findings(&case.promised, &case.catalog) {
            let Finding { rule, message, help, .. } = &finding;
            assert!(message.ends_with('.') && help.ends_with('.'), "{rule}: {message} / {help}");
            assert!(!message.contains("  ") && !message.contains('\n'), "{rule}: {message}");
            if rule == case.rule {
                writeln!(shown, "{rule} ({})\n  {message}\n  help: {help}", case.name).expect("a string");
            }
        }
    }
    insta::assert_snapshot!("messages", shown);
}

#[test]
fn help_names_the_update_where_and_only_where_it_accepts() {
    for case in cases::all() {
        let all = findings(&case.promised, &case.catalog);
        for finding in &all {
            let named = finding.help.contains("`crawlguard contracts update ");
            // What no update accepts keeps it from accepting what else is found of the table.
            let accepts = all.iter().filter(|other| other.table == finding.table).all(Finding::is_acceptable);
            assert_eq!(named, accepts, "{} / {}: {}", finding.rule, case.name, finding.help);
        }
    }
}
