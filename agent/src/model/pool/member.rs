//! One model of a pool: how many requests it is asked at once, and when it is left alone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use marple_core::Period;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::super::{Delta, Model, ModelAnswer, ModelConfig, ModelError, ModelLimits, ModelRequest, Provider};
use super::breaker::{Admission, Breaker, Ticket};
use super::telemetry::{self, InFlight};

/// A model that several pools may hold: all that ask it wait in one line, and learn from each other's failures.
pub struct Member {
    name: String,
    model: Arc<dyn Model>,
    places: Semaphore,
    most: u32,
    wait: Period,
    began: Instant,
    health: Mutex<Health>,
}

struct Health {
    breaker: Breaker,
    /// What it failed of last.
    fault: Option<ModelError>,
}

impl Member {
    /// A model under the name by which it is configured and counted.
    pub fn new(name: impl Into<String>, model: Arc<dyn Model>, config: &ModelConfig) -> Self {
        let most = config.in_flight.get();
        let member = Self {
            name: name.into(),
            model,
            places: Semaphore::new(usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)),
            most,
            wait: config.in_flight_wait,
            began: Instant::now(),
            health: Mutex::new(Health { breaker: Breaker::new(config.breaker), fault: None }),
        };
        telemetry::breaker(&member.name, false);
        member
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn limits(&self) -> ModelLimits {
        self.model.limits()
    }

    pub(super) fn provider(&self) -> Provider {
        self.model.provider()
    }

    /// Leave to ask it, or why it is left alone.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Leave, ModelError> {
        let now = self.now();
        let mut health = self.health();
        let admission = health.breaker.admit(now);
        let fault = || health.fault.as_ref().map(ToString::to_string).unwrap_or_default();
        let why = match admission {
            Admission::Ask(ticket) => return Ok(Leave { member: Arc::clone(self), ticket, used: false }),
            Admission::Paused(left) => {
                let seconds = Period::seconds(left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)));
                format!("it failed too often and is left alone for {seconds} more; the last time: {}", fault())
            }
            Admission::Tried => {
                format!("it failed too often and is just being tried again; the last time: {}", fault())
            }
        };
        let limited = health.fault.as_ref().is_some_and(ModelError::is_limited);
        Err(if limited { ModelError::RateLimited(why) } else { ModelError::Unavailable(why) })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Member").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Leave to ask a model once. Dropped before an answer came, the request counts as cancelled.
pub(super) struct Leave {
    member: Arc<Member>,
    ticket: Ticket,
    used: bool,
}

impl Leave {
    pub(super) fn name(&self) -> &str {
        &self.member.name
    }

    /// Asks.
    pub(super) async fn ask(
        mut self,
        request: ModelRequest,
        deltas: &mpsc::Sender<Delta>,
    ) -> Result<ModelAnswer, ModelError> {
        let member = Arc::clone(&self.member);
        let place = tokio::time::timeout(member.wait.duration(), member.places.acquire()).await;
        let answered = if let Ok(Ok(_place)) = &place {
            let _in_flight = InFlight::of(&member.name);
            member.model.complete(request, deltas).await
        } else {
            Err(ModelError::Busy(format!(
                "no place for a request to the model came free in {} (in_flight: {}); raise it, or lower \
                 investigation.concurrency",
                member.wait, member.most
            )))
        };
        self.learn(&answered);
        answered
    }

    fn learn(&mut self, answered: &Result<ModelAnswer, ModelError>) {
        self.used = true;
        let member = &self.member;
        let now = member.now();
        let mut health = member.health();
        let was_open = health.breaker.is_open();
        match answered {
            // A refusal of what was asked is an answer too: the model is there.
            Ok(_) | Err(ModelError::ContextLength(_) | ModelError::Rejected(_)) => health.breaker.answered(self.ticket),
            Err(ModelError::Busy(_)) => health.breaker.abandoned(self.ticket, now),
            Err(error) => {
                health.fault = Some(error.clone());
                health.breaker.failed(self.ticket, now);
            }
        }
        let open = health.breaker.is_open();
        drop(health);
        if open != was_open {
            telemetry::breaker(&member.name, open);
            if open {
                tracing::warn!(
                    model = member.name,
                    "the model failed too often in a row and is left alone for a while"
                );
            } else {
                tracing::info!(model = member.name, "the model answers again");
            }
        }
        telemetry::ended(&member.name, telemetry::outcome(answered));
        if let Ok(ModelAnswer { usage: Some(usage), .. }) = answered {
            telemetry::used(&member.name, *usage, &member.limits().prices);
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if !self.used {
            self.member.health().breaker.abandoned(self.ticket, self.member.now());
            telemetry::ended(&self.member.name, "cancelled");
        }
    }
}
