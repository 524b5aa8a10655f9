//! Receivers in the configuration.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{FileConfig, FileSink, Sink, SlackConfig, SlackSink, StdoutConfig, StdoutSink, WebhookConfig, WebhookSink};

/// Where a receiver's messages go: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReceiverConfig {
    /// A Slack channel.
    Slack(SlackConfig),
    /// An HTTP endpoint that takes JSON.
    Webhook(WebhookConfig),
    /// A file of JSON lines.
    File(FileConfig),
    /// Standard output, for people.
    Stdout(StdoutConfig),
}

/// A receiver's settings can't be used. The text names the setting and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("receivers.{receiver}.{setting}: {fault}")]
pub struct ConfigError {
    /// The receiver.
    pub receiver: String,
    /// The setting, as `slack.channel`.
    pub setting: &'static str,
    /// What is wrong and what to write.
    pub fault: String,
}

impl ReceiverConfig {
    /// Whether the settings can be used, without reaching out to anything.
    pub fn validate(&self, receiver: &str) -> Result<(), ConfigError> {
        let fault = match self {
            Self::Slack(config) => config.fault(),
            Self::Webhook(config) => config.fault(),
            Self::File(config) => config.fault(),
            Self::Stdout(config) => config.fault(),
        };
        match fault {
            None => Ok(()),
            Some((setting, fault)) => Err(ConfigError { receiver: receiver.to_owned(), setting, fault }),
        }
    }
}

/// The sink of a receiver. `http` is best made by [`super::client`]; receivers share it.
pub fn build(name: &str, config: &ReceiverConfig, http: &reqwest::Client) -> Result<Arc<dyn Sink>, ConfigError> {
    config.validate(name)?;
    Ok(match config {
        ReceiverConfig::Slack(config) => Arc::new(SlackSink::new(name, config, http.clone())),
        ReceiverConfig::Webhook(config) => Arc::new(WebhookSink::new(config, http.clone())),
        ReceiverConfig::File(config) => Arc::new(FileSink::new(config)),
        ReceiverConfig::Stdout(config) => Arc::new(StdoutSink::new(config)),
    })
}
