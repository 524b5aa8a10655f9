//! `marple config`: says whether a configuration can be used, and prints its schema.

use crate::arguments::Config as Arguments;
use crate::environment;
use crate::exit::Exit;
use marple_runner::config::Config;

pub(super) fn run(arguments: Arguments) -> Exit {
    match arguments {
        Arguments::Check { file } => match environment::checked_configuration(&file) {
            Ok((config, unset)) => {
                println!("{} can be used.\n{}", file.display(), summary(&config));
                if !unset.is_empty() {
                    println!("Not there on this machine, and needed where marple runs:");
                }
                for one in unset {
                    println!("  {}: {}", one.path, one.what);
                }
                Exit::Done
            }
            Err(error) => Exit::Configuration(error),
        },
        Arguments::Schema => match serde_json::to_string_pretty(&Config::schema()) {
            Ok(schema) => {
                println!("{schema}");
                Exit::Done
            }
            Err(error) => Exit::Failed(error.into()),
        },
    }
}

/// Which models are asked, and in which order.
fn model(config: &Config) -> String {
    let Some(model) = &config.model else { return "none: the rules conclude alone".to_owned() };
    let then = model.fallback.iter().map(|name| format!(", then {name}")).collect::<String>();
    let questions = config.fast_model.as_ref().map_or_else(String::new, |name| format!("; {name} for questions"));
    format!("{}{then}{questions}", model.name)
}

/// What marple would do with it, in a few lines: what is left out is often what was meant to be in.
fn summary(config: &Config) -> String {
    let cluster = if config.cluster.enabled { config.cluster.name.clone() } else { "none".to_owned() };
    let looked_for = config.cluster.enabled && config.cluster.discover;
    let absent = if looked_for { "looked for in the cluster" } else { "none" };
    let prometheus = config.prometheus.as_ref().map_or(absent, |prometheus| prometheus.url.as_str());
    let model = model(config);
    let receivers = config.receivers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let receivers = if receivers.is_empty() { "none: incidents are only kept" } else { receivers.as_str() };
    format!(
        "  cluster     {cluster}\n  listens on  {}{}\n  prometheus  {prometheus}\n  model       {model}\n  forwarder   {}\n  receivers   {receivers}",
        config.server.listen,
        if config.server.token.is_some() { ", with a token" } else { ", without a token (loopback only)" },
        if config.forwarder.enabled { "in this process" } else { "not in this process" },
    )
}
