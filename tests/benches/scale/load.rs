//! Writes to the API server: each when it is due, whatever became of those before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use marple_tests::lone_server::LoneServer;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::objects::{Writers, deployment, large, name, namespace, namespaces, pod, status, warning};

/// Requests under way at a time, each on a connection of its own. A write that is due while all are under way waits, and
/// how long is told.
const AT_ONCE: usize = 64;

/// Of how many updates one breaks a pod; the others alter nothing that is told.
const BREAKS: usize = 10;

/// Who writes.
#[derive(Clone)]
pub(crate) struct Writer {
    client: reqwest::Client,
    url: Arc<str>,
    token: Arc<str>,
}

/// One write.
pub(crate) struct Write {
    /// The pod that it broke.
    pub(crate) broke: Option<String>,
    /// When it was due.
    pub(crate) due: Instant,
    /// When it was sent.
    pub(crate) sent: Instant,
    /// When the API server had answered.
    pub(crate) answered: Instant,
}

impl Writer {
    /// To this server.
    pub(crate) fn to(server: &LoneServer) -> Result<Self> {
        Ok(Self { client: server.client()?, url: server.url().into(), token: server.token().into() })
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<()> {
        let form = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, form).body(serde_json::to_vec(body)?);
        // Nobody reads the answer, and this form costs the server least.
        let answer = request.header(ACCEPT, "application/vnd.kubernetes.protobuf").send().await?;
        let status = answer.status();
        let text = answer.bytes().await?;
        ensure!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&text));
        Ok(())
    }

    /// Makes all objects.
    pub(crate) async fn fill(&self, pods: usize, deployments: usize, writers: Writers) -> Result<()> {
        for name in namespaces() {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.write(Method::POST, "/api/v1/namespaces", &object).await?;
        }
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (writer, next) = (self.clone(), Arc::clone(&next));
            workers.spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (path, object) = if at < pods {
                        (format!("/api/v1/namespaces/{}/pods", namespace(at)), pod(at, writers))
                    } else if at < pods + deployments {
                        let at = at - pods;
                        (format!("/apis/apps/v1/namespaces/{}/deployments", namespace(at)), deployment(at))
                    } else {
                        return anyhow::Ok(());
                    };
                    writer.write(Method::POST, &path, &object).await?;
                    if at < pods && writers == Writers::Cleared {
                        // So the API server is told to forget them, and notes none again until somebody applies.
                        let cleared = json!({"metadata": {"managedFields": [{}]}});
                        writer.write(Method::PATCH, &format!("{path}/{}", name(at)), &cleared).await?;
                    }
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Updates pods at a rate for a time. The first half of them stays well; of the others those are broken that come after
    /// `broken`, one after another.
    pub(crate) async fn update(
        &self,
        pods: usize,
        writers: Writers,
        rate: usize,
        seconds: usize,
        broken: usize,
    ) -> Result<Vec<Write>> {
        ensure!(
            pods / 2 + broken + rate * seconds / BREAKS < pods,
            "no pods are left that could be broken: take more of them, or less time"
        );
        let planned = move |number: usize| {
            let breaks = number.is_multiple_of(BREAKS);
            let at = if breaks { pods / 2 + broken + number / BREAKS } else { (number * 7) % (pods / 2) };
            Planned {
                method: Method::PUT,
                path: format!("/api/v1/namespaces/{}/pods/{}/status", namespace(at), name(at)),
                body: status(at, writers, number, breaks),
                breaks: breaks.then(|| name(at)),
            }
        };
        self.paced(rate, rate * seconds, planned).await
    }

    /// Makes warning events of pods at a rate.
    pub(crate) async fn warn(&self, pods: usize, rate: usize, count: usize) -> Result<Vec<Write>> {
        let planned = move |number: usize| Planned {
            method: Method::POST,
            path: format!("/api/v1/namespaces/{}/events", namespace(number % pods)),
            body: warning(number % pods, number),
            breaks: None,
        };
        self.paced(rate, count, planned).await
    }

    /// Writes a ConfigMap of nearly a MiB, the most that etcd takes with what surrounds it, and alters one value of it.
    pub(crate) async fn large(&self) -> Result<()> {
        let path = format!("/api/v1/namespaces/{}/configmaps", namespace(0));
        self.write(Method::POST, &path, &large("5s")).await?;
        self.write(Method::PUT, &format!("{path}/large"), &large("50ms")).await
    }

    /// Writes each when it is due.
    async fn paced(
        &self,
        rate: usize,
        count: usize,
        planned: impl Fn(usize) -> Planned + Copy + Send + 'static,
    ) -> Result<Vec<Write>> {
        let began = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (writer, next) = (self.clone(), Arc::clone(&next));
            workers.spawn(async move {
                let mut written = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok(written);
                    }
                    let due = began + Duration::from_secs_f64(number as f64 / rate as f64);
                    let Planned { method, path, body, breaks } = planned(number);
                    tokio::time::sleep_until(due.into()).await;
                    let sent = Instant::now();
                    writer.write(method, &path, &body).await?;
                    written.push(Write { broke: breaks, due, sent, answered: Instant::now() });
                }
            });
        }
        let mut written = Vec::with_capacity(count);
        while let Some(ended) = workers.join_next().await {
            written.append(&mut ended??);
        }
        Ok(written)
    }
}

/// A write that is to come.
struct Planned {
    method: Method,
    path: String,
    body: Value,
    /// The pod that it breaks.
    breaks: Option<String>,
}
