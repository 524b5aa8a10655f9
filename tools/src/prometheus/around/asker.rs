//! Questions to one Prometheus within one deadline.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use marple_core::Unseen;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::prometheus::{Prometheus, PrometheusError};

/// How many questions are asked at once: an incident must not be what slows Prometheus down.
const AT_ONCE: usize = 6;

/// Asks within one deadline. Where Prometheus is away, the first question finds it out and no other is asked.
pub(super) struct Asker<'a> {
    pub(super) prometheus: &'a Prometheus,
    deadline: Instant,
    longest: Duration,
    permits: Semaphore,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    asked: usize,
    failed: usize,
    first: Option<String>,
    /// Whether any other question would fail likewise.
    away: bool,
}

impl<'a> Asker<'a> {
    pub(super) fn new(prometheus: &'a Prometheus, longest: Duration) -> Self {
        let failures = Mutex::default();
        Self { prometheus, deadline: Instant::now() + longest, longest, permits: Semaphore::new(AT_ONCE), failures }
    }

    /// The answer to a question, or nothing, and then the reason is kept.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = Result<T, PrometheusError>>) -> Option<T> {
        let answer = async {
            // The semaphore is never closed.
            let _permit = self.permits.acquire().await.ok()?;
            if self.with(|failures| failures.away) { None } else { Some(question.await) }
        };
        let (why, away) = match timeout_at(self.deadline, answer).await {
            Ok(Some(Ok(answer))) => {
                self.with(|failures| failures.asked += 1);
                return Some(answer);
            }
            Ok(Some(Err(error))) => (Some(error.to_string()), error.is_away()),
            Ok(None) => (None, false),
            Err(_) => (Some(format!("Prometheus did not answer all questions in {} s", self.longest.as_secs())), true),
        };
        self.with(|failures| {
            failures.asked += 1;
            failures.failed += 1;
            failures.away |= away;
            failures.first = failures.first.take().or(why);
        });
        None
    }

    /// What could not be asked: at most one, however many questions it was.
    pub(super) fn unseen(&self) -> Option<Unseen> {
        self.with(|failures| {
            let why = failures.first.clone()?;
            let what = if failures.failed == failures.asked {
                "Prometheus metrics and alert rules".to_owned()
            } else {
                format!("{} of {} questions to Prometheus's metrics", failures.failed, failures.asked)
            };
            Some(Unseen { what, why })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Failures) -> T) -> T {
        act(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
