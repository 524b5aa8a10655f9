//! Values that many have in common, held once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Below so many values it is not looked for those that nobody has any more.
const FEW: usize = 1_000;

/// Values, each held once however many have it.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    values: HashSet<Arc<T>>,
    /// From how many on it is looked for those that nobody has any more.
    tidied_at: usize,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { values: HashSet::new(), tidied_at: FEW }
    }
}

impl<T: Clone + Eq + Hash> Shared<T> {
    /// The value, as all others have it.
    pub(super) fn of(&mut self, value: &T) -> Arc<T> {
        if let Some(held) = self.values.get(value) {
            return Arc::clone(held);
        }
        if self.values.len() >= self.tidied_at {
            self.values.retain(|held| Arc::strong_count(held) > 1);
            self.tidied_at = FEW.max(2 * self.values.len());
        }
        let held = Arc::new(value.clone());
        self.values.insert(Arc::clone(&held));
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_held_once_and_as_long_as_somebody_has_it() {
        let mut shared = Shared::default();
        let first = shared.of(&0);
        assert!(Arc::ptr_eq(&first, &shared.of(&0)));
        for number in 1..10 * FEW {
            shared.of(&number);
        }
        assert!(shared.values.len() <= FEW, "{}", shared.values.len());
        assert!(Arc::ptr_eq(&first, &shared.of(&0)));
    }
}
