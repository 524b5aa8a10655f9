//! Calls that wait for a person's word.

use std::sync::Arc;

use tokio::sync::watch;

/// How many there are, for all clones of a toolbox.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<watch::Sender<u32>>);

/// A call that waits, until it is dropped.
pub(super) struct Waits<'a>(&'a Waiting);

impl Waiting {
    /// One more.
    pub(super) fn begin(&self) -> Waits<'_> {
        self.0.send_modify(|calls| *calls += 1);
        Waits(self)
    }

    pub(super) fn watch(&self) -> watch::Receiver<u32> {
        self.0.subscribe()
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}
