//! `marple ask`: answers a question about the cluster, with evidence.

use marple_runner::dispatch::Topic;
use tokio_util::sync::CancellationToken;

use super::investigate::{ModelFor, Ready, configured, once, told};
use crate::arguments::Ask;
use crate::exit::Exit;
use crate::show::Steps;
use crate::{connect, terminal};

pub(super) async fn run(arguments: Ask, cancel: CancellationToken) -> Exit {
    let config = match configured(&arguments.reach) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    if config.model.is_none() {
        eprintln!(
            "No language model is set (OPENAI_API_KEY, or `model` of --config): the rules look at the objects that the \
             question names."
        );
    }
    let steps = if arguments.reach.json { Steps::Json } else { Steps::Words };
    let Ready { mut once, client, .. } = match once(&config, ModelFor::Questions).await {
        Ok(ready) => ready,
        Err(error) => return Exit::Failed(error),
    };
    once.tooling.approve = terminal::person();
    let now = connect::present(client.as_ref()).await;
    match once.investigate(Topic::question(arguments.question), now, &cancel, &steps).await {
        Ok(investigated) => told(&investigated, steps, &cancel),
        Err(error) => Exit::Failed(error.into()),
    }
}
