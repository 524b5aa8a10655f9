//! A recording as it would have been made earlier.
//!
//! Metrics, logs, alerts, changes and traces are cut at a time exactly, and so is what happened to objects since they were
//! listed, for it was watched. Of earlier times objects tell much themselves: when they were made, since when a condition
//! holds and a container runs; the change history tells fields that were altered since. What can't be told is left out of
//! what is served, or named in [`Past::unknown`]: never made up.

mod age;
mod alerts;
mod events;
mod journal;
mod logs;
mod objects;
#[cfg(test)]
mod tests;
mod undo;

use std::sync::Arc;

use jiff::Timestamp;

use super::Bundle;

/// A recording as of a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The bundle as it would have been recorded then.
    pub bundle: Bundle,
    /// What was otherwise then and can't be told, in words, one thing each.
    pub unknown: Vec<String>,
}

/// A recording knows nothing of a time. Trying again gives the same.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the recording knows nothing of {at}: it goes from {since:.0} to {recorded_at:.3}")]
pub struct PastError {
    at: Timestamp,
    since: Timestamp,
    recorded_at: Timestamp,
}

impl Bundle {
    /// The recording as it would have been made at `at`, which lies in its window; at its end it is whole.
    pub fn as_of(mut self, at: Timestamp) -> Result<Past, PastError> {
        let (since, recorded_at) = (self.manifest.since, self.manifest.recorded_at);
        if !(since..=recorded_at).contains(&at) {
            return Err(PastError { at, since, recorded_at });
        }
        journal::settle(&mut self.kubernetes, at);
        let mut unknown = Vec::new();
        if at < self.manifest.listed_at.unwrap_or(recorded_at) {
            let altered = undo::undo(&mut self.kubernetes, &self.changes, at, &mut unknown);
            objects::rewind(&mut self.kubernetes, at, &altered);
            unknown.sort();
            unknown.dedup();
        }
        if at < recorded_at {
            logs::cut(&mut self.kubernetes.logs, at);
            if let Some(prometheus) = &mut self.prometheus {
                alerts::rewind(prometheus, at);
                for series in &mut prometheus.series {
                    let until = series.samples.partition_point(|sample| sample.at <= at.as_millisecond());
                    Arc::make_mut(&mut series.samples).truncate(until);
                }
                prometheus.series.retain(|series| !series.samples.is_empty());
            }
            alerts::cut(&mut self.alertmanager, at);
            self.signals.retain(|signal| signal.starts_at <= at);
            self.changes.retain(|change| change.at <= at);
            self.traces.retain(|trace| trace.start().is_some_and(|start| start <= at));
        }
        self.manifest.recorded_at = at;
        self.manifest.listed_at = self.manifest.listed_at.filter(|listed| *listed <= at);
        Ok(Past { bundle: self, unknown })
    }
}
