//! The metrics of the runner.

use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// How often what was recorded is gathered, so that it does not pile up while nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Buckets of durations, in seconds: from a write to a slow model.
const SECONDS: [f64; 14] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// What was measured, for Prometheus.
#[derive(Clone, Debug)]
pub struct Telemetry(PrometheusHandle);

impl Telemetry {
    /// Gathers the metrics of this process from now on; once a process. A second call gives what only the second call's
    /// caller can see: nothing.
    pub fn install() -> Self {
        let builder = PrometheusBuilder::new();
        // Refused only where there are no buckets.
        let builder = builder
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics are gathered elsewhere in this process; /metrics will be empty");
        }
        describe();
        Self(handle)
    }

    /// In Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Gathers what was recorded until cancelled.
    pub(super) async fn keep_up(&self, cancel: &CancellationToken) {
        let mut interval = tokio::time::interval(UPKEEP);
        while cancel.run_until_cancelled(interval.tick()).await.is_some() {
            self.0.run_upkeep();
        }
    }
}

fn describe() {
    describe_models();
    describe_counter!("marple_intake_requests_total", "Posts of alerts and signals, by endpoint and outcome.");
    describe_counter!(
        "marple_intake_signals_total",
        "Alerts and signals that came in: accepted, duplicate, quarantined."
    );
    describe_counter!("marple_intake_truncated_total", "Alerts that Alertmanager left out of its webhooks.");
    describe_counter!("marple_config_reloads_total", "Configurations that were read anew: applied, refused.");
    describe_gauge!(
        "marple_config_last_reload_successful",
        "Whether the newest configuration is the one that is used."
    );
    describe_histogram!("marple_intake_seconds", "From the head of a post to its answer, after the commit.");
    describe_counter!("marple_http_unauthorized_total", "Requests without the bearer token.");
    describe_counter!("marple_http_connections_total", "Connections accepted.");
    describe_gauge!("marple_http_connections", "Connections now.");
    describe_gauge!("marple_store_queue", "Writes that wait for the store's writer.");
    describe_histogram!("marple_store_commit_seconds", "One commit of the store, with all that was grouped in it.");
    describe_counter!("marple_store_failed_commits_total", "Commits of the store that failed.");
    describe_counter!(
        "marple_store_failed_checkpoints_total",
        "Times at which the store's log could not be brought back into its file."
    );
    describe_counter!("marple_store_unreadable_signals_total", "Stored signals that could not be read.");
    describe_counter!("marple_evidence_refused_total", "Evidence that was not kept: its incident has all it may have.");
    describe_counter!("marple_signals_folded_total", "Signals that correlation has taken account of.");
    describe_histogram!("marple_fold_seconds", "Folding one batch of signals, with owners and commit.");
    describe_counter!(
        "marple_alerts_expired_total",
        "Alerts that were taken to be over, for nothing was heard of them."
    );
    describe_gauge!("marple_incidents_held", "Incidents that signals may still join.");
    describe_counter!("marple_correlation_retries_total", "Reads and writes of correlation that were tried again.");
    describe_counter!("marple_owners_timeouts_total", "Batches that were folded before their owners were told.");
    describe_counter!("marple_owners_outages_total", "Times at which the API server was found away.");
}

fn describe_models() {
    describe_counter!(
        "marple_model_requests_total",
        "Requests to models, by model and outcome, each with its retries."
    );
    describe_counter!("marple_model_tokens_total", "Tokens that models counted, by model and kind.");
    describe_gauge!("marple_model_cost_dollars_total", "What these tokens cost, by the configured prices; only grows.");
    describe_gauge!("marple_model_in_flight", "Requests to a model that are under way.");
    describe_gauge!("marple_model_breaker_open", "1 while a model is left alone because it failed too often.");
    describe_counter!(
        "marple_model_hedges_total",
        "Requests for which a second model was asked, for the first took long."
    );
}
