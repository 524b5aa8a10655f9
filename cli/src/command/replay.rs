//! `marple replay`: serves a bundle as the APIs that it was recorded from.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use marple_evals::{Bundle, RealPrometheus, ReplayOptions};
use tokio_util::sync::CancellationToken;

use crate::arguments::Replay;
use crate::environment;
use crate::exit::Exit;

/// How long its servers may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// So many things that aren't known of an earlier time are named.
const UNKNOWN: usize = 20;

pub(super) async fn run(arguments: Replay, cancel: CancellationToken) -> Exit {
    let served = async {
        let bundle = Bundle::read(&arguments.file)?;
        let options = ReplayOptions {
            at: arguments.at.map(|at| at.of(bundle.now())),
            prometheus: environment::program("prometheus").map(|program| RealPrometheus { program, first: true }),
            ..ReplayOptions::default()
        };
        let traces = !bundle.traces.is_empty();
        let real = options.prometheus.clone();
        let replay = marple_evals::Replay::serve(Arc::new(bundle), options, cancel.clone())
            .await
            .with_context(|| arguments.file.display().to_string())?;
        std::fs::write(&arguments.kubeconfig, replay.kubeconfig())
            .with_context(|| format!("write {}", arguments.kubeconfig.display()))?;
        let what = if arguments.at.is_some() { "Served as of" } else { "Recorded at" };
        println!("{what} {}.", replay.now());
        println!(
            "  Kubernetes    {}   (kubectl --kubeconfig {})",
            replay.kubernetes_url(),
            arguments.kubeconfig.display()
        );
        println!("  Prometheus    {}", replay.prometheus_url());
        println!("  Alertmanager  {}", replay.alertmanager_url());
        println!("  Loki          {}", replay.loki_url());
        if traces {
            println!("  Jaeger        {}", replay.jaeger_url());
        }
        if let Some(real) = real {
            println!("Queries are answered by {} from when it is ready.", real.program.display());
        }
        for what in replay.unknown().iter().take(UNKNOWN) {
            println!("Not known as it was then: {what}.");
        }
        if let Some(more) = replay.unknown().len().checked_sub(UNKNOWN).filter(|more| *more > 0) {
            println!("Not known as they were then: {more} more.");
        }
        println!("Ctrl-C ends it.");
        cancel.cancelled().await;
        // A Prometheus that was started ends with it.
        // Connections that somebody holds open go with the process.
        if let Ok(ended) = tokio::time::timeout(ENDS_WITHIN, replay.ended()).await {
            ended?;
        }
        anyhow::Ok(())
    };
    match served.await {
        // Serving has no other end than being stopped.
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}
