//! Which names of two lists are the same, and which of those changed place.

use std::collections::{BTreeMap, VecDeque};

/// Two lists of names matched up, upper and lower case alike. A name that occurs twice matches in order of occurrence.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Indices (before, after) of what both sides have, in the order of `before`.
    pub(super) kept: Vec<(usize, usize)>,
    pub(super) removed: Vec<usize>,
    pub(super) added: Vec<usize>,
}

impl Alignment {
    pub(super) fn of<T>(before: &[T], after: &[T], name: impl Fn(&T) -> &str) -> Self {
        let mut places: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (index, item) in after.iter().enumerate() {
            places.entry(name(item).to_lowercase()).or_default().push_back(index);
        }
        let mut alignment = Self::default();
        for (index, item) in before.iter().enumerate() {
            match places.get_mut(&name(item).to_lowercase()).and_then(VecDeque::pop_front) {
                Some(place) => alignment.kept.push((index, place)),
                None => alignment.removed.push(index),
            }
        }
        alignment.added = places.into_values().flatten().collect();
        alignment.added.sort_unstable();
        alignment
    }

    /// True if everything kept stands where it stood.
    pub(super) fn in_place(&self) -> bool {
        self.kept.iter().all(|(before, after)| before == after)
    }

    /// True if an added name stands after everything kept.
    pub(super) fn at_end(&self, added: usize) -> bool {
        self.kept.iter().all(|(_, after)| *after < added)
    }

    /// The fewest blocks of neighbours that, moved, make the one order of what was kept into the other.
    pub(super) fn moved(&self) -> Vec<Vec<(usize, usize)>> {
        let places: Vec<usize> = self.kept.iter().map(|(_, after)| *after).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        let rank = |place: usize| sorted.partition_point(|other| *other < place);
        let stays = longest_increasing(&places);
        let mut blocks: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut last: Option<usize> = None;
        for (index, pair) in self.kept.iter().enumerate().filter(|(index, _)| !stays[*index]) {
            let joins = last.is_some_and(|last| last + 1 == index && rank(places[last]) + 1 == rank(places[index]));
            match blocks.last_mut() {
                Some(block) if joins => block.push(*pair),
                _ => blocks.push(vec![*pair]),
            }
            last = Some(index);
        }
        blocks
    }
}

/// Marks a longest increasing subsequence, by patience sorting.
fn longest_increasing(values: &[usize]) -> Vec<bool> {
    let mut tails: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; values.len()];
    for (index, value) in values.iter().enumerate() {
        let pile = tails.partition_point(|tail| values[*tail] < *value);
        previous[index] = pile.checked_sub(1).map(|below| tails[below]);
        if pile == tails.len() {
            tails.push(index);
        } else {
            tails[pile] = index;
        }
    }
    let mut marked = vec![false; values.len()];
    let mut next = tails.last().copied();
    while let Some(index) = next {
        marked[index] = true;
        next = previous[index];
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn align(before: &str, after: &str) -> Alignment {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Alignment::of(&names(before), &names(after), String::as_str)
    }

    /// The moved blocks, each as its places before.
    fn moved(before: &str, after: &str) -> Vec<Vec<usize>> {
        let places = |block: Vec<(usize, usize)>| block.into_iter().map(|(before, _)| before).collect();
        align(before, after).moved().into_iter().map(places).collect()
    }

    #[test]
    fn a_moved_block_is_one_and_not_a_cascade() {
        assert!(moved("a b c d", "a b c d").is_empty());
        assert!(moved("a b c d e", "a b x c d").is_empty(), "neither insertion nor removal moves anything");
        assert_eq!(moved("a b c d e", "a e b c d"), [[4]]);
        assert_eq!(moved("a b c d e", "d e a b c"), [[3, 4]]);
        assert_eq!(moved("a b c d e", "e b c d a").len(), 2, "two that change places are two blocks");
    }

    #[test]
    fn names_match_without_case_and_by_occurrence() {
        let alignment = align("id ID x", "Id y id");
        assert_eq!(alignment, Alignment { kept: vec![(0, 0), (1, 2)], removed: vec![2], added: vec![1] });
    }
}
