//! What is counted of each model.

use super::super::{ModelAnswer, ModelError, Prices, Usage};

/// What became of a request.
pub(super) fn outcome(answered: &Result<ModelAnswer, ModelError>) -> &'static str {
    match answered {
        Ok(_) => "answered",
        Err(error) => error.kind(),
    }
}

/// A request has ended. What it used is not known where it was cancelled or the server doesn't count.
pub(super) fn ended(model: &str, outcome: &'static str) {
    metrics::counter!("marple_model_requests_total", "model" => model.to_owned(), "outcome" => outcome).increment(1);
}

/// What an answer used.
pub(super) fn used(model: &str, usage: Usage, prices: &Prices) {
    let usage = usage.priced(prices);
    for (kind, tokens) in [("prompt", usage.prompt), ("cached", usage.cached), ("completion", usage.completion)] {
        metrics::counter!("marple_model_tokens_total", "model" => model.to_owned(), "kind" => kind).increment(tokens);
    }
    // Counters count whole numbers; a gauge that only grows is read the same.
    metrics::gauge!("marple_model_cost_dollars_total", "model" => model.to_owned()).increment(usage.dollars());
}

/// A request is under way, until this is dropped.
pub(super) struct InFlight(metrics::Gauge);

impl InFlight {
    pub(super) fn of(model: &str) -> Self {
        let gauge = metrics::gauge!("marple_model_in_flight", "model" => model.to_owned());
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Whether a model is left alone.
pub(super) fn breaker(model: &str, open: bool) {
    let value = if open { 1.0 } else { 0.0 };
    metrics::gauge!("marple_model_breaker_open", "model" => model.to_owned()).set(value);
}

/// A second model was asked because the first took long.
pub(super) fn hedged(model: &str) {
    metrics::counter!("marple_model_hedges_total", "model" => model.to_owned()).increment(1);
}
