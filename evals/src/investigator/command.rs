//! Any program as an investigator: it is given addresses and a question, and its standard output is its answer.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use marple_core::hex;
use marple_tools::command::{Captured, Group};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::words::words;
use super::{Answer, Attempt, AttemptError, Entry, Identity, Investigator, Speaker, Staged};

/// Bytes of each of its outputs that are kept, the first and the last.
const OUTPUT: usize = 1024 * 1024;

/// How long output is still read when the program has ended: something that left its group may hold the pipe.
const GRACE: Duration = Duration::from_secs(1);

/// Stands for the question in an argument.
const QUESTION: &str = "{question}";

/// The command line can't be run. Another one helps.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandLineError {
    /// There is nothing to run.
    #[error("--command is empty: give a program with its arguments")]
    Empty,
    /// A quote has no end.
    #[error("--command has a quote or a backslash without its other part: {0}")]
    Unfinished(String),
}

/// Runs a program for each incident.
///
/// Its environment is that of marple with `KUBECONFIG`, `PROMETHEUS_URL` (where the recording has metrics),
/// `ALERTMANAGER_URL`, `LOKI_URL` (where it has logs), `JAEGER_URL` (where it has traces), `QUESTION` and `RECORDED_AT`. It runs in an empty folder, without a standard input, in a process
/// group that is killed when it has ended or its time is over.
#[derive(Debug)]
pub struct CommandInvestigator {
    identity: Identity,
    words: Vec<String>,
}

impl CommandInvestigator {
    /// Of a command line, split as a shell would; `{question}` in an argument is the question.
    pub fn new(line: &str, version: &str) -> Result<Self, CommandLineError> {
        let words = words(line).ok_or_else(|| CommandLineError::Unfinished(line.to_owned()))?;
        let program = words.first().filter(|program| !program.is_empty()).ok_or(CommandLineError::Empty)?;
        let name = program.rsplit('/').next().unwrap_or(program);
        let digest = Sha256::digest(format!("{version}\n{}", words.join("\n")).as_bytes());
        let identity =
            Identity { kind: "command".to_owned(), name: format!("command {name}"), model: None, digest: hex(&digest) };
        Ok(Self { identity, words })
    }

    fn command(&self, program: &str, staged: &Staged<'_>, question: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(self.words.iter().skip(1).map(|word| word.replace(QUESTION, question)))
            .env("KUBECONFIG", &staged.kubeconfig)
            .env("ALERTMANAGER_URL", staged.replay.alertmanager_url())
            .env("QUESTION", question)
            .env("RECORDED_AT", staged.now().to_string())
            // It must not find its way to what lives.
            .env_remove("PROMETHEUS_URL")
            .env_remove("LOKI_URL")
            .env_remove("JAEGER_URL")
            .current_dir(staged.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if staged.bundle().prometheus.is_some() {
            command.env("PROMETHEUS_URL", staged.replay.prometheus_url());
        }
        if !staged.bundle().kubernetes.logs.is_empty() {
            command.env("LOKI_URL", staged.replay.loki_url());
        }
        if !staged.bundle().traces.is_empty() {
            command.env("JAEGER_URL", staged.replay.jaeger_url());
        }
        command
    }
}

#[async_trait]
impl Investigator for CommandInvestigator {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn investigate(&self, staged: &Staged<'_>) -> Result<Attempt, AttemptError> {
        let question = staged.asked.question();
        let program = self.words.first().map(String::as_str).unwrap_or_default();
        let mut child = self.command(program, staged, &question).spawn().map_err(|error| {
            let fix = if error.kind() == std::io::ErrorKind::NotFound { ": it is not on the PATH" } else { "" };
            AttemptError::new(format!("start {program}: {error}{fix}"))
        })?;
        let mut group = Group::of(child.id());
        let (mut said, mut told) = (Captured::new(OUTPUT), Captured::new(OUTPUT));
        let status = {
            let (output, errors) = (child.stdout.take(), child.stderr.take());
            let reading = async {
                tokio::join!(drain(output, &mut said), drain(errors, &mut told));
            };
            tokio::pin!(reading);
            let mut read = false;
            let ended = async {
                loop {
                    tokio::select! {
                        status = child.wait() => break status,
                        () = &mut reading, if !read => read = true,
                    }
                }
            };
            let status = tokio::select! {
                () = staged.cancel.cancelled() => None,
                status = tokio::time::timeout(staged.deadline, ended) => status.ok(),
            };
            group.kill();
            if !read {
                // What is still to come after this time is of something that left the group.
                tokio::time::timeout(GRACE, reading).await.ok();
            }
            status
        };
        let (said, told) = (said.into_text(), told.into_text());
        let entry = |by, title: &str, text: &str| Entry { by, title: title.to_owned(), text: text.to_owned() };
        let mut transcript = vec![entry(Speaker::Marple, "question", &question)];
        for (title, text) in [("standard error", &told), ("standard output", &said)] {
            transcript.extend((!text.is_empty()).then(|| entry(Speaker::Program, title, text)));
        }
        let why = match status {
            None => format!("{program} was ended: it gave no answer in {} s", staged.deadline.as_secs()),
            Some(Err(error)) => format!("wait for {program}: {error}"),
            Some(Ok(status)) if !status.success() => {
                format!("{program} ended with {status}: {}", told.lines().last().unwrap_or("it said nothing about it"))
            }
            Some(Ok(_)) if said.trim().is_empty() => format!("{program} wrote no answer to its standard output"),
            Some(Ok(_)) => {
                let answer = Answer::read(&said);
                return Ok(Attempt { transcript, ..Attempt::of(answer) });
            }
        };
        Err(AttemptError { why, transcript })
    }
}

/// Reads an output to its end.
async fn drain(output: Option<impl AsyncRead + Unpin>, captured: &mut Captured) {
    let Some(mut output) = output else { return };
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = output.read(&mut chunk).await {
        captured.take(chunk.get(..count).unwrap_or_default());
    }
}
