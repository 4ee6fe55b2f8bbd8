//! What readers saw of a table, one build after the other: going back works as in a browser.

/// What a version shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'b> {
    pub build: &'b str,
    /// The version's own number.
    pub number: u64,
    /// The number of the version that was put back by it, which may not be kept any more.
    pub restored: Option<u64>,
}

/// The builds of a table that can be gone back to, and where its readers stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct History<'b> {
    /// Oldest first, each with the number of the version that showed it first.
    line: Vec<(u64, &'b str)>,
    /// The place in `line` of what readers see.
    now: usize,
}

impl<'b> History<'b> {
    /// Replays the builds that the versions of a table show, oldest first. A build that was seen before, or is marked as put
    /// back, is a rollback to it; a new one takes the place of what was rolled back.
    pub(super) fn of(shown: impl IntoIterator<Item = Shown<'b>>) -> Self {
        let mut history = Self::default();
        for Shown { build, number, restored } in shown {
            let known = history.line.iter().position(|(_, other)| *other == build);
            history.now = match (known, restored) {
                (Some(place), _) => place,
                (None, Some(first)) => {
                    let place = history.line.partition_point(|(number, _)| *number < first);
                    history.line.insert(place, (first, build));
                    place
                }
                (None, None) => {
                    history.line.truncate(history.now + 1);
                    history.line.push((number, build));
                    history.line.len() - 1
                }
            };
        }
        history
    }

    /// The build before the one that readers see.
    pub(super) fn before(&self) -> Option<&'b str> {
        self.now.checked_sub(1).map(|place| self.line[place].1)
    }

    /// True if readers were taken back from it.
    pub(super) fn is_rolled_back(&self, build: &str) -> bool {
        !self.line[..self.line.len().min(self.now + 1)].iter().any(|(_, seen)| *seen == build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions from 1 on; `a` is a build, and `a<1` one that was put back and first shown by version 1.
    fn replayed(shown: &str) -> impl Iterator<Item = Shown<'_>> {
        shown.split_whitespace().zip(1..).map(|(word, number)| {
            let (build, first) = word.split_once('<').unwrap_or((word, ""));
            Shown { build, number, restored: first.parse().ok() }
        })
    }

    #[test]
    fn what_was_put_back_stands_where_it_was_though_its_first_version_is_gone() {
        // The versions that are kept, in their order, and what is before the last.
        for (kept, before) in [
            // The good build is older than the bad one that is kept before it.
            ("- b a<1 c", Some("a")),
            ("- b a<1 c a<1", None),
            ("- b a<1", None),
            // Of two that were put back, the one before in their own order.
            ("- - c a<1 b<2", Some("a")),
            ("- - c b<2 a<1 d", Some("a")),
        ] {
            let history = History::of(replayed(kept).filter(|shown| shown.build != "-"));
            assert_eq!(history.before(), before, "{kept}");
        }
    }

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
            let history = History::of(replayed(shown));
            assert_eq!(history.before(), before, "{shown}");
            let back = ["a", "b", "c", "d"].into_iter().filter(|build| shown.contains(build));
            let back: String = back.filter(|build| history.is_rolled_back(build)).collect();
            assert_eq!(back, rolled_back, "{shown}");
        }
    }
}
