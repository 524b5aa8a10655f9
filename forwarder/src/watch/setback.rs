//! Notices that the cluster's store was set back under watches that run.
//!
//! An API server tells nobody: a watch from a version that its store has not come to (again) is taken, and shows nothing until
//! it has, and of what happened until then nothing ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::source::namespaced;
use super::version::{self, number};
use crate::config::Scope;

/// How often it is looked: one request for one object's metadata.
const EVERY: Duration = Duration::from_secs(15);

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(10);

/// The furthest version that any watch has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(Arc<AtomicU64>);

impl Reached {
    pub(super) fn note(&self, version: Option<&str>) {
        if let Some(version) = version.and_then(number) {
            self.0.fetch_max(version, Ordering::Relaxed);
        }
    }
}

/// Looks how far the cluster has come, and has all listed again where that is less than it was.
pub(crate) struct Setback {
    /// Pods of a scope that is watched.
    pods: Api<Pod>,
    reached: Reached,
    /// Each makes watches list again.
    again: Vec<watch::Sender<()>>,
    cancel: CancellationToken,
}

impl Setback {
    pub(crate) fn new(
        client: Client,
        scopes: &[Scope],
        reached: Reached,
        again: Vec<watch::Sender<()>>,
        cancel: CancellationToken,
    ) -> Self {
        let pods = namespaced(client, scopes.first().unwrap_or(&Scope::Cluster));
        Self { pods, reached, again, cancel }
    }

    /// Runs until cancelled.
    pub(crate) async fn run(self) {
        while self.cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            // What was seen by now, the cluster has come to before it is asked. What can't be asked now is asked again, and
            // watches that fail say so themselves.
            let reached = self.reached.0.load(Ordering::Relaxed);
            let Some(now) = self.version().await else { continue };
            if now < reached {
                tracing::warn!(reached, now, "the cluster's store was set back: all is listed again");
                self.reached.0.store(now, Ordering::Relaxed);
                for again in &self.again {
                    again.send_replace(());
                }
            }
            self.reached.0.fetch_max(now, Ordering::Relaxed);
        }
    }

    async fn version(&self) -> Option<u64> {
        let asked = tokio::time::timeout(REQUEST, version::now(&self.pods));
        number(&self.cancel.run_until_cancelled(asked).await?.ok()?.ok()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::watch::script::{answer, client, page, status};

    #[tokio::test(start_paused = true)]
    async fn where_the_version_is_less_than_it_was_all_is_listed_again() {
        let at = |version| answer("/api/v1/namespaces/shop/pods? limit=1", 200, vec![page(vec![], version, "")]);
        let script = vec![
            at(50),
            at(60),
            answer("limit=1", 503, vec![status(503, "ServiceUnavailable")]),
            at(60),
            at(65),
            at(66),
        ];
        let (again, mut listed_again) = watch::channel(());
        let cancel = CancellationToken::new();
        let scopes = [Scope::Namespace("shop".to_owned())];
        let reached = Reached::default();
        let setback = Setback::new(client(script), &scopes, reached.clone(), vec![again], cancel.clone());
        let running = tokio::spawn(setback.run());
        tokio::time::sleep(EVERY * 9 / 2).await;
        // A watch has seen more since, all of which is taken back.
        reached.note(Some("70"));
        assert!(!listed_again.has_changed().unwrap());
        tokio::time::sleep(EVERY).await;
        listed_again.changed().await.unwrap();
        tokio::time::sleep(EVERY).await;
        assert!(!listed_again.has_changed().unwrap(), "once");
        cancel.cancel();
        running.await.unwrap();
    }
}
