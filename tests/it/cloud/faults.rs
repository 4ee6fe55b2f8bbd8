//! Every AWS call of a run, each going wrong in every way; then the rerun ends as if nothing had happened.
//!
//! `cargo test --test it cloud::faults -- --nocapture` prints the table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crawlguard::digest::sha256_hex;
use crawlguard::pipeline::{Outcome, Run};
use serde_json::Value;

use super::fake::{Call, Fault, FaultKind, Mail};
use super::lake::{DATABASE, Lake, STATE, Site, WAREHOUSE, block_on};
use crate::support::SLOT;

const SLOTS_BEFORE: [&str; 2] = ["2025-12-31T03:04:05Z", "2026-01-01T03:04:05Z"];

/// What somebody who looks at the account afterwards sees.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EndState {
    outcome: Option<Outcome>,
    error: Option<String>,
    /// Every table but the raw ones → its version, and its rows as they lie in S3.
    tables: BTreeMap<String, (String, Vec<String>)>,
    /// Builds that are still there.
    folders: usize,
    runs: usize,
    /// Builds that Athena ran since the whole run began.
    builds: usize,
    /// The checks that had been answered whenever a table was published.
    checks_before_publications: BTreeSet<(String, usize)>,
}

fn end_state(site: &Site, run: &Run) -> EndState {
    let account = site.aws.account();
    let names = account.glue.names(DATABASE).into_iter().filter(|name| !name.starts_with("raw_"));
    let shown = |table: &Value| {
        let location = table["StorageDescriptor"]["Location"].as_str().expect("a location");
        let objects = account.s3.list(&format!("{}/", location.trim_end_matches('/')));
        let rows = objects.into_iter().map(|(_, bytes)| sha256_hex(bytes)).collect();
        (table["VersionId"].as_str().expect("a version").to_owned(), rows)
    };
    let tables = names.map(|name| {
        let table = shown(account.glue.table(DATABASE, &name).expect("just listed"));
        (name, table)
    });
    let folder = |(uri, _): (String, _)| uri.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<_> = account.s3.list(WAREHOUSE).into_iter().filter_map(folder).collect();
    EndState {
        outcome: run.outcome,
        error: run.error.clone(),
        tables: tables.collect(),
        folders: folders.len(),
        runs: account.s3.list(&format!("{STATE}runs/")).len(),
        builds: account.athena.builds().count(),
        checks_before_publications: account.publications.iter().cloned().collect(),
    }
}

/// What an undisturbed run calls, leaves and tells.
struct Whole {
    calls: Vec<Call>,
    state: EndState,
    mails: Vec<Mail>,
}

impl Whole {
    fn of(site: &Site) -> Self {
        site.aws.account().calls.reset(None);
        let run = block_on(site.run(SLOT));
        let state = end_state(site, &run);
        let account = site.aws.account();
        Self { calls: account.calls.log.clone(), state, mails: account.sns.mails.clone() }
    }
}

/// A call, and how it goes wrong.
type Case = (Call, FaultKind);

/// How a rerun ends.
#[derive(Clone)]
struct Rerun {
    state: Result<EndState, String>,
    mails: Vec<Mail>,
}

/// All cases of a scenario, and what became of them.
struct Trial<'a> {
    start: &'a Site,
    whole: Whole,
    cases: Vec<Case>,
    next: AtomicUsize,
    /// Two accounts that hold the same are rerun once.
    reruns: Mutex<HashMap<u64, Rerun>>,
    failures: Mutex<BTreeMap<usize, Vec<String>>>,
    /// Cases after which people got exactly the mails of the undisturbed run.
    told_well: AtomicUsize,
}

impl<'a> Trial<'a> {
    fn new(start: &'a Site) -> Self {
        let whole = Whole::of(&start.fork());
        let of_kind = |kind| whole.calls.iter().map(move |call| (call.clone(), kind));
        let cases = FaultKind::ALL.into_iter().flat_map(of_kind).collect();
        let (next, told_well) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { start, whole, cases, next, reruns: Mutex::default(), failures: Mutex::default(), told_well }
    }

    fn run(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        loop {
            let at = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(case) = self.cases.get(at) else { return };
            let found = runtime.block_on(self.differences(case));
            if !found.is_empty() {
                self.failures.lock().unwrap().insert(at, found);
            }
        }
    }

    /// What is not as it was in the undisturbed run.
    async fn differences(&self, case: &Case) -> Vec<String> {
        let (call, kind) = case;
        let site = self.start.fork();
        let fault = Fault { service: call.service, action: call.action.clone(), nth: call.nth, kind: *kind };
        site.aws.account().calls.reset(Some(fault));
        let disturbed = site.process(SLOT).await;
        let mut found = Vec::new();
        if kind.is_crash() != disturbed.is_none() {
            found.push("only a crash kills the process, and each does".to_owned());
        }
        if let Some(Err(error)) = disturbed.filter(|_| kind.is_transient()) {
            found.push(format!("the SDK's retry was not enough: {error}"));
        }
        if !site.aws.account().calls.log.iter().any(|made| made.is_same(call)) {
            found.push("the call was not made".to_owned());
        }
        // SNS delivers a receipt before the rerun, or only after it.
        let is_under_way = !site.aws.account().sns.deliveries.is_empty();
        let early = if is_under_way { Some(site.fork()) } else { None };
        if let Some(early) = &early {
            early.aws.account().calls.reset(None);
            early.deliver().await;
        }
        let mut wrong_mails = Vec::new();
        for site in std::iter::once(&site).chain(&early) {
            let rerun = self.rerun(site).await;
            match rerun.state {
                Ok(state) if state == self.whole.state => {}
                Ok(state) => found.push(format!("{state:#?}")),
                Err(error) => found.push(error),
            }
            if rerun.mails != self.whole.mails {
                wrong_mails.push(format!("{} mails: {:#?}", rerun.mails.len(), rerun.mails));
            }
        }
        self.told_well.fetch_add(usize::from(wrong_mails.is_empty()), Ordering::SeqCst);
        found.extend(wrong_mails);
        found
    }

    /// Runs the slot again, and then what a sweep does once a receipt must have come.
    async fn rerun(&self, site: &Site) -> Rerun {
        site.aws.account().calls.reset(None);
        site.wait_for_the_lock();
        let before = site.aws.account().fingerprint();
        let known = self.reruns.lock().unwrap().get(&before).cloned();
        if let Some(known) = known {
            return known;
        }
        let state = match site.process(SLOT).await {
            Some(Ok(run)) => Ok(end_state(site, &run)),
            Some(Err(error)) => Err(format!("the rerun failed: {error}")),
            None => Err("the rerun died".to_owned()),
        };
        site.deliver().await;
        site.wait_for_receipts();
        site.process(SLOT).await;
        let rerun = Rerun { state, mails: site.aws.account().sns.mails.clone() };
        self.reruns.lock().unwrap().insert(before, rerun.clone());
        rerun
    }
}

/// Runs every case, and prints how many ended as the undisturbed run did.
fn survives_every_fault(name: &str, start: &Site) {
    let trial = Trial::new(start);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| trial.run());
        }
    });
    let failures = trial.failures.into_inner().unwrap();
    println!("{}", table(name, &trial.cases, &failures));
    let (mails, well, all) = (trial.whole.mails.len(), trial.told_well.into_inner(), trial.cases.len());
    println!("{name}, exactly {mails} mail(s): {well}/{all}\n");
    assert!(trial.whole.calls.len() > 10, "{name}: only {} calls", trial.whole.calls.len());
    assert!(failures.is_empty(), "{}\nexpected {:#?}", told(&trial.cases, &failures), trial.whole.state);
}

fn table(name: &str, cases: &[Case], failures: &BTreeMap<usize, Vec<String>>) -> String {
    let mut text = String::new();
    for kind in FaultKind::ALL {
        let all: Vec<_> = (0..cases.len()).filter(|at| cases[*at].1 == kind).collect();
        let well = all.iter().filter(|at| !failures.contains_key(at)).count();
        writeln!(text, "{name}, {kind:?}: {well}/{}", all.len()).unwrap();
    }
    text
}

fn told(cases: &[Case], failures: &BTreeMap<usize, Vec<String>>) -> String {
    let one = |(at, found): (&usize, &Vec<String>)| {
        let (call, kind) = &cases[*at];
        format!(
            "{kind:?} at {}:{} #{} of {}:\n  {}",
            call.service,
            call.action,
            call.nth,
            call.resource,
            found.join("\n  ")
        )
    };
    failures.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// One table is replaced, another one is new, and an old version is dropped with its data.
#[test]
fn a_third_publication_with_a_tolerated_column_survives_every_fault() {
    let lake = Lake::new();
    let model = std::fs::read_to_string(lake.local.path("sql/fact_cities.sql")).unwrap();
    std::fs::remove_file(lake.local.path("sql/fact_cities.sql")).unwrap();
    for slot in SLOTS_BEFORE {
        assert_eq!(block_on(lake.site().run(slot)).outcome, Some(Outcome::Published));
    }
    lake.local.write("sql/fact_cities.sql", &model);
    lake.local.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\",\"Gift Note\":\" hi \"}\n");
    lake.crawl();
    survives_every_fault("publication", &lake.site());
}

#[test]
fn breaking_drift_survives_every_fault() {
    let lake = Lake::new();
    lake.local.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
    lake.crawl();
    survives_every_fault("breaking drift", &lake.site());
}

#[test]
fn failed_checks_survive_every_fault() {
    let lake = Lake::new();
    let model = "SELECT city, count(*) AS orders FROM int_orders WHERE city = 'x' GROUP BY city\n";
    lake.local.write("sql/fact_cities.sql", model);
    survives_every_fault("failed checks", &lake.site());
}
