//! `kubectl`, asked of the cluster and of the replay.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use marple_tests::cluster::TestCluster;
use tokio::process::Command;

use crate::ages::ageless;

const ASKED_WITHIN: Duration = Duration::from_secs(20);

/// The words of a question, in which NS is the namespace.
pub(crate) fn words(line: &str, namespace: &str) -> Vec<String> {
    line.split(' ').map(|word| word.replace("NS", namespace)).collect()
}

/// What was answered otherwise, in words.
pub(crate) fn differing(questions: &[Vec<String>], live: &[String], replayed: &[String]) -> Vec<String> {
    let answers = questions.iter().zip(live.iter().zip(replayed));
    let differing = answers.filter(|(question, (live, replayed))| lines(question, live) != lines(question, replayed));
    differing
        .map(|(question, (live, replayed))| {
            format!("kubectl {}\n--- live\n{live}\n--- replay\n{replayed}", question.join(" "))
        })
        .collect()
}

fn lines<'a>(question: &[String], said: &'a str) -> Vec<&'a str> {
    let mut lines: Vec<&str> = said.lines().collect();
    // `kubectl events` sorts by when they were last seen, and leaves open how those of one second follow each other.
    if question.iter().any(|word| word == "events") {
        lines.sort_unstable();
    }
    lines
}

/// `kubectl` with one cluster.
pub(crate) struct Kubectl {
    context: Option<String>,
    kubeconfig: Option<PathBuf>,
}

impl Kubectl {
    /// With the tests' own rights.
    pub(crate) fn live(cluster: &TestCluster) -> Self {
        Self { context: Some(cluster.context().to_owned()), kubeconfig: None }
    }

    pub(crate) fn with(kubeconfig: impl Into<PathBuf>) -> Self {
        Self { context: None, kubeconfig: Some(kubeconfig.into()) }
    }

    pub(crate) async fn all(&self, questions: &[Vec<String>], cache: &Path) -> Result<Vec<String>> {
        let mut answers = Vec::new();
        for question in questions {
            answers.push(self.ask(question, cache).await?);
        }
        Ok(answers)
    }

    /// What it prints and how it ends, without ages.
    pub(crate) async fn ask(&self, question: &[String], cache: &Path) -> Result<String> {
        let mut command = Command::new("kubectl");
        command.args(self.context.iter().map(|context| format!("--context={context}")));
        command.arg(format!("--cache-dir={}", cache.display())).args(question);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        let ended = tokio::time::timeout(ASKED_WITHIN, command.output()).await.context(question.join(" "))??;
        let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        Ok(format!("{}{}", ended.status, ageless(&said.join("\n"))))
    }
}
