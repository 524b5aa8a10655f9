//! marple itself as an investigator of recorded incidents: its rules, or its agent with the configured model.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use async_trait::async_trait;
use marple_agent::{Ending, Message, Progress, Run, SaveError, Told};
use marple_core::{Evidence, hex};
use marple_evals::Investigator;
use marple_evals::case::Asked;
use marple_evals::investigator::{
    Answer, Attempt, AttemptError, Entry, Identity, RecordedChanges, Speaker, Spent, Staged,
};
use marple_runner::config::Config;
use marple_runner::dispatch::{Investigated, Topic};
use marple_runner::intake;
use marple_tools::history::{self, ChangeLog, Recorded};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command::{ModelFor, Ready, once};
use crate::connect;
use crate::exit::words;

/// marple, over a recording instead of a cluster.
pub(crate) struct Marple {
    identity: Identity,
    config: Config,
    model: bool,
}

impl Marple {
    /// The rules alone. `build` tells this program from others.
    pub(crate) fn rules(config: &Config, build: &str) -> Self {
        let identity = Identity {
            kind: "rules".to_owned(),
            name: "rules".to_owned(),
            model: None,
            digest: digest(&[build, &format!("{:?} {:?}", config.redaction, config.gate)]),
        };
        Self { identity, config: config.clone(), model: false }
    }

    /// The agent with the model of the configuration.
    pub(crate) fn agent(config: &Config, build: &str) -> anyhow::Result<Self> {
        let model = config.model.as_ref().context(
            "no model is configured: set OPENAI_API_KEY (and OPENAI_BASE_URL, --model), or name a configuration with \
             `model` by --config",
        )?;
        let prompts = connect::prompts(config)?;
        let prompts = prompts.sources().into_iter().map(|(name, source)| format!("{name}\n{source}"));
        let settings = format!("{:?} {:?} {:?} {:?}", model, config.budget, config.redaction, config.gate);
        let identity = Identity {
            kind: "agent".to_owned(),
            name: format!("agent {}", model.name),
            model: Some(model.name.clone()),
            digest: digest(&[build, &settings, &prompts.collect::<String>()]),
        };
        Ok(Self { identity, config: config.clone(), model: true })
    }

    /// A configuration of the recording. What looks elsewhere is left out: pages, toolsets and stores of the configuration
    /// show the present.
    fn config(&self, staged: &Staged<'_>) -> anyhow::Result<Config> {
        let base = &self.config;
        let mut config = Config {
            investigation: base.investigation.clone(),
            incidents: base.incidents.clone(),
            model: base.model.clone(),
            budget: base.budget.clone(),
            prompts: base.prompts.clone(),
            gate: base.gate.clone(),
            redaction: base.redaction.clone(),
            ..Config::default()
        };
        config.cluster.name.clone_from(&staged.bundle().manifest.cluster);
        config.cluster.kubeconfig = Some(staged.kubeconfig.clone());
        config.cluster.discover = false;
        if staged.bundle().prometheus.is_some() {
            let url = staged.replay.prometheus_url();
            config.prometheus =
                Some(serde_json::from_value(json!({ "url": url })).context("the recording's Prometheus")?);
        }
        if !staged.bundle().kubernetes.logs.is_empty() {
            let store = json!({ "store": "loki", "endpoint": { "url": staged.replay.loki_url() } });
            config.logs = Some(serde_json::from_value(store).context("the recording's Loki")?);
        }
        if !staged.bundle().traces.is_empty() {
            let store = json!({ "store": "jaeger", "endpoint": { "url": staged.replay.jaeger_url() } });
            config.traces = Some(serde_json::from_value(store).context("the recording's Jaeger")?);
        }
        Ok(config)
    }

    async fn investigated(&self, staged: &Staged<'_>, journal: &Journal) -> anyhow::Result<Attempt> {
        let config = self.config(staged)?;
        // The default model is what is measured, whatever is asked.
        let model = if self.model { ModelFor::Incidents } else { ModelFor::Nothing };
        let Ready { mut once, .. } = once(&config, model).await?;
        let changes: Arc<dyn ChangeLog> = Arc::new(RecordedChanges::new(Arc::clone(staged.bundle())));
        let cluster = once.lookout.cluster.clone();
        let recorded = Recorded { log: Arc::clone(&changes), cluster, topology: None };
        once.tooling.toolsets = once.tooling.toolsets.with(history::toolset(Some(recorded), false));
        once.lookout.changes = Some(changes);
        let now = staged.now();
        let topic = match staged.asked {
            Asked::Question(question) => Topic::question(question),
            Asked::Alert(signal) => {
                let mut signals = vec![signal.as_ref().clone()];
                intake::redact(&mut signals, once.tooling.redact.as_ref());
                once.alerts(signals).await
            }
            Asked::Incident(signals) => {
                let mut signals = signals.clone();
                intake::redact(&mut signals, once.tooling.redact.as_ref());
                let gathered = once.gather(&signals, &config.incidents, now, &staged.cancel).await?;
                gathered.context("no signal of the recording opens an incident")?
            }
        };
        let Investigated { view, outcome } = once.investigate(topic, now, &staged.cancel, journal).await?;
        if let Ending::ModelUnavailable { .. } | Ending::Cancelled = outcome.ending {
            anyhow::bail!("{}", outcome.ending);
        }
        let mut transcript = journal.entries();
        if transcript.is_empty() {
            transcript = view.cited.iter().map(evidence).collect();
        }
        let used = outcome.usage;
        let of_model = self.model.then_some(());
        Ok(Attempt {
            answer: match outcome.answer {
                Some(words) => Answer::Prose(words),
                None => Answer::Conclusion(Box::new(outcome.conclusion)),
            },
            checked: true,
            note: (self.model && outcome.ending != Ending::Concluded).then(|| outcome.ending.to_string()),
            transcript,
            spent: of_model.map(|()| Spent {
                prompt_tokens: used.prompt,
                completion_tokens: used.completion,
                cost_micros: used.cost,
            }),
            turns: of_model.map(|()| outcome.turns),
            looks: of_model.map(|()| outcome.calls),
        })
    }
}

#[async_trait]
impl Investigator for Marple {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn investigate(&self, staged: &Staged<'_>) -> Result<Attempt, AttemptError> {
        let journal = Journal::default();
        let attempt = Box::pin(self.investigated(staged, &journal)).await;
        attempt.map_err(|error| AttemptError { why: words(&error), transcript: journal.entries() })
    }
}

/// The conversation with the model as it was saved last.
#[derive(Default)]
struct Journal(Mutex<Vec<Message>>);

impl Journal {
    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().flat_map(entries).collect()
    }
}

#[async_trait]
impl Progress for Journal {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = run.conversation();
        Ok(())
    }

    async fn told(&self, _told: Told) {}
}

fn entries(message: &Message) -> Vec<Entry> {
    let entry = |by, title: &str, text: &str| Entry { by, title: title.to_owned(), text: text.to_owned() };
    match message {
        Message::System { content } => vec![entry(Speaker::Marple, "instructions", content)],
        Message::User { content } => vec![entry(Speaker::Marple, "", content)],
        Message::Tool { content, .. } => vec![entry(Speaker::Tool, "", content)],
        Message::Assistant { content, calls, .. } => {
            let said = (!content.trim().is_empty()).then(|| entry(Speaker::Model, "", content));
            let calls = calls
                .iter()
                .map(|call| entry(Speaker::Model, &call.name, &Value::Object(call.arguments.clone()).to_string()));
            said.into_iter().chain(calls).collect()
        }
    }
}

fn evidence(evidence: &Evidence) -> Entry {
    Entry { by: Speaker::Tool, title: format!("{} {}", evidence.id, evidence.title), text: evidence.content.clone() }
}

fn digest(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join("\n").as_bytes()))
}
