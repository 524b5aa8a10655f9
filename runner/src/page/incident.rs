//! One incident.

use marple_core::{Citation, EvidenceId, Link, Member, Remedy, SignalStatus};
use maud::{Markup, html};

use super::{moment, page, time};
use crate::render::{Story, View, clean, one_line, risk};
use crate::store::{EvidenceEntry, TimelineEntry};

/// What a page shows of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentPage {
    /// What is known of it.
    pub view: View,
    /// Its story, earliest first.
    pub timeline: Vec<TimelineEntry>,
    /// All its evidence, by title.
    pub evidence: Vec<EvidenceEntry>,
    /// The query that its links carry on; empty where none is needed.
    pub query: String,
}

/// The page of an incident.
pub fn incident(shown: &IncidentPage) -> String {
    let view = &shown.view;
    let story = Story::of(view);
    let conclusion = view.conclusion.as_ref();
    let body = html! {
        header {
            h1 { (story.mark.emoji()) " " (story.title) }
            p.lead { (story.summary) }
        }
        main {
            @if let Some(cause) = conclusion.and_then(|conclusion| conclusion.cause.as_ref()) {
                h2 { "Cause" }
                p { strong { (one_line(&cause.object.to_string())) } ": " (one_line(&cause.statement)) }
                (quotes(shown, &cause.citations))
            }
            @if let Some(impact) = &story.impact { h2 { "Impact" } p { (impact) } }
            @for entry in shown.evidence.iter().filter(|entry| entry.drawn) { (drawing(shown, entry)) }
            @if let Some(remedies) = conclusion.map(|conclusion| &conclusion.remedies).filter(|some| !some.is_empty()) {
                h2 { "What to do" }
                @for remedy in remedies { (advice(remedy)) }
            }
            @if let Some(chain) = conclusion.map(|conclusion| &conclusion.chain).filter(|some| !some.is_empty()) {
                h2 { "How it came about" }
                ol { @for link in chain { (step(shown, link)) } }
            }
            @if let Some(claims) = conclusion.map(|conclusion| &conclusion.ruled_out).filter(|some| !some.is_empty()) {
                h2 { "Ruled out" }
                ul { @for claim in claims { li { (one_line(&claim.statement)) (quotes(shown, &claim.citations)) } } }
            }
            @if let Some(unseen) = conclusion.map(|conclusion| &conclusion.unseen).filter(|some| !some.is_empty()) {
                h2 { "Not seen" }
                ul { @for unseen in unseen { li { (one_line(&unseen.what)) ": " (one_line(&unseen.why)) } } }
            }
            h2 { "Alerts" }
            ul {
                @for member in &view.members { (alert(member)) }
                @if view.more_members > 0 { li { "and " (view.more_members) " more" } }
            }
            h2 { "What happened" }
            ul { @for entry in &shown.timeline { li { (time(entry.at)) " " (one_line(&moment::words(&entry.moment))) } } }
            @if !shown.evidence.is_empty() {
                h2 { "Evidence" }
                ul { @for entry in &shown.evidence { li { (source(shown, entry.id, &entry.title)) " " span.facts { (size(entry.size)) } } } }
            }
        }
        footer {
            h2 { "Incident " (story.id) }
            p.facts {
                @if !story.by.is_empty() { (story.by) " · " }
                (story.count) " · since " (time(story.since))
                @if let Some(until) = story.until { " to " (time(until)) }
                " · cluster " (story.cluster)
            }
        }
    };
    page(&one_line(&story.title), &body)
}

fn step(shown: &IncidentPage, link: &Link) -> Markup {
    html! {
        li {
            strong { (one_line(&link.object.to_string())) } ": " (one_line(&link.statement))
            (quotes(shown, &link.citations))
        }
    }
}

fn advice(remedy: &Remedy) -> Markup {
    html! {
        p { (one_line(&remedy.title)) " " span.facts { "(" (risk(remedy)) ")" } }
        @if let Some(command) = &remedy.command { pre { (clean(command).trim()) } }
    }
}

fn quotes(shown: &IncidentPage, citations: &[Citation]) -> Markup {
    html! {
        @for citation in citations {
            @let title = shown.evidence.iter().find(|entry| entry.id == citation.evidence).map(|entry| entry.title.as_str());
            figure {
                pre { (clean(&citation.quote).trim()) }
                figcaption {
                    (source(shown, citation.evidence, title.unwrap_or_default()))
                    @if !citation.verified { " · " strong.lost { "not found in the evidence" } }
                }
            }
        }
    }
}

/// The address of something of the evidence: relative, for the address may have a path before it that only a proxy knows.
fn under(shown: &IncidentPage, path: &str) -> String {
    let query = if shown.query.is_empty() { String::new() } else { format!("?{}", shown.query) };
    format!("{}/evidence/{path}{query}", shown.view.incident.id)
}

/// The way to a piece of evidence.
fn source(shown: &IncidentPage, id: EvidenceId, title: &str) -> Markup {
    let address = format!("{}#quote", under(shown, &id.to_string()));
    html! { a href=(address) { (id) @if !title.is_empty() { " · " (one_line(title)) } } }
}

/// What a piece of evidence looks like.
fn drawing(shown: &IncidentPage, entry: &EvidenceEntry) -> Markup {
    html! {
        figure {
            img src=(under(shown, &format!("{}/drawing.svg", entry.id))) alt=(one_line(&entry.title));
            figcaption { (source(shown, entry.id, &entry.title)) }
        }
    }
}

fn alert(member: &Member) -> Markup {
    let object = member.subject.as_ref().map(|object| one_line(&object.to_string()));
    let state = match member.status {
        SignalStatus::Firing => "firing",
        SignalStatus::Resolved => "over",
    };
    html! {
        li {
            strong { (one_line(&member.name)) }
            @if let Some(object) = object { " " (object) }
            @if member.headline != member.name { ": " (one_line(&member.headline)) }
            " " span.facts { (state) " · since " (time(member.starts_at)) " · " (one_line(&member.reason.to_string())) }
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
