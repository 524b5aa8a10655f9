//! Tells a question's listeners what its investigation does.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use marple_agent::{Progress, Run, SaveError, Told};

use super::{ChatEvent, Talk};

/// Tells a talk what an investigation does.
pub(super) struct Telling {
    pub(super) talk: Talk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    content: String,
    reasoning: String,
    folded: usize,
}

impl Telling {
    pub(super) fn new(talk: Talk) -> Self {
        Self { talk, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Progress for Telling {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        self.talk.note(run.conversation());
        let folded = run.folded();
        if folded > std::mem::replace(&mut self.lock().folded, folded) {
            self.talk.tell(ChatEvent::Folded(folded));
        }
        self.talk.tell(ChatEvent::Counted(run.usage()));
        Ok(())
    }

    async fn told(&self, told: Told) {
        match told {
            Told::Text(text) => self.lock().content.push_str(&text),
            Told::Thinking(text) => self.lock().reasoning.push_str(&text),
            Told::Restarted => {
                let mut state = self.lock();
                state.content.clear();
                state.reasoning.clear();
            }
            Told::CallStarted(call) => {
                let (content, reasoning) = {
                    let mut state = self.lock();
                    (std::mem::take(&mut state.content), std::mem::take(&mut state.reasoning))
                };
                if !content.trim().is_empty() || !reasoning.trim().is_empty() {
                    self.talk.tell(ChatEvent::Said { content, reasoning });
                }
                self.talk.tell(ChatEvent::CallStarted(call));
            }
            Told::CallEnded { call, outcome } => {
                metrics::counter!("marple_tool_calls_total", "tool" => call.name.clone()).increment(1);
                self.talk.tell(ChatEvent::CallEnded { call, outcome });
            }
            Told::Fault(_) | Told::Ended(_) => {}
        }
    }
}
