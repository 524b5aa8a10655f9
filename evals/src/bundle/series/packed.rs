//! The form of a series in a file: runs of equal steps and of equal values.

use marple_core::Labels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{STALE, Sample, Series};

/// More samples in one series than any window holds at any scrape interval: a bound for what a run's count can ask for.
const SAMPLES_LIMIT: usize = 10_000_000;

/// A series, packed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::bundle) struct PackedSeries {
    /// The labels, `__name__` among them.
    labels: Labels,
    /// The first time in milliseconds, then runs of steps: how long a step, how often.
    times: Vec<(i64, u32)>,
    /// Runs of values: the value as text, how often.
    values: Vec<(String, u32)>,
}

impl PackedSeries {
    pub(in crate::bundle) fn pack(series: &Series) -> Self {
        let mut times = Vec::new();
        let mut values = Vec::new();
        let mut before = None;
        for sample in series.samples.iter() {
            // The first time is a run of its own: it is no step.
            let step = sample.at - before.unwrap_or_default();
            if times.len() < 2 {
                times.push((step, 1));
            } else {
                extend(&mut times, step);
            }
            extend(&mut values, text(*sample));
            before = Some(sample.at);
        }
        Self { labels: series.labels.as_ref().clone(), times, values }
    }

    /// How many labels it has.
    pub(in crate::bundle) fn labels(&self) -> usize {
        self.labels.len()
    }

    pub(in crate::bundle) fn unpack(self) -> Result<Series, String> {
        let count = |runs: &mut dyn Iterator<Item = u32>| runs.map(|count| count as usize).sum::<usize>();
        let (times, values) =
            (count(&mut self.times.iter().map(|run| run.1)), count(&mut self.values.iter().map(|run| run.1)));
        if times != values {
            return Err(format!("a series has {times} times and {values} values"));
        }
        if times > SAMPLES_LIMIT {
            return Err(format!("a series has {times} samples, more than {SAMPLES_LIMIT}"));
        }
        let mut parsed = Vec::with_capacity(values);
        for (text, count) in &self.values {
            let value = value(text).ok_or_else(|| format!("{text:?} is no value of a sample"))?;
            parsed.extend(std::iter::repeat_n(value, *count as usize));
        }
        let mut at = 0_i64;
        let steps = self.times.iter().flat_map(|(step, count)| std::iter::repeat_n(*step, *count as usize));
        let mut samples = Vec::with_capacity(times);
        for (step, value) in steps.zip(parsed) {
            if step < 0 && !samples.is_empty() {
                return Err("the samples of a series are not in order of time".to_owned());
            }
            at = at.checked_add(step).ok_or("a sample's time is out of range")?;
            samples.push(Sample { at, value });
        }
        Ok(Series { labels: self.labels.into(), samples: samples.into() })
    }
}

/// Adds one to the last run where it is of this value, else begins one.
fn extend<T: PartialEq>(runs: &mut Vec<(T, u32)>, value: T) {
    match runs.last_mut() {
        Some((last, count)) if *last == value && *count < u32::MAX => *count += 1,
        _ => runs.push((value, 1)),
    }
}

/// Shortest text that reads back as the same value.
fn text(sample: Sample) -> String {
    if sample.is_stale() {
        return "stale".to_owned();
    }
    match sample.value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value == f64::INFINITY => "+Inf".to_owned(),
        value if value == f64::NEG_INFINITY => "-Inf".to_owned(),
        value => {
            let text = format!("{value:?}");
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
    }
}

fn value(text: &str) -> Option<f64> {
    match text {
        "stale" => Some(STALE),
        "NaN" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}
