//! The workgroup: its engine, its cut-off, and where it lets queries write.

use aws_sdk_athena::types::WorkGroup;

use super::Examined;
use super::cloud::failed;
use crate::aws::Call;
use crate::cloud::Cloud;

const WORKGROUP: Call = Call::new("read workgroup", "athena:GetWorkGroup");

/// The workgroup, and where it has builds put, if it does.
pub async fn examine(cloud: &Cloud) -> (Vec<Examined>, Option<String>) {
    let name = &cloud.settings.workgroup;
    let help = "create the workgroup, or mend `workgroup`";
    match cloud.athena.get_work_group().work_group(name).send().await {
        Ok(answer) => match &answer.work_group {
            Some(group) => (judge(group, cloud.settings.results.as_deref()), enforced(group)),
            None => (vec![Examined::missing("workgroup", format!("there is no `{name}`"), help)], None),
        },
        Err(error) => (vec![failed("workgroup", &WORKGROUP.failed(format!("`{name}`"), error), help)], None),
    }
}

/// Its output location, if it enforces that: builds then go to `tables/` below it.
fn enforced(group: &WorkGroup) -> Option<String> {
    let set = group.configuration().filter(|it| it.enforce_work_group_configuration() == Some(true))?;
    set.result_configuration().and_then(|it| it.output_location()).map(str::to_owned)
}

fn judge(group: &WorkGroup, results: Option<&str>) -> Vec<Examined> {
    let name = group.name();
    let set = group.configuration();
    let output = set.and_then(|it| it.result_configuration()).and_then(|it| it.output_location());
    let cutoff = set.and_then(|it| it.bytes_scanned_cutoff_per_query());
    let engine = set.and_then(|it| it.engine_version()).and_then(|it| it.effective_engine_version());
    let place = output.map_or("it names no place for results".to_owned(), |output| format!("results go to `{output}`"));
    let mut examined =
        vec![Examined::ok("workgroup", format!("`{name}`, {}; {place}", engine.unwrap_or("its engine unknown")))];
    if group.state().is_some_and(|state| state.as_str() == "DISABLED") {
        examined.push(Examined::missing("workgroup", format!("`{name}` is disabled"), "enable it"));
    }
    if engine.is_some_and(|engine| !engine.ends_with("version 3")) {
        let found = format!("`{name}` runs {}", engine.unwrap_or_default());
        examined.push(Examined::missing("workgroup", found, "set its engine to \"Athena engine version 3\""));
    }
    if cutoff.is_none() {
        let help = "set BytesScannedCutoffPerQuery, so that a wrong join is cut off before it is paid for";
        examined.push(Examined::caution("workgroup", format!("`{name}` lets a query scan any number of bytes"), help));
    }
    if let Some(output) = enforced(group) {
        let found = format!("`{name}` enforces its output location, so builds go below `{output}`");
        let help = "fine, as long as no lifecycle rule removes what is under `tables/` there, which is looked at below";
        examined.push(Examined::caution("workgroup", found, help));
    }
    if output.is_none() && results.is_none() {
        let help = "set `results` in crawlguard.toml, or the workgroup's output location";
        examined.push(Examined::missing("results", "neither the workgroup nor the target says where they go", help));
    }
    examined
}

#[cfg(test)]
mod tests {
    use aws_sdk_athena::types::{EngineVersion, ResultConfiguration, WorkGroupConfiguration, WorkGroupState};

    use super::*;
    use crate::cli::doctor::State::{self, Caution, Missing};

    fn found(engine: &str, cutoff: Option<i64>, output: Option<&str>, is_enforced: bool) -> Vec<(State, String)> {
        let engine = EngineVersion::builder().effective_engine_version(engine).build();
        let place = ResultConfiguration::builder().set_output_location(output.map(str::to_owned)).build();
        let set = WorkGroupConfiguration::builder()
            .engine_version(engine)
            .set_bytes_scanned_cutoff_per_query(cutoff)
            .result_configuration(place)
            .enforce_work_group_configuration(is_enforced)
            .build();
        let group = WorkGroup::builder().name("g").configuration(set).state(WorkGroupState::Enabled).build().unwrap();
        judge(&group, None).into_iter().skip(1).map(|one| (one.state, one.found)).collect()
    }

    #[test]
    fn settings_that_do_not_suit_are_named() {
        let (three, place) = ("Athena engine version 3", Some("s3://r/"));
        assert_eq!(found(three, Some(10_000_000), place, false), []);
        for (found, state, part) in [
            (found("Athena engine version 2", Some(1), place, false), Missing, "version 2"),
            (found(three, None, place, false), Caution, "any number of bytes"),
            (found(three, Some(1), place, true), Caution, "builds go below `s3://r/`"),
            (found(three, Some(1), None, false), Missing, "neither"),
        ] {
            assert!(matches!(&found[..], [(its, text)] if *its == state && text.contains(part)), "{found:?}");
        }
    }
}
