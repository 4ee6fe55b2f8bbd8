//! When the tables of a dump were last updated.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// The newest `UpdateTime` of what `aws glue get-table` or `get-tables` prints: ISO 8601, or seconds since 1970.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html>
pub fn updated(text: &str) -> Option<Timestamp> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tables = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text).unwrap_or_default(),
        false => serde_json::from_str::<Envelope>(text).map(Envelope::tables).unwrap_or_default(),
    };
    tables.iter().filter_map(|table: &Updated| timestamp(table.update_time.as_ref()?)).max()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    table: Option<Updated>,
    table_list: Option<Vec<Updated>>,
    update_time: Option<Value>,
}

impl Envelope {
    fn tables(self) -> Vec<Updated> {
        let bare = Updated { update_time: self.update_time };
        self.table.into_iter().chain(self.table_list.into_iter().flatten()).chain([bare]).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    update_time: Option<Value>,
}

fn timestamp(time: &Value) -> Option<Timestamp> {
    match time {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => {
            let since = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
            Timestamp::from_duration(since).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_update_is_found_in_every_form() {
        let expected = Some("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
        for text in [
            r#"{"Table": {"UpdateTime": "2026-01-02T05:04:05+02:00"}}"#,
            r#"{"TableList": [{"UpdateTime": "2026-01-01T00:00:00Z"}, {"UpdateTime": 1767323045.0}, {"Name": "x"}]}"#,
            r#"[{"UpdateTime": 1767323045}]"#,
            r#"{"Name": "x", "UpdateTime": "2026-01-02T03:04:05Z"}"#,
        ] {
            assert_eq!(updated(text), expected, "{text}");
        }
        for text in [r#"{"Table": {"Name": "x"}}"#, r#"{"UpdateTime": "yesterday"}"#, "[]", "{"] {
            assert_eq!(updated(text), None, "{text}");
        }
    }
}
