//! The case as the first message tells it: findings first, in few words, what was left out counted.

use std::borrow::Cow;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Citation, Finding, IncidentStatus, Member, SignalStatus, Verdict};
use serde::Serialize;

use super::kept;
use crate::case::Small;
use crate::context::without;
use crate::{Case, Mode, Remembered};

/// How much of a case is told: windows differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// How many kinds of signals are named.
    signals: usize,
    /// How many findings are told, the worst first.
    findings: usize,
    /// How many pieces of evidence are named one by one.
    evidence: usize,
    /// Whether small pieces are shown whole.
    small: bool,
}

impl Detail {
    /// From all that is worth telling to what must be.
    pub(crate) const LEVELS: [Self; 3] = [
        Self { signals: 12, findings: 20, evidence: 40, small: true },
        Self { signals: 6, findings: 8, evidence: 12, small: false },
        Self { signals: 3, findings: 4, evidence: 4, small: false },
    ];
}

/// How many objects of one kind of signal, or of the incident, are named.
const OBJECTS: usize = 5;
/// How many earlier questions are told, the latest.
const EARLIER: usize = 6;
/// The longest earlier answer, in characters.
const ANSWER: usize = 2_000;
/// The longest quote or statement, in characters.
const WORDS: usize = 300;

/// What the template `case.j2` is given.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Brief {
    fence: String,
    mode: Mode,
    question: Option<String>,
    earlier: Vec<Earlier>,
    cluster: Option<String>,
    now: String,
    incident: Option<Head>,
    signals: Vec<String>,
    more_signals: usize,
    findings: Vec<String>,
    more_findings: usize,
    rules: Option<String>,
    unseen: Vec<String>,
    remembered: Vec<String>,
    evidence: Vec<String>,
    more_evidence: usize,
    evidence_groups: Vec<String>,
    small: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Earlier {
    question: String,
    answer: String,
}

#[derive(Clone, Debug, Serialize)]
struct Head {
    title: String,
    severity: &'static str,
    status: &'static str,
    began: String,
    objects: String,
}

impl Brief {
    /// The case at a time, with the small pieces of evidence that are shown whole. `fence` is the name of the fences, whose
    /// marks no text of the case may hold.
    pub(crate) fn of(case: &Case, small: &[Small], detail: Detail, fence: &str, now: Timestamp) -> Self {
        let (signals, more_signals) = signals(&case.members, detail.signals, now);
        let small = if detail.small { small } else { &[] };
        let mut worst: Vec<&Finding> = case.findings.iter().collect();
        worst.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let (titles, rest) = case.evidence.split_at(case.evidence.len().min(detail.evidence));
        let brief = Self {
            fence: fence.to_owned(),
            mode: case.mode,
            question: case.question.clone(),
            earlier: case
                .earlier
                .iter()
                .skip(case.earlier.len().saturating_sub(EARLIER))
                .map(|one| Earlier { question: short(&one.question), answer: cut(&one.answer, ANSWER) })
                .collect(),
            cluster: case.cluster_name.clone(),
            now: time(now),
            incident: case.incident.as_ref().map(|incident| Head {
                title: incident.title.clone(),
                severity: incident.severity.as_str(),
                status: status(incident.status),
                began: since(incident.starts_at, now),
                objects: list(incident.objects.iter().map(ToString::to_string)),
            }),
            signals,
            more_signals,
            findings: worst.iter().take(detail.findings).map(|finding| told(finding, now)).collect(),
            more_findings: worst.len().saturating_sub(detail.findings),
            rules: (case.rules.verdict != Verdict::Inconclusive).then(|| case.rules.summary.clone()),
            unseen: case.rules.unseen.iter().map(|one| format!("{}: {}", one.what, short(&one.why))).collect(),
            remembered: case.remembered.iter().map(|one| hint(one, now)).collect(),
            evidence: titles
                .iter()
                .map(|one| format!("{} {} ({})", one.id, short(&one.title), size(one.size)))
                .collect(),
            more_evidence: rest.len(),
            evidence_groups: kept::grouped(rest).iter().map(|group| short(group)).collect(),
            small: small.iter().map(|one| kept::whole(one, &case.evidence)).collect(),
        };
        brief.harmless(fence)
    }

    /// The same where no text from outside holds the fences' name.
    fn harmless(mut self, fence: &str) -> Self {
        let clean = |text: &mut String| {
            if let Cow::Owned(cleaned) = without(fence, text) {
                *text = cleaned;
            }
        };
        let evidence = [&mut self.remembered, &mut self.evidence, &mut self.evidence_groups, &mut self.small];
        let lists = [&mut self.signals, &mut self.findings, &mut self.unseen].into_iter().chain(evidence);
        lists.flatten().chain(&mut self.rules).chain(&mut self.cluster).chain(&mut self.question).for_each(clean);
        self.earlier.iter_mut().flat_map(|one| [&mut one.question, &mut one.answer]).for_each(clean);
        if let Some(head) = &mut self.incident {
            [&mut head.title, &mut head.objects].into_iter().for_each(clean);
        }
        self
    }

    /// A full and an empty one, to try templates with.
    pub(super) fn samples() -> [Self; 2] {
        let empty = Self {
            fence: "data-0".to_owned(),
            mode: Mode::Answer,
            question: Some("Why is cart slow?".to_owned()),
            earlier: Vec::new(),
            cluster: None,
            now: time(Timestamp::UNIX_EPOCH),
            incident: None,
            signals: Vec::new(),
            more_signals: 0,
            findings: Vec::new(),
            more_findings: 0,
            rules: None,
            unseen: Vec::new(),
            remembered: Vec::new(),
            evidence: Vec::new(),
            more_evidence: 0,
            evidence_groups: Vec::new(),
            small: Vec::new(),
        };
        let line = || vec!["one".to_owned()];
        let full = Self {
            mode: Mode::Conclude,
            question: None,
            earlier: vec![Earlier { question: "Is cart well?".to_owned(), answer: "No.".to_owned() }],
            cluster: Some("prod".to_owned()),
            incident: Some(Head {
                title: "Deployment shop/cart: KubePodCrashLooping".to_owned(),
                severity: "critical",
                status: "open",
                began: "then".to_owned(),
                objects: "Deployment shop/cart".to_owned(),
            }),
            signals: line(),
            more_signals: 1,
            findings: line(),
            more_findings: 1,
            rules: Some("cart lacks its ConfigMap".to_owned()),
            unseen: line(),
            remembered: line(),
            evidence: line(),
            more_evidence: 1,
            evidence_groups: line(),
            small: line(),
            ..empty.clone()
        };
        [empty, full]
    }
}

/// One line for each name and status of signals, and how many such were left out.
fn signals(members: &[Member], most: usize, now: Timestamp) -> (Vec<String>, usize) {
    let mut order: Vec<(&str, SignalStatus)> = Vec::new();
    let mut groups: BTreeMap<(&str, bool), Vec<&Member>> = BTreeMap::new();
    for member in members {
        let firing = member.status == SignalStatus::Firing;
        let group = groups.entry((member.name.as_str(), firing)).or_default();
        if group.is_empty() {
            order.push((member.name.as_str(), member.status));
        }
        group.push(member);
    }
    let lines = order.iter().take(most).filter_map(|(name, status)| {
        let group = groups.get(&(*name, *status == SignalStatus::Firing))?;
        let first = group.iter().min_by_key(|member| member.starts_at)?;
        let count = if group.len() > 1 { format!(" ×{}", group.len()) } else { String::new() };
        let state = if *status == SignalStatus::Firing { "firing" } else { "resolved" };
        let subjects = list(group.iter().filter_map(|member| member.subject.as_ref()).map(ToString::to_string));
        let headline =
            if first.headline == first.name { String::new() } else { format!(": {}", short(&first.headline)) };
        let about = if subjects.is_empty() { String::new() } else { format!(", {subjects}") };
        Some(format!(
            "{name}{count}, {}, {state} since {}{about}{headline}",
            first.severity.as_str(),
            since(first.starts_at, now)
        ))
    });
    (lines.collect(), order.len().saturating_sub(most))
}

fn told(finding: &Finding, now: Timestamp) -> String {
    let about = format!("{} {}: {}", finding.condition, finding.object, short(finding.statement.trim_end_matches('.')));
    let culprit = finding.culprit.as_ref().filter(|culprit| **culprit != finding.object);
    let culprit = culprit.map(|culprit| format!("; lies in {culprit}")).unwrap_or_default();
    let at = finding.at.map(|at| format!("; at {}", since(at, now))).unwrap_or_default();
    // One proof is enough to cite; the others are a look at the same evidence away.
    let proof =
        finding.citations.first().map(|Citation { evidence, quote, .. }| format!(" [{evidence}] {}", short(quote)));
    [about, culprit, at, proof.unwrap_or_default()].concat()
}

fn hint(one: &Remembered, now: Timestamp) -> String {
    let said = one.said.as_ref().map(|said| format!("; said afterwards by {}", short(said))).unwrap_or_default();
    format!("{}, began {}; concluded: {}{said}", short(&one.title), since(one.began, now), short(&one.concluded))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    let more = distinct.len().saturating_sub(OBJECTS);
    distinct.truncate(OBJECTS);
    let text = distinct.join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// On one line and of bounded length, with an ellipsis that a citation may hold.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, WORDS)
}

/// Cut between two words where there are any in the second half.
fn cut(text: &str, most: usize) -> String {
    let Some((at, next)) = text.char_indices().nth(most) else { return text.to_owned() };
    let head = text.get(..at).unwrap_or(text);
    let word = head.rfind(char::is_whitespace).filter(|word| !next.is_whitespace() && *word * 2 > head.len());
    format!("{} …", word.and_then(|word| head.get(..word)).unwrap_or(head).trim_end())
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn since(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(at).max(SignedDuration::ZERO).as_mins();
    let ago = match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    };
    format!("{} ({ago} ago)", time(at))
}

fn size(bytes: usize) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { format!("{} KiB", bytes / 1024) }
}

fn status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::Acknowledged => "acknowledged",
        IncidentStatus::Resolved => "resolved",
        IncidentStatus::Merged => "merged",
    }
}
