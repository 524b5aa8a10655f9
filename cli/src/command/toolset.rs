//! `marple toolset`: what can be used, and why the rest can't.

use std::sync::Arc;

use marple_tools::toolset::{Listing, State};
use marple_tools::{MemoryEvidence, evidence};
use tokio_util::sync::CancellationToken;

use crate::arguments::Toolset;
use crate::exit::Exit;
use crate::{connect, environment};

pub(super) async fn run(arguments: Toolset, cancel: CancellationToken) -> Exit {
    let Toolset::List { config, json } = arguments;
    let config = match environment::configuration(config.as_deref()) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    let tried = async {
        let toolsets = connect::sight(&config).await?.toolsets;
        toolsets.check().await;
        anyhow::Ok(toolsets.list())
    };
    let mut all = match cancel.run_until_cancelled(tried).await {
        None => return Exit::Interrupted,
        Some(Err(error)) => return Exit::Failed(error),
        Some(Ok(listings)) => listings,
    };
    all.push(of_evidence());
    if json {
        match serde_json::to_string_pretty(&all) {
            Ok(text) => println!("{text}"),
            Err(error) => return Exit::Failed(error.into()),
        }
    } else {
        print!("{}", table(&all));
    }
    Exit::Done
}

/// The toolset that each investigation has of its own.
fn of_evidence() -> Listing {
    let tools = evidence::tools(Arc::new(MemoryEvidence::default()));
    Listing {
        name: "evidence".to_owned(),
        description: "What was kept of the incident: pages and searches it.".to_owned(),
        state: State::On,
        reason: None,
        tools: tools.iter().map(|tool| tool.spec().name.to_string()).collect(),
        notes: Vec::new(),
    }
}

/// A few lines a toolset: name and state, then what it looks at or why it doesn't, its tools and notes.
fn table(all: &[Listing]) -> String {
    let width = all.iter().map(|one| one.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for one in all {
        let state = match one.state {
            State::On => "on ",
            State::Off => "off",
        };
        let mut lines = Vec::new();
        if one.state == State::On {
            lines.push(one.description.clone());
            lines.extend(one.reason.iter().map(|why| format!("failed just now: {why}")));
        } else {
            lines.extend(one.reason.clone());
        }
        if !one.tools.is_empty() {
            lines.push(one.tools.join(", "));
        }
        lines.extend(one.notes.iter().cloned());
        for (index, line) in lines.iter().enumerate() {
            let (name, state) = if index == 0 { (one.name.as_str(), state) } else { ("", "   ") };
            text += &format!("{name:width$}  {state}  {line}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_says_what_is_on_and_why_the_rest_is_off() {
        let on = Listing { notes: vec!["x is left out: y".to_owned()], ..of_evidence() };
        let off = Listing {
            name: "prometheus".to_owned(),
            description: "Metrics.".to_owned(),
            state: State::Off,
            reason: Some("no Prometheus is configured (`prometheus.url`)".to_owned()),
            tools: Vec::new(),
            notes: Vec::new(),
        };
        insta::assert_snapshot!(table(&[on, off]), @"
        evidence    on   What was kept of the incident: pages and searches it.
                         evidence_read, evidence_search
                         x is left out: y
        prometheus  off  no Prometheus is configured (`prometheus.url`)
        ");
    }
}
