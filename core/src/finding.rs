//! What the rules found.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Category, Citation, EvidenceId, ObjectRef, Remedy, Severity};

/// Where a diagnoser read something: the object itself, its events, or a container's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofSource {
    /// The object as the API server gave it, in its YAML view.
    Object(ObjectRef),
    /// The events about an object.
    Events(ObjectRef),
    /// What changed between the last two revisions of a workload.
    Rollout(ObjectRef),
    /// The log of a container.
    Log {
        /// The pod.
        pod: ObjectRef,
        /// The container.
        container: String,
        /// Whether it is the log of the container's previous run.
        previous: bool,
    },
    /// Something that is already evidence.
    Evidence(EvidenceId),
}

/// A place and the words read there. The words occur in that place's text, whitespace apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Where.
    pub source: ProofSource,
    /// The words, at most a few lines.
    pub quote: String,
}

/// A fact that a diagnoser found, without a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Which condition, as `container-oom-killed`: the diagnoser's own stable word.
    pub condition: String,
    /// The object that shows it.
    pub object: ObjectRef,
    /// What kind of thing is wrong.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// What is so, in one sentence.
    pub statement: String,
    /// The object in which the cause lies, where the condition itself tells: the missing ConfigMap, the exhausted
    /// quota. Absent for a symptom whose cause lies elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<ObjectRef>,
    /// When it happened; absent for what holds as the cluster is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Where it was read; not empty.
    pub proofs: Vec<Proof>,
    /// The same as citations, once the places are evidence.
    #[serde(default)]
    pub citations: Vec<Citation>,
    /// What would mend it.
    #[serde(default)]
    pub remedies: Vec<Remedy>,
}
