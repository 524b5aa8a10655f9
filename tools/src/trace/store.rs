//! The trace store that is configured, whichever it is.

use std::sync::Arc;

use async_trait::async_trait;

use super::jaeger::Jaeger;
use super::tempo::Tempo;
use super::{Hit, Search, Trace, TraceStoreConfig, TraceStoreError, TraceStoreKind};
use crate::endpoint::Endpoint;

/// The element of the configuration that says where it is.
const SETTING: &str = "traces.endpoint";

/// A trace store. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct TraceStore(Arc<dyn Store>);

/// What each kind of store does in its own way.
#[async_trait]
pub(super) trait Store: Send + Sync {
    /// Looks for traces.
    async fn search(&self, search: &Search) -> Result<Vec<Hit>, TraceStoreError>;

    /// One trace, by an id of hexadecimal digits.
    async fn trace(&self, id: &str) -> Result<Trace, TraceStoreError>;

    /// Asks the cheapest question that there is.
    async fn ready(&self) -> Result<(), TraceStoreError>;
}

impl TraceStore {
    /// The store of a configuration. Nothing is sent yet.
    pub fn new(config: &TraceStoreConfig) -> Result<Self, TraceStoreError> {
        let endpoint = |name| Endpoint::new(name, SETTING, &config.endpoint);
        Ok(Self(match config.store {
            TraceStoreKind::Tempo => Arc::new(Tempo::new(endpoint("Tempo")?)),
            TraceStoreKind::Jaeger => Arc::new(Jaeger::new(endpoint("Jaeger")?)),
        }))
    }

    /// Looks for traces.
    pub async fn search(&self, search: &Search) -> Result<Vec<Hit>, TraceStoreError> {
        self.0.search(search).await
    }

    /// One trace, by its id in hexadecimal digits, as the stores show it.
    pub async fn trace(&self, id: &str) -> Result<Trace, TraceStoreError> {
        let id = id.trim().to_lowercase();
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TraceStoreError::Question(format!(
                "{id:?} is no trace's id; wanted are up to 32 hexadecimal digits, as logs and spans show it"
            )));
        }
        self.0.trace(&id).await
    }

    /// Whether it answers.
    pub async fn ready(&self) -> Result<(), TraceStoreError> {
        self.0.ready().await
    }
}
