//! The comparators of an ODCS quality rule.
//!
//! <https://bitol-io.github.io/open-data-contract-standard/latest/data-quality/#valid-properties-for-operator>

use serde_json::{Map, Value};

use super::place::{Found, Place};

/// What a measured number must be; each side open or closed, or absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    low: Option<Bound>,
    high: Option<Bound>,
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    value: f64,
    /// The value itself is outside.
    open: bool,
}

const HELP: &str = "use mustBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo \
                    or mustBeBetween";

impl Range {
    /// Reads the comparators of a rule; `None` if there is none or one of them is wrong, which is then noted.
    pub(super) fn read(found: &mut Found<'_>, rule: &Map<String, Value>, at: &Place<'_>) -> Option<Self> {
        let before = found.problems.len();
        let mut range = Self::default();
        let mut any = false;
        for (key, value) in rule.iter().filter(|(key, _)| key.starts_with("must")) {
            any = true;
            let at = at.key(key);
            match Self::of(key, value) {
                Ok(one) => range.meet(one, found, at),
                Err(Some(wanted)) => found.add(at, format!("is not {wanted}"), format!("make it {wanted}")),
                Err(None) => found.add(at, "cannot be checked", HELP),
            }
        }
        if !any {
            found.add(*at, "says nothing that the number must be", HELP);
        }
        (found.problems.len() == before).then_some(range)
    }

    /// One comparator; the error says what its value should be, or is `None` for an unknown comparator.
    fn of(key: &str, value: &Value) -> Result<Self, Option<&'static str>> {
        let number = |value: &Value| value.as_f64().filter(|number| *number >= 0.0);
        let bound = |open| {
            let value = number(value).ok_or(Some("a number from 0"))?;
            Ok::<_, Option<&'static str>>(Some(Bound { value, open }))
        };
        Ok(match key {
            "mustBe" => Self { low: bound(false)?, high: bound(false)? },
            "mustBeGreaterThan" => Self { low: bound(true)?, high: None },
            "mustBeGreaterOrEqualTo" => Self { low: bound(false)?, high: None },
            "mustBeLessThan" => Self { low: None, high: bound(true)? },
            "mustBeLessOrEqualTo" => Self { low: None, high: bound(false)? },
            "mustBeBetween" => match value.as_array().map(Vec::as_slice) {
                Some([low, high]) => match (number(low), number(high)) {
                    (Some(low), Some(high)) if low <= high => Self {
                        low: Some(Bound { value: low, open: false }),
                        high: Some(Bound { value: high, open: false }),
                    },
                    _ => return Err(Some("two numbers, the smaller first")),
                },
                _ => return Err(Some("two numbers, the smaller first")),
            },
            _ => return Err(None),
        })
    }

    fn meet(&mut self, other: Self, found: &mut Found<'_>, at: Place<'_>) {
        if self.low.is_some() && other.low.is_some() || self.high.is_some() && other.high.is_some() {
            found.add(at, "bounds a side that is bounded already", "keep one comparator a side");
        }
        self.low = self.low.or(other.low);
        self.high = self.high.or(other.high);
    }

    /// Inclusive whole bounds; `None` if no count can satisfy them.
    pub(super) fn counts(self) -> Option<(Option<u64>, Option<u64>)> {
        let low = self.low.map(|bound| if bound.open { bound.value.floor() + 1.0 } else { bound.value.ceil() });
        let high = self.high.map(|bound| if bound.open { bound.value.ceil() - 1.0 } else { bound.value.floor() });
        let possible = high.is_none_or(|high| high >= low.unwrap_or(0.0));
        possible.then(|| (low.map(|low| low as u64), high.map(|high| high as u64)))
    }

    /// The most that is allowed, if nothing but a most is asked for.
    pub(super) fn at_most(self) -> Option<u64> {
        match self.counts()? {
            (None | Some(0), Some(most)) => Some(most),
            _ => None,
        }
    }

    /// The largest share (0.0–1.0) allowed by bounds in percent, if nothing but a most is asked for.
    pub(super) fn share(self) -> Option<f64> {
        if self.low.is_some_and(|low| low.open || low.value > 0.0) {
            return None;
        }
        let high = self.high?;
        let share = high.value / 100.0;
        match high.open {
            true if share == 0.0 => None,
            true => Some(share.next_down()),
            false => Some(share),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn range(rule: Value) -> Option<Range> {
        let mut found = Found::new("c.json");
        Range::read(&mut found, rule.as_object()?, &Place::Root)
    }

    #[test]
    fn comparators_become_inclusive_counts() {
        let cases = [
            (json!({"mustBe": 5}), Some((Some(5), Some(5)))),
            (json!({"mustBeGreaterThan": 5}), Some((Some(6), None))),
            (json!({"mustBeGreaterThan": 5.5}), Some((Some(6), None))),
            (json!({"mustBeGreaterOrEqualTo": 5}), Some((Some(5), None))),
            (json!({"mustBeLessThan": 5}), Some((None, Some(4)))),
            (json!({"mustBeLessOrEqualTo": 5.5}), Some((None, Some(5)))),
            (json!({"mustBeBetween": [5, 7]}), Some((Some(5), Some(7)))),
            (json!({"mustBeGreaterThan": 5, "mustBeLessThan": 8}), Some((Some(6), Some(7)))),
            (json!({"mustBeLessThan": 0}), None),
            (json!({"mustBe": 1.5}), None),
            (json!({"mustBeGreaterThan": 5, "mustBeLessThan": 6}), None),
        ];
        for (rule, expected) in cases {
            assert_eq!(range(rule.clone()).expect("readable").counts(), expected, "{rule}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_a_problem() {
        for rule in [
            json!({}),
            json!({"mustNotBe": 5}),
            json!({"mustBe": "5"}),
            json!({"mustBe": -1}),
            json!({"mustBeBetween": [7, 5]}),
            json!({"mustBeBetween": 5}),
            json!({"mustBeLessThan": 5, "mustBeLessOrEqualTo": 4}),
        ] {
            assert!(range(rule.clone()).is_none(), "{rule}");
        }
    }

    #[test]
    fn less_than_one_percent_excludes_one_percent() {
        let share = |rule| range(rule).expect("readable").share();
        assert!(share(json!({"mustBeLessThan": 1})).expect("bounded") < 0.01);
        assert_eq!(share(json!({"mustBeLessOrEqualTo": 1})), Some(0.01));
        assert_eq!(share(json!({"mustBeLessThan": 0})), None);
        assert_eq!(share(json!({"mustBeGreaterThan": 1})), None);
    }
}
