//! What a column comes from.

/// A table and one of its columns; the column [`ROWS`] stands for which rows the table has.
pub(super) type Origin = (String, String);

/// In place of a column: the rows themselves.
pub(super) const ROWS: &str = "";

/// A set of origins. Most have one, and there is a set for each column of each table: a tree would hold room for eleven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origins {
    /// Sorted, each once.
    sorted: Vec<Origin>,
}

impl Origins {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn of(table: &str, column: &str) -> Self {
        Self { sorted: vec![(table.to_owned(), column.to_owned())] }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Origin> {
        self.sorted.iter()
    }

    pub fn contains(&self, origin: &Origin) -> bool {
        self.sorted.binary_search(origin).is_ok()
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.sorted.iter().all(|origin| other.contains(origin))
    }

    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = if self.sorted.len() < other.sorted.len() { (self, other) } else { (other, self) };
        !few.iter().any(|origin| many.contains(origin))
    }
}

impl Extend<Origin> for Origins {
    fn extend<I: IntoIterator<Item = Origin>>(&mut self, more: I) {
        if self.sorted.is_empty() {
            // In the room that they have already, where they come from another set.
            self.sorted = more.into_iter().collect();
        } else {
            self.sorted.extend(more);
        }
        self.sorted.sort_unstable();
        self.sorted.dedup();
    }
}

impl FromIterator<Origin> for Origins {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        let mut set = Self::new();
        set.extend(origins);
        set.sorted.shrink_to_fit();
        set
    }
}

impl IntoIterator for Origins {
    type Item = Origin;
    type IntoIter = std::vec::IntoIter<Origin>;

    fn into_iter(self) -> Self::IntoIter {
        self.sorted.into_iter()
    }
}

impl<'a> IntoIterator for &'a Origins {
    type Item = &'a Origin;
    type IntoIter = std::slice::Iter<'a, Origin>;

    fn into_iter(self) -> Self::IntoIter {
        self.sorted.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_set() {
        let pair = |table: &str, column: &str| (table.to_owned(), column.to_owned());
        let mut set: Origins = [pair("t", "b"), pair("t", "a"), pair("t", "b")].into_iter().collect();
        assert_eq!(set.iter().cloned().collect::<Vec<_>>(), [pair("t", "a"), pair("t", "b")]);
        set.extend(Origins::of("s", ROWS));
        assert!(set.contains(&pair("s", "")) && !set.contains(&pair("s", "a")));
        assert!(set.is_disjoint(&Origins::of("t", "c")) && !Origins::of("t", "a").is_disjoint(&set));
        assert_eq!(set, [pair("t", "b"), pair("t", "a"), pair("s", "")].into_iter().collect());
    }
}
