//! `marple ask`: a model answers a question about the cluster, with evidence.

use jiff::Timestamp;
use marple_runner::dispatch::Topic;
use tokio_util::sync::CancellationToken;

use super::investigate::{configured, once, told};
use crate::arguments::Ask;
use crate::exit::Exit;
use crate::show::Steps;

pub(super) async fn run(arguments: Ask, cancel: CancellationToken) -> Exit {
    let config = match configured(&arguments.reach) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    if config.model.is_none() {
        return Exit::Configuration(anyhow::anyhow!(
            "a question needs a language model: set OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_MODEL), or name a \
             configuration with `model` by --config; `marple investigate` works without one"
        ));
    }
    let steps = if arguments.reach.json { Steps::Json } else { Steps::Words };
    let (once, _) = match once(&config, true).await {
        Ok(once) => once,
        Err(error) => return Exit::Failed(error),
    };
    match once.investigate(Topic::Question(arguments.question), Timestamp::now(), &cancel, &steps).await {
        Ok(investigated) => told(&investigated, steps, &cancel),
        Err(error) => Exit::Failed(error.into()),
    }
}
