//! Hears the events of a question, in order, from any of them on.

use std::sync::Arc;

use tokio::sync::watch;

use super::{ChatEvent, Talk};

/// Hears a question's events. Dropped, it is gone; a question that nobody hears ends.
pub struct Listener {
    talk: Talk,
    told: watch::Receiver<usize>,
    heard: usize,
    over: bool,
    until_asked: bool,
}

impl Listener {
    pub(super) fn new(talk: Talk, told: watch::Receiver<usize>, heard: usize) -> Self {
        Self { talk, told, heard, over: false, until_asked: false }
    }

    /// The same, but a call that waits for a person's word is the last event that it hears.
    #[must_use]
    pub const fn until_asked(mut self, until_asked: bool) -> Self {
        self.until_asked = until_asked;
        self
    }

    /// The next event with its number, from 1; nothing after the last.
    pub async fn next(&mut self) -> Option<(usize, Arc<ChatEvent>)> {
        if self.over {
            return None;
        }
        let next = self.heard + 1;
        // Fails only where the question is gone, which this holds.
        self.told.wait_for(|told| *told >= next).await.ok()?;
        let event = self.talk.event(next)?;
        self.heard = next;
        let asked = matches!(event.as_ref(), ChatEvent::ApprovalRequired { .. });
        self.over = event.is_last() || self.until_asked && asked;
        Some((next, event))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.talk.left();
    }
}
