//! The crawler: whether what it is set to do lets changes be seen.

use aws_sdk_glue::types::{Crawler, CsvClassifier, CsvHeaderOption, DeleteBehavior, LastCrawlStatus};

use super::Examined;
use super::cloud::failed;
use crate::aws::Call;
use crate::catalog::glue::crawler::{hides, inherits, output};
use crate::cloud::Cloud;
use crate::config::Aws;

const CRAWLER: Call = Call::new("read crawler", "glue:GetCrawler");
const CLASSIFIER: Call = Call::new("read classifier", "glue:GetClassifier");

pub async fn examine(cloud: &Cloud) -> Vec<Examined> {
    let Some(name) = &cloud.settings.crawler else {
        return vec![Examined::ok("crawler", "none is named: no crawl starts a run")];
    };
    let help = "create the crawler, or mend `crawler`";
    let crawler = match cloud.glue.get_crawler().name(name).send().await {
        Ok(answer) => answer.crawler,
        Err(error) => return vec![failed("crawler", &CRAWLER.failed(format!("`{name}`"), error), help)],
    };
    let Some(crawler) = crawler else {
        return vec![Examined::missing("crawler", format!("there is no `{name}`"), help)];
    };
    let mut examined = judge(&crawler, &cloud.settings);
    for classifier in crawler.classifiers() {
        match cloud.glue.get_classifier().name(classifier).send().await {
            Ok(answer) => {
                let csv = answer.classifier.and_then(|classifier| classifier.csv_classifier);
                examined.extend(csv.and_then(|csv| header(&csv, &cloud.settings)));
            }
            Err(error) => {
                let error = CLASSIFIER.failed(format!("`{classifier}`"), error);
                examined.push(failed("classifier", &error, "create the classifier, or take it off the crawler"));
            }
        }
    }
    examined
}

/// Settings under which a crawl shows what changed.
/// <https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html>
fn judge(crawler: &Crawler, target: &Aws) -> Vec<Examined> {
    let name = crawler.name().unwrap_or_default();
    let role = crawler.role().unwrap_or("no role");
    let mut examined = vec![Examined::ok("crawler", format!("`{name}`, as `{role}`"))];
    examined.extend(names(crawler, target));
    examined.extend(policies(crawler));
    examined.extend(configuration(crawler));
    examined.extend(timing(crawler));
    examined.extend(places(crawler, target));
    examined
}

fn wrong(crawler: &Crawler, found: &str, help: &str) -> Examined {
    Examined::missing("crawler", format!("`{}` {found}", crawler.name().unwrap_or_default()), help)
}

fn caution(crawler: &Crawler, found: &str, help: &str) -> Examined {
    Examined::caution("crawler", format!("`{}` {found}", crawler.name().unwrap_or_default()), help)
}

fn names(crawler: &Crawler, target: &Aws) -> Vec<Examined> {
    let (database, prefix) = (crawler.database_name().unwrap_or_default(), crawler.table_prefix().unwrap_or_default());
    let mut examined = Vec::new();
    if database != target.database {
        let help = "mend `database`, or the crawler's";
        examined.push(wrong(crawler, &format!("writes to database `{database}`"), help));
    }
    if prefix != target.raw_prefix {
        let help = "mend `raw_prefix`, or the crawler's table prefix";
        examined.push(wrong(crawler, &format!("puts `{prefix}` before names"), help));
    }
    examined
}

fn policies(crawler: &Crawler) -> Vec<Examined> {
    let changes = crawler.schema_change_policy();
    let mut examined: Vec<_> = hides(crawler).into_iter().map(|(found, help)| wrong(crawler, found, help)).collect();
    if changes.and_then(|policy| policy.delete_behavior()) == Some(&DeleteBehavior::DeleteFromDatabase) {
        let found = "drops tables whose files are gone, with their versions";
        examined.push(caution(crawler, found, "set its DeleteBehavior to LOG"));
    }
    examined
}

fn configuration(crawler: &Crawler) -> Vec<Examined> {
    let mut examined = Vec::new();
    if !inherits(crawler) {
        let help = "set CrawlerOutput.Partitions.AddOrUpdateBehavior to InheritFromTable";
        examined.push(wrong(crawler, "gives partitions columns of their own, which nobody compares", help));
    }
    if output(crawler)["Tables"]["TableThreshold"].is_null() {
        let help = "set CrawlerOutput.Tables.TableThreshold, so that a crawl that finds a table a file fails";
        examined.push(caution(crawler, "makes as many tables as it finds", help));
    }
    examined
}

fn timing(crawler: &Crawler) -> Vec<Examined> {
    let mut examined = Vec::new();
    let schedule = crawler.schedule();
    let state = schedule.and_then(|it| it.state()).map_or("SCHEDULED", |state| state.as_str());
    match schedule.and_then(|it| it.schedule_expression()).filter(|text| !text.is_empty()) {
        None => {
            let help = "give it one, such as cron(0 */6 * * ? *), or have whatever loads the files start it";
            examined.push(caution(crawler, "has no schedule", help));
        }
        Some(_) if state == "NOT_SCHEDULED" => {
            examined.push(caution(crawler, "has its schedule switched off", "aws glue start-crawler-schedule"));
        }
        Some(_) => {}
    }
    let last = crawler.last_crawl().filter(|last| last.status() == Some(&LastCrawlStatus::Failed));
    if let Some(last) = last {
        let found = format!("failed in its last crawl: {}", last.error_message().unwrap_or("it does not say why"));
        let log = last.log_group().unwrap_or("/aws-glue/crawlers");
        examined.push(caution(crawler, &found, &format!("see its log `{log}`, and crawl again")));
    }
    examined
}

/// What it crawls may hold nothing that crawlguard writes.
fn places(crawler: &Crawler, target: &Aws) -> Vec<Examined> {
    let own =
        [("warehouse", Some(&target.warehouse)), ("state", Some(&target.state)), ("results", target.results.as_ref())];
    let crawled = crawler.targets().map(|targets| targets.s3_targets()).unwrap_or_default();
    let mut examined = Vec::new();
    for it in crawled.iter().filter(|it| it.exclusions().is_empty()) {
        let path = it.path().unwrap_or_default();
        let slashed = format!("{}/", path.trim_end_matches('/'));
        for (setting, uri) in &own {
            let hit = uri.filter(|uri| uri.starts_with(&slashed) || slashed.starts_with(uri.as_str()));
            if let Some(uri) = hit {
                let found = format!("crawls `{path}`, and `{setting}` is `{uri}`");
                examined.push(wrong(crawler, &found, "let it crawl the sources' folders alone"));
            }
        }
    }
    examined
}

/// Names that a classifier gives are in no file, so no file's header would fit the table.
fn header(classifier: &CsvClassifier, target: &Aws) -> Option<Examined> {
    let has_line = classifier.contains_header() != Some(&CsvHeaderOption::Absent);
    let is_wrong = !classifier.header().is_empty() && has_line && target.header_files > 0;
    let found = format!("`{}` names the columns itself, so no file has the table's header", classifier.name());
    is_wrong.then(|| Examined::missing("classifier", found, "set `header_files = 0` in the target"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{
        CrawlerTargets, LastCrawlInfo, RecrawlBehavior, RecrawlPolicy, S3Target, Schedule, SchemaChangePolicy,
        UpdateBehavior, builders::CrawlerBuilder,
    };

    use super::*;
    use crate::config::{Config, Target, parse};

    fn target() -> Aws {
        let text = "project = \"shop\"\n[targets.prod]\nkind = \"aws\"\ndatabase = \"shop\"\nwarehouse = \"s3://lake/tables/\"\n\
                    state = \"s3://lake/state/\"\ntopic = \"arn:aws:sns:eu-central-1:111122223333:t\"\n";
        let Config { mut targets, .. } = parse(text).unwrap();
        let Some(Target::Aws(aws)) = targets.remove("prod") else { panic!("it is on AWS") };
        aws
    }

    const GOOD: &str = r#"{"Version":1.0,"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"},"Tables":{"TableThreshold":100}}}"#;

    fn crawls(path: &str) -> CrawlerTargets {
        CrawlerTargets::builder().s3_targets(S3Target::builder().path(path).build()).build()
    }

    fn good() -> CrawlerBuilder {
        Crawler::builder()
            .name("raw")
            .database_name("shop")
            .table_prefix("raw_")
            .configuration(GOOD)
            .targets(crawls("s3://lake/raw/orders/"))
            .schedule(Schedule::builder().schedule_expression("cron(0 */6 * * ? *)").build())
    }

    #[test]
    fn what_hides_a_change_is_missing_and_what_is_only_unwise_a_caution() {
        use crate::cli::doctor::State::{Caution, Missing};
        let changes =
            |updates, deletes| SchemaChangePolicy::builder().update_behavior(updates).delete_behavior(deletes).build();
        let log = changes(UpdateBehavior::Log, DeleteBehavior::Log);
        let drops = changes(UpdateBehavior::UpdateInDatabase, DeleteBehavior::DeleteFromDatabase);
        let new_only = RecrawlPolicy::builder().recrawl_behavior(RecrawlBehavior::CrawlNewFoldersOnly).build();
        let failed = LastCrawlInfo::builder().status(LastCrawlStatus::Failed).error_message("denied").build();
        let merges =
            GOOD.replace("\"TableThreshold\"", "\"AddOrUpdateBehavior\":\"MergeNewColumns\",\"TableThreshold\"");
        let cases = [
            (good(), vec![]),
            (good().database_name("other"), vec![(Missing, "writes to database `other`")]),
            (good().table_prefix(""), vec![(Missing, "puts `` before names")]),
            (good().schema_change_policy(log), vec![(Missing, "only logs")]),
            (good().schema_change_policy(drops), vec![(Caution, "drops tables")]),
            (good().recrawl_policy(new_only), vec![(Missing, "new folders only")]),
            (good().configuration(merges), vec![(Missing, "merges new columns")]),
            (good().configuration("{"), vec![(Missing, "columns of their own"), (Caution, "as many tables")]),
            (good().set_schedule(None), vec![(Caution, "no schedule")]),
            (good().last_crawl(failed), vec![(Caution, "failed in its last crawl: denied")]),
            (good().targets(crawls("s3://lake")), vec![(Missing, "`warehouse`"), (Missing, "`state`")]),
            (good().targets(crawls("s3://lake/tables/int_a/")), vec![(Missing, "`warehouse`")]),
            (good().targets(crawls("s3://lake/table")), vec![]),
        ];
        for (crawler, expected) in cases {
            let found = judge(&crawler.build(), &target());
            let found: Vec<_> = found[1..].iter().map(|one| (one.state, one.found.as_str())).collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for ((state, text), (wanted, part)) in found.into_iter().zip(expected) {
                assert!(state == wanted && text.contains(part), "{state:?} {text} {part}");
            }
        }
    }

    #[test]
    fn a_classifier_with_names_of_its_own_needs_header_files_0() {
        let classifier = |option: CsvHeaderOption, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            CsvClassifier::builder().name("c").contains_header(option).set_header(Some(names)).build().unwrap()
        };
        let named = classifier(CsvHeaderOption::Present, &["a"]);
        assert!(header(&named, &target()).unwrap().help.contains("header_files = 0"));
        assert_eq!(header(&named, &Aws { header_files: 0, ..target() }), None);
        assert_eq!(header(&classifier(CsvHeaderOption::Absent, &["a"]), &target()), None);
        assert_eq!(header(&classifier(CsvHeaderOption::Present, &[]), &target()), None);
    }
}
