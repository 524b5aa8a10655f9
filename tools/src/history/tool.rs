//! `recent_changes`: what was altered around an object, by whom, and before what.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{ObjectRef, Period};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::again::made_again;
use super::near::{Near, near};
use super::report::{Detail, Told, report};
use super::{Recorded, Window};
use crate::kubernetes::{Clock, Cluster, target};
use crate::scene::Scene;
use crate::topology::{Remembered, Topology, TopologyError};
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// How long before the incident's start is looked, unless said otherwise.
const BEFORE: Period = Period::hours(2);

/// The most changes that are told at a time.
const MOST: usize = 500;

/// What was altered around an object.
pub struct RecentChanges {
    recorded: Recorded,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Kind.
    kind: String,
    /// Name.
    name: String,
    /// Namespace.
    namespace: Option<String>,
    /// How long before the incident's start, as 2h (default) or 3d.
    before: Option<String>,
    /// Only until this time: pages to earlier ones.
    until: Option<String>,
}

impl RecentChanges {
    /// Over what was recorded; without a cluster or topology what the object depends on is not known.
    pub fn new(recorded: Recorded) -> Self {
        let description = "Recorded changes of an object, of what it depends on and around it: fields before → after, \
                           when and by whom. Also images, config, rights, quotas, Helm and GitOps revisions, deletions.";
        Self { recorded, spec: arguments::spec::<Arguments>("recent_changes", description, Effect::Read) }
    }

    fn permitted(&self, object: &ObjectRef) -> bool {
        let rules = self.recorded.cluster.as_ref().map(Cluster::rules);
        rules.is_none_or(|rules| rules.permit(&object.kind, object.namespace.as_deref(), &object.name))
    }
}

#[async_trait]
impl Tool for RecentChanges {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let mut subject = target(&arguments.kind, &arguments.name, arguments.namespace.as_deref());
        if let Some(cluster) = &self.recorded.cluster {
            // People write `deploy`; changes have the whole name. One that isn't known may have been deleted.
            if let Ok(kind) = cluster.kind(&subject.kind).await {
                subject.kind.clone_from(&kind.kind);
            }
        }
        if !self.permitted(&subject) {
            return Err(ToolError::Forbidden(format!("{subject} may not be looked at (`gate.objects`)")));
        }
        let (since, until) = self.times(&arguments, look)?;
        let (near, unseen) = self.near(&subject, look.now).await;
        let window = Window { namespaces: near.namespaces.clone(), since, until, limit: MOST };
        let log = &self.recorded.log;
        let backend = |error: super::ChangeLogError| ToolError::Backend(error.to_string());
        let (found, recorded_since) = tokio::try_join!(log.changes(&window), log.since()).map_err(backend)?;
        let mut changes = made_again(found.changes);
        changes.retain(|change| self.permitted(&change.object));
        let told = Told { subject: &subject.to_string(), since, until, more: found.more, recorded_since, unseen };
        let content = report(&changes, &near, &told, Clock::of(look), Detail::WHOLE);
        let shown = report(&changes, &near, &told, Clock::of(look), Detail::SHOWN);
        let shown = view::bounded(&shown, Limits::table());
        Ok(Output {
            title: format!("recorded changes around {subject}"),
            object: Some(subject),
            view: (shown != content).then_some(shown),
            content,
            ..Output::default()
        })
    }
}

impl RecentChanges {
    /// What the object hangs together with, and what of that could not be seen. Of one that is gone it is known by what
    /// was told of it.
    async fn near(&self, subject: &ObjectRef, now: Timestamp) -> (Near, Option<String>) {
        let Recorded { cluster, topology, .. } = &self.recorded;
        let mut remembered = Vec::new();
        let mut unseen = None;
        if let Some(topology) = topology {
            match known(topology.as_ref(), subject).await {
                Ok(known) => remembered = known,
                Err(error) => unseen = Some(error.to_string()),
            }
        }
        let gone = remembered.first().is_some_and(|one| one.gone_at.is_some());
        let unit = remembered.last().filter(|_| gone).map_or(subject, |one| &one.object);
        let mut near = match cluster {
            Some(cluster) => {
                // Its many concurrent looks make it too large for the stack.
                let (near, error) = Box::pin(near(cluster, unit, now)).await;
                unseen = error.map(|error| error.to_string()).or(unseen);
                near
            }
            None => Near::of(&Scene::of(Vec::new(), &[], Vec::new(), now), unit),
        };
        for one in &remembered {
            near.remember(one);
        }
        (near, unseen)
    }

    /// From when until when.
    fn times(&self, arguments: &Arguments, look: &Look) -> Result<(Timestamp, Timestamp), ToolError> {
        let fault = |argument: &str, text: &str, wanted: &str| {
            ToolError::Arguments(format!("{}: argument `{argument}` is {text:?}; wanted is {wanted}", self.spec.name))
        };
        let before = match &arguments.before {
            Some(text) => text
                .trim()
                .trim_start_matches('-')
                .parse()
                .map_err(|_| fault("before", text, "a length of time as 2h or 3d"))?,
            None => BEFORE,
        };
        let until = match &arguments.until {
            Some(text) => text.trim().parse().map_err(|_| fault("until", text, "a time as 2026-01-31T12:00:00Z"))?,
            None => look.now,
        };
        let start = look.incident_start.unwrap_or(look.now).min(until);
        let since = start.checked_sub(before.duration()).unwrap_or(Timestamp::MIN);
        Ok((since, until))
    }
}

/// The object as it was last told of, and its top owner where that is another.
async fn known(topology: &dyn Topology, subject: &ObjectRef) -> Result<Vec<Remembered>, TopologyError> {
    let Some(subject) = topology.remembered(subject).await? else { return Ok(Vec::new()) };
    let top = match subject.owners.last() {
        Some(top) => topology.remembered(top).await?,
        None => None,
    };
    Ok([subject].into_iter().chain(top).collect())
}
