//! What a diagnoser is given, and how it states a finding.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::{Category, Finding, ObjectRef, Proof, ProofSource, Remedy, Risk, Severity};
use serde_json::Value;

use super::{Condition, listener};
use crate::scene::{Event, Graph, Scene, field, occurs};

/// Younger than this, an object may still be on its way: not yet ready is no fault.
pub(super) const SETTLING: SignedDuration = SignedDuration::from_secs(30);

/// What ended longer ago than this and does not hold is history.
pub(super) const RECENT: SignedDuration = SignedDuration::from_hours(2);

/// Nearer than this the hour alone says when.
const TODAY: SignedDuration = SignedDuration::from_hours(12);

/// The longest quote, in characters.
const QUOTE_LIMIT: usize = 400;

/// The scene, its graph, and the texts that proofs are checked against.
pub(super) struct Context<'a> {
    pub(super) scene: &'a Scene,
    pub(super) graph: Graph,
    texts: RefCell<BTreeMap<ProofSource, String>>,
    refusing: OnceCell<BTreeSet<ObjectRef>>,
}

impl<'a> Context<'a> {
    /// The context of a scene.
    pub(super) fn of(scene: &'a Scene) -> Self {
        Self { scene, graph: Graph::of(scene), texts: RefCell::default(), refusing: OnceCell::new() }
    }

    /// The Services by which a program says that it is refused: all logs are read for them once.
    pub(super) fn refusing(&self) -> &BTreeSet<ObjectRef> {
        self.refusing.get_or_init(|| listener::refusing(self))
    }

    /// Whether a time is within the last `span`.
    pub(super) fn within(&self, at: Timestamp, span: SignedDuration) -> bool {
        self.scene.now.duration_since(at) <= span
    }

    /// Whether an object is old enough to be judged.
    pub(super) fn settled(&self, value: &Value) -> bool {
        field::created(value).is_none_or(|created| !self.within(created, SETTLING))
    }

    /// A length of time before the scene was read, in the largest unit that fits, as `12 min`.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        let seconds = self.scene.now.duration_since(at).as_secs().max(0);
        match seconds {
            0..120 => format!("{seconds} s"),
            120..7200 => format!("{} min", seconds / 60),
            7200..172_800 => format!("{} h", seconds / 3600),
            _ => format!("{} days", seconds / 86_400),
        }
    }

    /// The hour of a time, with its day where that is another: a message is read when it is read, and a time stays true.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.strftime(if self.within(at, TODAY) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
    }

    /// The last recent warning about an object that `fits`.
    pub(super) fn warning(&self, object: &ObjectRef, fits: impl Fn(&Event) -> bool) -> Option<&'a Event> {
        let mut events = self.scene.events.iter().rev().filter(|event| event.warning && event.about == *object);
        events.find(|event| fits(event)).filter(|event| self.within(event.at, RECENT))
    }

    /// Begins a finding.
    pub(super) fn finding(&self, condition: &Condition, object: &ObjectRef, category: Category) -> Draft<'_, 'a> {
        Draft {
            context: self,
            finding: Finding {
                condition: condition.word.to_owned(),
                object: object.clone(),
                category,
                severity: Severity::Warning,
                statement: String::new(),
                culprit: None,
                at: None,
                proofs: Vec::new(),
                citations: Vec::new(),
                remedies: Vec::new(),
            },
        }
    }

    /// The part of `words` that occurs in the place: all, or where the place writes it otherwise (quoted or escaped)
    /// its longest run without such characters.
    fn quotable(&self, source: &ProofSource, words: &str) -> Option<String> {
        let mut texts = self.texts.borrow_mut();
        if !texts.contains_key(source) {
            texts.insert(source.clone(), self.scene.text(source)?.into_owned());
        }
        let text = texts.get(source)?;
        let cut = words.trim().chars().take(QUOTE_LIMIT).collect::<String>();
        if cut.is_empty() {
            return None;
        }
        if occurs(text, &cut) {
            return Some(cut);
        }
        let runs = cut.split(['\n', '"', '\'', '\\']).map(str::trim);
        runs.filter(|run| run.len() > 3 && occurs(text, run)).max_by_key(|run| run.len()).map(str::to_owned)
    }
}

/// A finding in the making.
#[must_use]
pub(super) struct Draft<'c, 'a> {
    context: &'c Context<'a>,
    finding: Finding,
}

impl Draft<'_, '_> {
    /// What is so, in one sentence.
    pub(super) fn says(mut self, statement: impl Into<String>) -> Self {
        self.finding.statement = statement.into();
        self
    }

    /// What else is so, behind the sentence.
    pub(super) fn adds(mut self, more: &str) -> Self {
        self.finding.statement.push_str(more);
        self
    }

    /// How bad it is; a warning where it isn't said.
    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    /// The object in which the cause lies.
    pub(super) fn culprit(mut self, object: &ObjectRef) -> Self {
        self.finding.culprit = Some(object.clone());
        self
    }

    /// When it happened, for what no longer holds.
    pub(super) fn at(mut self, at: Option<Timestamp>) -> Self {
        self.finding.at = at;
        self
    }

    /// Proven by a field of an object, as the line `name: value` of its YAML.
    pub(super) fn field(self, object: &ObjectRef, name: &str, value: &str) -> Self {
        let source = ProofSource::Object(object.clone());
        let line = format!("{name}: {value}");
        match self.context.quotable(&source, &line) {
            // The line itself, or so much of a long value as the view writes in other quotes.
            Some(quote) if quote == line || quote.len() > 8 => self.proof(source, quote),
            _ if value.len() > 8 => self.words(source, value),
            _ => self,
        }
    }

    /// Proven by an event about an object.
    pub(super) fn event(self, event: &Event) -> Self {
        let about = event.about.clone();
        self.words(ProofSource::Events(about), &event.message)
    }

    /// Proven by a line of a log.
    pub(super) fn log(self, pod: &ObjectRef, container: &str, previous: bool, line: &str) -> Self {
        let source = ProofSource::Log { pod: pod.clone(), container: container.to_owned(), previous };
        self.words(source, line)
    }

    /// Proven by these words at a place; adds nothing where they don't occur there.
    pub(super) fn words(self, source: ProofSource, words: &str) -> Self {
        match self.context.quotable(&source, words) {
            Some(quote) => self.proof(source, quote),
            None => self,
        }
    }

    fn proof(mut self, source: ProofSource, quote: String) -> Self {
        let proof = Proof { source, quote };
        if !self.finding.proofs.contains(&proof) {
            self.finding.proofs.push(proof);
        }
        self
    }

    /// What would mend it, by a command that changes or restarts what is broken anyway and can be undone.
    pub(super) fn mend(self, title: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedy(title, Some(command.into()), Risk::Medium, true)
    }

    /// What to look at or do first, by a command that changes nothing that serves.
    pub(super) fn check(self, title: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedy(title, Some(command.into()), Risk::Low, true)
    }

    /// What would mend it.
    pub(super) fn remedy(
        mut self,
        title: impl Into<String>,
        command: Option<String>,
        risk: Risk,
        reversible: bool,
    ) -> Self {
        self.finding.remedies.push(Remedy { title: title.into(), command, risk, reversible });
        self
    }

    /// Ends it. What nothing proves is no finding.
    pub(super) fn into(self, findings: &mut Vec<Finding>) {
        if !self.finding.proofs.is_empty() {
            findings.push(self.finding);
        }
    }
}
