//! When a model that fails is left alone. Decides only: time comes in as what has passed since some beginning.

use std::time::Duration;

use super::super::BreakerConfig;

/// Leave to ask. Goes back to the breaker with what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// The try that it is, where the model is tried after a pause.
    probe: Option<u64>,
}

/// Whether a model may be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Ask(Ticket),
    /// Not for so long.
    Paused(Duration),
    /// Another request tries just now whether it is back.
    Tried,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It works, but for so many failures in a row.
    Closed { failures: u32 },
    /// It is left alone until then.
    Open { until: Duration, pause: Duration },
    /// One request tries whether it is back.
    Trying { probe: u64, pause: Duration },
}

/// Counts a model's failures, and leaves it alone when there are too many in a row.
#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    state: State,
    probes: u64,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { config, state: State::Closed { failures: 0 }, probes: 0 }
    }

    /// Whether the model is left alone, or only tried.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// Asks for leave.
    pub(super) fn admit(&mut self, now: Duration) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Ask(Ticket { probe: None }),
            State::Open { until, .. } if now < until => Admission::Paused(until.saturating_sub(now)),
            State::Open { pause, .. } => {
                self.probes += 1;
                self.state = State::Trying { probe: self.probes, pause };
                Admission::Ask(Ticket { probe: Some(self.probes) })
            }
            State::Trying { .. } => Admission::Tried,
        }
    }

    /// The model answered, be it with a refusal of what it was asked: whenever that was asked, it is there.
    pub(super) fn answered(&mut self, _: Ticket) {
        self.state = State::Closed { failures: 0 };
    }

    /// The model failed.
    pub(super) fn failed(&mut self, ticket: Ticket, now: Duration) {
        let first = self.config.pause.duration();
        match self.state {
            State::Closed { failures } if failures.saturating_add(1) >= self.config.failures.get() => {
                self.state = State::Open { until: now.saturating_add(first), pause: first };
            }
            State::Closed { failures } => self.state = State::Closed { failures: failures.saturating_add(1) },
            State::Trying { probe, pause } if ticket.probe == Some(probe) => {
                let pause = pause.saturating_mul(2).min(self.config.longest_pause.duration()).max(first);
                self.state = State::Open { until: now.saturating_add(pause), pause };
            }
            // It was asked before the model was left alone, and says nothing new.
            State::Open { .. } | State::Trying { .. } => {}
        }
    }

    /// Nothing came of it: nobody waited any more, or it was not asked. A try is made anew.
    pub(super) fn abandoned(&mut self, ticket: Ticket, now: Duration) {
        if let State::Trying { probe, pause } = self.state
            && ticket.probe == Some(probe)
        {
            self.state = State::Open { until: now, pause };
        }
    }
}

#[cfg(test)]
mod tests;
