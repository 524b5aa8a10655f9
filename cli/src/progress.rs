//! Shows how far a run is: a bar on a terminal, else a line for each trial; both on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use marple_evals::run::Happened;
use marple_evals::score::{Class, score};
use marple_evals::trial::Trial;
use marple_runner::render::one_line;

/// How wide the bar is.
const WIDTH: usize = 30;

/// How far a run is.
pub(crate) struct Shown {
    bar: bool,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    all: usize,
    done: usize,
    passed: usize,
    failed: usize,
}

impl Shown {
    /// Nothing is shown yet.
    pub(crate) fn new() -> Self {
        Self { bar: std::io::stderr().is_terminal(), began: Instant::now(), state: Mutex::default() }
    }

    /// Shows what happened.
    pub(crate) fn tell(&self, happened: Happened<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match happened {
            Happened::Begun { trials, found } => {
                state.all = trials;
                state.done = found;
                if found > 0 {
                    eprintln!("{found} of {trials} trials are there from before.");
                }
            }
            Happened::Ended { trial, case } => {
                state.done += 1;
                let class = trial.attempt().map_or(Class::Failed, |attempt| score(&case.case, attempt).class);
                state.passed += usize::from(class == Class::Passed);
                state.failed += usize::from(class == Class::Failed);
                if !self.bar {
                    eprintln!("{}", line(&state, trial, class));
                }
            }
        }
        if self.bar {
            let filled = WIDTH * state.done / state.all.max(1);
            let bar = format!("{}{}", "█".repeat(filled), "░".repeat(WIDTH - filled));
            let State { all, done, passed, failed } = &*state;
            let failed = if *failed > 0 { format!(", {failed} without an answer") } else { String::new() };
            let end = if done == all { "\n" } else { "" };
            eprint!("\r{bar} {done}/{all}, {passed} passed now{failed}, {} s {end}", self.began.elapsed().as_secs());
            // Nothing to be done where standard error is gone.
            let _ = std::io::stderr().flush();
        }
    }
}

fn line(state: &State, trial: &Trial, class: Class) -> String {
    let why = trial.failure().map(|why| format!(": {}", one_line(why))).unwrap_or_default();
    format!(
        "[{}/{}] {} {} #{}: {} in {:.1} s{why}",
        state.done,
        state.all,
        trial.case,
        trial.investigator,
        trial.number,
        class.as_str(),
        trial.seconds
    )
}
