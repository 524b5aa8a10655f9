//! What an investigation says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EvidenceId, ObjectRef};

/// The longest summary, in characters.
pub const SUMMARY_LIMIT: usize = 300;

/// What was found, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something is broken, and the cause is named.
    Fault,
    /// Nothing is broken: the alert is about normal behaviour, or the condition has passed without harm.
    NoFault,
    /// What could be seen doesn't establish a cause.
    Inconclusive,
}

/// How sure the conclusion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess worth checking.
    Low,
    /// Likely; some of it is inferred.
    Medium,
    /// Each link is proven by evidence.
    High,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A setting, ConfigMap, Secret, environment variable, command or reference is missing or wrong.
    Configuration,
    /// An image can't be pulled or run.
    Image,
    /// A limit or request of memory, processor or storage doesn't fit what is used.
    Resources,
    /// A ResourceQuota, LimitRange or Pod Security rule refuses objects.
    Quota,
    /// No node fits.
    Scheduling,
    /// A probe tests the wrong thing or too strictly.
    Probe,
    /// Selector, port, endpoint, ingress, DNS or network policy.
    Network,
    /// Volume, claim or disk.
    Storage,
    /// The node or its kubelet.
    Node,
    /// Something outside that this depends on fails.
    Dependency,
    /// RBAC or credentials.
    Permission,
    /// Autoscaling or disruption budgets.
    Scaling,
    /// A certificate.
    Certificate,
    /// The program itself: a bug, a crash, slow code.
    Application,
    /// None of these.
    Other,
}

/// Where a claim is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// The evidence.
    pub evidence: EvidenceId,
    /// Words that occur in it, verbatim.
    pub quote: String,
    /// Whether the quote was found there. Set by the check, never by a model.
    #[serde(default)]
    #[schemars(skip)]
    pub verified: bool,
}

/// The cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The object to change, or the one that failed.
    pub object: ObjectRef,
    /// What kind of thing is wrong.
    pub category: Category,
    /// What is wrong with it, in one or two sentences.
    pub statement: String,
    /// Where it is proven.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// One link of the chain from symptom to cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The object.
    pub object: ObjectRef,
    /// What is so with it.
    pub statement: String,
    /// Where it is proven.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// A statement and where it is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// The statement.
    pub statement: String,
    /// Where it is proven.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// What a remedy may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Changes nothing that serves.
    Low,
    /// Restarts or changes what is broken anyway.
    Medium,
    /// May interrupt what works, or lose data.
    High,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// In one imperative sentence.
    pub title: String,
    /// The command, ready to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What it may break.
    pub risk: Risk,
    /// Whether it can be undone.
    pub reversible: bool,
}

/// What could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What an investigation says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    /// In one word.
    pub verdict: Verdict,
    /// For who reads one thing only: at most 300 characters.
    pub summary: String,
    /// The cause; absent unless the verdict is `fault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// From the symptom to the cause.
    #[serde(default)]
    pub chain: Vec<Link>,
    /// Who or what suffers, and since when.
    #[serde(default)]
    pub impact: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do, best first.
    #[serde(default)]
    pub remedies: Vec<Remedy>,
    /// What was suspected and is not the cause.
    #[serde(default)]
    pub ruled_out: Vec<Claim>,
    /// What could not be looked at, and why.
    #[serde(default)]
    pub unseen: Vec<Unseen>,
}

impl Conclusion {
    /// That nothing is known, with low confidence.
    pub fn inconclusive(summary: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Inconclusive,
            summary: summary.into(),
            cause: None,
            chain: Vec::new(),
            impact: String::new(),
            confidence: Confidence::Low,
            remedies: Vec::new(),
            ruled_out: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Every citation in it, the cause's first.
    pub fn citations(&self) -> impl Iterator<Item = &Citation> {
        let cause = self.cause.iter().flat_map(|cause| &cause.citations);
        let chain = self.chain.iter().flat_map(|link| &link.citations);
        cause.chain(chain).chain(self.ruled_out.iter().flat_map(|claim| &claim.citations))
    }

    /// The same, to be changed.
    pub fn citations_mut(&mut self) -> impl Iterator<Item = &mut Citation> {
        let cause = self.cause.iter_mut().flat_map(|cause| &mut cause.citations);
        let chain = self.chain.iter_mut().flat_map(|link| &mut link.citations);
        cause.chain(chain).chain(self.ruled_out.iter_mut().flat_map(|claim| &mut claim.citations))
    }

    /// Adds what could not be seen, unless it is told already.
    pub fn add_unseen(&mut self, unseen: &Unseen) {
        if !self.unseen.contains(unseen) {
            self.unseen.push(unseen.clone());
        }
    }
}
