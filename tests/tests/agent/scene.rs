//! An incident, tools that show it, and someone who watches.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::{
    Budget, Case, EvidenceTitle, Investigator, Mode, ModelConfig, OpenAi, Outcome, Progress, Prompts, Run, SaveError,
    Told,
};
use marple_core::{
    Category, Cause, Citation, Conclusion, Confidence, EvidenceId, EvidenceOrigin, Finding, Incident, IncidentId,
    IncidentStatus, JoinReason, Labels, Member, ObjectRef, Period, Remedy, Risk, Severity, SignalSource, SignalStatus,
    Verdict,
};
use marple_tests::model::{KEY, MODEL, ModelDouble, WINDOW};
use marple_tools::{
    Effect, EvidenceDraft, EvidenceLog, Look, MemoryEvidence, Output, Redact, Tool, ToolError, ToolSpec, Toolbox,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub(crate) struct Plain;

impl Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// A tool that shows what it is scripted to.
struct Scripted {
    spec: ToolSpec,
    shows: fn(&Value) -> Result<String, ToolError>,
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _: &Look) -> Result<Output, ToolError> {
        let content = (self.shows)(&arguments)?;
        Ok(Output { title: format!("{} {arguments}", self.spec.name), content, ..Output::default() })
    }
}

fn tool(name: &'static str, shows: fn(&Value) -> Result<String, ToolError>) -> Arc<dyn Tool> {
    let spec = ToolSpec {
        name: name.into(),
        description: "Looks.".into(),
        parameters: json!({"type": "object", "properties": {"of": {"type": "string"}}}),
        effect: Effect::Read,
    };
    Arc::new(Scripted { spec, shows })
}

/// Two hundred lines of which no two look alike.
fn long(of: &str) -> String {
    const WORDS: [&str; 8] = ["cart", "pays", "slow", "disk", "full", "late", "gone", "wait"];
    let word = |number: usize| WORDS[number % WORDS.len()];
    let line =
        |line: usize| (0..6).map(|place| word(line / WORDS.len().pow(place) + place as usize)).collect::<Vec<_>>();
    (0..200).map(|number| format!("{of} {}\n", line(number).join(" "))).collect()
}

/// The tools, over evidence of which `e1` is captured.
pub(crate) async fn toolbox() -> Toolbox {
    let evidence = MemoryEvidence::default();
    let draft = EvidenceDraft {
        origin: EvidenceOrigin::Capture,
        title: "Deployment shop/cart".to_owned(),
        object: Some(ObjectRef::namespaced("Deployment", "shop", "cart")),
        taken_at: now(),
        content: "envFrom:\n- configMapRef:\n    name: cart-settings".to_owned(),
        view: None,
    };
    evidence.keep(draft).await.unwrap();
    let tools = [
        tool("logs", |of| Ok(format!("starting {of}\nERROR can't read SETTINGS_URL\nexit 1"))),
        tool("events", |_| Ok("Warning Failed: configmap \"cart-settings\" not found (×14)".to_owned())),
        tool("nodes", |_| Err(ToolError::Forbidden("nodes: listing Node is forbidden".to_owned()))),
        tool("metrics", |_| Err(ToolError::Backend("metrics: Prometheus can't be reached".to_owned()))),
        tool("long", |of| Ok(long(&of.to_string()))),
        tool("echo", |of| Ok(of["of"].as_str().unwrap_or_default().to_owned())),
    ];
    Toolbox::new(tools, Arc::new(evidence), Arc::new(Plain), Duration::from_secs(5))
}

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:10:00Z".parse().unwrap()
}

pub(crate) fn look() -> Look {
    Look { incident_start: Some(now()), now: now(), cancel: CancellationToken::new() }
}

pub(crate) fn case(mode: Mode) -> Case {
    let cart = ObjectRef::namespaced("Deployment", "shop", "cart");
    let settings = ObjectRef::namespaced("ConfigMap", "shop", "cart-settings");
    let starts_at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let member = |pod: &str| Member {
        source: SignalSource::Alertmanager,
        fingerprint: "00ab12cd34ef5678".parse().unwrap(),
        name: "KubePodCrashLooping".to_owned(),
        status: SignalStatus::Firing,
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", pod)),
        reason: JoinReason::SameOwner { owner: cart.clone() },
        headline: "Pod is crash looping.".to_owned(),
        labels: Labels::default(),
        starts_at,
        ends_at: None,
        generator_url: None,
    };
    let quote = Citation { evidence: EvidenceId(1), quote: "name: cart-settings".to_owned(), verified: false };
    let create = Remedy { title: "Create it.".to_owned(), command: None, risk: Risk::Low, reversible: true };
    Case {
        question: (mode == Mode::Answer).then(|| "Why is cart down?".to_owned()),
        earlier: Vec::new(),
        incident: Some(Incident {
            id: IncidentId::new(),
            status: IncidentStatus::Open,
            title: "Deployment shop/cart: KubePodCrashLooping".to_owned(),
            severity: Severity::Warning,
            subject: Some(cart.clone()),
            objects: BTreeSet::from([cart.clone()]),
            signals: 2,
            firing: 2,
            starts_at,
            opened_at: starts_at,
            updated_at: starts_at,
            resolved_at: None,
            resolution: None,
            merged_into: None,
            revision: 1,
        }),
        members: vec![member("cart-1"), member("cart-2")],
        findings: vec![Finding {
            condition: "config-map-missing".to_owned(),
            object: cart,
            category: Category::Configuration,
            severity: Severity::Critical,
            statement: "It refers to a ConfigMap that doesn't exist.".to_owned(),
            culprit: Some(settings.clone()),
            at: None,
            proofs: Vec::new(),
            citations: vec![quote.clone()],
            remedies: Vec::new(),
        }],
        rules: Conclusion {
            verdict: Verdict::Fault,
            summary: "cart refers to the ConfigMap cart-settings, which doesn't exist.".to_owned(),
            cause: Some(Cause {
                object: settings,
                category: Category::Configuration,
                statement: "It doesn't exist.".to_owned(),
                citations: vec![quote],
            }),
            chain: Vec::new(),
            impact: String::new(),
            confidence: Confidence::Medium,
            remedies: vec![create],
            ruled_out: Vec::new(),
            unseen: Vec::new(),
        },
        evidence: vec![EvidenceTitle { id: EvidenceId(1), title: "Deployment shop/cart".to_owned(), size: 50 }],
        remembered: Vec::new(),
        cluster_name: None,
        mode,
    }
}

/// Someone who watches and keeps all states.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) saved: Mutex<Vec<String>>,
    pub(crate) told: Mutex<Vec<Told>>,
    /// Whether saving fails.
    pub(crate) full: bool,
}

#[async_trait]
impl Progress for Journal {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        if self.full {
            return Err(SaveError("disk full".into()));
        }
        self.saved.lock().unwrap().push(serde_json::to_string(run).unwrap());
        Ok(())
    }

    async fn told(&self, told: Told) {
        self.told.lock().unwrap().push(told);
    }
}

pub(crate) fn config(url: &str) -> ModelConfig {
    serde_json::from_value(json!({
        "url": url, "name": MODEL, "api_key": KEY, "context_window": WINDOW, "max_output": 2000,
        "request_timeout": "5s", "idle_timeout": "5s", "retries": 2
    }))
    .unwrap()
}

pub(crate) fn budget() -> Budget {
    Budget { turns: NonZeroU32::new(8).unwrap(), duration: Period::seconds(20), ..Budget::default() }
}

pub(crate) fn investigator(config: &ModelConfig, budget: Budget) -> Investigator {
    rustls::crypto::ring::default_provider().install_default().ok();
    let model = OpenAi::new(config, reqwest::Client::new()).unwrap();
    Investigator::new(Arc::new(model), Prompts::embedded(), budget)
}

/// Investigates with this model.
pub(crate) async fn investigate(model: &ModelDouble) -> (Outcome, Journal) {
    investigate_with(&config(&model.url), budget()).await
}

/// Investigates with this configuration and budget.
pub(crate) async fn investigate_with(config: &ModelConfig, budget: Budget) -> (Outcome, Journal) {
    let journal = Journal::default();
    let investigator = investigator(config, budget);
    let outcome = investigator.investigate(case(Mode::Conclude), None, &toolbox().await, &look(), &journal).await;
    (outcome, journal)
}

/// Why the conclusion is not the model's, as its `unseen` tells.
pub(crate) fn told_unseen(outcome: &Outcome) -> String {
    assert_eq!(outcome.conclusion.summary, case(Mode::Conclude).rules.summary, "the rules' conclusion is the answer");
    outcome.conclusion.unseen.last().unwrap().why.clone()
}
