//! Standard output, for people.

use std::io::{IsTerminal, Write};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attempt, ReceiptProgress, Sink, SinkError};
use crate::render::{View, terminal};

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// When standard output is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output, as a chat would show it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StdoutConfig {
    /// When to colour: auto (in a terminal), always or never.
    pub colour: Colour,
    /// How many columns a line may take: 40 to 110.
    pub width: u16,
}

impl Default for StdoutConfig {
    fn default() -> Self {
        Self { colour: Colour::Auto, width: 100 }
    }
}

impl StdoutConfig {
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let fits = (40..=110).contains(&self.width);
        (!fits).then(|| ("stdout.width", format!("{} is not between 40 and 110", self.width)))
    }
}

/// Prints each revision anew: what has been printed can't be changed.
#[derive(Debug)]
pub struct StdoutSink {
    colour: bool,
    width: usize,
}

impl StdoutSink {
    /// A sink of these settings.
    pub fn new(config: &StdoutConfig) -> Self {
        let colour = match config.colour {
            Colour::Auto => std::io::stdout().is_terminal(),
            Colour::Always => true,
            Colour::Never => false,
        };
        Self { colour, width: usize::from(config.width) }
    }
}

#[async_trait]
impl Sink for StdoutSink {
    fn kind(&self) -> &'static str {
        "stdout"
    }

    async fn deliver(
        &self,
        view: &View,
        _receipt: Option<&Value>,
        attempt: &Attempt,
        _progress: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError> {
        let mut text = terminal(view, self.width, self.colour);
        text.push('\n');
        // A pipe that nobody reads would block the writer; that must not hold a worker of the runtime.
        let written = tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        match written.await {
            Ok(Ok(())) => Ok(json!({ "key": attempt.key })),
            Ok(Err(error)) => Err(SinkError::not_sent(format!("standard output: {error}"))),
            Err(error) => Err(SinkError::not_sent(format!("standard output: {error}"))),
        }
    }
}
