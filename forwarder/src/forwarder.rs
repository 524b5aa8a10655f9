//! The forwarder, put together.

mod run;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::change::{History, Recorder};
use crate::deliver::{Outbox, Pump};
use crate::picture::Picture;
use crate::topology::{Survey, Surveyor, Waiting};
use crate::watch::{HistoryWatches, Phase, Phases, Reached, Setback, Watches, bounded};
use crate::{Atlas, Chronicle, Deliver, ForwarderConfig, Known, metric};
use run::Run;

/// Observations that wait to be judged: each is an object of some 1 KiB, and judging takes microseconds. When full, the
/// watches wait, and with them the API server.
const OBSERVATIONS: usize = 256;

/// Why the forwarder ended. It tries again by itself what may pass; this does not, and the process should end.
#[derive(Debug, thiserror::Error)]
pub enum ForwarderError {
    /// A part of it ended that must not.
    #[error("the forwarder's {part} ended: {reason}")]
    Ended {
        /// Which.
        part: &'static str,
        /// Why.
        reason: String,
    },
}

/// Watches a cluster and delivers what matters.
pub struct Forwarder {
    client: kube::Client,
    cluster: String,
    config: ForwarderConfig,
    deliver: Arc<dyn Deliver>,
    known: Option<Arc<dyn Known>>,
    chronicle: Option<Arc<dyn Chronicle>>,
    atlas: Option<Arc<dyn Atlas>>,
}

impl Forwarder {
    /// A forwarder of what `client` sees of the cluster of this name. Without `known`, what ended while it was down is
    /// not resolved. It resolves nothing of another cluster, nor of namespaces that don't count for it: these may be
    /// another forwarder's.
    pub fn new(
        client: kube::Client,
        cluster: impl Into<String>,
        config: ForwarderConfig,
        deliver: Arc<dyn Deliver>,
        known: Option<Arc<dyn Known>>,
    ) -> Self {
        let client = bounded(client);
        Self { client, cluster: cluster.into(), config, deliver, known, chronicle: None, atlas: None }
    }

    /// It tells what changes too, as far as the configuration wants it, and keeps it there.
    #[must_use]
    pub fn with_history(self, chronicle: Arc<dyn Chronicle>) -> Self {
        Self { chronicle: Some(chronicle), ..self }
    }

    /// It tells what hangs together with what too, and keeps it there.
    #[must_use]
    pub fn with_topology(self, atlas: Arc<dyn Atlas>) -> Self {
        Self { atlas: Some(atlas), ..self }
    }

    /// Runs until cancelled; then what is left to deliver is tried once more.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), ForwarderError> {
        metric::describe();
        let stop = cancel.child_token();
        let _stop_on_drop = stop.clone().drop_guard();
        let outbox = Arc::new(Outbox::new());
        let (sender, observations) = mpsc::channel(OBSERVATIONS);
        let (phase, opened) = watch::channel(Phase::Surroundings);
        let mut tasks = JoinSet::new();
        let pump = Pump::new(outbox.clone(), self.deliver);
        let pumping = stop.clone();
        tasks.spawn(async move {
            pump.run(pumping).await;
            "delivery"
        });
        let (again, listed_again) = watch::channel(());
        let (anew, listed_anew) = watch::channel(());
        let scopes = self.config.namespaces.scopes();
        let reached = Reached::default();
        let setback =
            Setback::new(self.client.clone(), &scopes, reached.clone(), vec![again.clone(), anew], stop.clone());
        tasks.spawn(async move {
            setback.run().await;
            "look at the cluster's version"
        });
        if let Some(chronicle) = self.chronicle.filter(|_| self.config.changes.enabled) {
            let recorder = Recorder { chronicle, cluster: self.cluster.clone(), cancel: stop.clone() };
            let history = History::new(&*self.cluster, &self.config);
            let families = self.config.changes.families();
            let (client, config, cancel) = (self.client.clone(), self.config.clone(), stop.clone());
            let watches =
                HistoryWatches { client, config, again: listed_anew, reached: reached.clone(), cancel: cancel.clone() };
            let mut phase = opened.clone();
            tasks.spawn(async move {
                // What is broken comes first; and two listings at once would take the memory of both.
                let known = phase.wait_for(|phase| *phase == Phase::Complete);
                if cancel.run_until_cancelled(known).await.is_some_and(|known| known.is_ok()) {
                    recorder.run(history, families, watches).await;
                }
                "change history"
            });
        }
        let topology = self.atlas.map(|atlas| {
            let waiting = Arc::new(Waiting::new());
            let (cluster, cancel) = (self.cluster.clone(), stop.clone());
            let surveyor = Surveyor { waiting: waiting.clone(), atlas, cluster, again, cancel };
            tasks.spawn(async move {
                surveyor.run().await;
                "topology"
            });
            (Survey::new(self.config.namespaces.clone()), waiting)
        });
        let picture = Picture::new(self.cluster, self.config.clone());
        let mut run = Run::new(picture, outbox, self.config.resync.duration(), phase);
        (run.topology, run.known) = (topology, self.known);
        run.know_first(&cancel).await;
        let watches = Watches {
            client: self.client,
            config: &self.config,
            sender,
            phase: opened,
            again: listed_again,
            reached,
            cancel: stop.clone(),
            phases: Phases::new(),
        };
        run.expect(watches.start(&mut tasks));
        let ended = run.judge(observations, &mut tasks, &cancel).await;
        stop.cancel();
        while tasks.join_next().await.is_some() {}
        ended
    }
}
