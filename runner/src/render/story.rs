//! What is said of an incident: which facts, in which order, how much of each.

use jiff::Timestamp;
use marple_core::{
    Conclusion, Confidence, IncidentStatus, Link, Member, ObjectRef, Remedy, Resolution, Risk, Severity, SignalStatus,
    Verdict,
};

use super::quote::{Quote, quotes, squeezed, telling};
use super::text::{bounded, clean, one_line};
use super::{Stage, View};
use crate::store::ConcludedBy;

const STATEMENT_LIMIT: usize = 600;
const LINE_LIMIT: usize = 220;
/// A command that was cut would be run as it is, so it is shown whole or not at all.
const COMMAND_LIMIT: usize = 1_500;
const CHAIN: usize = 6;
const REMEDIES: usize = 6;
const RULED_OUT: usize = 8;
const UNSEEN: usize = 4;
const ALERTS: usize = 25;

/// What is to be seen at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Users are affected or soon will be.
    Critical,
    /// Should be looked at.
    Warning,
    /// For the record.
    Info,
    /// Nothing is broken.
    NoFault,
    /// It has ended.
    Resolved,
    /// It is told elsewhere.
    Merged,
}

impl Mark {
    /// As one character.
    pub const fn emoji(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            Self::Warning => "🟠",
            Self::Info => "🔵",
            Self::NoFault => "⚪",
            Self::Resolved => "✅",
            Self::Merged => "🔗",
        }
    }
}

/// The cause in one line, and what is wrong with it where the summary doesn't say so already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseLine {
    /// The object.
    pub object: String,
    /// What follows its name: empty, or a colon or space and what is wrong with it.
    pub rest: String,
}

/// One link of the chain from symptom to cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object, where the statement doesn't begin with it.
    pub object: Option<String>,
    /// What is so with it.
    pub statement: String,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What, in one sentence.
    pub title: String,
    /// The command, whole.
    pub command: Option<String>,
    /// What it may break, in words.
    pub risk: &'static str,
}

/// The alerts, as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Each on a line, with its rule's address where it has one.
    pub lines: Vec<(String, Option<String>)>,
    /// How many more there are.
    pub more: u32,
}

/// What is said of an incident. All texts are clean and bounded; none is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What is to be seen at a glance.
    pub mark: Mark,
    /// State, object and what, on one line.
    pub title: String,
    /// The cause, or what is known, in one or two sentences.
    pub summary: String,
    /// The cause.
    pub cause: Option<CauseLine>,
    /// Who or what suffers.
    pub impact: Option<String>,
    /// The most telling quotes.
    pub telling: Vec<Quote>,
    /// What to do first.
    pub first: Option<Advice>,
    /// From symptom to cause.
    pub chain: Vec<Step>,
    /// How sure it is and who says so.
    pub by: String,
    /// What could not be looked at.
    pub unseen: Option<String>,
    /// How many alerts, and how many hold.
    pub count: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// The cluster.
    pub cluster: String,
    /// The short name of the incident.
    pub id: String,
    /// Its address.
    pub link: Option<String>,
    /// Every quote.
    pub quotes: Vec<Quote>,
    /// How many quotes are left out.
    pub more_quotes: usize,
    /// What else to do.
    pub others: Vec<Advice>,
    /// What was suspected and is not the cause.
    pub ruled_out: Vec<String>,
    /// The alerts.
    pub alerts: Alerts,
}

impl Story {
    /// What is said of this incident.
    pub fn of(view: &View) -> Self {
        let incident = &view.incident;
        let conclusion = view.conclusion.as_ref().filter(|_| incident.status != IncidentStatus::Merged);
        let mark = mark(view);
        let (quotes, more_quotes) = quotes(view, conclusion);
        let mut remedies = conclusion.iter().flat_map(|conclusion| &conclusion.remedies).map(remedy);
        Self {
            mark,
            title: title(view, mark),
            summary: summary(view, conclusion),
            cause: conclusion.and_then(cause),
            impact: conclusion.map(|conclusion| line(&conclusion.impact)).filter(|impact| !impact.is_empty()),
            telling: telling(view, conclusion),
            first: remedies.next(),
            chain: conclusion.map(|conclusion| chain(&conclusion.chain)).unwrap_or_default(),
            by: by(view, conclusion),
            unseen: conclusion.and_then(unseen),
            count: count(incident.signals, incident.firing),
            since: incident.starts_at,
            until: incident.resolved_at,
            cluster: line(&view.cluster),
            id: incident.id.short(),
            link: view.link(),
            quotes,
            more_quotes,
            others: remedies.take(REMEDIES).collect(),
            ruled_out: conclusion.map(ruled_out).unwrap_or_default(),
            alerts: alerts(view),
        }
    }

    /// The one line for a telephone's lock screen: what is broken and why.
    pub fn notification(&self) -> String {
        format!("{} {}: {}", self.mark.emoji(), self.title, bounded(&self.summary, 300))
    }
}

fn line(text: &str) -> String {
    bounded(&one_line(text), LINE_LIMIT).into_owned()
}

fn statement(text: &str) -> String {
    bounded(&one_line(text), STATEMENT_LIMIT).into_owned()
}

fn mark(view: &View) -> Mark {
    let no_fault = view.conclusion.as_ref().is_some_and(|conclusion| conclusion.verdict == Verdict::NoFault);
    match (view.incident.status, view.incident.severity) {
        (IncidentStatus::Resolved, _) => Mark::Resolved,
        (IncidentStatus::Merged, _) => Mark::Merged,
        _ if no_fault => Mark::NoFault,
        (_, Severity::Critical) => Mark::Critical,
        (_, Severity::Warning) => Mark::Warning,
        (_, Severity::Info) => Mark::Info,
    }
}

fn title(view: &View, mark: Mark) -> String {
    let what = line(&view.incident.title);
    let ended_by;
    let state = match (mark, view.incident.status) {
        (Mark::Resolved, _) => match &view.incident.resolution {
            None => "Resolved",
            Some(Resolution::Silence) => "Not heard of any more",
            Some(Resolution::Person { name }) => {
                ended_by = format!("Resolved by {}", line(name));
                &ended_by
            }
        },
        (Mark::Merged, _) => "Merged",
        (Mark::NoFault, _) => "No fault",
        (_, IncidentStatus::Acknowledged) => "Acknowledged",
        _ => return what,
    };
    format!("{state} · {what}")
}

fn summary(view: &View, conclusion: Option<&Conclusion>) -> String {
    if let Some(into) = view.incident.merged_into {
        return format!("Part of incident {}: the cause is told there.", into.short());
    }
    let Some(conclusion) = conclusion else {
        let first = view.members.first().map(|member| line(&member.headline)).unwrap_or_default();
        let first = if first.is_empty() { line(&view.incident.title) } else { first };
        return match view.stage {
            Stage::Capturing => format!("{first}\nLooking at the cluster now."),
            Stage::Investigating => format!("{first}\nNo rule knows this; the model is looking."),
            Stage::RulesOnly => format!("{first}\nNo rule knows this, and no model is set."),
            Stage::Concluded => format!("{first}\nNothing was concluded."),
        };
    };
    let said = statement(&conclusion.summary);
    match conclusion.verdict {
        Verdict::Inconclusive => format!("No cause established. {said}"),
        Verdict::Fault | Verdict::NoFault => said,
    }
}

fn cause(conclusion: &Conclusion) -> Option<CauseLine> {
    let cause = conclusion.cause.as_ref()?;
    let told = squeezed(&conclusion.summary);
    let new = |sentence: &&str| !told.contains(&squeezed(sentence));
    let said = statement(&cause.statement);
    let said: Vec<&str> = said.split_inclusive(". ").filter(new).map(str::trim).collect();
    let said = said.join(" ");
    let object = line(&cause.object.to_string());
    let rest = match said.strip_prefix(&object) {
        _ if said.is_empty() => String::new(),
        Some(predicate) if predicate.starts_with(' ') => predicate.to_owned(),
        _ => format!(": {said}"),
    };
    Some(CauseLine { object, rest })
}

/// What a remedy may break, in words.
pub(crate) const fn risk(remedy: &Remedy) -> &'static str {
    match (remedy.risk, remedy.reversible) {
        (Risk::Low, true) => "low risk, can be undone",
        (Risk::Low, false) => "low risk, can't be undone",
        (Risk::Medium, true) => "medium risk, can be undone",
        (Risk::Medium, false) => "medium risk, can't be undone",
        (Risk::High, true) => "high risk, can be undone",
        (Risk::High, false) => "high risk, can't be undone",
    }
}

fn remedy(remedy: &Remedy) -> Advice {
    let risk = risk(remedy);
    let command = remedy.command.as_deref().map(|command| clean(command).trim().to_owned());
    let command = command.filter(|command| !command.is_empty()).map(|command| {
        if super::width(&command) <= COMMAND_LIMIT { command } else { "# too long for a message".to_owned() }
    });
    Advice { title: statement(&remedy.title), command, risk }
}

fn chain(links: &[Link]) -> Vec<Step> {
    let step = |link: &Link| {
        let object = (!is_whole(&link.statement, &link.object)).then(|| line(&link.object.to_string()));
        Step { object, statement: line(&link.statement) }
    };
    if links.len() <= CHAIN {
        return links.iter().map(step).collect();
    }
    // The ends tell the most.
    let (head, tail) = (CHAIN / 2, CHAIN / 2 - 1);
    let left_out = links.len() - head - tail;
    let gap = Step { object: None, statement: format!("… {left_out} more …") };
    let last = links.iter().skip(links.len() - tail).map(step);
    links.iter().take(head).map(step).chain(std::iter::once(gap)).chain(last).collect()
}

/// Whether a statement is a sentence of its own that says which object it is about, by its name or by another's in full,
/// as `Deployment shop/cart`.
fn is_whole(statement: &str, object: &ObjectRef) -> bool {
    let names = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()) == object.name || word.contains('/');
    statement.starts_with(char::is_uppercase) && statement.split(' ').take(8).any(names)
}

fn by(view: &View, conclusion: Option<&Conclusion>) -> String {
    let Some(conclusion) = conclusion else {
        return String::new();
    };
    let who = match (view.by, view.stage) {
        (Some(ConcludedBy::Agent), _) => "found by the model",
        (_, Stage::Investigating) => "found by rules; the model is still looking",
        (_, Stage::RulesOnly) => "found by rules, without a model",
        _ => "found by rules",
    };
    let sure = match (conclusion.verdict, conclusion.confidence) {
        (Verdict::Inconclusive, _) => "no cause established",
        (_, Confidence::High) => "high confidence",
        (_, Confidence::Medium) => "medium confidence",
        (_, Confidence::Low) => "low confidence",
    };
    let total = conclusion.citations().count();
    let lost = conclusion.citations().filter(|citation| !citation.verified).count();
    match (total, lost) {
        (0, _) => format!("{sure}, {who}"),
        (_, 0) => format!("{sure}, {who}, every quote checked"),
        (total, lost) => format!("{sure}, {who}, {lost} of {total} quotes not found in the evidence"),
    }
}

fn unseen(conclusion: &Conclusion) -> Option<String> {
    let shown: Vec<String> = conclusion
        .unseen
        .iter()
        .take(UNSEEN)
        .map(|unseen| match (line(&unseen.what), line(&unseen.why)) {
            (what, why) if why.is_empty() => what,
            (what, why) => format!("{what} ({why})"),
        })
        .collect();
    let more = conclusion.unseen.len().saturating_sub(UNSEEN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join("; ")))
}

fn count(signals: u32, firing: u32) -> String {
    let alerts = if signals == 1 { "1 alert".to_owned() } else { format!("{signals} alerts") };
    match firing {
        0 => format!("{alerts}, none firing"),
        firing if firing == signals => alerts,
        firing => format!("{alerts}, {firing} firing"),
    }
}

fn ruled_out(conclusion: &Conclusion) -> Vec<String> {
    let more = conclusion.ruled_out.len().saturating_sub(RULED_OUT);
    let shown = conclusion.ruled_out.iter().take(RULED_OUT).map(|claim| statement(&claim.statement));
    shown.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

fn alerts(view: &View) -> Alerts {
    let lines: Vec<_> = view.members.iter().take(ALERTS).map(alert).collect();
    let hidden = view.members.len().saturating_sub(lines.len());
    Alerts { lines, more: view.more_members.saturating_add(u32::try_from(hidden).unwrap_or(u32::MAX)) }
}

fn alert(member: &Member) -> (String, Option<String>) {
    let state = match member.status {
        SignalStatus::Firing => member.severity.as_str(),
        SignalStatus::Resolved => "resolved",
    };
    let about = member.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
    let headline = if member.headline == member.name { String::new() } else { format!(" — {}", member.headline) };
    let text = line(&format!("{state} {}{about}{headline}", member.name));
    (text, member.generator_url.as_deref().and_then(address))
}

/// The address where it is one that may be shown as a link: of the web, and without what would end a link early.
fn address(url: &str) -> Option<String> {
    let web = url.starts_with("http://") || url.starts_with("https://");
    let plain = url.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '|' | '"' | '`'));
    (web && plain && url.len() <= 1_500).then(|| url.to_owned())
}
