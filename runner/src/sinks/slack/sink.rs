//! Brings a channel's messages to what an incident's story says.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_tools::prometheus::Graph;
use serde_json::{Value, json};

use super::api::{Api, CallError};
use super::config::SlackConfig;
use super::message::{Message, compose};
use super::pace::Pace;
use super::receipt::{Part, Posted, Receipt};
use super::refusal::Refusal;
use crate::render::{Story, View, bounded, one_line};
use crate::sinks::{Attempt, ProgressError, ReceiptProgress, Sink, SinkError};

/// The longest title of a graph, in characters.
const TITLE: usize = 200;

/// Posts an incident to a channel and keeps the message as the incident is.
#[derive(Debug)]
pub struct SlackSink {
    receiver: String,
    channel: String,
    api: Api,
    pace: Pace,
}

impl SlackSink {
    /// A sink of these settings. `receiver` is its name in the configuration.
    pub fn new(receiver: &str, config: &SlackConfig, http: reqwest::Client) -> Self {
        Self {
            receiver: receiver.to_owned(),
            channel: config.channel.clone(),
            api: Api {
                url: config.api_url.clone(),
                token: config.token.clone(),
                timeout: config.timeout.duration(),
                http,
            },
            pace: Pace::new(config.interval.duration()),
        }
    }
}

#[async_trait]
impl Sink for SlackSink {
    fn kind(&self) -> &'static str {
        "slack"
    }

    async fn deliver(
        &self,
        view: &View,
        receipt: Option<&Value>,
        attempt: &Attempt,
        progress: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError> {
        let mut delivery =
            Delivery { sink: self, view, attempt, progress, receipt: Receipt::read(receipt, &self.channel) };
        let messages = compose(&Story::of(view));
        match delivery.say(&messages).await {
            // Somebody deleted the message under which the rest was to stand: all of it is posted anew.
            Err(CallError::Refused { code, .. }) if super::refusal::meaning(&code) == Refusal::Gone => {
                delivery.receipt.forget(Part::Incident);
                delivery.say(&messages).await?;
            }
            ended => ended?,
        }
        delivery.draw().await?;
        delivery.receipt_value()
    }
}

struct Delivery<'a> {
    sink: &'a SlackSink,
    view: &'a View,
    attempt: &'a Attempt,
    progress: &'a dyn ReceiptProgress,
    receipt: Receipt,
}

impl Delivery<'_> {
    async fn say(&mut self, messages: &[(Part, Message)]) -> Result<(), CallError> {
        for (part, message) in messages {
            self.bring(*part, message).await?;
        }
        Ok(())
    }

    /// Has one message show what it should.
    async fn bring(&mut self, part: Part, message: &Message) -> Result<(), CallError> {
        let shown = message.digest();
        self.adopt(part).await?;
        if let Some(posted) = self.receipt.parts.get(&part).cloned() {
            if posted.shown == shown {
                return Ok(());
            }
            match self.update(&posted.ts, part, message).await {
                Ok(()) => {
                    self.receipt.parts.insert(part, Posted { ts: posted.ts, shown });
                    return self.save().await;
                }
                Err(error) if error.meaning() == Some(Refusal::Gone) => self.receipt.forget(part),
                Err(error) => return Err(error),
            }
        }
        self.post(part, message, shown).await
    }

    /// Where a post may have got through without our learning of it, looks for it and takes it as ours.
    async fn adopt(&mut self, part: Part) -> Result<(), CallError> {
        if self.receipt.ts(part).is_some() {
            return Ok(());
        }
        let row = (part == Part::Incident && self.attempt.maybe_sent).then_some(self.attempt.first_started_at);
        let Some(since) = self.receipt.posting.get(&part).copied().or(row) else { return Ok(()) };
        let thread = self.thread(part).map(str::to_owned);
        let found = self.sink.api.find(&self.receipt.channel, thread.as_deref(), &self.identity(part), since).await;
        let found = match found {
            Ok(found) => found,
            Err(CallError::Refused { method, code, .. }) if hidden(&code) => {
                metrics::counter!("marple_slack_unverified_posts_total", "receiver" => self.sink.receiver.clone())
                    .increment(1);
                tracing::warn!(
                    receiver = self.sink.receiver,
                    incident = %self.view.incident.id,
                    "Slack refused {method} ({code}), so a message whose answer was lost is posted again and may appear \
                     twice; give the app the scope channels:history (groups:history in a private channel)"
                );
                None
            }
            Err(error) => return Err(error),
        };
        self.receipt.posting.remove(&part);
        if let Some(ts) = found {
            self.receipt.parts.insert(part, Posted { ts, shown: String::new() });
        }
        self.save().await
    }

    async fn update(&self, ts: &str, part: Part, message: &Message) -> Result<(), CallError> {
        let (api, channel, metadata) = (&self.sink.api, &self.receipt.channel, self.metadata(part));
        self.turn(part).await;
        match self.heard(api.update(channel, ts, message, &metadata).await) {
            Err(error) if error.meaning() == Some(Refusal::Layout) => {
                self.turn(part).await;
                self.heard(api.update(channel, ts, &self.plain(message, error), &metadata).await)
            }
            ended => ended,
        }
    }

    async fn post(&mut self, part: Part, message: &Message, shown: String) -> Result<(), CallError> {
        self.turn(part).await;
        self.receipt.posting.insert(part, Timestamp::now());
        self.save().await?;
        let (api, channel, metadata) = (&self.sink.api, &self.receipt.channel, self.metadata(part));
        let thread = self.thread(part);
        let posted = match self.heard(api.post(channel, thread, message, &metadata).await) {
            Err(error) if error.meaning() == Some(Refusal::Layout) => {
                self.turn(part).await;
                self.heard(api.post(channel, thread, &self.plain(message, error), &metadata).await)
            }
            ended => ended,
        };
        match posted {
            Ok((ts, id)) => {
                if let Some(id) = id {
                    self.receipt.id = Some(id);
                }
                self.receipt.posting.remove(&part);
                self.receipt.parts.insert(part, Posted { ts, shown });
                self.save().await
            }
            Err(error) => {
                if !error.maybe_sent() {
                    // Surely not posted. Where this can't be kept, the next attempt looks in vain and posts.
                    self.receipt.posting.remove(&part);
                    if let Err(CallError::Failed(unkept)) = self.save().await {
                        tracing::warn!(receiver = self.sink.receiver, "{unkept}");
                    }
                }
                Err(error)
            }
        }
    }

    /// Shows the graph in the thread, once. An incident that is told without one is told: nothing is tried again for it
    /// alone.
    async fn draw(&mut self) -> Result<(), CallError> {
        let part = Part::Graph;
        let begun = self.receipt.parts.contains_key(&part) || self.receipt.posting.contains_key(&part);
        let (Some(drawing), false) = (&self.view.drawing, begun) else { return Ok(()) };
        // A receipt from before the id was noted: its incident was told without a graph.
        let (Some(channel), Some(thread)) = (self.receipt.id.clone(), self.thread(part).map(str::to_owned)) else {
            return Ok(());
        };
        let svg = drawing.svg.clone();
        let png = match tokio::task::spawn_blocking(move || Graph::pixels(&svg)).await {
            Ok(Ok(png)) => png,
            Ok(Err(error)) => return self.undrawn(&error.to_string()).await,
            Err(error) => return self.undrawn(&error.to_string()).await,
        };
        // After a crash from here on it is not known whether it is there: better none than two.
        self.receipt.posting.insert(part, Timestamp::now());
        self.save().await?;
        self.turn(part).await;
        let title = one_line(&drawing.title);
        let title = bounded(&title, TITLE);
        let shown = self.sink.api.picture(&channel, &thread, &title, png).await;
        match self.heard(shown) {
            Ok(file) => {
                self.receipt.posting.remove(&part);
                self.receipt.parts.insert(part, Posted { ts: file, shown: String::new() });
                self.save().await
            }
            Err(CallError::Refused { method, code, needed }) => {
                let needed = needed.map(|scope| format!("; give the app the scope {scope}")).unwrap_or_default();
                self.undrawn(&format!("Slack refused {method} ({code}){needed}")).await
            }
            Err(CallError::Failed(error)) => self.undrawn(&error.to_string()).await,
        }
    }

    /// The incident is told without a graph.
    async fn undrawn(&mut self, why: &str) -> Result<(), CallError> {
        metrics::counter!("marple_slack_undrawn_total", "receiver" => self.sink.receiver.clone()).increment(1);
        let (receiver, incident) = (&self.sink.receiver, self.view.incident.id);
        tracing::warn!(receiver, %incident, why, "the incident is told without its graph");
        self.receipt.posting.remove(&Part::Graph);
        self.receipt.parts.insert(Part::Graph, Posted { ts: String::new(), shown: String::new() });
        self.save().await
    }

    async fn turn(&self, part: Part) {
        self.sink.pace.turn(part == Part::Incident).await;
    }

    /// Passes an answer on; where Slack asks to be left alone, nothing more is sent to the channel for so long.
    fn heard<T>(&self, answer: Result<T, CallError>) -> Result<T, CallError> {
        if let Err(CallError::Failed(SinkError::Retry { after: Some(after), .. })) = &answer {
            self.sink.pace.pause(*after);
        }
        answer
    }

    /// The message without blocks: said plainly is better than not said.
    fn plain(&self, message: &Message, refused: CallError) -> Message {
        metrics::counter!("marple_slack_plain_messages_total", "receiver" => self.sink.receiver.clone()).increment(1);
        tracing::error!(
            receiver = self.sink.receiver,
            incident = %self.view.incident.id,
            "{}; it is sent as plain text",
            SinkError::from(refused)
        );
        Message { text: message.text.clone(), blocks: Vec::new() }
    }

    fn thread(&self, part: Part) -> Option<&str> {
        if part == Part::Incident { None } else { self.receipt.ts(Part::Incident) }
    }

    /// By what a message is known again.
    fn identity(&self, part: Part) -> Value {
        json!({ "incident": self.view.incident.id, "receiver": self.sink.receiver, "part": part.as_str() })
    }

    fn metadata(&self, part: Part) -> Value {
        json!({
            "incident": self.view.incident.id,
            "receiver": self.sink.receiver,
            "part": part.as_str(),
            "revision": self.view.incident.revision,
        })
    }

    async fn save(&self) -> Result<(), CallError> {
        let receipt = self.receipt_value().map_err(CallError::Failed)?;
        let kept = self.progress.save(&receipt).await;
        kept.map_err(|error: ProgressError| CallError::Failed(SinkError::not_sent(error.to_string())))
    }

    fn receipt_value(&self) -> Result<Value, SinkError> {
        serde_json::to_value(&self.receipt)
            .map_err(|error| SinkError::Permanent { reason: format!("the receipt can't be written as JSON: {error}") })
    }
}

/// Whether the channel's history is not ours to read.
fn hidden(code: &str) -> bool {
    matches!(code, "missing_scope" | "not_in_channel" | "no_permission" | "access_denied" | "not_allowed_token_type")
}
