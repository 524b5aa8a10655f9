//! The models of a configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::openai::{ModelConfigError, OpenAi};
use super::pool::{Member, Pool};
use super::{Model, ModelConfig};
use crate::Prompts;

/// The name of the default model, where models are named.
pub const DEFAULT: &str = "default";

/// The models of a configuration, each with its fallbacks. Those of one name are one: what is learnt of it where it is a
/// fallback holds everywhere.
#[derive(Clone, Debug)]
pub struct Models {
    pools: BTreeMap<String, Arc<Pool>>,
    default: Arc<Pool>,
}

impl Models {
    /// The default model and those that are named, asked through this client. Nothing is asked yet.
    pub fn new(
        default: &ModelConfig,
        named: &BTreeMap<String, ModelConfig>,
        client: &reqwest::Client,
        prompts: &Prompts,
    ) -> Result<Self, ModelConfigError> {
        // Counted and told by the name that says most.
        let label = if named.contains_key(&default.name) { DEFAULT } else { &default.name };
        let member = |name: &str, config: &ModelConfig| {
            let model = OpenAi::new(config, client.clone())?.with_prompts(prompts.clone());
            Ok(Arc::new(Member::new(name, Arc::new(model), config)))
        };
        let mut members = BTreeMap::from([(DEFAULT, member(label, default)?)]);
        for (name, config) in named {
            members.insert(name, member(name, config)?);
        }
        let pool = |name: &str, config: &ModelConfig| {
            let known = |name: &str| {
                members.get(name).cloned().ok_or_else(|| ModelConfigError::Unknown {
                    name: name.to_owned(),
                    known: members.keys().copied().collect::<Vec<_>>().join(", "),
                })
            };
            let fallbacks = config.fallback.iter().map(|name| known(name)).collect::<Result<_, _>>()?;
            Ok(Arc::new(Pool::new(known(name)?).with_fallbacks(fallbacks, config.hedge_after)))
        };
        let pools = named.iter().map(|(name, config)| Ok((name.clone(), pool(name, config)?)));
        Ok(Self { pools: pools.collect::<Result<_, ModelConfigError>>()?, default: pool(DEFAULT, default)? })
    }

    /// The default one.
    pub fn default_model(&self) -> Arc<dyn Model> {
        Arc::clone(&self.default) as Arc<dyn Model>
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<Arc<dyn Model>> {
        let pool = if name == DEFAULT { Some(&self.default) } else { self.pools.get(name) };
        pool.map(|pool| Arc::clone(pool) as Arc<dyn Model>)
    }
}
