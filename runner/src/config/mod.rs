//! The configuration: one YAML file, each element a type with its defaults, its words and its checks.

mod cluster;
mod error;
mod hours;
mod investigation;
mod load;
mod models;
mod recordings;
mod reload;
mod server;
mod source;
mod spending;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;

use marple_agent::{Budget, ModelConfig};
use marple_core::Period;
use marple_forwarder::{CustomResource, ForwarderConfig};
use marple_tools::act::ActConfig;
use marple_tools::endpoint::EndpointConfig;
use marple_tools::gate::{Gate, GateConfig};
use marple_tools::http::HttpConfig;
use marple_tools::log_store::LogStoreConfig;
use marple_tools::network::NetworkConfig;
use marple_tools::redact::{RedactConfig, Redactor};
use marple_tools::toolset::ToolsetsConfig;
use marple_tools::trace::TraceStoreConfig;
use schemars::JsonSchema;
use serde::Deserialize;

pub use cluster::ClusterConfig;
pub use error::ConfigError;
pub use hours::{Day, Hours};
pub use investigation::{Asking, InvestigationConfig, PolicyRule};
pub use recordings::RecordingsConfig;
pub use server::ServerConfig;
pub use source::{Sources, Unset};
pub use spending::{DayAllowance, IncidentAllowance, SpendingConfig};
pub use store::StoreConfig;

use crate::correlate::CorrelateConfig;
use crate::outbox::DeliveryConfig;
use crate::route::{RouteConfig, Routes};
use crate::sinks::ReceiverConfig;

/// The configuration of marple. Every setting has a default but those of a model, a Prometheus and a receiver that
/// is named. `${NAME}` in a value is the environment's, `file:/path` the text of a file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "marple")]
pub struct Config {
    /// The cluster that is explained.
    pub cluster: ClusterConfig,
    /// Where signals come in.
    pub server: ServerConfig,
    /// Where everything is kept.
    pub store: StoreConfig,
    /// How signals become incidents.
    pub incidents: CorrelateConfig,
    /// When and how incidents are looked into.
    pub investigation: InvestigationConfig,
    /// Where metrics are asked for.
    pub prometheus: Option<EndpointConfig>,
    /// Where stored logs are asked for.
    pub logs: Option<LogStoreConfig>,
    /// Where traces are asked for.
    pub traces: Option<TraceStoreConfig>,
    /// Which pages may be read.
    pub http: HttpConfig,
    /// Which names and ports may be checked.
    pub network: NetworkConfig,
    /// Toolsets of your own.
    pub toolsets: ToolsetsConfig,
    /// The language model; without one the rules conclude alone.
    pub model: Option<ModelConfig>,
    /// Further models by name, for `fallback` and `fast_model`.
    pub models: BTreeMap<String, ModelConfig>,
    /// Which of these answers people's questions, in chats and by `marple ask`. Absent: the default one.
    pub fast_model: Option<String>,
    /// What one investigation may spend.
    pub budget: Budget,
    /// What all of them may spend together.
    pub spending: SpendingConfig,
    /// A folder whose templates replace the embedded prompts of the same names.
    pub prompts: Option<PathBuf>,
    /// What is watched in the cluster itself.
    pub forwarder: ForwarderConfig,
    /// Which calls of tools are made, asked for or refused.
    pub gate: GateConfig,
    /// Which changes may be proposed, each to be approved by a person.
    pub act: ActConfig,
    /// What is taken out of texts before they are kept or leave.
    pub redaction: RedactConfig,
    /// Where messages go, by name.
    pub receivers: BTreeMap<String, ReceiverConfig>,
    /// Which incident goes to which receiver. Absent: every incident goes to every receiver.
    pub route: Option<RouteConfig>,
    /// Which incidents are recorded by themselves; without it none is.
    pub recordings: Option<RecordingsConfig>,
    /// How messages are delivered, and when they are given up.
    pub delivery: DeliveryConfig,
}

impl Config {
    /// What no type can say.
    fn check(&self) -> Result<(), ConfigError> {
        self.server.check()?;
        self.store.check()?;
        self.investigation.check()?;
        self.spending.check()?;
        self.check_toolsets()?;
        self.check_models()?;
        Redactor::new(&self.redaction).map_err(|error| ConfigError::value("redaction", error.to_string()))?;
        if let Some((setting, fault)) = self.gate.fault() {
            return Err(ConfigError::value(format!("gate.{setting}"), fault));
        }
        let forwarder = [("resync", self.forwarder.resync), ("forbidden_retry", self.forwarder.forbidden_retry)];
        if let Some((name, _)) = forwarder.into_iter().find(|(_, period)| *period < Period::seconds(10)) {
            return Err(ConfigError::value(
                format!("forwarder.{name}"),
                "is shorter than 10s: it would ask without end",
            ));
        }
        if self.forwarder.enabled && self.incidents.stale_after <= self.forwarder.resync {
            let what = format!(
                "{} is not longer than forwarder.resync ({}): what holds would be taken to be over",
                self.incidents.stale_after, self.forwarder.resync
            );
            return Err(ConfigError::value("incidents.stale_after", what));
        }
        if let Some((setting, fault)) = self.forwarder.changes.fault() {
            return Err(ConfigError::value(format!("forwarder.changes.{setting}"), fault));
        }
        if let Some((setting, fault)) = CustomResource::fault(&self.forwarder.custom) {
            return Err(ConfigError::value(format!("forwarder.custom{setting}"), fault));
        }
        for (name, receiver) in &self.receivers {
            receiver.validate(name).map_err(|error| {
                ConfigError::value(format!("receivers.{}.{}", error.receiver, error.setting), error.fault)
            })?;
        }
        self.recordings.as_ref().map_or(Ok(()), RecordingsConfig::check)?;
        if let Some((setting, fault)) = self.act.fault() {
            return Err(ConfigError::value(format!("act.{setting}"), fault));
        }
        if let Some((setting, fault)) = self.delivery.fault() {
            return Err(ConfigError::value(setting, fault));
        }
        self.routes().map(|_| ())
    }

    /// The gate: its own rules first, then those that ask for what may be proposed.
    pub fn gate(&self) -> Gate {
        let mut gate = self.gate.clone();
        gate.rules.extend(self.act.rules());
        Gate::new(gate)
    }

    fn check_toolsets(&self) -> Result<(), ConfigError> {
        let (timeout, tool) = (self.toolsets.command.timeout, self.investigation.tool_timeout);
        let fault = if timeout < Period::seconds(1) {
            "is shorter than 1s: nothing could be seen in it".to_owned()
        } else if timeout > tool {
            format!("{timeout} is longer than any tool may take: at most investigation.tool_timeout, {tool}")
        } else {
            return Ok(());
        };
        Err(ConfigError::value("toolsets.command.timeout", fault))
    }

    /// Which incident goes to which receiver.
    pub fn routes(&self) -> Result<Routes, ConfigError> {
        let names = || self.receivers.keys().map(String::as_str);
        let everyone = RouteConfig { default: names().map(str::to_owned).collect(), routes: Vec::new() };
        match &self.route {
            None if self.receivers.is_empty() => Ok(Routes::nobody()),
            route => Routes::new(route.as_ref().unwrap_or(&everyone), names(), &self.cluster.name).map_err(|faults| {
                let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>();
                ConfigError::Routes(faults.join("\n"))
            }),
        }
    }
}

#[cfg(test)]
mod tests;
