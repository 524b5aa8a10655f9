//! The command line.

mod eval;
mod record;
mod replay;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use marple_core::Size;

pub(crate) use eval::{AddCase, Eval, EvalCommand, Measured, Said, read_object};
pub(crate) use record::Record;
pub(crate) use replay::Replay;

/// Explains Kubernetes alerts.
#[derive(Parser)]
#[command(name = "marple", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// More about what is done, on standard error; twice for all.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log lines as JSON.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 something was not reached or failed, try again; 2 wrong arguments or \
configuration; 3 investigated, but no cause could be established; 4 less than --fail-under passed; 130 interrupted.";

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Take alerts, watch the cluster, explain incidents and tell people.
    Serve(Serve),
    /// Only watch the cluster, and deliver what is seen to a marple that serves elsewhere.
    Forward(Forward),
    /// Replay a recorded outage through the whole program, without a cluster.
    Demo(Demo),
    /// Ask a question about the cluster; a model answers with evidence.
    Ask(Ask),
    /// Ask questions one after the other, about the cluster or an incident.
    Chat(Chat),
    /// Investigate an alert by its name, or an object.
    Investigate(Investigate),
    /// Check a configuration, or print its schema.
    #[command(subcommand)]
    Config(Config),
    /// Draw a query of Prometheus over a time.
    Graph(Graph),
    /// Measure an investigator on recorded incidents of which the cause is known.
    Eval(Eval),
    /// Record an incident of the cluster into a bundle.
    Record(Record),
    /// Serve a bundle as a Kubernetes, a Prometheus, an Alertmanager and a Loki API.
    Replay(Replay),
    /// See which toolsets can be used, and why others can't.
    #[command(subcommand)]
    Toolset(Toolset),
    /// See what the language model costs, stop it, or let it go on.
    #[command(subcommand)]
    Spending(Spending),
    /// See incidents, take one, say that it is over, or whether its cause was right.
    #[command(subcommand)]
    Incident(Incident),
    /// See and resend notifications that could not be delivered.
    #[command(subcommand)]
    Outbox(Outbox),
}

/// Arguments of `serve`.
#[derive(Args)]
pub(crate) struct Serve {
    /// The configuration; without one, the defaults.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `forward`.
#[derive(Args)]
pub(crate) struct Forward {
    /// The configuration; its `cluster` and `forwarder` are used.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Base URL of the marple that serves, as <http://marple.monitoring:8080>.
    #[arg(long, env = "MARPLE_URL")]
    pub(crate) to: String,
    /// File with its bearer token; else the environment's `MARPLE_TOKEN`.
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
    /// File to which goes what the other doesn't take while it is away; it is best on a volume that outlives the container.
    /// Else `marple-spool.db` in the working directory, where that can be written.
    #[arg(long)]
    pub(crate) spool: Option<PathBuf>,
    /// How much the file may hold.
    #[arg(long, default_value = "256MiB")]
    pub(crate) spool_max: Size,
    /// No such file: while the other is away, of each condition the last state is held in memory.
    #[arg(long, conflicts_with_all = ["spool", "spool_max"])]
    pub(crate) no_spool: bool,
    /// Name of a Lease: of all that are started with it one forwards, and another takes over when that ends.
    #[arg(long)]
    pub(crate) lease: Option<String>,
    /// Namespace of the Lease; else the pod's own.
    #[arg(long, requires = "lease")]
    pub(crate) lease_namespace: Option<String>,
    /// Where `/healthz` and `/metrics` are served, as 127.0.0.1:9464; without it they are not.
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
}

/// Arguments of `demo`.
#[derive(Args)]
pub(crate) struct Demo {
    /// The incident as JSON, as the webhook sink would send it.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a laptop reaches what is to be looked at.
#[derive(Args)]
pub(crate) struct Reach {
    /// A configuration to take cluster, prometheus, model, budget, gate and redaction from.
    #[arg(short, long, env = "MARPLE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Context of the kubeconfig; else the current one.
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// Namespace of objects that are named without one; else the context's.
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Base URL of Prometheus.
    #[arg(long, env = "PROMETHEUS_URL")]
    pub(crate) prometheus: Option<String>,
    /// Steps and result as JSON lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `ask`.
#[derive(Args)]
pub(crate) struct Ask {
    /// The question.
    pub(crate) question: String,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// Arguments of `chat`.
#[derive(Args)]
pub(crate) struct Chat {
    /// An incident of the marple at --url, by its short name or the beginning of it: it answers, with the incident's
    /// evidence.
    #[arg(long)]
    pub(crate) incident: Option<String>,
    /// Have the marple at --url answer, with what it has stored, instead of this program.
    #[arg(long)]
    pub(crate) remote: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// Arguments of `investigate`.
#[derive(Args)]
pub(crate) struct Investigate {
    /// The name of a firing alert, or an object as deployment/cart or deployment/shop/cart.
    pub(crate) target: String,
    /// Base URL of Alertmanager.
    #[arg(long, env = "ALERTMANAGER_URL", default_value = "http://127.0.0.1:9093")]
    pub(crate) alertmanager: String,
    /// Don't ask a model even where one is set.
    #[arg(long)]
    pub(crate) no_model: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// Commands about the configuration.
#[derive(Subcommand)]
pub(crate) enum Config {
    /// Read a configuration and say whether it can be used.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration.
    Schema,
}

/// Arguments of `graph`.
#[derive(Args)]
pub(crate) struct Graph {
    /// The query; a comparison with a number becomes a line.
    pub(crate) query: String,
    /// How far back it is drawn.
    #[arg(long, default_value = "1h")]
    pub(crate) range: marple_core::Period,
    /// A time that is marked, as 2026-01-31T12:00:00Z.
    #[arg(long)]
    pub(crate) mark: Option<jiff::Timestamp>,
    /// Where it is written, as memory.svg or memory.png.
    #[arg(short, long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// Commands about toolsets.
#[derive(Subcommand)]
pub(crate) enum Toolset {
    /// Try each toolset, and list its state and tools.
    List {
        /// The configuration; without one, the defaults.
        #[arg(short, long, env = "MARPLE_CONFIG")]
        config: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Where the marple is that is meant.
#[derive(Args, Clone)]
pub(crate) struct Server {
    /// Base URL of the marple that serves.
    #[arg(long, env = "MARPLE_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// File with its bearer token; else the environment's `MARPLE_TOKEN`.
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
}

/// Commands about incidents.
#[derive(Subcommand)]
pub(crate) enum Incident {
    /// List the incidents that are open, the latest first.
    List {
        /// Those that are over too, at most 200.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Show one with its cause and evidence.
    Show {
        /// Its short name, or the beginning of it.
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Have the model look into one, whatever was concluded.
    Investigate {
        /// Its short name, or the beginning of it.
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Say that the cause was right: like incidents are helped by it.
    Right(Judged),
    /// Say that the cause was right in part.
    Partly(Judged),
    /// Say that the cause was wrong, and what it was.
    Wrong(Judged),
    /// Note that somebody has taken one.
    Acknowledge {
        /// Its short name, or the beginning of it.
        id: String,
        /// Who; else the environment's `USER`.
        #[arg(long)]
        by: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Say that one is over. Alerts that are told to hold after that open it again.
    Resolve {
        /// Its short name, or the beginning of it.
        id: String,
        /// Who; else the environment's `USER`.
        #[arg(long)]
        by: Option<String>,
        #[command(flatten)]
        server: Server,
    },
}

/// A person's word on a conclusion.
#[derive(Args)]
pub(crate) struct Judged {
    /// Its short name, or the beginning of it.
    pub(crate) id: String,
    /// What it was, in a sentence.
    #[arg(long)]
    pub(crate) was: Option<String>,
    /// Who says so; else the environment's `USER`.
    #[arg(long)]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Commands about what the language model costs.
#[derive(Subcommand)]
pub(crate) enum Spending {
    /// Show what it has cost today, and whether it may be asked.
    Show {
        #[command(flatten)]
        server: Server,
    },
    /// Stop it: what is under way is broken off, and the rules answer alone.
    Stop {
        /// Why.
        #[arg(long)]
        why: Option<String>,
        /// Who; else the environment's `USER`.
        #[arg(long)]
        by: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Let it be asked again.
    Resume {
        /// Who; else the environment's `USER`.
        #[arg(long)]
        by: Option<String>,
        #[command(flatten)]
        server: Server,
    },
}

/// Commands about the outbox.
#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// List the notifications that could not be delivered.
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Try a notification again.
    Resend {
        /// Its number, from the list.
        id: i64,
        #[command(flatten)]
        server: Server,
    },
}

/// Parses the command line; ends the program where it is wrong.
pub(crate) fn parse() -> Arguments {
    Arguments::parse()
}
