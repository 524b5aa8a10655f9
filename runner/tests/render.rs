//! What people read, in Slack and in a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod views;

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use marple_core::{Period, Secret};
use marple_runner::render::{View, terminal};
use marple_runner::sinks::{Attempt, ProgressError, ReceiptProgress, Sink, SlackConfig, SlackSink, client};
use marple_tests::slack::{SlackDouble, SlackMessage};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

struct Unkept;

#[async_trait]
impl ReceiptProgress for Unkept {
    async fn save(&self, _: &Value) -> Result<(), ProgressError> {
        Ok(())
    }
}

fn sink(double: &SlackDouble) -> SlackSink {
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = SlackConfig {
        token: Secret::new(&double.token),
        channel: double.channel.clone(),
        api_url: double.url.clone(),
        interval: Period::from(Duration::ZERO),
        timeout: Period::seconds(5),
    };
    SlackSink::new("team", &config, client().unwrap())
}

fn attempt(view: &View) -> Attempt {
    Attempt {
        key: format!("{}.team.1", view.incident.id),
        first_started_at: view.incident.opened_at,
        maybe_sent: false,
        number: 1,
    }
}

/// The messages as a reader sees them, with the kind of each block before it.
fn transcript(messages: &[SlackMessage]) -> String {
    let mut text = String::new();
    for message in messages {
        let place = if message.thread_ts.is_some() { "thread" } else { "channel" };
        writeln!(text, "══ {place}: {}", message.text).unwrap();
        for block in &message.blocks {
            let body = block["text"]["text"].as_str().or_else(|| block["elements"][0]["text"].as_str()).unwrap();
            writeln!(text, "── {}\n{body}", block["type"].as_str().unwrap()).unwrap();
        }
    }
    text
}

#[tokio::test]
async fn slack_shows_each_stage_of_an_incident() {
    for (name, view) in views::all() {
        let double = SlackDouble::start().await;
        sink(&double).deliver(&view, None, &attempt(&view), &Unkept).await.unwrap();
        double.assert_clean();
        if name != "enormous" {
            insta::assert_snapshot!(format!("slack_{name}"), transcript(&double.messages()));
        }
    }
}

#[test]
fn a_terminal_shows_each_stage_of_an_incident() {
    for (name, view) in views::all() {
        let shown = terminal(&view, 100, false);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{name}");
        if name != "enormous" {
            insta::assert_snapshot!(format!("terminal_{name}"), shown);
        }
    }
    insta::assert_snapshot!("terminal_coloured", terminal(&views::agent(), 80, true).replace('\u{1b}', "ESC"));
}

#[test]
fn a_command_is_whole_or_absent_for_half_of_one_would_be_run() {
    let view = views::enormous();
    let shown = terminal(&view, 100, false);
    assert!(!shown.contains("kubectl-that-is-cut"));
    assert!(shown.contains(&"&".repeat(1_400)));
}

/// Texts as tools and models may give them: plain, in other writings, and made to do harm.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!channel>".to_owned()),
        Just("```".to_owned()),
        Just("``".to_owned()),
        Just("&amp;<".to_owned()),
        Just("\u{1b}[31m\u{202e}\0".to_owned()),
        Just("<https://evil.example|x>".to_owned()),
        Just("\n".to_owned()),
        Just("😀".to_owned()),
        "[ -~]{0,30}",
        "\\PC{0,30}",
        any::<String>(),
    ];
    (prop::collection::vec(piece, 0..6), prop_oneof![4 => Just(1_usize), 1 => 1..200_usize])
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

/// Any incident: one of the examples, with its texts and numbers exchanged.
fn view() -> impl Strategy<Value = View> {
    let texts = prop::collection::vec(text(), 12);
    (0..views::usual().len(), texts, 0..40_usize, any::<bool>(), any::<u32>()).prop_map(
        |(which, texts, many, verified, count)| {
            let mut view = views::usual().swap_remove(which).1;
            let mut texts = texts.into_iter().cycle();
            let mut text = || texts.next().unwrap();
            view.cluster = text();
            view.incident.title = text();
            view.incident.signals = count;
            view.more_members = count;
            let first = view.members[0].clone();
            view.members = vec![first; many];
            for member in &mut view.members {
                member.headline = text();
                member.name = text();
                member.generator_url = Some(format!("https://x/{}", text()));
            }
            for evidence in &mut view.cited {
                evidence.title = text();
            }
            let Some(conclusion) = &mut view.conclusion else { return view };
            conclusion.summary = text();
            conclusion.impact = text();
            for citation in conclusion.citations_mut() {
                citation.quote = text();
                citation.verified = verified;
            }
            for link in &mut conclusion.chain {
                link.statement = text();
                link.object.name = text();
            }
            for remedy in &mut conclusion.remedies {
                remedy.title = text();
                remedy.command = Some(text());
            }
            for claim in &mut conclusion.ruled_out {
                claim.statement = text();
            }
            view
        },
    )
}

#[test]
fn any_incident_is_a_message_that_slack_takes_and_that_disturbs_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    runner
        .run(&view(), |view| {
            runtime.block_on(async {
                let double = SlackDouble::start().await;
                let sink = sink(&double);
                let receipt = sink.deliver(&view, None, &attempt(&view), &Unkept).await;
                let receipt = receipt.map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(double.violations(), Vec::<String>::new());
                let calls = double.messages().len();
                // The same again changes nothing and asks Slack nothing.
                sink.deliver(&view, Some(&receipt), &attempt(&view), &Unkept).await.unwrap();
                prop_assert_eq!(double.calls(marple_tests::slack::Call::Post), calls);
                prop_assert_eq!(double.calls(marple_tests::slack::Call::Update), 0);
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn any_incident_fits_a_terminal_and_does_nothing_to_it() {
    let mut runner = TestRunner::new(Config { cases: 128, failure_persistence: None, ..Config::default() });
    runner
        .run(&view(), |view| {
            let shown = terminal(&view, 60, false);
            prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
            Ok(())
        })
        .unwrap();
}
