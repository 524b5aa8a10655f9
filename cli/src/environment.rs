//! What the program takes from its environment: the only place that reads it.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;
use marple_core::Secret;
use marple_runner::config::{Config, Sources, Unset};
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};

/// Starts the log on standard error; `MARPLE_LOG` takes the directives of `tracing_subscriber`'s `EnvFilter`.
pub(crate) fn log(arguments: &Arguments) {
    let serves = matches!(arguments.command, Command::Serve(_) | Command::Forward(_));
    let default = match (arguments.verbose, serves) {
        (0, true) => "info,kube=warn,hyper=warn",
        (0, false) => "error",
        (1, _) => "info,kube=warn,hyper=warn,marple=debug",
        (_, _) => "debug,hyper=info,rustls=info",
    };
    let filter = EnvFilter::try_from_env("MARPLE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && variable("NO_COLOR").is_none());
    if arguments.log_json { builder.json().init() } else { builder.init() }
}

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads a configuration from a file, or gives the defaults where none is named.
pub(crate) fn configuration(file: Option<&Path>) -> anyhow::Result<Config> {
    let text = file.map(text_of).transpose()?.unwrap_or_default();
    Config::from_yaml(&text, &SOURCES).with_context(|| match file {
        Some(file) => file.display().to_string(),
        None => "defaults".to_owned(),
    })
}

/// Reads a configuration that may be meant for another machine, and tells which of its secrets are not on this one.
pub(crate) fn checked_configuration(file: &Path) -> anyhow::Result<(Config, Vec<Unset>)> {
    Config::check_yaml(&text_of(file)?, &SOURCES).with_context(|| file.display().to_string())
}

/// What `${NAME}` and `file:/path` of a configuration are read from.
const SOURCES: Sources<'static> = Sources { environment: &variable, file: &|path| std::fs::read_to_string(path) };

fn text_of(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The token for a marple that serves: from a file, else from `MARPLE_TOKEN`.
pub(crate) fn token(file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let Some(file) = file else { return Ok(variable("MARPLE_TOKEN").map(Secret::new)) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the token in {}", file.display()))?;
    Ok(Some(Secret::new(text.trim())))
}

/// Whether what is written to standard output may have colours.
pub(crate) fn colour() -> bool {
    std::io::stdout().is_terminal() && variable("NO_COLOR").is_none()
}

/// How many columns standard output has; 100 where it is no terminal that tells.
pub(crate) fn width() -> usize {
    variable("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(100)
}
