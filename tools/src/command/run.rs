//! Runs a program within limits.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;

use super::captured::Captured;
use super::limits::{Group, Limits};
use super::shell::Scanned;

/// How long output is still read when the program has ended: something that left its group may hold the pipe.
const GRACE: Duration = Duration::from_secs(1);

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The program, or the script.
    pub(super) scanned: Scanned,
    /// What runs a script; the script's file is its last argument.
    pub(super) interpreter: Vec<String>,
    /// The whole environment.
    pub(super) environment: BTreeMap<String, String>,
    /// What it may take.
    pub(super) limits: Limits,
}

impl Invocation {
    /// The same with at most this time.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }
}

/// What a program that ended gave: standard output and error as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it wrote.
    pub(crate) output: String,
}

/// A program was not run to its end. Another try may help with the last two.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// There is nothing to run.
    #[error("the command is empty")]
    Empty,
    /// The program isn't there.
    #[error("the program {0:?} is not installed where marple runs, or not on its PATH")]
    Missing(String),
    /// The system did not start it.
    #[error("{doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// It ran too long.
    #[error("it was ended after {} s", after.as_secs_f64())]
    Timeout {
        /// How long it ran.
        after: Duration,
        /// What it had written.
        output: String,
    },
}

/// Runs a program in an empty folder, with nothing on its standard input. Dropped, it kills the program.
pub(crate) async fn run(invocation: Invocation) -> Result<Ran, RunError> {
    let system = |doing| move |source| RunError::System { doing, source };
    let folder = TempDir::with_prefix("marple-command-").map_err(system("make a folder for the command"))?;
    let work = folder.path().join("work");
    std::fs::create_dir(&work).map_err(system("make a folder for the command"))?;
    let words = match invocation.scanned {
        Scanned::Program(words) => words,
        Scanned::Script(script) => {
            let file = folder.path().join("script");
            std::fs::write(&file, script).map_err(system("write the script"))?;
            let file = file.to_string_lossy().into_owned();
            invocation.interpreter.into_iter().chain([file]).collect()
        }
    };
    let mut words = words.into_iter();
    let program = words.next().filter(|program| !program.is_empty()).ok_or(RunError::Empty)?;
    let (reader, writer) = std::io::pipe().map_err(system("make a pipe"))?;
    let errors = writer.try_clone().map_err(system("make a pipe"))?;
    let mut command = Command::new(&program);
    command
        .args(words)
        .env_clear()
        .envs(&invocation.environment)
        .env("LC_ALL", "C.UTF-8")
        .env("TMPDIR", &work)
        .current_dir(&work)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => RunError::Missing(program),
        _ => RunError::System { doing: "start the program", source },
    })?;
    let mut group = Group::of(child.id());
    // Its ends of the pipe, or the pipe would never end.
    drop(command);
    group.bound(invocation.limits.memory).map_err(system("bound the program's memory"))?;
    let mut output = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(system("read from a pipe"))?;
    let mut captured = Captured::new(invocation.limits.output);
    let ended = async {
        let mut chunk = vec![0; CHUNK];
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                read = output.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => break child.wait().await,
                    Ok(count) => captured.take(chunk.get(..count).unwrap_or_default()),
                }
            }
        };
        group.kill();
        let rest = async {
            while let Ok(count @ 1..) = output.read(&mut chunk).await {
                captured.take(chunk.get(..count).unwrap_or_default());
            }
        };
        // What is still to come after this time is of something that left the group.
        tokio::time::timeout(GRACE, rest).await.ok();
        status
    };
    let ended = tokio::time::timeout(invocation.limits.timeout, ended).await;
    match ended {
        Ok(Ok(status)) => Ok(Ran { status, output: captured.into_text() }),
        Ok(Err(source)) => Err(RunError::System { doing: "wait for the program", source }),
        Err(_) => Err(RunError::Timeout { after: invocation.limits.timeout, output: captured.into_text() }),
    }
}
