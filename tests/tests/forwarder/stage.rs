//! A namespace with a forwarder that watches it, and what the forwarder has told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use kube::{Api, Client, Resource};
use marple_core::{Signal, SignalStatus};
use marple_forwarder::{Deliver, DeliverError, Forwarder, ForwarderConfig, Known, KnownError, Telling};
use marple_tests::cluster::{Namespace, TestCluster};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest that a fault may take to show and be told, image pulls, back-off and the minute of a schedule included.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The name that forwarders give the cluster.
pub(crate) const CLUSTER: &str = "test";

/// What was delivered, in order, with when.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) signals: Mutex<Vec<(Signal, Timestamp)>>,
    came: Notify,
}

#[async_trait::async_trait]
impl Deliver for Inbox {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        let now = Timestamp::now();
        self.signals.lock().unwrap().extend(signals.into_iter().map(|signal| (signal, now)));
        self.came.notify_waiters();
        Ok(())
    }
}

impl Inbox {
    /// Waits for a signal of this name, about this object, in this state.
    pub(crate) async fn wait(&self, name: &str, subject: &str, status: SignalStatus) -> (Signal, Timestamp) {
        let fits = |signal: &Signal| {
            signal.name == name
                && signal.status == status
                && signal.subject.as_ref().is_some_and(|object| object.to_string().starts_with(subject))
        };
        let found = self.wait_for(fits).await;
        found.unwrap_or_else(|| panic!("no {status:?} {name} of {subject}; came: {:#?}", self.headlines("")))
    }

    /// Waits for a signal like this, where one comes in time.
    pub(crate) async fn wait_for(&self, fits: impl Fn(&Signal) -> bool) -> Option<(Signal, Timestamp)> {
        let found = async {
            loop {
                let came = self.came.notified();
                let found = self.signals.lock().unwrap().iter().find(|(signal, _)| fits(signal)).cloned();
                match found {
                    Some(found) => return found,
                    None => came.await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.ok()
    }

    /// What came about objects of this namespace, or about any.
    pub(crate) fn headlines(&self, namespace: &str) -> Vec<String> {
        let signals = self.signals.lock().unwrap();
        let own = signals.iter().map(|(signal, _)| signal).filter(|signal| {
            let of = signal.subject.as_ref().and_then(|subject| subject.namespace.as_deref());
            namespace.is_empty() || of == Some(namespace)
        });
        own.map(|signal| format!("{:?} {}: {}", signal.status, signal.name, signal.headline())).collect()
    }

    /// What is left firing of objects in namespaces, as a runner would hold it.
    pub(crate) fn firing(&self) -> Vec<Signal> {
        let mut last = std::collections::BTreeMap::new();
        for (signal, _) in self.signals.lock().unwrap().iter() {
            last.insert(signal.fingerprint, signal.clone());
        }
        let firing = last.into_values().filter(|signal| signal.status == SignalStatus::Firing);
        firing.filter(|signal| signal.subject.as_ref().is_some_and(|subject| subject.namespace.is_some())).collect()
    }
}

#[async_trait::async_trait]
impl Known for Inbox {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        Ok(Self::firing(self))
    }

    async fn told(&self, _: Timestamp) -> Result<Vec<Telling>, KnownError> {
        let mut told = std::collections::BTreeMap::new();
        for (signal, at) in self.signals.lock().unwrap().iter() {
            let fingerprint = signal.fingerprint;
            let before = told.entry(fingerprint).or_insert(Telling { fingerprint, told_at: *at, ended_at: None });
            match signal.status {
                SignalStatus::Firing => (before.told_at, before.ended_at) = (*at, None),
                SignalStatus::Resolved => before.ended_at = signal.ends_at,
            }
        }
        Ok(told.into_values().collect())
    }
}

/// A namespace with a forwarder that watches it.
pub(crate) struct Stage {
    pub(crate) cluster: TestCluster,
    pub(crate) client: Client,
    pub(crate) space: Namespace,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) cancel: CancellationToken,
    pub(crate) running: JoinHandle<()>,
}

impl Stage {
    /// A stage whose forwarder waits for no fault longer than a second.
    pub(crate) async fn open(name: &str) -> Option<Self> {
        Self::open_with(name, |_| json!({})).await
    }

    /// The same with more settings of the forwarder, for its namespace.
    pub(crate) async fn open_with(name: &str, more: impl Fn(&str) -> Value) -> Option<Self> {
        let cluster = TestCluster::from_env().await.unwrap()?;
        let space = cluster.namespace(&format!("forward-{name}")).await.unwrap();
        let client = cluster.client();
        let inbox = Arc::new(Inbox::default());
        let (cancel, running) = run(&client, space.name(), &inbox, &more(space.name()));
        Some(Self { cluster, client, space, inbox, cancel, running })
    }

    /// Applies YAML, in its namespace where no other is named.
    pub(crate) async fn apply(&self, yaml: &str) {
        self.space.apply(yaml).await.unwrap();
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.space.name())
    }

    pub(crate) fn api_of_cluster<K>(&self) -> Api<K>
    where
        K: Resource<Scope = ClusterResourceScope, DynamicType = ()>,
    {
        Api::all(self.client.clone())
    }

    /// A name for objects of the cluster that no other test uses.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{}-{name}", self.space.name())
    }

    pub(crate) async fn firing(&self, name: &str, subject: &str) -> Signal {
        let subject = self.subject(subject);
        let (signal, at) = self.inbox.wait(name, &subject, SignalStatus::Firing).await;
        eprintln!("{name} {subject}: {:?} after its start; {}", at.duration_since(signal.starts_at), signal.headline());
        signal
    }

    pub(crate) async fn resolved(&self, name: &str, subject: &str) -> Signal {
        self.inbox.wait(name, &self.subject(subject), SignalStatus::Resolved).await.0
    }

    /// `Pod cart` as `Pod <namespace>/cart`; what is of the cluster has a slash before its name.
    pub(crate) fn subject(&self, subject: &str) -> String {
        let (kind, name) = subject.split_once(' ').unwrap();
        match name.strip_prefix('/') {
            Some(name) => format!("{kind} {name}"),
            None => format!("{kind} {}/{name}", self.space.name()),
        }
    }

    pub(crate) async fn close(self) {
        self.cancel.cancel();
        self.running.await.unwrap();
    }
}

/// Changes an object as a person with an editor does.
pub(crate) async fn patch<K: Resource + Clone + DeserializeOwned + std::fmt::Debug>(
    api: &Api<K>,
    name: &str,
    patch: Value,
) {
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

/// Sets an object's status as its controller would.
pub(crate) async fn patch_status<K: Resource + Clone + DeserializeOwned>(api: &Api<K>, name: &str, status: Value) {
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
}

pub(crate) async fn delete<K: Resource + Clone + DeserializeOwned + std::fmt::Debug>(api: &Api<K>, name: &str) {
    api.delete(name, &DeleteParams::background().grace_period(0)).await.unwrap();
}

/// Stages a fault of the whole cluster, and clears up after it also where it fails, for other tests run beside it.
pub(crate) async fn and_then_clear(staged: impl Future<Output = ()>, clear: impl Future<Output = ()>) {
    let ended = std::panic::AssertUnwindSafe(staged).catch_unwind().await;
    clear.await;
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// A forwarder of this namespace that waits for no fault longer than a second, but where `more` says otherwise.
pub(crate) fn run(
    client: &Client,
    namespace: &str,
    inbox: &Arc<Inbox>,
    more: &Value,
) -> (CancellationToken, JoinHandle<()>) {
    let mut config = json!({"namespaces": {"include": [namespace]}, "forbidden_retry": "1s"});
    let mut conditions = serde_json::to_value(ForwarderConfig::default().conditions).unwrap();
    for condition in conditions.as_object_mut().unwrap().values_mut() {
        for setting in ["hold", "pending"] {
            if condition.get(setting).is_some_and(|period| period != "0s") {
                condition[setting] = json!("1s");
            }
        }
        if condition.get("events").is_some() {
            condition["events"] = json!(2);
        }
    }
    conditions["cron_job_missed"]["events"] = json!(1);
    config["conditions"] = conditions;
    merge(&mut config, more);
    let config: ForwarderConfig = serde_json::from_value(config).unwrap();
    let cancel = CancellationToken::new();
    let forwarder = Forwarder::new(client.clone(), CLUSTER, config, inbox.clone(), Some(inbox.clone()));
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { forwarder.run(cancel).await.unwrap() }
    });
    (cancel, running)
}

fn merge(into: &mut Value, more: &Value) {
    match more.as_object() {
        Some(fields) => fields.iter().for_each(|(name, value)| merge(&mut into[name], value)),
        None => *into = more.clone(),
    }
}
