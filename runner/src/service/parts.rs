//! The parts that follow the configuration.

use std::sync::Arc;
use std::time::Duration;

use marple_agent::Investigator;
use marple_forwarder::Forwarder;
use marple_tools::gate::{Approve, Caller};
use marple_tools::history::{self, ChangeLog, Recorded};
use marple_tools::kubernetes::Cluster;
use marple_tools::{Redact, Toolsets};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Ended, Ground, Setup, audit, chronicle, expiry, forwarding, remembered, spawn, upkeep};
use crate::account::Account;
use crate::api::Live;
use crate::approve::People;
use crate::chat::{Answerers, Chat};
use crate::clock::Clock;
use crate::config::{Config, ServerConfig};
use crate::correlate::{ClusterOwners, Correlator, KnownOwners, NoOwners, Owners};
use crate::dispatch::{Detective, Dispatcher, Inquiry, Lookout, Once, StoredViews, Tooling};
use crate::handing::Handing;
use crate::outbox::Deliveries;
use crate::recordings::Keeper;
use crate::render::{LinkKey, Links, SignedLinks};
use crate::store::{Endings, Outbox, Signals, Store};

/// How long parts may take to end what they do before they are cut off: what is cut off goes on as after a crash.
const GRACE: Duration = Duration::from_secs(15);

/// The parts that follow the configuration, while they run.
pub(super) struct Parts {
    stop: CancellationToken,
    running: JoinSet<Ended>,
}

impl Parts {
    /// Starts them.
    pub(super) fn start(setup: Setup, ground: &Ground) -> Self {
        let Setup { config, mut lookout, toolsets, investigator, answerers, watched, recorder, sinks, routes } = setup;
        let Ground { store, state, clock, started, stop } = ground;
        let clock = *clock;
        let stop = stop.child_token();
        store.bound_evidence(config.store.evidence_max);
        let changed = Arc::new(Notify::new());
        let mut parts = JoinSet::new();

        let owners = owners(store, &config.cluster.name, lookout.cluster.as_ref(), clock);
        let (correlator, teacher) =
            Correlator::new(Arc::clone(store), owners, config.incidents.clone(), Arc::clone(&changed), clock);
        state.rest_on([("correlation", correlator.alive())]);
        spawn(&mut parts, "correlation", correlator.run(stop.clone()));

        let history: Arc<dyn ChangeLog> =
            Arc::new(chronicle::StoredChanges { changes: store.clone(), cluster: config.cluster.name.clone() });
        let here = watched.is_some() && config.forwarder.changes.enabled;
        let topology = remembered::topology(store, &config.cluster.name);
        if let Some(cluster) = &lookout.cluster {
            cluster.remember(topology.clone());
        }
        let recorded =
            Recorded { log: Arc::clone(&history), cluster: lookout.cluster.clone(), topology: Some(topology) };
        let toolsets = toolsets.with(history::toolset(Some(recorded), here));
        lookout.changes = Some(Arc::clone(&history));

        let redact = Arc::clone(&lookout.redact);
        let signals: Arc<dyn Signals> = store.clone();
        let kept = forwarding::InProcess {
            signals,
            changes: store.clone(),
            topology: store.clone(),
            redact: Arc::clone(&redact),
            clock,
        };
        let (kept, cluster) = (Arc::new(kept), &config.cluster.name);
        if let Some(client) = watched {
            let here = kept;
            let forwarder = Forwarder::new(client, cluster, config.forwarder.clone(), here.clone(), Some(here.clone()))
                .with_history(here.clone())
                .with_topology(here);
            state.hand(None);
            spawn(&mut parts, "the forwarder", forwarder.run(stop.clone()));
        } else {
            let handing = Arc::new(Handing::new(cluster, config.forwarder.clone(), &kept, clock));
            state.hand(Some(Arc::clone(&handing)));
            let stop = stop.clone();
            spawn(&mut parts, "what is handed on", async move {
                handing.run(stop).await;
                Ok::<(), std::convert::Infallible>(())
            });
        }

        let approver = config.server.approver_token.as_ref();
        let people = approver.map(|token| {
            let wait = config.act.wait.duration();
            Arc::new(People::new(store.clone(), Arc::clone(&lookout.redact), wait, token, clock))
        });
        state.ask(people.clone().zip(approver));
        let model = investigator.is_some();
        state.renew(Live::of(config.server.token.as_ref(), redact, &config.cluster.name, model));
        let tooling = tooling(&config, &toolsets, &lookout.redact, people.clone(), store);
        let account = Account::new(store.clone(), config.spending.clone(), clock);
        state.account(account.clone());
        state.talk(chat(&config, &lookout, tooling.clone(), answerers, (&account, people), ground, &stop));
        let asked = Arc::new(Notify::new());
        state.inquire(inquiry(&config, model, &asked, ground));
        let detective =
            investigator.map(|model| Arc::new(detective(&config, model, tooling, account, &history, ground)));
        let checked = stop.clone();
        spawn(&mut parts, "the check of toolsets", async move { toolsets.run(checked).await });

        let dispatcher = Dispatcher {
            store: Arc::clone(store),
            lookout,
            detective,
            routes,
            learn: Arc::new(teacher),
            config: config.investigation.clone(),
            cluster_name: config.cluster.name.clone(),
            changed,
            asked,
            clock,
        };
        spawn(&mut parts, "the work on incidents", dispatcher.run(stop.clone()));

        let links = links(&config.server);
        let views = StoredViews { store: Arc::clone(store), cluster: config.cluster.name.clone(), links, model };
        let outbox: Arc<dyn Outbox> = store.clone();
        let deliveries = Deliveries::new(outbox, sinks, Arc::new(views), config.delivery.clone());
        spawn(&mut parts, "delivery", deliveries.run(stop.clone()));

        if let Some(keeper) = Keeper::of(store, recorder, &config, clock) {
            spawn(&mut parts, "recording", keeper.run(stop.clone()));
        }
        spawn(&mut parts, "retention", upkeep::run(Arc::clone(store), config.store.clone(), clock, stop.clone()));
        let endings: Arc<dyn Endings> = store.clone();
        let stale_after = config.incidents.stale_after.duration();
        spawn(&mut parts, "expiry", expiry::run(endings, stale_after, *started, clock, stop.clone()));
        Self { stop, running: parts }
    }

    /// The next one that ended; nothing where none runs any more.
    pub(super) async fn ended(&mut self) -> Option<Result<Ended, JoinError>> {
        self.running.join_next().await
    }

    /// Ends them all. Afterwards nothing of them changes the store any more.
    pub(super) async fn end(mut self, store: &dyn Store) {
        self.stop.cancel();
        let ended = async {
            while let Some(ended) = self.running.join_next().await {
                if let Ok((part, Err(reason))) = ended {
                    tracing::warn!(part, reason, "a part ended badly while it was changed");
                }
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(seconds = GRACE.as_secs(), "parts did not end in time and were cut off");
            self.running.shutdown().await;
        }
        // Writes are done in their order: once this one is, none of theirs is left.
        if let Err(error) = store.writable().await {
            tracing::warn!(%error, "the store could not be written while the configuration was changed");
        }
    }
}

/// What investigations look with.
fn tooling(
    config: &Config,
    toolsets: &Toolsets,
    redact: &Arc<dyn Redact>,
    people: Option<Arc<People>>,
    store: &Arc<dyn Store>,
) -> Tooling {
    Tooling {
        toolsets: toolsets.clone(),
        redact: Arc::clone(redact),
        gate: config.gate(),
        caller: Caller::Investigation,
        actor: None,
        audit: Some(Arc::new(audit::StoredAudit(store.clone()))),
        approve: people.map(|people| people as Arc<dyn Approve>),
        patience: config.act.wait.duration(),
        tool_timeout: config.investigation.tool_timeout.duration(),
    }
}

/// What takes people's wishes for an investigation.
fn inquiry(config: &Config, model: bool, asked: &Arc<Notify>, ground: &Ground) -> Inquiry {
    Inquiry {
        store: Arc::clone(&ground.store),
        config: config.investigation.clone(),
        cluster_name: config.cluster.name.clone(),
        model,
        asked: Arc::clone(asked),
        clock: ground.clock,
    }
}

/// What investigates incidents with this model.
fn detective(
    config: &Config,
    investigator: Investigator,
    tooling: Tooling,
    account: Account,
    changes: &Arc<dyn ChangeLog>,
    ground: &Ground,
) -> Detective {
    Detective {
        store: Arc::clone(&ground.store),
        investigator: investigator.refuting(config.investigation.refute),
        tooling,
        cluster_name: config.cluster.name.clone(),
        account,
        changes: Arc::clone(changes),
        reuse_within: config.investigation.reuse_within,
        clock: ground.clock,
    }
}

/// What answers people's questions, with all that investigations have.
fn chat(
    config: &Config,
    lookout: &Lookout,
    tooling: Tooling,
    answerers: Answerers,
    (account, people): (&Account, Option<Arc<People>>),
    ground: &Ground,
    stop: &CancellationToken,
) -> Chat {
    let once = Once {
        lookout: lookout.clone(),
        tooling: Tooling { caller: Caller::Chat, ..tooling },
        // Which of them is asked is said by each question.
        investigator: None,
        cluster_name: config.cluster.name.clone(),
    };
    let store = Arc::clone(&ground.store);
    let chat = Chat::new(once, answerers, account.clone(), people, store, ground.clock, stop.clone());
    match ground.state.chat() {
        Some(before) => chat.with_evidence(before.evidence().clone()),
        None => chat,
    }
}

/// The links of messages, signed where a token guards what they lead to.
fn links(server: &ServerConfig) -> Links {
    let token = server.token.as_ref();
    let signed = token.map(|token| SignedLinks { key: LinkKey::of(token), lifetime: server.link_lifetime });
    Links { base_url: server.base_url.clone(), signed }
}

/// What tells owners: the topology, and the cluster for the rest.
fn owners(store: &Arc<dyn Store>, name: &str, cluster: Option<&Cluster>, clock: Clock) -> Arc<dyn Owners> {
    let asked: Arc<dyn Owners> = match cluster {
        Some(cluster) => Arc::new(ClusterOwners::new(cluster.clone())),
        None => Arc::new(NoOwners),
    };
    Arc::new(KnownOwners::new(store.clone(), name, asked, clock).with_history(store.clone()))
}
