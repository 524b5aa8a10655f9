//! The arguments of `record`.

use std::path::PathBuf;

use clap::Args;

use super::{Reach, Server};

/// Arguments of `record`.
#[derive(Args)]
pub(crate) struct Record {
    /// Where the bundle is written.
    #[arg(short, long)]
    pub(crate) out: PathBuf,
    /// An incident of the marple at --url, by its short name: its namespaces, alerts and changes.
    #[arg(long)]
    pub(crate) incident: Option<String>,
    /// Namespaces to record, as shop,payments; with --incident, beside those of the incident. Without either, all that
    /// there are.
    #[arg(short, long = "namespace", alias = "namespaces", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,
    /// How far back metrics and changes go; else 1h, of an incident to half an hour before it began.
    #[arg(long)]
    pub(crate) since: Option<marple_core::Period>,
    /// How long objects are watched before the rest is read, as 30s: `replay --at` shows each step of it.
    #[arg(long, default_value = "0s")]
    pub(crate) watch: marple_core::Period,
    /// After how long no further log is read; those of pods that are not well are read first.
    #[arg(long, default_value = "3m")]
    pub(crate) time: marple_core::Period,
    /// MiB of all logs together.
    #[arg(long, default_value_t = 128)]
    pub(crate) logs: usize,
    /// Base URL of the marple that serves and keeps the changes; with --incident <http://127.0.0.1:8080> if not given.
    #[arg(long, env = "MARPLE_URL")]
    pub(crate) url: Option<String>,
    /// File with its bearer token; else the environment's `MARPLE_TOKEN`.
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
    /// Base URL of Alertmanager, whose alerts are recorded.
    #[arg(long, env = "ALERTMANAGER_URL")]
    pub(crate) alertmanager: Option<String>,
    /// Base URL of Prometheus.
    #[arg(long, env = "PROMETHEUS_URL")]
    pub(crate) prometheus: Option<String>,
    /// A configuration to take cluster, prometheus and redaction from.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Context of the kubeconfig; else the current one.
    #[arg(long)]
    pub(crate) context: Option<String>,
}

impl Record {
    /// How the cluster is reached.
    pub(crate) fn reach(&self) -> Reach {
        let Self { config, context, prometheus, .. } = self;
        Reach {
            config: config.clone(),
            context: context.clone(),
            namespace: None,
            prometheus: prometheus.clone(),
            json: false,
        }
    }

    /// The marple that serves, where one is asked.
    pub(crate) fn server(&self) -> Option<Server> {
        let url = self.url.clone().or_else(|| self.incident.as_ref().map(|_| "http://127.0.0.1:8080".to_owned()))?;
        Some(Server { url, token_file: self.token_file.clone() })
    }
}
