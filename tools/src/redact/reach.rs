//! What is remembered of a search.

use std::cell::Cell;

/// How far the last search of one kind went. A search that begins within it ends where that one did, so that many
/// searches along a text read it once.
#[derive(Debug)]
pub(super) struct Reach(Cell<(usize, usize)>);

impl Default for Reach {
    fn default() -> Self {
        // No search begins within it.
        Self(Cell::new((1, 0)))
    }
}

impl Reach {
    /// Where a search from there ends; `search` is made where that isn't known. It must end at the first place that fits,
    /// wherever it began.
    pub(super) fn end(&self, from: usize, search: impl FnOnce() -> usize) -> usize {
        let (start, end) = self.0.get();
        if start <= from && from <= end {
            return end;
        }
        let end = search();
        self.0.set((from, end));
        end
    }
}

/// Searches that each name or URL on a line makes, by what ends there.
#[derive(Debug, Default)]
pub(super) struct Reaches {
    /// A URL.
    pub(super) url: Reach,
    /// A URL up to its query.
    pub(super) query: Reach,
    /// A value of one word.
    pub(super) word: Reach,
    /// An element of a list that is not in quotes.
    pub(super) element: Reach,
    /// The value of a header.
    pub(super) header: Reach,
    /// The block of a key.
    pub(super) key: Reach,
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn a_search_within_the_last_one_is_not_made() {
        let reach = Reach::default();
        let found = [0, 3, 7, 8, 5].map(|from| reach.end(from, || if from < 7 { 7 } else { 9 }));
        assert_eq!(found, [7, 7, 7, 9, 7]);
        assert_eq!(reach.end(6, || unreachable!("5 to 7 were searched")), 7);
    }
}
