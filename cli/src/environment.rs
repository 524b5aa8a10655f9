//! What the program takes from its environment: the only place that reads it.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context;
use marple_agent::{Prompts, SPANS};
use marple_core::Secret;
use marple_runner::config::{Config, Sources, Unset};
use marple_tools::toolset;
use sha2::{Digest as _, Sha256};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::arguments::{Arguments, Command};
use crate::spans::{SpanTarget, Spans};

/// Starts the log on standard error; `MARPLE_LOG` takes the directives of `tracing_subscriber`'s `EnvFilter`. Gives what
/// exports spans, which the variables of OpenTelemetry say.
pub(crate) fn log(arguments: &Arguments) -> anyhow::Result<Spans> {
    let serves = matches!(arguments.command, Command::Serve(_) | Command::Forward(_));
    let default = match (arguments.verbose, serves) {
        (0, true) => "info,kube=warn,hyper=warn",
        (0, false) => "error",
        (1, _) => "info,kube=warn,hyper=warn,marple=debug",
        (_, _) => "debug,hyper=info,rustls=info",
    };
    let filter = EnvFilter::try_from_env("MARPLE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // What a span tells is for a trace store, and would lengthen each line.
    let filter = filter.add_directive(format!("{SPANS}=off").parse().context("the log's filter")?);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && variable("NO_COLOR").is_none());
    let (spans, exported) = Spans::of(SpanTarget {
        wanted: ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
            .iter()
            .any(|name| variable(name).is_some()),
        named: variable("OTEL_SERVICE_NAME").is_some(),
    })?;
    let registry = tracing_subscriber::registry().with(exported);
    if arguments.log_json {
        registry.with(lines.json().with_filter(filter)).init();
    } else {
        registry.with(lines.with_filter(filter)).init();
    }
    Ok(spans)
}

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A program on the PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    marple_tools::command::installed(name, &variables().collect())
}

/// All variables, for the commands of toolsets, which are given a part of them.
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads a configuration from a file, or gives the defaults where none is named.
pub(crate) fn configuration(file: Option<&Path>) -> anyhow::Result<Config> {
    read(file).map(|read| read.config)
}

/// Tells whether a configuration, with all the files that it names, is the same as another.
pub(crate) type Digest = [u8; 32];

/// A configuration as it was read.
pub(crate) struct Read {
    pub(crate) config: Config,
    pub(crate) digest: Digest,
}

/// The same, with a digest of all that was read for it: its text, the files of its secrets, its prompts and toolsets.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Read> {
    let text = file.map(text_of).transpose()?.unwrap_or_default();
    let digest = RefCell::new(Sha256::new_with_prefix(&text));
    let noted = |path: &Path| {
        let text = std::fs::read_to_string(path)?;
        note(&mut digest.borrow_mut(), path, text.as_bytes());
        Ok(text)
    };
    let sources = Sources { environment: &variable, file: &noted };
    let config = Config::from_yaml(&text, &sources).with_context(|| match file {
        Some(file) => file.display().to_string(),
        None => "defaults".to_owned(),
    })?;
    let mut digest = digest.into_inner();
    if let Some(folder) = &config.prompts {
        for path in Prompts::files(folder).context("prompts")? {
            let text = std::fs::read(&path).with_context(|| format!("prompts: {}", path.display()))?;
            note(&mut digest, &path, &text);
        }
    }
    for path in toolset::files_of(&config.toolsets) {
        // One that can't be read is a toolset that is off, and says so.
        if let Ok(text) = std::fs::read(&path) {
            note(&mut digest, &path, &text);
        }
    }
    Ok(Read { config, digest: digest.finalize().into() })
}

fn note(digest: &mut Sha256, path: &Path, content: &[u8]) {
    digest.update([0xff]);
    digest.update(path.as_os_str().as_encoded_bytes());
    digest.update([0xff]);
    digest.update(content);
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

/// The token of those who may approve calls of a marple that serves, where the environment has it: `MARPLE_APPROVER_TOKEN`.
pub(crate) fn approver_token() -> Option<Secret> {
    variable("MARPLE_APPROVER_TOKEN").map(Secret::new)
}

/// Tells this build of the program from others: its version, and size and time of its file.
pub(crate) fn build() -> anyhow::Result<String> {
    let file = std::env::current_exe().and_then(std::fs::metadata).context("look at the program's own file")?;
    let written = file.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(format!("{} {} {}", env!("CARGO_PKG_VERSION"), file.len(), written.as_nanos()))
}

/// Whether what is written to standard output may have colours.
pub(crate) fn colour() -> bool {
    std::io::stdout().is_terminal() && variable("NO_COLOR").is_none()
}

/// How many columns standard output has; 100 where it is no terminal that tells.
pub(crate) fn width() -> usize {
    variable("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(100)
}
