//! Looks for a Prometheus in the cluster, where the configuration names none.

mod known;
mod search;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::PrometheusError;
use crate::endpoint::Endpoint;
use search::search;

/// How long what was found is taken to be there, and how long after nothing was found it is looked for again.
const FOUND: Duration = Duration::from_mins(10);
const MISSED: Duration = Duration::from_mins(1);

/// How Services of the cluster are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By their names: marple runs in the cluster.
    Direct,
    /// Through the API server, which takes `get` on `services/proxy`: marple runs elsewhere.
    ApiServer,
}

/// A Prometheus that was found in the cluster.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) endpoint: Endpoint,
    /// What people are told of it, as which others there are.
    pub(super) note: String,
}

/// The search for one, whose outcome is remembered.
pub(super) struct Discovery {
    client: kube::Client,
    reach: Reach,
    last: Mutex<Option<(Instant, Result<Found, String>)>>,
}

impl std::fmt::Debug for Discovery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Discovery").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Discovery {
    pub(super) fn new(client: kube::Client, reach: Reach) -> Self {
        Self { client, reach, last: Mutex::default() }
    }

    /// What is there. Two that ask at the same time may both search: that is less than to wait for each other.
    pub(super) async fn found(&self) -> Result<Found, PrometheusError> {
        if let Some(known) = self.known() {
            return known.map_err(PrometheusError::Missing);
        }
        // Boxed, for the search asks those that it finds in its turn.
        let search: BoxFuture<'_, Result<Found, String>> = search(&self.client, self.reach);
        let found = search.await;
        match &found {
            Ok(found) => tracing::info!(prometheus = %found.endpoint.peer(), "{}", found.note),
            Err(why) => tracing::info!("no Prometheus: {why}"),
        }
        self.with(|last| *last = Some((Instant::now(), found.clone())));
        found.map_err(PrometheusError::Missing)
    }

    /// Has it looked for again at the next question: the one that was found is away.
    pub(super) fn forget(&self) {
        self.with(|last| *last = None);
    }

    fn known(&self) -> Option<Result<Found, String>> {
        self.with(|last| {
            let (at, outcome) = last.as_ref()?;
            let holds = if outcome.is_ok() { FOUND } else { MISSED };
            (at.elapsed() < holds).then(|| outcome.clone())
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Option<(Instant, Result<Found, String>)>) -> T) -> T {
        act(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
