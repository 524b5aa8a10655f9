//! A server that is a program of this machine.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::connection::ConnectError;
use super::settings::Reach;
use crate::command::{Captured, Group};

/// Bytes of its standard error that are kept: the reason why it ended.
const ERRORS: usize = 2_048;

/// How long its last words are waited for.
const GRACE: Duration = Duration::from_millis(500);

/// A program that runs. Dropped, it is killed with all that it started.
pub(super) struct Program {
    _child: Child,
    _group: Group,
    _folder: TempDir,
    errors: Arc<Mutex<Captured>>,
    reader: JoinHandle<()>,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Program {
    /// Starts it in an empty folder, with the environment that it is given and nothing else.
    pub(super) fn start(reach: &Reach) -> Result<(Self, (ChildStdout, ChildStdin)), ConnectError> {
        let Reach::Program { command, arguments, environment, memory } = reach else {
            return Err(ConnectError("is no program".to_owned()));
        };
        let failed = |doing: &str, error: std::io::Error| ConnectError(format!("{doing} {command:?}: {error}"));
        let folder = TempDir::with_prefix("marple-mcp-").map_err(|error| failed("make a folder for", error))?;
        let mut child = Command::new(command)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value.expose())))
            .env("TMPDIR", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("start", error))?;
        let group = Group::of(child.id());
        group.bound(*memory).map_err(|error| failed("bound the memory of", error))?;
        let streams = child.stdout.take().zip(child.stdin.take());
        let streams = streams.ok_or_else(|| ConnectError(format!("{command:?} has no standard input or output")))?;
        let errors = Arc::new(Mutex::new(Captured::new(ERRORS)));
        let reader = tokio::spawn(read(child.stderr.take(), Arc::clone(&errors)));
        Ok((Self { _child: child, _group: group, _folder: folder, errors, reader }, streams))
    }

    /// What it wrote on standard error, to be told behind a failure.
    pub(super) async fn last_words(&mut self) -> String {
        // It may still be writing why it ends.
        tokio::time::timeout(GRACE, &mut self.reader).await.ok();
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).text();
        if errors.trim().is_empty() { String::new() } else { format!("; it wrote: {}", errors.trim()) }
    }
}

async fn read(stderr: Option<ChildStderr>, into: Arc<Mutex<Captured>>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; 4_096];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        into.lock().unwrap_or_else(PoisonError::into_inner).take(chunk.get(..count).unwrap_or_default());
    }
}
