//! Own time of an investigation with ten calls of tools: all that is neither the model's nor a backend's latency.
//! `cargo bench -p marple-agent --bench investigation`
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scripted;

use std::sync::Arc;

use divan::Bencher;
use marple_agent::{Budget, Investigator, Prompts};
use marple_core::Confidence;
use scripted::{Scripted, investigate};

fn main() {
    divan::main();
}

/// All of it, with a save after each step.
#[divan::bench]
fn ten_calls(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let investigator =
        Investigator::new(Arc::new(Scripted { turns: 5, together: None }), Prompts::embedded(), Budget::default());
    let outcome = runtime.block_on(investigate(&investigator));
    assert_eq!((outcome.calls, outcome.conclusion.confidence), (10, Confidence::High));
    bencher.bench_local(|| runtime.block_on(investigate(&investigator)));
}

/// The vocabulary for counting, which the first investigation of a process reads.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn vocabulary() {
    divan::black_box(tiktoken_rs::o200k_base().unwrap());
}
