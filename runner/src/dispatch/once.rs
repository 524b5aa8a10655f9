//! Investigates once, for a person who waits, without a store.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use marple_agent::{Case, EvidenceTitle, Exchange, Investigator, Mode, Outcome, Progress};
use marple_core::{
    Conclusion, Evidence, Fingerprint, Incident, IncidentId, IncidentStatus, JoinReason, Labels, Member, ObjectRef,
    Severity, Signal, SignalSource, SignalStatus,
};
use marple_tools::diagnose::ASKED;
use marple_tools::{EvidenceError, EvidenceHead, EvidenceLog, Look, MemoryEvidence, Redact};
use tokio_util::sync::CancellationToken;

use super::settle::settled;
use super::{Capture, Lookout, Subjects, Tooling};
use crate::render::{Links, Stage, View};
use crate::store::ConcludedBy;

/// How many members the model is told of, and a view shows.
const MEMBERS: usize = 30;

/// The time before a question about an object in which what is wrong with it is taken to have begun.
const ASKED_ABOUT: SignedDuration = SignedDuration::from_hours(1);

/// What a person wants to know about.
#[derive(Clone, Debug, PartialEq)]
pub enum Topic {
    /// Objects, by their names.
    Objects {
        /// What is asked, in one line for people.
        title: String,
        /// The objects; not empty.
        objects: BTreeSet<ObjectRef>,
    },
    /// Alerts that fire, with the objects that they are about, up to the top owner.
    Alerts {
        /// The alerts; not empty.
        signals: Vec<Signal>,
        /// What they are about.
        objects: BTreeSet<ObjectRef>,
    },
    /// An incident with its members.
    Incident {
        /// The incident.
        incident: Box<Incident>,
        /// Its members.
        members: Vec<Member>,
    },
    /// A question.
    Question {
        /// What is asked.
        question: String,
        /// What was asked and answered before, in its order.
        earlier: Vec<Exchange>,
    },
}

impl Topic {
    /// One object.
    pub fn object(object: ObjectRef) -> Self {
        Self::Objects { title: object.to_string(), objects: BTreeSet::from([object]) }
    }

    /// A question that nothing was said before.
    pub fn question(question: impl Into<String>) -> Self {
        Self::Question { question: question.into(), earlier: Vec::new() }
    }

    /// The same without secrets in what people say. Where it comes from alerts it was redacted as it came in.
    #[must_use]
    fn redacted(self, redact: &dyn Redact) -> Self {
        let Self::Question { question, earlier } = self else { return self };
        let exchange =
            |one: Exchange| Exchange { question: redact.redact(&one.question), answer: redact.redact(&one.answer) };
        Self::Question { question: redact.redact(&question), earlier: earlier.into_iter().map(exchange).collect() }
    }
}

/// Investigates once.
#[derive(Clone)]
pub struct Once {
    /// What is looked at.
    pub lookout: Lookout,
    /// What a model looks with.
    pub tooling: Tooling,
    /// Asks a model, where one is set.
    pub investigator: Option<Investigator>,
    /// The cluster's name.
    pub cluster_name: String,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Investigated {
    /// What is known at the end, to be shown.
    pub view: View,
    /// How the model's part ended, with its use of tokens.
    pub outcome: Outcome,
}

impl Once {
    /// Alerts as a topic, with the top owners of what they are about.
    pub async fn alerts(&self, signals: Vec<Signal>) -> Topic {
        let mut objects = BTreeSet::new();
        for subject in signals.iter().filter_map(|signal| signal.subject.clone()) {
            let owners = match &self.lookout.cluster {
                Some(cluster) => cluster.owners(&subject).await.unwrap_or_default(),
                None => Vec::new(),
            };
            objects.insert(owners.last().cloned().unwrap_or(subject));
        }
        Topic::Alerts { signals, objects }
    }

    /// Captures, lets the rules conclude and asks the model, telling `progress` of each step. What people ask is told to
    /// nobody with secrets in it.
    pub async fn investigate(
        &self,
        topic: Topic,
        now: Timestamp,
        cancel: &CancellationToken,
        progress: &dyn Progress,
    ) -> Result<Investigated, EvidenceError> {
        self.investigate_in(Arc::new(MemoryEvidence::default()), topic, now, cancel, progress).await
    }

    /// The same with the evidence of a conversation: what was looked at before can be read and is cited by the same ids.
    pub async fn investigate_in(
        &self,
        log: Arc<MemoryEvidence>,
        topic: Topic,
        now: Timestamp,
        cancel: &CancellationToken,
        progress: &dyn Progress,
    ) -> Result<Investigated, EvidenceError> {
        let log: Arc<dyn EvidenceLog> = log;
        let topic = topic.redacted(self.tooling.redact.as_ref());
        // Of a question what it names is looked at first, as for an alert; without a model that is all that is done.
        let named = self.named(&topic).await;
        let (topic, named) = match (named, &self.investigator) {
            (Some(named), None) => (named, None),
            (named, _) => (topic, named),
        };
        let Opened { incident, members, question, earlier } = opened(topic, now);
        let subjects = match (&question, named.map(|topic| opened(topic, now))) {
            (None, _) => Some(Subjects::of(&incident, &members)),
            (Some(_), Some(named)) => Some(Subjects::of(&named.incident, &named.members)),
            (Some(_), None) => None,
        };
        let capture = match &subjects {
            Some(subjects) => Some(self.lookout.capture(subjects, log.as_ref(), now, cancel).await?),
            None => None,
        };
        let mode = if question.is_some() { Mode::Answer } else { Mode::Conclude };
        let rules = capture.as_ref().map_or_else(nothing_asked, |capture| capture.conclusion.clone());
        let (outcome, by) = match &self.investigator {
            None => (Outcome::without_model(&rules), ConcludedBy::Rules),
            Some(investigator) => {
                let (toolbox, unseen) = self.tooling.toolbox(&log).await;
                let mut rules = rules;
                rules.unseen.extend(unseen);
                let known = rules.clone();
                let case = Case {
                    incident: question.is_none().then(|| incident.clone()),
                    question,
                    earlier,
                    members: members.iter().take(MEMBERS).cloned().collect(),
                    findings: capture.map(|Capture { findings, .. }| findings).unwrap_or_default(),
                    rules,
                    evidence: titles(log.as_ref()).await?,
                    remembered: Vec::new(),
                    cluster_name: Some(self.cluster_name.clone()),
                    mode,
                };
                let incident_start = case.incident.as_ref().map(|incident| incident.starts_at);
                let look = Look { incident_start, now, cancel: cancel.clone() };
                let outcome = investigator.investigate(case, None, &toolbox, &look, progress).await;
                let (conclusion, by) = settled(&outcome, &known);
                (Outcome { conclusion, ..outcome }, by)
            }
        };
        let view = self.view(incident, members, &outcome, by, log.as_ref()).await?;
        Ok(Investigated { view, outcome })
    }

    /// The objects that a question names, where it is one and names any.
    async fn named(&self, topic: &Topic) -> Option<Topic> {
        let Topic::Question { question, .. } = topic else { return None };
        match self.lookout.cluster.as_ref()?.named_in(question).await {
            Ok(objects) if objects.is_empty() => None,
            Ok(objects) => Some(Topic::Objects { title: question.clone(), objects }),
            Err(error) => {
                tracing::debug!(%error, "the objects that a question names are not known");
                None
            }
        }
    }

    async fn view(
        &self,
        incident: Incident,
        mut members: Vec<Member>,
        outcome: &Outcome,
        by: ConcludedBy,
        log: &dyn EvidenceLog,
    ) -> Result<View, EvidenceError> {
        let more_members = u32::try_from(members.len().saturating_sub(MEMBERS)).unwrap_or(u32::MAX);
        members.truncate(MEMBERS);
        let mut cited: Vec<Evidence> = Vec::new();
        let ids: BTreeSet<_> = outcome.conclusion.citations().map(|citation| citation.evidence).collect();
        for id in ids {
            cited.extend(log.get(id).await?);
        }
        Ok(View {
            cluster: self.cluster_name.clone(),
            incident,
            members,
            more_members,
            conclusion: Some(outcome.conclusion.clone()),
            by: Some(by),
            stage: if outcome.ending.is_of_model() { Stage::Concluded } else { Stage::RulesOnly },
            cited,
            drawing: None,
            links: Links::default(),
        })
    }
}

async fn titles(log: &dyn EvidenceLog) -> Result<Vec<EvidenceTitle>, EvidenceError> {
    let title = |head: EvidenceHead| EvidenceTitle {
        id: head.id,
        title: head.title,
        size: usize::try_from(head.size).unwrap_or(usize::MAX),
    };
    Ok(log.heads().await?.into_iter().map(title).collect())
}

/// What a topic comes to.
struct Opened {
    incident: Incident,
    members: Vec<Member>,
    question: Option<String>,
    earlier: Vec<Exchange>,
}

fn opened(topic: Topic, now: Timestamp) -> Opened {
    let asked = |incident, members| Opened { incident, members, question: None, earlier: Vec::new() };
    match topic {
        Topic::Alerts { signals, objects } => {
            let members: Vec<Member> = signals.iter().map(|signal| Member::of(signal, JoinReason::SameAlert)).collect();
            let title = match (signals.first(), objects.first()) {
                (Some(signal), Some(object)) => format!("{object}: {}", signal.name),
                (Some(signal), None) => signal.name.clone(),
                (None, _) => "no alert".to_owned(),
            };
            asked(incident(title, objects, &members, now), members)
        }
        Topic::Objects { title, objects } => {
            let members: Vec<Member> = objects.iter().map(|object| asked_about(object, now)).collect();
            asked(incident(title, objects, &members, now), members)
        }
        Topic::Incident { incident, members } => asked(*incident, members),
        Topic::Question { question, earlier } => {
            let incident = incident(question.clone(), BTreeSet::new(), &[], now);
            Opened { incident, members: Vec::new(), question: Some(question), earlier }
        }
    }
}

/// A person's question about an object as a member of an incident.
fn asked_about(object: &ObjectRef, now: Timestamp) -> Member {
    let signal = Signal {
        source: SignalSource::Person,
        fingerprint: Fingerprint::of(&[("object", object.to_string())].into_iter().collect()),
        status: SignalStatus::Firing,
        name: ASKED.to_owned(),
        severity: Severity::Info,
        subject: Some(object.clone()),
        labels: Labels::default(),
        annotations: Labels::default(),
        // Since when is what the person wants to know: what went wrong in this time counts as its cause.
        starts_at: now.checked_sub(ASKED_ABOUT).unwrap_or(now),
        ends_at: None,
        generator_url: None,
    };
    Member::of(&signal, JoinReason::First)
}

fn incident(title: String, objects: BTreeSet<ObjectRef>, members: &[Member], now: Timestamp) -> Incident {
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    Incident {
        id: IncidentId::new(),
        status: IncidentStatus::Open,
        title,
        severity: members.iter().map(|member| member.severity).max().unwrap_or_default(),
        subject: objects.first().cloned(),
        objects,
        signals: count,
        firing: count,
        starts_at: members.iter().map(|member| member.starts_at).min().unwrap_or(now),
        opened_at: now,
        updated_at: now,
        resolved_at: None,
        resolution: None,
        merged_into: None,
        revision: 1,
    }
}

/// What the rules say to a question: they aren't asked.
fn nothing_asked() -> Conclusion {
    Conclusion::inconclusive(
        "Without a language model a question is answered where it names a namespace, and best an object in it; this one \
         names none that there is.",
    )
}
