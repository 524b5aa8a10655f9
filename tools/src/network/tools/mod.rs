//! `network_check`: what DNS says of a host, or whether one of its ports takes connections.

mod dns;
mod tcp;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::dns::Lookup;
use super::NetworkConfig;
use super::allow::Allowed;
use super::dns::Kind;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// The checks of the network; none where nothing may be reached.
pub fn tools(config: &NetworkConfig) -> Vec<Arc<dyn Tool>> {
    if config.allow.is_empty() {
        return Vec::new();
    }
    let description = "DNS of a host; with `port`, whether it takes connections.";
    let spec = arguments::spec::<Arguments>("network_check", description, Effect::Read);
    vec![Arc::new(Check { allowed: Allowed::new(&config.allow), spec })]
}

/// The checks of the network.
struct Check {
    allowed: Allowed,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    host: String,
    port: Option<u16>,
    /// Names and expiry of its certificate.
    #[serde(default)]
    tls: bool,
    /// Default A, AAAA.
    record: Option<Kind>,
    name_server: Option<String>,
}

#[async_trait]
impl Tool for Check {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let Arguments { host, port, tls, record, name_server } = arguments::parse(&self.spec.name, arguments)?;
        let tool = self.spec.name.as_ref();
        match port {
            None if tls => Err(ToolError::Arguments(format!("{tool}: with `tls` give `port`, as 443"))),
            None => {
                Lookup { allowed: &self.allowed, tool, name: &host, kind: record, server: name_server.as_deref() }
                    .look()
                    .await
            }
            Some(_) if record.is_some() || name_server.is_some() => Err(ToolError::Arguments(format!(
                "{tool}: `record` and `name_server` are for DNS; leave `port` out, or them"
            ))),
            Some(port) => tcp::check(&self.allowed, host.trim(), port, tls, look).await,
        }
    }
}

#[cfg(test)]
mod tests;
