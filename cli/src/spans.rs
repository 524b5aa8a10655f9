//! Exports the spans of investigations over OTLP.

use std::time::Duration;

use anyhow::Context;
use marple_agent::{FINISH_REASONS, SPANS};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Array, StringValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// How long a collector may take: what it does not take is dropped, for it is told elsewhere too.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the environment says of where spans go. The exporter reads the address, headers and names itself, by
/// OpenTelemetry's own variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanTarget {
    /// Whether they go anywhere.
    pub(crate) wanted: bool,
    /// Whether the service has a name there.
    pub(crate) named: bool,
}

/// Exports spans until it is ended; nothing where they go nowhere.
pub(crate) struct Spans(Option<SdkTracerProvider>);

impl Spans {
    /// What exports spans, and the layer that hands them over.
    pub(crate) fn of<S>(target: SpanTarget) -> anyhow::Result<(Self, Option<impl Layer<S>>)>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !target.wanted {
            return Ok((Self(None), None));
        }
        crate::connect::crypto();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_timeout(DEADLINE)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT: spans can't be exported there")?;
        let resource = Resource::builder();
        let resource = if target.named { resource } else { resource.with_service_name("marple") };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Conventional(exporter))
            .with_resource(resource.build())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("marple"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(SPANS, tracing::Level::INFO));
        Ok((Self(Some(provider)), Some(layer)))
    }

    /// Hands over what is left.
    pub(crate) fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Hands spans over as the conventions want them: what they call a list is one also where it has one entry, which a field of
/// `tracing` can't be.
#[derive(Debug)]
struct Conventional(SpanExporter);

impl opentelemetry_sdk::trace::SpanExporter for Conventional {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for attribute in batch.iter_mut().flat_map(|span| &mut span.attributes) {
            if attribute.key.as_str() == FINISH_REASONS
                && let Value::String(reason) = &attribute.value
            {
                let reasons: Vec<StringValue> = vec![reason.clone()];
                attribute.value = Value::Array(Array::String(reasons));
            }
        }
        opentelemetry_sdk::trace::SpanExporter::export(&self.0, batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
