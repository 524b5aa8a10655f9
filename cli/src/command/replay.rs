//! `marple replay`: serves a bundle as a Kubernetes, a Prometheus, an Alertmanager and a Loki API.

use std::sync::Arc;

use anyhow::Context;
use marple_evals::{Bundle, ReplayOptions};
use tokio_util::sync::CancellationToken;

use crate::arguments::Replay;
use crate::exit::Exit;

pub(super) async fn run(arguments: Replay, cancel: CancellationToken) -> Exit {
    let served = async {
        let bundle = Bundle::read(&arguments.file)?;
        let replay = marple_evals::Replay::serve(Arc::new(bundle), ReplayOptions::default(), cancel.clone()).await?;
        std::fs::write(&arguments.kubeconfig, replay.kubeconfig())
            .with_context(|| format!("write {}", arguments.kubeconfig.display()))?;
        println!(
            "Recorded at {}.\n  Kubernetes    {}   (kubectl --kubeconfig {})\n  Prometheus    {}\n  Alertmanager  {}\n  Loki          {}\nCtrl-C ends it.",
            replay.now(),
            replay.kubernetes_url(),
            arguments.kubeconfig.display(),
            replay.prometheus_url(),
            replay.alertmanager_url(),
            replay.loki_url()
        );
        cancel.cancelled().await;
        anyhow::Ok(())
    };
    match served.await {
        // Serving has no other end than being stopped.
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}
