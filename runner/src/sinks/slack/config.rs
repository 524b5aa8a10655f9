//! Settings of a Slack receiver.

use marple_core::{Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// A Slack channel.
///
/// The app needs the bot scope `chat:write`, and must be a member of the channel. With `channels:history` (in a private
/// channel `groups:history`) it finds its own message again after a lost answer; without it, such a message may
/// appear twice.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The bot token, `xoxb-…`.
    pub token: Secret,
    /// The channel's id, as `C0123456789`: in Slack it stands at the end of the channel's details.
    pub channel: String,
    /// Where Slack's API is.
    #[serde(default = "SlackConfig::default_api_url")]
    pub api_url: String,
    /// The least time between two messages to the channel; Slack allows about one a second.
    #[serde(default = "SlackConfig::default_interval")]
    pub interval: Period,
    /// How long an answer may take.
    #[serde(default = "SlackConfig::default_timeout")]
    pub timeout: Period,
}

impl SlackConfig {
    fn default_api_url() -> String {
        "https://slack.com/api".to_owned()
    }

    const fn default_interval() -> Period {
        Period::seconds(1)
    }

    const fn default_timeout() -> Period {
        Period::seconds(10)
    }

    pub(in crate::sinks) fn fault(&self) -> Option<(&'static str, String)> {
        let token = self.token.expose();
        if !token.starts_with("xox") || token.chars().any(|c| !c.is_ascii_graphic()) {
            let fault = "write the app's bot token, xoxb-…, from its page OAuth & Permissions";
            return Some(("slack.token", fault.to_owned()));
        }
        let id = self.channel.strip_prefix(['C', 'G', 'D']).unwrap_or_default();
        if id.len() < 7 || !id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
            let fault = format!(
                "{:?} is not a channel's id; write the id, as C0123456789, which stands at the end of the channel's details in Slack",
                self.channel
            );
            return Some(("slack.channel", fault));
        }
        let url = reqwest::Url::parse(&self.api_url).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Some(("slack.api_url", "write an address, as https://slack.com/api".to_owned()));
        }
        self.timeout.duration().is_zero().then(|| ("slack.timeout", "write a time above 0, as 10s".to_owned()))
    }
}
