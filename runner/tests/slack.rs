//! What Slack answers and what becomes of the message: each fault once, then Slack is well again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod views;

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use marple_core::{EvidenceId, Period, Secret};
use marple_runner::render::View;
use marple_runner::sinks::{Attempt, ProgressError, ReceiptProgress, Sink, SinkError, SlackConfig, SlackSink, client};
use marple_runner::store::Drawing;
use marple_tests::slack::{Call, Fault, SlackDouble, SlackMessage};
use serde_json::Value;

/// Keeps the receipt as the outbox would.
#[derive(Default)]
struct Kept(Mutex<Option<Value>>);

impl Kept {
    fn receipt(&self) -> Option<Value> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl ReceiptProgress for Kept {
    async fn save(&self, receipt: &Value) -> Result<(), ProgressError> {
        *self.0.lock().unwrap() = Some(receipt.clone());
        Ok(())
    }
}

/// A double, the sink that speaks to it, and the receipt.
struct Channel {
    double: SlackDouble,
    sink: SlackSink,
    kept: Kept,
}

impl Channel {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let double = SlackDouble::start().await;
        let config = SlackConfig {
            token: Secret::new(&double.token),
            channel: double.channel.clone(),
            api_url: double.url.clone(),
            interval: Period::from(Duration::ZERO),
            timeout: Period::from(Duration::from_millis(500)),
        };
        let sink = SlackSink::new("team", &config, client().unwrap());
        Self { double, sink, kept: Kept::default() }
    }

    async fn deliver(&self, view: &View, number: u32, maybe_sent: bool) -> Result<Value, SinkError> {
        let attempt = Attempt {
            key: format!("{}.team.{}", view.incident.id, view.incident.revision),
            first_started_at: jiff::Timestamp::now(),
            maybe_sent,
            number,
        };
        self.sink.deliver(view, self.kept.receipt().as_ref(), &attempt, &self.kept).await
    }

    /// The messages of the channel itself.
    fn told(&self) -> Vec<SlackMessage> {
        self.double.messages().into_iter().filter(|message| message.thread_ts.is_none()).collect()
    }

    /// Fails the first post so, then heals and tries again; gives the error.
    async fn after(fault: Fault) -> (Self, SinkError) {
        let channel = Self::new().await;
        let view = views::rules_only();
        channel.double.fail(Some(Call::Post), fault);
        let error = channel.deliver(&view, 1, false).await.unwrap_err();
        channel.double.heal();
        channel.deliver(&view, 2, error.maybe_sent()).await.unwrap();
        channel.double.assert_clean();
        (channel, error)
    }
}

#[tokio::test]
async fn too_many_requests_are_answered_with_the_wait_that_slack_asks_for() {
    let (channel, error) = Channel::after(Fault::TooMany(7)).await;
    let SinkError::Retry { after, maybe_sent, .. } = error else { panic!("{error:?}") };
    assert_eq!((after, maybe_sent), (Some(Duration::from_secs(7)), false));
    assert_eq!(channel.told().len(), 1);
}

#[tokio::test]
async fn a_server_error_a_hang_and_a_cut_connection_are_tried_again_and_the_message_stands_once() {
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Hang,
        Fault::Cut,
        Fault::LoseAnswer,
        Fault::DoThenHang,
        Fault::DoThenStatus(502),
    ];
    for fault in faults {
        let what = format!("{fault:?}");
        let (channel, error) = Channel::after(fault).await;
        assert!(matches!(error, SinkError::Retry { .. }), "{what}: {error:?}");
        assert_eq!(channel.told().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_refusal_for_a_person_to_mend_says_what_to_do() {
    let cases = [("invalid_auth", "bot token"), ("not_in_channel", "/invite"), ("channel_not_found", "`channel`")];
    for (code, fix) in cases {
        let (_, error) = Channel::after(Fault::Refuse(code)).await;
        let SinkError::Settings { .. } = &error else { panic!("{error:?}") };
        let said = error.to_string();
        assert!(said.contains(code) && said.contains(fix), "{said}");
        assert!(!said.contains("xox"), "no token is told: {said}");
    }
}

#[tokio::test]
async fn the_message_is_changed_in_place_as_the_incident_goes_on() {
    let channel = Channel::new().await;
    let mut shown = Vec::new();
    for view in [views::capturing(), views::rules_only(), views::agent(), views::resolved()] {
        channel.deliver(&view, 1, false).await.unwrap();
        let told = channel.told();
        assert_eq!(told.len(), 1);
        shown.push((told[0].ts.clone(), told[0].shown()));
    }
    assert!(shown.iter().all(|(ts, _)| *ts == shown[0].0), "{shown:?}");
    assert!(shown.windows(2).all(|pair| pair[0].1 != pair[1].1), "{shown:?}");
    channel.double.assert_clean();
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let channel = Channel::new().await;
    channel.deliver(&views::rules_only(), 1, false).await.unwrap();
    let calls = |double: &SlackDouble| [Call::Post, Call::Update].map(|call| double.calls(call));
    let before = calls(&channel.double);
    channel.deliver(&views::rules_only(), 1, false).await.unwrap();
    assert_eq!(calls(&channel.double), before);
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_posted_anew() {
    let channel = Channel::new().await;
    channel.deliver(&views::rules_only(), 1, false).await.unwrap();
    channel.double.delete(&channel.told()[0].ts);
    channel.deliver(&views::resolved(), 1, false).await.unwrap();
    assert_eq!(channel.told().len(), 1);
    assert!(channel.told()[0].text.contains("Resolved"));
}

/// An incident with a graph.
fn drawn() -> View {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 72 30\"><text x=\"2\" y=\"20\">0.9</text></svg>";
    let title = "rule of the alert KubePodCrashLooping".to_owned();
    View { drawing: Some(Drawing { evidence: EvidenceId(5), title, svg: svg.to_owned() }), ..views::rules_only() }
}

#[tokio::test]
async fn the_graph_is_shown_once_in_the_thread_of_the_message() {
    let channel = Channel::new().await;
    for number in 1..=2 {
        channel.deliver(&drawn(), number, false).await.unwrap();
    }
    channel.deliver(&views::resolved(), 3, false).await.unwrap();
    let files = channel.double.files();
    let [file] = files.as_slice() else { panic!("{} files", files.len()) };
    assert!(file.content.starts_with(b"\x89PNG"), "{:?}", file.content.get(..8));
    assert_eq!(file.shown, Some((channel.double.channel.clone(), channel.told()[0].ts.clone())));
    assert_eq!(file.title, "rule of the alert KubePodCrashLooping");
    channel.double.assert_clean();
}

#[tokio::test]
async fn without_the_right_to_upload_or_with_a_fault_of_it_the_incident_is_told_all_the_same() {
    let channel = Channel::new().await;
    channel.double.allow_files(false);
    channel.deliver(&drawn(), 1, false).await.unwrap();
    channel.deliver(&drawn(), 2, false).await.unwrap();
    assert_eq!((channel.told().len(), channel.double.calls(Call::UploadUrl)), (1, 1), "it is asked for once");
    channel.double.assert_clean();
    for (call, fault) in [(Call::UploadUrl, Fault::Status(500)), (Call::CompleteUpload, Fault::Hang)] {
        let channel = Channel::new().await;
        channel.double.fail(Some(call), fault);
        channel.deliver(&drawn(), 1, false).await.unwrap();
        channel.deliver(&drawn(), 2, false).await.unwrap();
        assert_eq!(channel.told().len(), 1, "{fault:?}");
        assert!(channel.double.files().iter().filter(|file| file.shown.is_some()).count() <= 1);
    }
}
