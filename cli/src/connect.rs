//! From the configuration to clients.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use kube::config::{KubeConfigOptions, Kubeconfig};
use marple_agent::{Investigator, Model, Models, Prompts};
use marple_runner::chat::{Answerer, Answerers};
use marple_runner::config::{ClusterConfig, Config};
use marple_runner::dispatch::Lookout;
use marple_tools::gate::ObjectRules;
use marple_tools::kubernetes::Cluster;
use marple_tools::log_store::LogStore;
use marple_tools::prometheus::{Prometheus, Reach};
use marple_tools::redact::Redactor;
use marple_tools::trace::TraceStore;
use marple_tools::{
    Redact, Toolset, Toolsets, act, history, http, kubernetes, log_store, network, prometheus, skill, toolset, trace,
};

use crate::environment;

/// How long reading the kubeconfig and making a client may take: an exec plugin may ask a cloud for a token.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the API server may take to tell the time.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How far clocks may be apart and still be the same: no look is as fine as that.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// How long reaching the model may take; how long it may answer is its configuration's.
const MODEL_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// TLS is rustls with ring, for every client of this process.
pub(crate) fn crypto() {
    // Fails only where one is installed already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// A client of the cluster, and the namespace of its context.
pub(crate) async fn kubernetes(config: &ClusterConfig) -> anyhow::Result<(kube::Client, String)> {
    let connect = async {
        let options = KubeConfigOptions { context: config.context.clone(), ..KubeConfigOptions::default() };
        let mut settings = match (&config.kubeconfig, &config.context) {
            (Some(file), _) => {
                let kubeconfig =
                    Kubeconfig::read_from(file).with_context(|| format!("cluster.kubeconfig: {}", file.display()))?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.context("the kubeconfig")?
            }
            (None, Some(context)) => kube::Config::from_kubeconfig(&options)
                .await
                .with_context(|| format!("context {context} of the kubeconfig"))?,
            (None, None) => kube::Config::infer().await.context(
                "neither a kubeconfig (KUBECONFIG, ~/.kube/config) nor a service account was found; \
                 set `cluster.kubeconfig`, or `cluster: {enabled: false}` to go without a cluster",
            )?,
        };
        // A look has a deadline and says why it failed; the watches have a backoff of their own.
        settings.default_retry = false;
        let namespace = settings.default_namespace.clone();
        anyhow::Ok((kube::Client::try_from(settings).context("a client of the cluster")?, namespace))
    };
    tokio::time::timeout(CONNECT_TIMEOUT, connect)
        .await
        .context("the kubeconfig's credentials gave no answer in 20 s")?
}

/// The present by the cluster's clock, where it is far from this machine's: what is asked for is dated by it. A replay
/// shows the time of its recording so.
pub(crate) async fn present(client: Option<&kube::Client>) -> Timestamp {
    let now = Timestamp::now();
    let Some(client) = client else { return now };
    // Whatever fails here, fails with its reason when it is looked at.
    match tokio::time::timeout(CLOCK_TIMEOUT, clock(client)).await {
        Ok(Some(theirs)) if theirs.duration_since(now).abs() > SKEW => {
            eprintln!(
                "The cluster's clock shows {theirs:.0}, this machine's {now:.0}: times are told by the cluster's."
            );
            theirs
        }
        _ => now,
    }
}

/// What the API server's clock shows.
async fn clock(client: &kube::Client) -> Option<Timestamp> {
    let request = ::http::Request::get("/version").body(kube::client::Body::empty()).ok()?;
    let answer = client.send(request).await.ok()?;
    let date = answer.headers().get("date")?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(date).ok().map(|time| time.timestamp())
}

/// What is looked at, and with what.
pub(crate) struct Sight {
    pub(crate) client: Option<kube::Client>,
    pub(crate) namespace: String,
    pub(crate) lookout: Lookout,
    pub(crate) toolsets: Toolsets,
    pub(crate) traces: Option<TraceStore>,
    pub(crate) redact: Arc<dyn Redact>,
}

/// Connects to what the configuration names. Nothing is asked of it yet.
pub(crate) async fn sight(config: &Config) -> anyhow::Result<Sight> {
    let (client, namespace) = if config.cluster.enabled {
        let (client, namespace) = kubernetes(&config.cluster).await?;
        (Some(client), namespace)
    } else {
        (None, "default".to_owned())
    };
    let rules = ObjectRules::new(config.gate.objects.clone());
    let cluster = client.clone().map(|client| Cluster::new(client).with_rules(rules));
    let prometheus = prometheus_of(config, client.as_ref())?;
    let redact: Arc<dyn Redact> = Arc::new(Redactor::new(&config.redaction).context("redaction")?);
    let changes = act::tools(&config.act, cluster.as_ref()).context("act")?;
    let changes = (!changes.is_empty())
        .then(|| Toolset::of("changes", "Changes that are made when a person approves them.", changes));
    let logs = config.logs.as_ref().map(LogStore::new).transpose()?;
    let traces = config.traces.as_ref().map(TraceStore::new).transpose()?;
    let own = [
        kubernetes::toolset(cluster.clone(), prometheus.clone()),
        prometheus::toolset(prometheus.clone()),
        log_store::toolset(logs.clone()),
        trace::toolset(traces.clone()),
        http::toolset(&config.http)?,
        network::toolset(&config.network),
        history::toolset(None, false),
    ];
    let others = toolset::from_files(&config.toolsets, &commands_environment(&config.cluster));
    let skills =
        Some(&config.toolsets.skills).filter(|folders| !folders.is_empty()).map(|folders| skill::toolset(folders));
    let toolsets = Toolsets::new(own.into_iter().chain(changes).chain(others).chain(skills), Arc::clone(&redact));
    let lookout = Lookout {
        cluster,
        prometheus,
        logs,
        // The store has it, which is opened later.
        changes: None,
        redact: Arc::clone(&redact),
        timeout: config.investigation.capture_timeout.duration(),
    };
    Ok(Sight { client, namespace, lookout, toolsets, traces, redact })
}

/// The Prometheus that is configured, or the one that is in the cluster: it is looked for when it is first asked.
pub(crate) fn prometheus_of(config: &Config, client: Option<&kube::Client>) -> anyhow::Result<Option<Prometheus>> {
    if let Some(configured) = &config.prometheus {
        return Prometheus::new(configured).map(Some).context("prometheus");
    }
    // The kubelet sets this for each container; names of Services are known nowhere else.
    let reach = match environment::variable("KUBERNETES_SERVICE_HOST") {
        Some(_) => Reach::Direct,
        None => Reach::ApiServer,
    };
    let client = client.filter(|_| config.cluster.discover);
    Ok(client.map(|client| Prometheus::discovered(client.clone(), reach)))
}

/// The environment that commands are given a part of: what they look at is the cluster of the configuration.
fn commands_environment(cluster: &ClusterConfig) -> marple_tools::command::Environment {
    let kubeconfig = cluster.kubeconfig.as_ref().map(|file| ("KUBECONFIG".to_owned(), file.display().to_string()));
    environment::variables().chain(kubeconfig).collect()
}

/// What investigates, where a model is set.
pub(crate) struct Investigators {
    /// Incidents.
    pub(crate) incidents: Investigator,
    /// What people ask: with the fast model, where there is one.
    pub(crate) questions: Investigator,
    /// The same with each of the models, that one first.
    pub(crate) answerers: Answerers,
}

/// The investigators, where a model is set.
pub(crate) fn investigators(config: &Config) -> anyhow::Result<Option<Investigators>> {
    let Some(models) = models(config)? else { return Ok(None) };
    let prompts = prompts(config)?;
    let with = |model| Investigator::new(model, prompts.clone(), config.budget.clone());
    let named = config.models_of_questions().into_iter().filter_map(|(name, key)| {
        let investigator = with(models.named(&key)?);
        Some(Answerer { name, key, investigator })
    });
    let answerers = Answerers::new(named);
    let incidents = with(models.default_model());
    let questions = answerers.first().map_or_else(|| incidents.clone(), |first| first.investigator.clone());
    Ok(Some(Investigators { incidents, questions, answerers }))
}

/// The default model, where one is set.
pub(crate) fn model(config: &Config) -> anyhow::Result<Option<Arc<dyn Model>>> {
    Ok(models(config)?.map(|models| models.default_model()))
}

/// The models, where one is set.
fn models(config: &Config) -> anyhow::Result<Option<Models>> {
    let Some(model) = &config.model else { return Ok(None) };
    // What a model is told goes where the configuration says or nowhere.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(MODEL_CONNECT_TIMEOUT)
        .build()
        .context("a client of the model")?;
    Models::new(model, &config.models, &client, &prompts(config)?).map(Some).context("model")
}

/// What is said to it.
pub(crate) fn prompts(config: &Config) -> anyhow::Result<Prompts> {
    match &config.prompts {
        Some(folder) => Prompts::from_folder(folder).context("prompts"),
        None => Ok(Prompts::embedded()),
    }
}
