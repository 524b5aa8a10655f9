//! `marple investigate`: an alert by its name, or an object.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use marple_core::{Alert, ObjectRef, Secret, Signal, Verdict};
use marple_runner::config::Config;
use marple_runner::dispatch::{Investigated, Once, Tooling, Topic};
use marple_runner::{intake, render};
use marple_tools::gate::Caller;
use marple_tools::kubernetes::Cluster;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Investigate, Reach};
use crate::exit::Exit;
use crate::show::Steps;
use crate::{connect, environment, terminal};

/// How long Alertmanager may take.
const ALERTMANAGER_TIMEOUT: Duration = Duration::from_secs(15);

/// The model where `OPENAI_MODEL` names none.
const DEFAULT_MODEL: &str = "gpt-5";

pub(super) async fn run(arguments: Investigate, cancel: CancellationToken) -> Exit {
    let config = match configured(&arguments.reach) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    let steps = if arguments.reach.json { Steps::Json } else { Steps::Words };
    let investigated = async {
        let model = if arguments.no_model { ModelFor::Nothing } else { ModelFor::Incidents };
        let Ready { mut once, namespace, client } = once(&config, model).await?;
        once.tooling.approve = terminal::person();
        let namespace = arguments.reach.namespace.clone().unwrap_or(namespace);
        let now = connect::present(client.as_ref()).await;
        let topic = topic(&arguments, &once, &namespace).await?;
        if steps == Steps::Words {
            eprintln!("Looking at {} …", subject(&topic));
        }
        Ok(once.investigate(topic, now, &cancel, &steps).await?)
    };
    match investigated.await {
        Ok(investigated) => told(&investigated, steps, &cancel),
        Err(error) => Exit::Failed(error),
    }
}

/// The configuration that is named, changed by arguments and environment.
pub(super) fn configured(reach: &Reach) -> anyhow::Result<Config> {
    let mut config = environment::configuration(reach.config.as_deref())?;
    if let Some(context) = &reach.context {
        config.cluster.context = Some(context.clone());
    }
    if let Some(url) = &reach.prometheus {
        config.prometheus = Some(serde_json::from_value(json!({ "url": url })).context("--prometheus")?);
    }
    if config.model.is_none() {
        config.model = model_of_environment()?;
    }
    Ok(config)
}

/// The model that `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL` name, as other programs read them.
pub(super) fn model_of_environment() -> anyhow::Result<Option<marple_agent::ModelConfig>> {
    let Some(key) = environment::variable("OPENAI_API_KEY") else { return Ok(None) };
    let name = environment::variable("OPENAI_MODEL").unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    let mut settings = json!({ "name": name });
    if let (Some(url), Some(fields)) = (environment::variable("OPENAI_BASE_URL"), settings.as_object_mut()) {
        fields.insert("url".to_owned(), Value::String(url));
    }
    let mut model: marple_agent::ModelConfig =
        serde_json::from_value(settings).context("OPENAI_BASE_URL, OPENAI_MODEL")?;
    model.api_key = Some(Secret::new(key));
    Ok(Some(model))
}

/// What investigates once, and what it looks at.
pub(crate) struct Ready {
    pub(crate) once: Once,
    /// The namespace of the kubeconfig's context.
    pub(crate) namespace: String,
    /// The cluster's client, where there is a cluster.
    pub(crate) client: Option<kube::Client>,
}

/// Which model is asked, where one is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelFor {
    /// None: the rules alone.
    Nothing,
    /// The default one.
    Incidents,
    /// The fast one, where there is one.
    Questions,
}

/// Makes ready to investigate once. Nobody can be asked for a call yet.
pub(crate) async fn once(config: &Config, model: ModelFor) -> anyhow::Result<Ready> {
    let investigator = match model {
        ModelFor::Nothing => None,
        ModelFor::Incidents => connect::investigators(config)?.map(|both| both.incidents),
        ModelFor::Questions => connect::investigators(config)?.map(|both| both.questions),
    };
    let sight = connect::sight(config).await?;
    let tooling = Tooling {
        toolsets: sight.toolsets,
        redact: sight.redact,
        gate: config.gate(),
        caller: Caller::CommandLine,
        actor: None,
        audit: None,
        approve: None,
        patience: config.act.wait.duration(),
        tool_timeout: config.investigation.tool_timeout.duration(),
    };
    let once = Once { lookout: sight.lookout, tooling, investigator, cluster_name: config.cluster.name.clone() };
    Ok(Ready { once, namespace: sight.namespace, client: sight.client })
}

/// Prints the result; the exit code tells whether a cause was established.
pub(super) fn told(investigated: &Investigated, steps: Steps, cancel: &CancellationToken) -> Exit {
    let Investigated { view, outcome } = investigated;
    match steps {
        Steps::Json => println!("{}", json!({ "step": "done", "outcome": outcome })),
        Steps::Words => match &outcome.answer {
            Some(answer) => println!("{}", render::clean(answer)),
            None => println!("{}", render::terminal(view, environment::width(), environment::colour())),
        },
    }
    if cancel.is_cancelled() {
        return Exit::Interrupted;
    }
    match (&outcome.answer, outcome.conclusion.verdict) {
        (Some(_), _) | (None, Verdict::Fault | Verdict::NoFault) => Exit::Done,
        (None, Verdict::Inconclusive) => Exit::Inconclusive,
    }
}

fn subject(topic: &Topic) -> String {
    match topic {
        Topic::Objects { title, .. } => title.clone(),
        Topic::Alerts { signals, objects } => {
            let objects = objects.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("{} firing alert(s) about {objects}", signals.len())
        }
        Topic::Incident { incident, .. } => incident.title.clone(),
        Topic::Question { question, .. } => question.clone(),
    }
}

/// An object where the target has a slash, else the firing alerts of that name.
async fn topic(arguments: &Investigate, once: &Once, namespace: &str) -> anyhow::Result<Topic> {
    let cluster = once.lookout.cluster.as_ref();
    if arguments.target.contains('/') {
        let cluster = cluster.context("no cluster is configured (`cluster.enabled`)")?;
        return object(cluster, &arguments.target, namespace).await.map(Topic::object);
    }
    let mut signals = firing(&arguments.alertmanager, &arguments.target, arguments.reach.namespace.as_deref()).await?;
    intake::redact(&mut signals, once.tooling.redact.as_ref());
    Ok(once.alerts(signals).await)
}

/// `kind/name` or `kind/namespace/name`; the kind as kubectl takes it.
async fn object(cluster: &Cluster, target: &str, namespace: &str) -> anyhow::Result<ObjectRef> {
    let parts: Vec<&str> = target.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (kind, namespace, name),
        [kind, namespace, name] => (kind, *namespace, name),
        _ => bail!("{target:?} is no object: write deployment/cart, or deployment/shop/cart with the namespace"),
    };
    ensure!(!name.is_empty(), "{target:?} has no name after the slash");
    let kind = cluster.kind(kind).await?;
    let object = if kind.namespaced {
        ObjectRef::namespaced(kind.kind, namespace, *name)
    } else {
        ObjectRef::cluster(kind.kind, *name)
    };
    cluster.get(&object).await?;
    Ok(object)
}

/// The alerts of a name that fire, from Alertmanager's API v2.
async fn firing(url: &str, name: &str, namespace: Option<&str>) -> anyhow::Result<Vec<Signal>> {
    let client = reqwest::Client::builder().timeout(ALERTMANAGER_TIMEOUT).build()?;
    let reached = || format!("Alertmanager at {url} (--alertmanager)");
    let answer = client
        .get(format!("{}/api/v2/alerts", url.trim_end_matches('/')))
        .query(&[("active", "true"), ("silenced", "true"), ("inhibited", "true")])
        .send()
        .await
        .with_context(reached)?
        .error_for_status()
        .with_context(reached)?;
    let alerts: Vec<Value> = answer.json().await.with_context(reached)?;
    let mut names = BTreeSet::new();
    let mut signals = Vec::new();
    for mut alert in alerts {
        // Its status is an object here, and a word in the webhook; what is listed fires.
        if let Some(fields) = alert.as_object_mut() {
            fields.insert("status".to_owned(), json!("firing"));
            fields.remove("endsAt");
        }
        let alert: Alert = serde_json::from_value(alert).with_context(reached)?;
        let signal = alert.into_signal().with_context(reached)?;
        let here = namespace.is_none() || signal.labels.get("namespace") == namespace;
        if signal.name.eq_ignore_ascii_case(name) && here {
            signals.push(signal);
        } else {
            names.insert(signal.name);
        }
    }
    let others = names.into_iter().collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { "none".to_owned() } else { others };
    ensure!(!signals.is_empty(), "no alert {name:?} fires{}; those that fire: {others}", place(namespace));
    Ok(signals)
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"))
}
