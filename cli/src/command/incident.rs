//! `marple incident`: the incidents of a marple that serves, and a person's word on one.

use std::collections::BTreeSet;

use anyhow::Context;
use marple_core::{Evidence, Incident, IncidentStatus, Member};
use marple_runner::render::{self, Links, Stage, View};
use marple_runner::store::{Concluded, ConcludedBy};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Incident as Arguments, Judged, Server};
use crate::environment;
use crate::exit::Exit;
use crate::server::{self, ask};

pub(super) async fn run(arguments: Arguments, cancel: CancellationToken) -> Exit {
    let work = async {
        match arguments {
            Arguments::List { all, server } => list(&server, all).await,
            Arguments::Show { id, server } => show(&server, &id).await,
            Arguments::Acknowledge { id, by, server } => say(&server, &id, "acknowledge", by).await,
            Arguments::Investigate { id, server } => investigate(&server, &id).await,
            Arguments::Right(judged) => judge(judged, "right").await,
            Arguments::Partly(judged) => judge(judged, "partly").await,
            Arguments::Wrong(judged) => judge(judged, "wrong").await,
            Arguments::Resolve { id, by, server } => say(&server, &id, "resolve", by).await,
        }
    };
    server::work(work, &cancel).await
}

async fn list(server: &Server, all: bool) -> anyhow::Result<()> {
    let wanted = if all { "limit=200" } else { "status=open,acknowledged&limit=500" };
    let incidents = ask(server, Method::GET, &format!("/api/incidents?{wanted}"), None).await?;
    let incidents: Vec<Incident> = serde_json::from_value(incidents).context("the answer is no list of incidents")?;
    if incidents.is_empty() {
        println!("Nothing is open.");
    }
    for incident in incidents {
        println!(
            "{}  {:12}  {:8}  {}  {}",
            incident.id.short(),
            state(incident.status),
            incident.severity.as_str(),
            incident.opened_at.strftime("%Y-%m-%d %H:%M"),
            render::one_line(&incident.title)
        );
    }
    Ok(())
}

/// What the API tells of one incident, as far as it is shown.
#[derive(Deserialize)]
struct Shown {
    incident: Incident,
    members: Vec<Member>,
    conclusion: Option<Concluded>,
}

async fn show(server: &Server, id: &str) -> anyhow::Result<()> {
    let shown = ask(server, Method::GET, &format!("/api/incidents/{}", plain(id)), None).await?;
    let Shown { incident, members, conclusion } = serde_json::from_value(shown).context("the answer is no incident")?;
    let mut cited: Vec<Evidence> = Vec::new();
    let citations = conclusion.iter().flat_map(|concluded| concluded.conclusion.citations());
    for evidence in citations.map(|citation| citation.evidence).collect::<BTreeSet<_>>() {
        let one =
            ask(server, Method::GET, &format!("/api/incidents/{}/evidence/{evidence}", incident.id), None).await?;
        cited.push(serde_json::from_value(one).context("the answer is no evidence")?);
    }
    let by = conclusion.as_ref().map(|concluded| concluded.by);
    let stage = match by {
        None => Stage::Capturing,
        Some(ConcludedBy::Rules) => Stage::RulesOnly,
        Some(ConcludedBy::Agent) => Stage::Concluded,
    };
    let told = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let view = View {
        cluster: server.url.clone(),
        more_members: incident.signals.saturating_sub(told),
        incident,
        members,
        conclusion: conclusion.map(|concluded| concluded.conclusion),
        by,
        stage,
        cited,
        drawing: None,
        links: Links::default(),
    };
    println!("{}", render::terminal(&view, environment::width(), environment::colour()));
    Ok(())
}

async fn say(server: &Server, id: &str, what: &str, by: Option<String>) -> anyhow::Result<()> {
    let by = by.or_else(|| environment::variable("USER"));
    let body = by.map_or_else(|| json!({}), |by| json!({ "by": by }));
    let path = format!("/api/incidents/{}/{what}", plain(id));
    let answer: Value = ask(server, Method::POST, &path, Some(&body)).await?;
    let incident: Incident = serde_json::from_value(answer).context("the answer is no incident")?;
    let done = match what {
        "resolve" => "is over; what still holds opens it again when it is told anew",
        _ => "is taken",
    };
    println!("{} {} {done}.", incident.id.short(), render::one_line(&incident.title));
    Ok(())
}

async fn investigate(server: &Server, id: &str) -> anyhow::Result<()> {
    ask(server, Method::POST, &format!("/api/incidents/{}/investigate", plain(id)), None).await?;
    println!("{} is looked into; `marple incident show {}` tells what comes of it.", plain(id), plain(id));
    Ok(())
}

async fn judge(judged: Judged, verdict: &str) -> anyhow::Result<()> {
    let Judged { id, was, by, server } = judged;
    let by = by.or_else(|| environment::variable("USER"));
    let body = json!({ "verdict": verdict, "was": was, "by": by });
    ask(&server, Method::POST, &format!("/api/incidents/{}/feedback", plain(&id)), Some(&body)).await?;
    println!("Noted. What comes that is like it is told of it.");
    if verdict == "wrong" {
        println!("`marple eval add-case` makes a case of it, to measure by.");
    }
    Ok(())
}

/// An id without what would be another path.
pub(super) fn plain(id: &str) -> String {
    id.trim().trim_start_matches('#').chars().filter(|letter| letter.is_ascii_hexdigit() || *letter == '-').collect()
}

const fn state(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::Acknowledged => "acknowledged",
        IncidentStatus::Resolved => "resolved",
        IncidentStatus::Merged => "merged",
    }
}
