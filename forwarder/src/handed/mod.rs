//! Judges what another forwarder saw and hands on, object by object, as Robusta's does. Pure.

mod payload;

use std::sync::Arc;

use jiff::Timestamp;
use kube::api::DynamicObject;
use marple_core::Signal;
use serde_json::Value;

pub use payload::{Happening, HappeningError, Operation};

use crate::change::{Batch, Family, Glimpse, History};
use crate::config::Scope;
use crate::picture::{Observation, Picture};
use crate::tracker::Tracker;
use crate::watch::object_of;
use crate::{ForwarderConfig, Telling};

/// What is known of a cluster by what was handed on. Nothing is listed: what is not handed on is not known, and a
/// condition whose end isn't handed on ends by its age.
#[derive(Debug)]
pub struct Handed {
    picture: Picture,
    history: Option<History>,
    /// The kinds whose changes are told.
    families: Vec<Arc<Family>>,
}

impl Handed {
    /// Knows nothing yet of the cluster of this name. What is made from now on is new.
    pub fn new(cluster: &str, config: ForwarderConfig, now: Timestamp) -> Self {
        let families = config.changes.families();
        let history = config.changes.enabled.then(|| {
            let mut history = History::new(cluster, &config);
            for family in &families {
                history.begin(family, now);
            }
            history
        });
        Self { picture: Picture::new(cluster, config), history, families }
    }

    /// How far back it matters what was told before.
    pub fn memory(now: Timestamp) -> Timestamp {
        Tracker::memory(now)
    }

    /// Takes over what is held as firing, and when each condition was told.
    pub fn adopt(&mut self, known: impl IntoIterator<Item = Signal>, told: impl IntoIterator<Item = Telling>) {
        self.picture.adopt(known, told);
    }

    /// What is to be told of something that happened: conditions and changes.
    pub fn take(&mut self, happening: Happening, now: Timestamp) -> (Vec<Signal>, Option<Batch>) {
        let Happening { operation, kind, object, before } = happening;
        let api_version = object.get("apiVersion").and_then(Value::as_str);
        let family = self.families.iter().find(|family| family.has(&kind, api_version));
        let history = self.history.as_mut().zip(family);
        let batch = history.and_then(|(history, family)| changed(history, family, operation, &object, before, now));
        let object = match object_of(&kind, object) {
            Some(Ok(object)) => object,
            // Of no kind of which conditions are told.
            None => return (Vec::new(), batch),
            Some(Err(error)) => {
                tracing::warn!(kind, %error, "an object that was handed on can't be judged");
                return (Vec::new(), batch);
            }
        };
        let (key, gone) = (object.key(), operation == Operation::Delete);
        let observation = if gone { Observation::Gone(key.clone()) } else { Observation::Seen(object, Scope::Cluster) };
        let mut signals = self.picture.take(observation, now);
        signals.append(&mut self.picture.settle_of(&key, gone, now));
        (signals, batch)
    }

    /// What the passing of time alone brings.
    pub fn due(&mut self, now: Timestamp) -> Vec<Signal> {
        self.picture.due(now)
    }
}

/// What changed of an object of a kind of which changes are told. What an object was comes with the payload; what is known
/// of it already is newer, or the same.
fn changed(
    history: &mut History,
    family: &Arc<Family>,
    operation: Operation,
    object: &Value,
    before: Option<Value>,
    now: Timestamp,
) -> Option<Batch> {
    let read = |value: Value| serde_json::from_value::<DynamicObject>(value).ok().map(Box::new);
    let is = read(object.clone())?;
    let was = before.and_then(read);
    let known = was.filter(|_| operation != Operation::Create).or_else(|| {
        // Of what is deleted, or altered and told without what it was, this state is all that comes: it was not made now.
        (operation != Operation::Create).then(|| is.clone())
    });
    if let Some(known) = known
        && !history.knows(family, &known)
    {
        history.take(Glimpse::Seen(family.clone(), Scope::Cluster, known), now);
    }
    let glimpse = match operation {
        Operation::Delete => Glimpse::Gone(family.clone(), Scope::Cluster, is),
        Operation::Create | Operation::Update => Glimpse::Seen(family.clone(), Scope::Cluster, is),
    };
    let mut batch = history.take(glimpse, now);
    // How far a watch has come is not known here.
    batch.reached.clear();
    (!batch.is_empty()).then_some(batch)
}

#[cfg(test)]
mod tests;
