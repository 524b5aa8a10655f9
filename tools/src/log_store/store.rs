//! The log store that is configured, whichever it is.

use std::sync::Arc;

use async_trait::async_trait;

use super::elastic::Elastic;
use super::loki::Loki;
use super::victoria::Victoria;
use super::{Found, LogStoreConfig, LogStoreError, Search, StoreKind};
use crate::endpoint::Endpoint;

/// Some of the oldest lines that are read where there are more than were asked for: how it began.
pub(super) const OLDEST: usize = 20;

/// The element of the configuration that says where it is.
const SETTING: &str = "logs.endpoint";

/// A log store. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct LogStore(Arc<dyn Store>);

/// What each kind of store does in its own way.
#[async_trait]
pub(super) trait Store: Send + Sync {
    /// What its queries are written in, as `LogQL`.
    fn language(&self) -> &'static str;

    /// Looks for lines.
    async fn search(&self, search: &Search) -> Result<Found, LogStoreError>;

    /// Asks the cheapest question that needs the login.
    async fn ready(&self) -> Result<(), LogStoreError>;
}

impl LogStore {
    /// The store of a configuration. Nothing is sent yet.
    pub fn new(config: &LogStoreConfig) -> Result<Self, LogStoreError> {
        let endpoint = |name| Endpoint::new(name, SETTING, &config.endpoint);
        let fields = config.fields.clone();
        let lucene = matches!(config.store, StoreKind::Elasticsearch | StoreKind::OpenSearch);
        if config.index.is_some() && !lucene {
            return Err(LogStoreError::Configuration("`index` is for Elasticsearch and OpenSearch alone".to_owned()));
        }
        Ok(Self(match config.store {
            StoreKind::Loki => Arc::new(Loki::new(endpoint("Loki")?, fields)),
            StoreKind::VictoriaLogs => Arc::new(Victoria::new(endpoint("VictoriaLogs")?, fields)),
            StoreKind::Elasticsearch => {
                Arc::new(Elastic::new(endpoint("Elasticsearch")?, config.index.as_deref(), fields)?)
            }
            StoreKind::OpenSearch => Arc::new(Elastic::new(endpoint("OpenSearch")?, config.index.as_deref(), fields)?),
        }))
    }

    /// What its queries are written in, as `LogQL`.
    pub fn language(&self) -> &'static str {
        self.0.language()
    }

    /// Looks for lines.
    pub async fn search(&self, search: &Search) -> Result<Found, LogStoreError> {
        self.0.search(search).await
    }

    /// Whether it answers.
    pub async fn ready(&self) -> Result<(), LogStoreError> {
        self.0.ready().await
    }
}
