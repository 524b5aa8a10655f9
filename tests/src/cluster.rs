//! The test cluster: a real Kubernetes with a real Prometheus and Alertmanager.

use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::{Client, Config, discovery};
use marple_core::Labels;
use serde::Deserialize;
use serde_json::{Value, json};

/// Names the kubeconfig's context of the cluster to test on; without it, tests on a cluster are left out.
const CONTEXT: &str = "MARPLE_TEST_CONTEXT";

/// How often a condition is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(250);

/// A cluster that tests may use: each in namespaces of its own.
#[derive(Clone)]
pub struct TestCluster {
    config: Config,
    client: Client,
    context: String,
    prometheus: String,
    alertmanager: String,
    /// Where it is not the kubeconfig of the environment.
    kubeconfig: Option<PathBuf>,
}

impl TestCluster {
    /// The cluster of `MARPLE_TEST_CONTEXT`. Without that, says in one line that the test is left out.
    ///
    /// Fails where the context is named and can't be used: a test that was asked for must not be left out unseen.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
    pub async fn from_env() -> Result<Option<Self>> {
        let Ok(context) = env::var(CONTEXT) else {
            eprintln!("left out: it needs a cluster, and {CONTEXT} is not set");
            return Ok(None);
        };
        // Another client of the same process may have chosen it already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let kubeconfig = Kubeconfig::read().context("read the kubeconfig")?;
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .with_context(|| format!("the context {context} of {CONTEXT}"))?;
        let url = |name: &str, usual: &str| env::var(name).unwrap_or_else(|_| usual.to_owned());
        Ok(Some(Self {
            client: Client::try_from(config.clone())?,
            config,
            context,
            prometheus: url("MARPLE_TEST_PROMETHEUS", "http://127.0.0.1:9090"),
            alertmanager: url("MARPLE_TEST_ALERTMANAGER", "http://127.0.0.1:9093"),
            kubeconfig: None,
        }))
    }

    /// The cluster of this kubeconfig, of an API server alone: it has no controllers, and nothing around it.
    pub async fn alone(kubeconfig: PathBuf) -> Result<Self> {
        let read = Kubeconfig::read_from(&kubeconfig)?;
        let context = read.current_context.clone().context("a context")?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config.clone())?;
        let (prometheus, alertmanager) = (String::new(), String::new());
        Ok(Self { config, client, context, prometheus, alertmanager, kubeconfig: Some(kubeconfig) })
    }

    /// Its kubeconfig, where it is not that of the environment.
    pub fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// What of `cluster` in a configuration leads to it.
    pub fn settings(&self) -> String {
        let kubeconfig = self.kubeconfig.as_ref().map(|file| format!(", kubeconfig: {}", file.display()));
        format!("context: {}{}", self.context, kubeconfig.unwrap_or_default())
    }

    /// A client with all rights.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// How the client reaches the cluster.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The kubeconfig's context, for kubectl.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// URL of its Prometheus.
    pub fn prometheus_url(&self) -> &str {
        &self.prometheus
    }

    /// URL of its Alertmanager.
    pub fn alertmanager_url(&self) -> &str {
        &self.alertmanager
    }

    /// Makes a namespace that nothing else uses: `prefix` with the time. It is deleted when it is dropped.
    pub async fn namespace(&self, prefix: &str) -> Result<Namespace> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let name = format!("{prefix}-{:x}", since.as_nanos());
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client());
        api.create(&PostParams::default(), &serde_json::from_value(namespace)?).await?;
        let namespace = Namespace { cluster: self.clone(), name };
        if self.kubeconfig.is_some() {
            return Ok(namespace);
        }
        // Pods are refused until the namespace has its account.
        let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
            Api::namespaced(self.client(), namespace.name());
        wait_for("the default service account", Duration::from_secs(20), || async {
            accounts.get("default").await.map(|_| ())
        })
        .await?;
        Ok(namespace)
    }

    /// The alerts that Prometheus holds as firing for a namespace.
    pub async fn firing_alerts(&self, namespace: &str) -> Result<Vec<Labels>> {
        #[derive(Deserialize)]
        struct Answer {
            data: Alerts,
        }
        #[derive(Deserialize)]
        struct Alerts {
            alerts: Vec<Alert>,
        }
        #[derive(Deserialize)]
        struct Alert {
            labels: Labels,
            state: String,
        }
        let url = format!("{}/api/v1/alerts", self.prometheus);
        let answer: Answer = reqwest::get(&url).await?.error_for_status()?.json().await?;
        let ours = answer.data.alerts.into_iter().filter(|alert| alert.state == "firing").map(|alert| alert.labels);
        Ok(ours.filter(|labels| labels.get("namespace") == Some(namespace)).collect())
    }

    /// Waits until one of the named alerts fires for a namespace, and gives its labels.
    pub async fn alert(&self, namespace: &str, names: &[&str], deadline: Duration) -> Result<Labels> {
        let what = format!("one of the alerts {names:?} in {namespace}");
        wait_for(&what, deadline, || async {
            let firing = self.firing_alerts(namespace).await.map_err(|error| error.to_string())?;
            let found = firing.iter().find(|alert| names.iter().any(|name| alert.get("alertname") == Some(name)));
            found.cloned().ok_or_else(|| format!("these fire: {firing:?}"))
        })
        .await
    }

    /// Applies the objects of a YAML text, as `kubectl apply` does; those without a namespace go to `namespace`. Gives
    /// each as it was before, where it was, and as it became.
    pub async fn apply(&self, namespace: &str, yaml: &str) -> Result<Vec<(Option<DynamicObject>, DynamicObject)>> {
        let mut applied = Vec::new();
        for document in serde_saphyr::from_multiple::<Value>(yaml)? {
            let object: DynamicObject = serde_json::from_value(document)?;
            let name = object.metadata.name.clone().ok_or_else(|| anyhow!("an object has no name"))?;
            let TypeMeta { api_version, kind } = object.types.clone().ok_or_else(|| anyhow!("{name} has no kind"))?;
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            let kind = GroupVersionKind::gvk(group, version, &kind);
            let (resource, capabilities) = discovery::pinned_kind(&self.client, &kind).await?;
            let api: Api<DynamicObject> = match capabilities.scope {
                discovery::Scope::Cluster => Api::all_with(self.client(), &resource),
                discovery::Scope::Namespaced => {
                    let namespace = object.metadata.namespace.as_deref().unwrap_or(namespace);
                    Api::namespaced_with(self.client(), namespace, &resource)
                }
            };
            let before = api.get_opt(&name).await?;
            let after = api
                .patch(&name, &PatchParams::apply("kubectl").force(), &Patch::Apply(&object))
                .await
                .with_context(|| format!("apply {} {name}", resource.kind))?;
            applied.push((before, after));
        }
        Ok(applied)
    }

    /// Waits until all Deployments of a namespace run what was last applied, whole.
    pub async fn rolled_out(&self, namespace: &str, deadline: Duration) -> Result<()> {
        let api: Api<k8s_openapi::api::apps::v1::Deployment> = Api::namespaced(self.client(), namespace);
        let what = format!("the Deployments of {namespace}");
        wait_for(&what, deadline, || async {
            let list = api.list(&kube::api::ListParams::default()).await.map_err(|error| error.to_string())?;
            for deployment in list.items {
                let wanted = deployment.spec.and_then(|spec| spec.replicas).unwrap_or(1);
                let status = deployment.status.unwrap_or_default();
                let current = status.observed_generation == deployment.metadata.generation;
                let (updated, available) =
                    (status.updated_replicas.unwrap_or(0), status.available_replicas.unwrap_or(0));
                if !current || updated != wanted || available != wanted || status.replicas != Some(wanted) {
                    let name = deployment.metadata.name.unwrap_or_default();
                    return Err(format!("{name} has {updated} updated and {available} available of {wanted}"));
                }
            }
            Ok(())
        })
        .await
    }
}

/// A namespace of one test. It is deleted when it is dropped, with all that is in it.
pub struct Namespace {
    cluster: TestCluster,
    name: String,
}

impl Namespace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Applies YAML in it.
    pub async fn apply(&self, yaml: &str) -> Result<()> {
        self.cluster.apply(&self.name, yaml).await.map(drop)
    }

    /// An API of its objects.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.cluster.client(), &self.name)
    }
}

impl Drop for Namespace {
    /// Asks for the deletion from a thread of its own: the test's runtime may be ending, or be this very thread.
    fn drop(&mut self) {
        let (config, name) = (self.cluster.config.clone(), self.name.clone());
        let deletion = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(Client::try_from(config)?);
                match api.delete(&name, &DeleteParams::default().grace_period(0)).await {
                    // A test may have deleted it itself.
                    Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                    deleted => Ok(deleted.map(drop)?),
                }
            })
        });
        let ended = deletion.join();
        #[expect(clippy::print_stderr, reason = "a namespace that stays must be told of, and a drop can't fail")]
        if !matches!(ended, Ok(Ok(()))) {
            eprintln!("the namespace {} was not deleted: {ended:?}", self.name);
        }
    }
}

/// The cluster's Alertmanager sends to a receiver until this is dropped.
pub struct Pointed(());

/// Points the cluster's Alertmanager at a receiver, with a bearer token where one is given.
pub fn point_alertmanager(url: &str, token: Option<&str>) -> Result<Pointed> {
    send_alerts_to(url, token)?;
    Ok(Pointed(()))
}

impl Drop for Pointed {
    fn drop(&mut self) {
        // Port 9 of loopback takes nothing: later tests are sent nothing that isn't theirs.
        let _ = send_alerts_to("http://127.0.0.1:9/unset", None);
    }
}

fn send_alerts_to(url: &str, token: Option<&str>) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/webhook");
    let ended = Command::new(script).arg(url).args(token).output()?;
    ensure!(ended.status.success(), "webhook: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// Waits until a condition holds, and gives what it gave. The error tells the last state that was seen.
pub async fn wait_for<T, E: Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> F,
) -> Result<T> {
    let waiting = tokio::time::Instant::now();
    loop {
        let state = match condition().await {
            Ok(value) => return Ok(value),
            Err(state) => state,
        };
        if waiting.elapsed() >= deadline {
            bail!("{what} did not come within {} s: {state}", deadline.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Leaves a test out where there is no cluster: gives the cluster, or returns from the test.
#[macro_export]
macro_rules! cluster_or_return {
    () => {
        match $crate::cluster::TestCluster::from_env().await? {
            Some(cluster) => cluster,
            None => return Ok(()),
        }
    };
}
