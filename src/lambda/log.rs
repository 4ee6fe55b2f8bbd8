//! What the function's log says of runs: the lines that `infra/lib/alarms.ts` counts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::pipeline::{Run, Step};

/// A line for each run that ended, and one for each whose crawl is old.
pub fn ended(ended: &[Run], now: Timestamp) {
    for run in ended {
        let (crawled_at, seconds) = (run.crawled_at.as_deref(), age(&run.run_id, now));
        tracing::info!(run_id = run.run_id, seconds, outcome = ?run.outcome, crawled_at, "run ended");
        if let Some(days) = run.crawl_age_days() {
            tracing::warn!(run_id = run.run_id, days, "the last crawl is old, and newer files are not seen");
        }
    }
}

/// A line for the run that is under way.
pub fn open(step: &Step, now: Timestamp) {
    if let Step::Waiting { run_id, .. } | Step::Busy { run_id } = step {
        tracing::info!(run_id, seconds = age(run_id, now), "run open");
    }
}

/// Seconds since the moment that a run stands for; 0 for an id that names none.
fn age(run_id: &str, now: Timestamp) -> i64 {
    let slot = DateTime::strptime("%Y%m%dT%H%M%SZ", run_id).and_then(|slot| TimeZone::UTC.to_timestamp(slot));
    slot.map_or(0, |slot| now.as_second() - slot.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_as_old_as_its_slot() {
        let now = "2026-01-02T03:05:05Z".parse().unwrap();
        assert_eq!(age(&crate::plan::run_id("2026-01-02T03:04:05Z"), now), 60);
        assert_eq!(age("by hand", now), 0);
    }
}
