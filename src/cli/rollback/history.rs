//! What readers saw of a table, one build after the other: going back works as in a browser.

/// The builds of a table that can be gone back to, and where its readers stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct History<'b> {
    /// Oldest first.
    line: Vec<&'b str>,
    /// The place in `line` of what readers see.
    now: usize,
}

impl<'b> History<'b> {
    /// Replays the builds that the versions of a table show, oldest first. A build that was seen before is a rollback to
    /// it; a new one takes the place of what was rolled back.
    pub(super) fn of(shown: impl IntoIterator<Item = &'b str>) -> Self {
        let mut history = Self::default();
        for build in shown {
            match history.line.iter().position(|other| *other == build) {
                Some(place) => history.now = place,
                None => {
                    history.line.truncate(history.now + 1);
                    history.line.push(build);
                    history.now = history.line.len() - 1;
                }
            }
        }
        history
    }

    /// The build before the one that readers see.
    pub(super) fn before(&self) -> Option<&'b str> {
        self.now.checked_sub(1).map(|place| self.line[place])
    }

    /// True if readers were taken back from it.
    pub(super) fn is_rolled_back(&self, build: &str) -> bool {
        !self.line[..self.line.len().min(self.now + 1)].contains(&build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rollback_goes_one_further_back_and_a_new_build_begins_from_there() {
        // Versions, what is before the last, what was rolled back.
        for (shown, before, rolled_back) in [
            ("", None, ""),
            ("a", None, ""),
            ("a b c", Some("b"), ""),
            ("a b c b", Some("a"), "c"),
            ("a b c b a", None, "bc"),
            // The way forward again.
            ("a b c b a c", Some("b"), ""),
            // What readers saw before `d` is `a`, not what they were taken back from.
            ("a b c a d", Some("a"), "bc"),
            ("a b c a d a", None, "bcd"),
            // Somebody wants one back that was given up.
            ("a b a c b", Some("c"), ""),
        ] {
            let history = History::of(shown.split_whitespace());
            assert_eq!(history.before(), before, "{shown}");
            let back = ["a", "b", "c", "d"].into_iter().filter(|build| shown.contains(build));
            let back: String = back.filter(|build| history.is_rolled_back(build)).collect();
            assert_eq!(back, rolled_back, "{shown}");
        }
    }
}
