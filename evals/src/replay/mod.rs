//! Serves a recorded incident as the Kubernetes, Prometheus, Alertmanager, Loki and Jaeger APIs.

mod alertmanager;
mod jaeger;
mod kubernetes;
mod listener;
mod loki;
mod noted;
mod pairs;
mod prometheus;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bundle::{Bundle, Past, PastError, Payload};
use listener::Listener;
use noted::Noted;

/// Where a replay listens, and how it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Loopback address to listen at.
    pub address: IpAddr,
    /// Port of the Kubernetes API; 0 takes a free one.
    pub kubernetes_port: u16,
    /// Port of the Prometheus API; 0 takes a free one.
    pub prometheus_port: u16,
    /// Port of the Alertmanager API; 0 takes a free one.
    pub alertmanager_port: u16,
    /// Port of the Loki API; 0 takes a free one.
    pub loki_port: u16,
    /// Port of the Jaeger API; 0 takes a free one.
    pub jaeger_port: u16,
    /// The time that is served: within the recording; else its end.
    pub at: Option<Timestamp>,
    /// A Prometheus program, to answer queries on the recorded samples.
    pub prometheus: Option<RealPrometheus>,
}

/// A Prometheus program that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealPrometheus {
    /// Where.
    pub program: PathBuf,
    /// Whether it is started beside the first query and answers all from when it is ready; else it is started for the
    /// first query that is not evaluated here, and answers such.
    pub first: bool,
}

impl Default for ReplayOptions {
    /// Free ports at 127.0.0.1.
    fn default() -> Self {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            address,
            kubernetes_port: 0,
            prometheus_port: 0,
            alertmanager_port: 0,
            loki_port: 0,
            jaeger_port: 0,
            at: None,
            prometheus: None,
        }
    }
}

/// A replay could not be started. Trying again helps where another program has the port.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Whoever reached the address could read the incident: a replay asks nobody for credentials.
    #[error("a replay listens at a loopback address only, and {0} is none")]
    Open(IpAddr),
    /// The port is not to be had.
    #[error("listen at {address} as {api}: {source}")]
    Listen {
        /// Which API.
        api: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It knows nothing of the time that is wanted.
    #[error(transparent)]
    Past(#[from] PastError),
    /// A client for it could not be made.
    #[error("make a client for the replay: {0}")]
    Client(#[source] kube::Error),
}

/// A recorded incident that is being served. It ends with the token it was given, or when it is dropped.
#[derive(Debug)]
pub struct Replay {
    bundle: Arc<Bundle>,
    kubernetes: Listener,
    prometheus: Listener,
    alertmanager: Listener,
    loki: Listener,
    jaeger: Listener,
    unknown: Vec<String>,
    noted: Noted,
    end: DropGuard,
}

impl Replay {
    /// Begins to serve `bundle`, until `cancel`.
    pub async fn serve(
        bundle: Arc<Bundle>,
        options: ReplayOptions,
        cancel: CancellationToken,
    ) -> Result<Self, ReplayError> {
        if !options.address.is_loopback() {
            return Err(ReplayError::Open(options.address));
        }
        let recorded_at = bundle.now();
        let listed_at = bundle.manifest.listed_at.unwrap_or(recorded_at);
        let at = options.at.unwrap_or(recorded_at);
        // The state is whole already where nothing was watched.
        let (bundle, unknown) = if at == recorded_at && bundle.kubernetes.watched.is_empty() {
            (bundle, Vec::new())
        } else {
            let Past { bundle, unknown } = Arc::unwrap_or_clone(bundle).as_of(at)?;
            (Arc::new(bundle), unknown)
        };
        let warning = (at < listed_at).then(|| {
            format!(
                "served as of {at:.0}: what an object's status doesn't date itself is as recorded at {listed_at:.0}"
            )
        });
        let at = |port| SocketAddr::new(options.address, port);
        let cancel = cancel.child_token();
        let end = cancel.clone().drop_guard();
        let noted = Noted::default();
        let kubernetes = Listener::open(
            "Kubernetes",
            at(options.kubernetes_port),
            kubernetes::router(&bundle, &noted, warning.as_deref(), &cancel),
            &cancel,
        );
        let prometheus = prometheus::router(&bundle, options.prometheus, &cancel);
        let prometheus = Listener::open("Prometheus", at(options.prometheus_port), prometheus, &cancel);
        let alertmanager =
            Listener::open("Alertmanager", at(options.alertmanager_port), alertmanager::router(&bundle), &cancel);
        let loki = Listener::open("Loki", at(options.loki_port), loki::router(&bundle), &cancel);
        let jaeger = Listener::open("Jaeger", at(options.jaeger_port), jaeger::router(&bundle), &cancel);
        Ok(Self {
            bundle,
            kubernetes: kubernetes.await?,
            prometheus: prometheus.await?,
            alertmanager: alertmanager.await?,
            loki: loki.await?,
            jaeger: jaeger.await?,
            unknown,
            noted,
            end,
        })
    }

    /// URL of the Kubernetes API.
    pub fn kubernetes_url(&self) -> &str {
        self.kubernetes.url()
    }

    /// URL of the Prometheus API. Where no Prometheus was recorded, it answers 503.
    pub fn prometheus_url(&self) -> &str {
        self.prometheus.url()
    }

    /// URL of the Alertmanager API.
    pub fn alertmanager_url(&self) -> &str {
        self.alertmanager.url()
    }

    /// URL of the Loki API, which has the logs that were recorded.
    pub fn loki_url(&self) -> &str {
        self.loki.url()
    }

    /// URL of the Jaeger API, which has the traces that were recorded.
    pub fn jaeger_url(&self) -> &str {
        self.jaeger.url()
    }

    /// What was otherwise at the time that is served and can't be told, in words: none where that is the end.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// A kubeconfig file for it, with one context called `replay`.
    pub fn kubeconfig(&self) -> String {
        let url = self.kubernetes_url();
        format!(
            "apiVersion: v1\nkind: Config\n\
             clusters: [{{name: replay, cluster: {{server: \"{url}\"}}}}]\n\
             users: [{{name: replay, user: {{}}}}]\n\
             contexts: [{{name: replay, context: {{cluster: replay, user: replay}}}}]\n\
             current-context: replay\n"
        )
    }

    /// A client for it.
    pub fn client(&self) -> Result<kube::Client, ReplayError> {
        let uri = http::Uri::try_from(self.kubernetes_url())
            .map_err(|error| ReplayError::Client(kube::Error::HttpError(error.into())))?;
        kube::Client::try_from(kube::Config::new(uri)).map_err(ReplayError::Client)
    }

    /// What Alertmanager posted, in order.
    pub fn payloads(&self) -> &[Payload] {
        &self.bundle.alertmanager.payloads
    }

    /// The time that is served, by which a client should tell ages.
    pub fn now(&self) -> Timestamp {
        self.bundle.now()
    }

    /// What clients wanted to change, as `DELETE /api/v1/namespaces/shop/pods/cart-1`, in their order: all was refused. At
    /// most a thousand are noted.
    pub fn refused_writes(&self) -> Vec<String> {
        self.noted.all()
    }

    /// What is served.
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// Waits until it has ended; its ports are free then. An error tells of a listener that failed by itself.
    pub async fn ended(self) -> std::io::Result<()> {
        let Self { kubernetes, prometheus, alertmanager, loki, jaeger, end, .. } = self;
        let (kubernetes, prometheus, alertmanager, loki, jaeger) =
            tokio::join!(kubernetes.ended(), prometheus.ended(), alertmanager.ended(), loki.ended(), jaeger.ended());
        drop(end);
        kubernetes.and(prometheus).and(alertmanager).and(loki).and(jaeger)
    }
}
