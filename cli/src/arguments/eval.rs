//! The arguments of `eval`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use marple_core::Category;
use marple_evals::case::{AcceptedObject, NamePattern};
use marple_evals::record::Limits;

use super::{Record, Server};

/// Arguments of `eval`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Eval {
    #[command(subcommand)]
    pub(crate) command: Option<EvalCommand>,
    /// The suite: a folder of cases, or one case.
    #[arg(required = true)]
    pub(crate) suite: Option<PathBuf>,
    /// Who is measured; else the agent where a model is set, and the rules where none is. The rules are always told beside.
    #[arg(long, value_enum)]
    pub(crate) investigator: Option<Measured>,
    /// Name of the model, in place of the configuration's or `OPENAI_MODEL`.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// A program to be measured, with its arguments; `{question}` is the question. It gets `KUBECONFIG`, `PROMETHEUS_URL`,
    /// `ALERTMANAGER_URL`, `LOKI_URL`, `JAEGER_URL`, `QUESTION` and `RECORDED_AT`, and answers on its standard output.
    #[arg(long = "command", value_name = "COMMAND")]
    pub(crate) program: Option<String>,
    /// Trials of each case.
    #[arg(long, default_value = "1")]
    pub(crate) trials: NonZeroU32,
    /// Only cases of this id; one `*` stands for any characters.
    #[arg(long)]
    pub(crate) only: Option<String>,
    /// Trials at a time; else as many as there are processors.
    #[arg(short, long)]
    pub(crate) jobs: Option<NonZeroU32>,
    /// The longest that one trial may take.
    #[arg(long, default_value = "10m")]
    pub(crate) timeout: marple_core::Period,
    /// Folder of the reports. Trials that are in it are used again where nothing of theirs has changed.
    #[arg(short, long, default_value = "marple-eval")]
    pub(crate) out: PathBuf,
    /// Another run's folder, to tell what is better and worse.
    #[arg(long)]
    pub(crate) compare: Option<PathBuf>,
    /// End with exit code 4 where less than this percentage of the cases passes.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) fail_under: Option<u8>,
    /// Have the model judge answers in words too, beside the exact rules.
    #[arg(long)]
    pub(crate) judge: bool,
    /// A configuration to take model, budget, prompts, gate and redaction from.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measured {
    /// marple without a model.
    Rules,
    /// marple with the model.
    Agent,
    /// The program that --command names.
    Command,
}

/// Commands beside the measuring.
#[derive(Subcommand)]
pub(crate) enum EvalCommand {
    /// Make a case of an incident that was concluded wrongly, of its recording and what is right.
    AddCase(Box<AddCase>),
    /// Print the JSON Schema of a case.
    Schema,
}

/// Arguments of `eval add-case`.
#[derive(Args)]
pub(crate) struct AddCase {
    /// The incident's short name, or the beginning of it; --incident is the same.
    #[arg(required_unless_present = "named")]
    pub(crate) incident: Option<String>,
    /// The incident's short name, or the beginning of it.
    #[arg(long = "incident", value_name = "INCIDENT", conflicts_with = "incident")]
    pub(crate) named: Option<String>,
    /// The recording of it; else it is recorded now.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// The suite that it is added to.
    #[arg(long, default_value = "suite")]
    pub(crate) suite: PathBuf,
    /// What is right to say.
    #[arg(long, value_enum, default_value = "fault")]
    pub(crate) verdict: Said,
    /// An object that is right to name, as ConfigMap/shop/settings or Node/worker-1; of several any one. Else those that a
    /// person named so who said what it was.
    #[arg(long, value_parser = read_object)]
    pub(crate) cause: Vec<AcceptedObject>,
    /// A kind of fault that is right, as configuration; of several any one.
    #[arg(long, value_parser = read_category)]
    pub(crate) category: Vec<Category>,
    /// What was wrong with the conclusion, in words; else what a person said that it was.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Name of the case; else one that tells nothing.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Where it is recorded now: a configuration to take cluster, prometheus and redaction from.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where it is recorded now: context of the kubeconfig; else the current one.
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// Where it is recorded now: base URL of Prometheus.
    #[arg(long, env = "PROMETHEUS_URL")]
    pub(crate) prometheus: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

impl AddCase {
    /// The incident that is meant.
    pub(crate) fn incident(&self) -> &str {
        self.named.as_deref().or(self.incident.as_deref()).unwrap_or_default()
    }

    /// How it is recorded, into a file.
    pub(crate) fn record(&self, out: PathBuf) -> Record {
        Record {
            out,
            incident: Some(self.incident().to_owned()),
            namespaces: Vec::new(),
            since: None,
            watch: marple_core::Period::seconds(0),
            time: marple_core::Period::from(Limits::default().time),
            logs: Limits::default().all_logs >> 20,
            url: Some(self.server.url.clone()),
            token_file: self.server.token_file.clone(),
            alertmanager: None,
            prometheus: self.prometheus.clone(),
            config: self.config.clone(),
            context: self.context.clone(),
        }
    }
}

/// What is right to say of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Said {
    /// Something is broken.
    Fault,
    /// Nothing is.
    NoFault,
    /// It can't be told.
    Inconclusive,
}

/// Reads an object, as `ConfigMap/shop/settings` or `Node/worker-1`.
pub(crate) fn read_object(text: &str) -> Result<AcceptedObject, String> {
    let mut parts = text.split('/');
    let (kind, namespace, name) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(kind), Some(namespace), Some(name), None) => (kind, Some(namespace.to_owned()), name),
        (Some(kind), Some(name), None, None) => (kind, None, name),
        _ => return Err("write it as ConfigMap/shop/settings, or Node/worker-1".to_owned()),
    };
    let name = NamePattern::new(name).ok_or("its name is empty or has more than one `*`")?;
    Ok(AcceptedObject { kind: kind.to_owned(), namespace, name })
}

fn read_category(text: &str) -> Result<Category, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}
