//! The unit of work: what is broken, with all the signals of it.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Conclusion, Fingerprint, IncidentId, Labels, ObjectRef, Severity, Signal, SignalSource, SignalStatus};

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Something holds, and nobody has taken it.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// All its signals have ended.
    Resolved,
    /// It turned out to be part of another incident.
    Merged,
}

/// Why an incident is over though not all of its alerts told their end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Resolution {
    /// Nothing was heard of them any more.
    Silence,
    /// A person said so.
    Person {
        /// Who.
        name: String,
    },
}

/// Why a signal belongs to an incident.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinReason {
    /// It opened the incident.
    First,
    /// It is about the same object.
    SameObject,
    /// It is the same alert, about no particular object.
    SameAlert,
    /// The object belongs to the same top owner.
    SameOwner {
        /// The owner.
        owner: ObjectRef,
    },
    /// The object runs on the node that the incident is about.
    SameNode {
        /// The node.
        node: ObjectRef,
    },
    /// The object depends on one of the incident's, or the other way round.
    Dependency {
        /// What depends.
        from: ObjectRef,
        /// On what.
        to: ObjectRef,
        /// How that is known, as `env DATABASE names Service payments/db`.
        how: String,
    },
    /// The object needs one that the incident's need too, and that was changed shortly before both began.
    SameChange {
        /// What was changed.
        object: ObjectRef,
        /// When.
        at: Timestamp,
        /// What of it, as `data.timeout: 5s → 50ms`.
        what: String,
    },
}

impl fmt::Display for JoinReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => formatter.write_str("it came first"),
            Self::SameObject => formatter.write_str("same object"),
            Self::SameAlert => formatter.write_str("same alert"),
            Self::SameOwner { owner } => write!(formatter, "same owner {owner}"),
            Self::SameNode { node } => write!(formatter, "same {node}"),
            Self::Dependency { from, to, how } => write!(formatter, "{from} depends on {to}: {how}"),
            Self::SameChange { object, at, what } => {
                write!(formatter, "needs {object} too, which was changed at {at:.0}: {what}")
            }
        }
    }
}

/// A signal as part of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Where it came from.
    pub source: SignalSource,
    /// Which alert or condition.
    pub fingerprint: Fingerprint,
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub status: SignalStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Option<ObjectRef>,
    /// Why it belongs here.
    pub reason: JoinReason,
    /// One line for people.
    pub headline: String,
    /// Its labels.
    pub labels: Labels,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended.
    pub ends_at: Option<Timestamp>,
    /// Link to the rule's expression.
    pub generator_url: Option<String>,
}

impl Member {
    /// The signal that it came from, as far as it was kept: without its annotations.
    pub fn signal(&self) -> Signal {
        Signal {
            source: self.source,
            fingerprint: self.fingerprint,
            status: self.status,
            name: self.name.clone(),
            severity: self.severity,
            subject: self.subject.clone(),
            labels: self.labels.clone(),
            annotations: Labels::default(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            generator_url: self.generator_url.clone(),
        }
    }

    /// The signal, joined for `reason`.
    pub fn of(signal: &Signal, reason: JoinReason) -> Self {
        Self {
            source: signal.source,
            fingerprint: signal.fingerprint,
            name: signal.name.clone(),
            status: signal.status,
            severity: signal.severity,
            subject: signal.subject.clone(),
            reason,
            headline: signal.headline().to_owned(),
            labels: signal.labels.clone(),
            starts_at: signal.starts_at,
            ends_at: signal.ends_at,
            generator_url: signal.generator_url.clone(),
        }
    }
}

/// What is broken. Its members are kept beside it: a storm may bring thousands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Its name.
    pub id: IncidentId,
    /// Where it is in its life.
    pub status: IncidentStatus,
    /// One line for people, as `Deployment shop/cart: KubePodCrashLooping`.
    pub title: String,
    /// The worst of its signals so far.
    pub severity: Severity,
    /// The object that it is about: the top owner of its first signal's subject.
    pub subject: Option<ObjectRef>,
    /// The top-level objects of all its signals.
    pub objects: BTreeSet<ObjectRef>,
    /// How many signals it has had.
    pub signals: u32,
    /// How many of them still hold.
    pub firing: u32,
    /// When the first of its conditions began.
    pub starts_at: Timestamp,
    /// When marple opened it.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the last of its signals ended.
    pub resolved_at: Option<Timestamp>,
    /// Why it is over; absent while it isn't, and where its alerts told their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// The incident that it became part of.
    pub merged_into: Option<IncidentId>,
    /// Grows with each change that people should see.
    pub revision: u64,
}

impl Incident {
    /// The namespaces of the objects that it is about, and of those that its conclusion names.
    pub fn namespaces(&self, conclusion: Option<&Conclusion>) -> BTreeSet<String> {
        let cause = conclusion.and_then(|conclusion| conclusion.cause.as_ref()).map(|cause| &cause.object);
        let chain = conclusion.into_iter().flat_map(|conclusion| &conclusion.chain).map(|link| &link.object);
        let objects = self.objects.iter().chain(&self.subject).chain(cause).chain(chain);
        objects.filter_map(|object| object.namespace.clone()).collect()
    }
}
