//! Hears the events of a question, in order, from any of them on.

use std::sync::Arc;

use tokio::sync::watch;

use super::talk::Tally;
use super::{ChatEvent, Talk};

/// Hears a question's events. Dropped, it is gone; a question that nobody hears ends.
pub struct Listener {
    talk: Talk,
    told: watch::Receiver<Tally>,
    heard: usize,
    over: bool,
}

impl Listener {
    pub(super) fn new(talk: Talk, told: watch::Receiver<Tally>, heard: usize) -> Self {
        Self { talk, told, heard, over: false }
    }

    /// The next event with its number, from 1; nothing after the last, and where the client is asked for its word on a
    /// call nothing after that.
    pub async fn next(&mut self) -> Option<(usize, Arc<ChatEvent>)> {
        if self.over {
            return None;
        }
        let next = self.heard + 1;
        // Fails only where the question is gone, which this holds.
        self.told.wait_for(|told| told.events >= next || told.ended).await.ok()?;
        let Some(event) = self.talk.event(next) else {
            self.over = true;
            return None;
        };
        self.heard = next;
        let asked = matches!(event.as_ref(), ChatEvent::ApprovalRequired { .. });
        self.over = event.is_last() || self.talk.asks_its_client() && asked;
        Some((next, event))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.talk.left();
    }
}
