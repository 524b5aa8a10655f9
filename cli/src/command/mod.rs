//! One file a command.

mod ask;
mod chat;
mod config;
mod demo;
mod eval;
mod forward;
mod graph;
mod incident;
mod investigate;
mod outbox;
mod record;
mod replay;
mod serve;
mod spending;
mod toolset;

use std::future::Future;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;
pub(crate) use investigate::{ModelFor, Ready, once};

/// Does what was asked.
pub(crate) fn run(arguments: Arguments) -> Exit {
    crate::connect::crypto();
    match arguments.command {
        Command::Config(config) => config::run(config),
        Command::Serve(serve) => blocking(|cancel| serve::run(serve, cancel)),
        Command::Forward(forward) => blocking_on(one_thread(), |cancel| forward::run(forward, cancel)),
        Command::Demo(demo) => blocking(|cancel| demo::run(demo, cancel)),
        Command::Ask(ask) => blocking(|cancel| ask::run(ask, cancel)),
        Command::Chat(chat) => blocking(|cancel| chat::run(chat, cancel)),
        Command::Investigate(investigate) => blocking(|cancel| investigate::run(investigate, cancel)),
        Command::Graph(graph) => blocking(|cancel| graph::run(graph, cancel)),
        Command::Eval(eval) => blocking_on(one_thread(), |cancel| eval::run(eval, cancel)),
        Command::Record(record) => blocking(|cancel| record::run(record, cancel)),
        Command::Replay(replay) => blocking(|cancel| replay::run(replay, cancel)),
        Command::Toolset(toolset) => blocking(|cancel| toolset::run(toolset, cancel)),
        Command::Incident(incident) => blocking(|cancel| incident::run(incident, cancel)),
        Command::Spending(spending) => blocking(|cancel| spending::run(spending, cancel)),
        Command::Outbox(outbox) => blocking(|cancel| outbox::run(outbox, cancel)),
    }
}

/// Runs a command on as many threads as there are cores.
fn blocking<F: Future<Output = Exit>>(command: impl FnOnce(CancellationToken) -> F) -> Exit {
    blocking_on(Builder::new_multi_thread(), command)
}

/// For what waits most of its time, or is small: the allocator keeps what it has freed for each thread apart, which comes
/// to as much again for lists of ten thousand objects.
fn one_thread() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.max_blocking_threads(2);
    builder
}

/// Runs a command on a runtime; SIGINT and SIGTERM cancel it, and a second one ends the program.
fn blocking_on<F: Future<Output = Exit>>(mut on: Builder, command: impl FnOnce(CancellationToken) -> F) -> Exit {
    let runtime = match on.enable_all().build().context("start the runtime") {
        Ok(runtime) => runtime,
        Err(error) => return Exit::Failed(error),
    };
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        match stop_signals(cancel.clone()) {
            Ok(()) => command(cancel).await,
            Err(error) => Exit::Failed(error),
        }
    })
}

fn stop_signals(cancel: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            cancel.cancel();
        }
    });
    Ok(())
}
