//! Memory of fifty investigations at once, each with a long conversation and all its evidence held.
//! `cargo bench -p marple-agent --bench together`
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scripted;

use std::num::NonZeroU32;
use std::sync::Arc;

use marple_agent::{Budget, Investigator, Prompts};
use marple_core::Confidence;
use scripted::{Scripted, investigate};
use tokio::sync::Barrier;

/// Investigations at once.
const AT_ONCE: usize = 50;
/// Turns of each, with two looks in each turn.
const TURNS: usize = 15;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let before = memory();
    let peak = runtime.block_on(async {
        let together = Arc::new(Barrier::new(AT_ONCE));
        let model = Scripted { turns: TURNS, together: Some(Arc::clone(&together)) };
        let budget = Budget {
            turns: NonZeroU32::new(40).unwrap(),
            tool_calls: 100,
            prompt_tokens: 4_000_000,
            ..Budget::default()
        };
        let investigator = Investigator::new(Arc::new(model), Prompts::embedded(), budget);
        let runs: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let investigator = investigator.clone();
                tokio::spawn(async move { investigate(&investigator).await })
            })
            .collect();
        for run in runs {
            let outcome = run.await.unwrap();
            let (calls, confidence) = (outcome.calls, outcome.conclusion.confidence);
            assert_eq!((calls, confidence), (u32::try_from(2 * TURNS).unwrap(), Confidence::High));
        }
        memory()
    });
    println!("{AT_ONCE} investigations at once, {TURNS} turns of two looks of 20 KB each:");
    println!("  before {:.1} MiB, at the peak {:.1} MiB", mebibytes(before), mebibytes(peak));
}

/// The highest that the process has had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "KiB of a process are far below 2^52")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
