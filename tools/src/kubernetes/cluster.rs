//! The cluster as its API server shows it.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use kube::Client;
use marple_core::ObjectRef;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::discovery::discover;
use super::request::Question;
use super::{Kind, Kinds, LookError};
use crate::gate::ObjectRules;
use crate::topology::Topology;
use crate::view::mask_secret;

/// How long a request may take, unless said otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long the kinds are believed when a word names none of them: a definition may have been added since.
const REDISCOVERY: Duration = Duration::from_secs(10);

/// Objects a page of a list, as `kubectl` has it.
pub(super) const PAGE: usize = 500;

/// The cluster as its API server shows it. Cheap to clone; clones share what discovery told.
///
/// Each request has a deadline (10 s by default). Values of Secrets never pass: they are replaced by their sizes here,
/// at the edge, so that nothing that reads through it can show one. Objects that the gate's rules refuse don't pass
/// either.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    rules: ObjectRules,
}

struct Shared {
    client: Client,
    deadline: Duration,
    kinds: RwLock<Option<Known>>,
    /// Held while the API server is asked for its kinds, so that many who miss one ask once.
    discovering: Mutex<()>,
    topology: OnceLock<Arc<dyn Topology>>,
}

#[derive(Clone)]
struct Known {
    kinds: Arc<Kinds>,
    at: Instant,
}

impl Cluster {
    /// The cluster behind a client.
    pub fn new(client: Client) -> Self {
        Self::with_deadline(client, DEADLINE)
    }

    /// The same with another deadline for each request.
    pub fn with_deadline(client: Client, deadline: Duration) -> Self {
        let shared = Shared {
            client,
            deadline,
            kinds: RwLock::default(),
            discovering: Mutex::default(),
            topology: OnceLock::new(),
        };
        Self { shared: Arc::new(shared), rules: ObjectRules::default() }
    }

    /// The same, but what these rules refuse is not looked at.
    #[must_use]
    pub fn with_rules(mut self, rules: ObjectRules) -> Self {
        self.rules = rules;
        self
    }

    /// From now on it, and each clone, remembers what hung together with objects that are gone. Only the first word on
    /// that counts.
    pub fn remember(&self, topology: Arc<dyn Topology>) {
        // A second one would tell the same: both are of this cluster.
        let _ = self.shared.topology.set(topology);
    }

    /// What remembers objects that are gone, where something does.
    pub(crate) fn topology(&self) -> Option<&Arc<dyn Topology>> {
        self.shared.topology.get()
    }

    /// Which objects may be looked at.
    pub const fn rules(&self) -> &ObjectRules {
        &self.rules
    }

    /// One object, with its `apiVersion` and `kind`. Without a namespace, an object of a namespaced kind is looked for
    /// in all of them, and found where only one has it. A wrong name's error tells the likeliest right ones.
    pub async fn get(&self, object: &ObjectRef) -> Result<Value, LookError> {
        let kind = self.kind(&object.kind).await?;
        let found;
        let namespace = match (&object.namespace, kind.namespaced) {
            (_, false) => None,
            (Some(namespace), true) => Some(namespace.as_str()),
            (None, true) => {
                found = self.only_namespace(&kind, &object.name).await?;
                Some(found.as_str())
            }
        };
        let question = Question::get(&kind, namespace, &object.name);
        match self.ask(&question).await {
            Ok(text) => parsed(&question, &text),
            Err(LookError::NotFound { what, .. }) => {
                Err(LookError::NotFound { what, near: self.near(&kind, namespace, &object.name).await })
            }
            Err(error) => Err(error),
        }
    }

    /// The object of a kind that is known, without a word on what may have been meant.
    pub(super) async fn read(&self, kind: &Kind, object: &ObjectRef) -> Result<Value, LookError> {
        let question = Question::get(kind, object.namespace.as_deref(), &object.name);
        parsed(&question, &self.ask(&question).await?)
    }

    /// Objects of a kind, at most `limit`, in the API server's order (namespace, name), each with its `apiVersion` and
    /// `kind`. Without a namespace, of all namespaces. Those that the rules refuse are left out; where they refuse all,
    /// the list is.
    pub async fn list(
        &self,
        kind: &str,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Value>, LookError> {
        let kind = self.kind(kind).await?;
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut question = Question::list(&kind, namespace);
            let wanted = (limit - objects.len()).min(PAGE);
            question.query = selection(label_selector, field_selector, wanted, token.as_deref());
            let mut keep = |item: Value| {
                // A server may send more than it was asked for. The rest is read all the same: a connection whose
                // answer is left half read can't be used again.
                if objects.len() < limit && self.permits(&kind, &item) {
                    let mut object = typed(&kind, item);
                    mask_secret(&mut object);
                    objects.push(object);
                }
                ControlFlow::Continue(())
            };
            token = self.page(&question, &mut keep).await?.token;
            if token.is_none() || objects.len() >= limit {
                return Ok(objects);
            }
        }
    }

    /// The kinds that the cluster serves, asked for once and again when a word names none of them.
    pub async fn kinds(&self) -> Result<Arc<Kinds>, LookError> {
        self.known(|_| true).await.map(|known| known.kinds)
    }

    /// The same, asked for now unless they were just now: tells whether the API server answers.
    pub async fn rediscover(&self) -> Result<Arc<Kinds>, LookError> {
        self.known(|_| false).await.map(|known| known.kinds)
    }

    /// The kind that `text` names; see [`Kinds::find`].
    pub async fn kind(&self, text: &str) -> Result<Kind, LookError> {
        let known = self.known(|kinds| kinds.find(text).is_some()).await?;
        known
            .kinds
            .find(text)
            .cloned()
            .ok_or_else(|| LookError::UnknownKind { kind: text.to_owned(), near: known.kinds.near(text) })
    }

    /// What discovery told; asked again where it doesn't satisfy and is not of just now.
    async fn known(&self, satisfies: impl Fn(&Kinds) -> bool) -> Result<Known, LookError> {
        let usable = |known: &Known| satisfies(&known.kinds) || known.at.elapsed() < REDISCOVERY;
        if let Some(known) = self.remembered().filter(usable) {
            return Ok(known);
        }
        let _asking = self.shared.discovering.lock().await;
        if let Some(known) = self.remembered().filter(usable) {
            return Ok(known);
        }
        let kinds = Arc::new(discover(self.client(), self.deadline()).await?);
        let known = Known { kinds, at: Instant::now() };
        *self.shared.kinds.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }

    fn remembered(&self) -> Option<Known> {
        self.shared.kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(super) fn deadline(&self) -> Duration {
        self.shared.deadline
    }
}

/// A list's query.
pub(super) fn selection(
    labels: Option<&str>,
    fields: Option<&str>,
    limit: usize,
    token: Option<&str>,
) -> Vec<(&'static str, String)> {
    let given = |name: &'static str, value: Option<&str>| {
        value.map(str::trim).filter(|value| !value.is_empty()).map(|value| (name, value.to_owned()))
    };
    let mut query = vec![("limit", limit.to_string())];
    query.extend(given("labelSelector", labels));
    query.extend(given("fieldSelector", fields));
    query.extend(given("continue", token));
    query
}

/// The answer as JSON, without a Secret's values.
pub(super) fn parsed(question: &Question<'_>, text: &str) -> Result<Value, LookError> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| LookError::Backend {
        what: question.told(),
        why: format!("the answer is no JSON: {error}"),
    })?;
    mask_secret(&mut value);
    Ok(value)
}

/// Items of a list come without the kind that the list says.
pub(super) fn typed(kind: &Kind, item: Value) -> Value {
    let Value::Object(item) = item else { return item };
    let mut object = serde_json::Map::with_capacity(item.len() + 2);
    object.insert("apiVersion".to_owned(), kind.api_version().into());
    object.insert("kind".to_owned(), kind.kind.clone().into());
    object.extend(item);
    Value::Object(object)
}
