//! What clients wanted to change, which nobody may.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that are noted.
const NOTED: usize = 1_000;

/// The writes that were refused, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted(Arc<Mutex<Vec<String>>>);

impl Noted {
    fn held(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a write, as `DELETE /api/v1/namespaces/shop/pods/cart-1`.
    pub(super) fn note(&self, method: &str, path: &str) {
        tracing::info!(method, path, "a write was refused");
        let mut held = self.held();
        if held.len() < NOTED {
            held.push(format!("{method} {path}"));
        }
    }

    /// All of them, at most a thousand.
    pub(super) fn all(&self) -> Vec<String> {
        self.held().clone()
    }
}
