//! A check's numbers in words.

use serde_json::{Map, Value};

use super::CheckResult;

/// What was measured, in words: `15 rows`, `15 rows, 30 published (-50 %)`, `2 in place, 33 moved by 1`.
pub fn numbers(measured: &Value) -> String {
    match measured {
        Value::Null => "nothing".into(),
        Value::Number(number) => rows(number.to_string()),
        Value::Object(named) => one(named).unwrap_or_else(|| each(named)),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a check is about, and what it found against what it allows.
pub fn sentence(check: &CheckResult) -> String {
    let place = match &check.column {
        Some(column) => format!("{}.{column}", check.table),
        None => check.table.clone(),
    };
    let found = match &check.measured {
        Value::Null => "could not be measured".to_owned(),
        measured => numbers(measured),
    };
    let allowed = check.bound.as_str().map_or_else(|| check.bound.to_string(), str::to_owned);
    format!("{} of {place}: {found}; allowed: {allowed}", check.check)
}

fn rows(number: String) -> String {
    if number == "1" { "1 row".into() } else { format!("{number} rows") }
}

/// The numbers of one reading, where they are known to belong together.
fn one(named: &Map<String, Value>) -> Option<String> {
    let number = |name: &str| named.get(name).filter(|number| number.is_number()).map(Value::to_string);
    let percent = |name: &str| Some((named.get(name)?.as_f64()? * 1e4).round() / 100.0);
    if let (Some(now), Some(published), Some(change)) = (number("rows"), number("published"), percent("change")) {
        return Some(format!("{}, {published} published ({change:+} %)", rows(now)));
    }
    if let (Some(nulls), Some(share)) = (number("nulls"), percent("share")) {
        return Some(format!("{} without a value ({share} %)", rows(nulls)));
    }
    number("age_hours").map(|hours| format!("the newest is {hours} hours old"))
}

fn each(named: &Map<String, Value>) -> String {
    let mut parts: Vec<_> = named.iter().map(|(name, number)| (place_of(name), words(name, number))).collect();
    parts.sort();
    parts.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(", ")
}

fn words(name: &str, number: &Value) -> String {
    match name.strip_prefix("moved_") {
        Some(distance) => format!("{number} moved by {distance}"),
        None => format!("{number} {}", name.replace('_', " ")),
    }
}

/// In place first, then by distance, then what was lost.
fn place_of(name: &str) -> (u32, String) {
    let place = match name {
        "in_place" => 0,
        "lost" => u32::MAX,
        _ => name.strip_prefix("moved_").and_then(|distance| distance.parse().ok()).unwrap_or(u32::MAX - 1),
    };
    (place, name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_of_a_measurement_has_words() {
        for (measured, words) in [
            (json!(15), "15 rows"),
            (json!(1), "1 row"),
            (json!(null), "nothing"),
            (json!({"rows": 15, "published": 30, "change": -0.5}), "15 rows, 30 published (-50 %)"),
            (json!({"nulls": 3, "share": 0.07}), "3 rows without a value (7 %)"),
            (json!({"age_hours": 31.5}), "the newest is 31.5 hours old"),
            (
                json!({"lost": 1, "moved_10": 4, "moved_2": 3, "in_place": 2}),
                "2 in place, 3 moved by 2, 4 moved by 10, 1 lost",
            ),
        ] {
            assert_eq!(numbers(&measured), words);
        }
    }
}
