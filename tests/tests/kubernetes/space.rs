//! A namespace of a test's own on the cluster.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use marple_tools::endpoint::EndpointConfig;
use marple_tools::kubernetes::{Cluster, offer, tools};
use marple_tools::prometheus::Prometheus;
use marple_tools::{Look, Output, Tool, ToolError};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// How long a condition is waited for.
const DEADLINE: Duration = Duration::from_secs(90);

/// A namespace of a test's own; it is deleted when the test ends.
pub(crate) struct Space {
    pub(crate) name: String,
    pub(crate) cluster: Cluster,
    context: String,
    tools: Vec<Arc<dyn Tool>>,
    owned: bool,
}

impl Space {
    /// A namespace with these objects; nothing where no cluster is given to the tests.
    pub(crate) async fn raise(name: &str, manifest: &str) -> Option<Self> {
        let Ok(context) = std::env::var("MARPLE_TEST_CONTEXT") else {
            println!("left out: set MARPLE_TEST_CONTEXT to a context of the kubeconfig");
            return None;
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        let name = format!("kube-{name}-{}", std::process::id());
        let space = Self::over(config(&context).await, name, context, true);
        run(&space.context, &["create", "namespace", &space.name], "").await;
        space.wait("serviceaccount/default", "", "create").await;
        if !manifest.is_empty() {
            space.kubectl_with(&["apply", "-f", "-"], manifest).await;
        }
        Some(space)
    }

    fn over(config: Config, name: String, context: String, owned: bool) -> Self {
        let cluster = Cluster::new(Client::try_from(config).expect("a client"));
        Self { name, tools: tools(cluster.clone()), cluster, context, owned }
    }

    /// The same namespace as one of its service accounts sees it.
    pub(crate) async fn as_service_account(&self, account: &str) -> Self {
        let mut config = config(&self.context).await;
        config.auth_info.impersonate = Some(format!("system:serviceaccount:{}:{account}", self.name));
        config.auth_info.impersonate_groups = Some(vec!["system:authenticated".to_owned()]);
        Self::over(config, self.name.clone(), self.context.clone(), false)
    }

    /// The same with the tools that this cluster can be looked at with now, and a Prometheus.
    pub(crate) async fn with_all_tools(mut self) -> Self {
        let url = std::env::var("MARPLE_TEST_PROMETHEUS").unwrap_or_else(|_| "http://127.0.0.1:9090".to_owned());
        let config = EndpointConfig::at(url.parse().expect("an address"));
        let prometheus = Prometheus::new(&config).expect("a client");
        self.tools = offer(&self.cluster, Some(&prometheus)).await.expect("an offer").tools;
        self
    }

    /// The names of the tools.
    pub(crate) fn tools(&self) -> Vec<String> {
        self.tools.iter().map(|tool| tool.spec().name.to_string()).collect()
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<Output, ToolError> {
        let tool = self.tools.iter().find(|tool| tool.spec().name == name).expect("a tool of that name");
        let look = Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() };
        tool.call(arguments, &look).await
    }

    /// What `kubectl` says in the namespace.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl_with(arguments, "").await
    }

    /// What `kubectl` says where it also says no by its exit code.
    pub(crate) async fn kubectl_says(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("kubectl");
        command.args(["--context", &self.context, "-n", &self.name]).args(arguments).kill_on_drop(true);
        let output = tokio::time::timeout(DEADLINE, command.output()).await.expect("kubectl ends").expect("its output");
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) async fn kubectl_with(&self, arguments: &[&str], input: &str) -> String {
        let arguments: Vec<&str> = ["-n", &self.name].into_iter().chain(arguments.iter().copied()).collect();
        run(&self.context, &arguments, input).await
    }

    /// Waits for a condition of objects, as `kubectl wait` knows them. Those that a controller makes may come later.
    pub(crate) async fn wait(&self, object: &str, selector: &str, condition: &str) {
        let condition = format!("--for={condition}");
        let timeout = format!("--timeout={}s", DEADLINE.as_secs());
        if !selector.is_empty() {
            let selector: Vec<&str> = selector.split(' ').collect();
            let created: Vec<&str> = [&["wait", object][..], &selector, &["--for=create", &timeout]].concat();
            self.kubectl(&created).await;
            let reached: Vec<&str> = [&["wait", object][..], &selector, &[condition.as_str(), &timeout]].concat();
            self.kubectl(&reached).await;
            return;
        }
        self.kubectl(&["wait", object, &condition, &timeout]).await;
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if self.owned {
            let arguments = ["--context", &self.context, "delete", "namespace", &self.name, "--wait=false"];
            std::process::Command::new("kubectl").args(arguments).stdout(Stdio::null()).status().ok();
        }
    }
}

async fn config(context: &str) -> Config {
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    Config::from_kubeconfig(&options).await.expect("the context of MARPLE_TEST_CONTEXT is in the kubeconfig")
}

async fn run(context: &str, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("kubectl");
    command.arg("--context").arg(context).args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kubectl");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).await.expect("written");
    let output =
        tokio::time::timeout(DEADLINE * 2, child.wait_with_output()).await.expect("kubectl ends").expect("its output");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}
