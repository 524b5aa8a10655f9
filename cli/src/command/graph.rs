//! `marple graph`: draws a query over a time.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use marple_tools::prometheus::Graph;
use tokio_util::sync::CancellationToken;

use super::investigate::configured;
use crate::arguments::Graph as Arguments;
use crate::connect;
use crate::exit::Exit;

/// How a graph is written, as the file's ending says.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

impl Form {
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

pub(super) async fn run(arguments: Arguments, cancel: CancellationToken) -> Exit {
    let Some(form) = Form::of(&arguments.out) else {
        let why = anyhow::anyhow!("--out {}: only .svg and .png can be written", arguments.out.display());
        return Exit::Configuration(why);
    };
    let config = match configured(&arguments.reach) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    let drawn = async {
        let client = match (&config.prometheus, config.cluster.enabled) {
            (None, true) => Some(connect::kubernetes(&config.cluster).await?.0),
            _ => None,
        };
        let prometheus = connect::prometheus_of(&config, client.as_ref())?;
        let prometheus =
            prometheus.context("no Prometheus: give --prometheus, or `prometheus.url` in a configuration")?;
        let now = Timestamp::now();
        let length = arguments.range.duration();
        let graph = Graph::ask(&prometheus, &arguments.query, length, now, arguments.mark).await?;
        for warning in graph.warnings() {
            eprintln!("{warning}");
        }
        anyhow::ensure!(!graph.is_empty(), "the query has no values in that time");
        let drawn = match form {
            Form::Svg => graph.svg().into_bytes(),
            Form::Png => graph.png()?,
        };
        std::fs::write(&arguments.out, drawn).with_context(|| format!("write {}", arguments.out.display()))?;
        println!("{}: {} series", arguments.out.display(), graph.len());
        anyhow::Ok(())
    };
    match cancel.run_until_cancelled(drawn).await {
        Some(Ok(())) => Exit::Done,
        Some(Err(error)) => Exit::Failed(error),
        None => Exit::Interrupted,
    }
}
