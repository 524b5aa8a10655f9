//! `recent_changes`: what was altered around an object, by whom, and before what.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{ObjectRef, Period};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::again::made_again;
use super::near::{Near, near};
use super::report::{Detail, Told, report};
use super::{ChangeLog, Window};
use crate::kubernetes::{Clock, Cluster, target};
use crate::scene::Scene;
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// How long before the incident's start is looked, unless said otherwise.
const BEFORE: Period = Period::hours(2);

/// The most changes that are told at a time.
const MOST: usize = 500;

/// What was altered around an object.
pub struct RecentChanges {
    log: Arc<dyn ChangeLog>,
    cluster: Option<Cluster>,
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
    /// Over what was recorded; without a cluster what the object depends on is not known.
    pub fn new(log: Arc<dyn ChangeLog>, cluster: Option<Cluster>) -> Self {
        let description = "Recorded changes of an object, of what it depends on and around it: fields before → after, \
                           when and by whom. Also images, config, rights, quotas, Helm and GitOps revisions, deletions.";
        Self { log, cluster, spec: arguments::spec::<Arguments>("recent_changes", description, Effect::Read) }
    }

    fn permitted(&self, object: &ObjectRef) -> bool {
        let rules = self.cluster.as_ref().map(Cluster::rules);
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
        if let Some(cluster) = &self.cluster {
            // People write `deploy`; changes have the whole name. One that isn't known may have been deleted.
            if let Ok(kind) = cluster.kind(&subject.kind).await {
                subject.kind.clone_from(&kind.kind);
            }
        }
        if !self.permitted(&subject) {
            return Err(ToolError::Forbidden(format!("{subject} may not be looked at (`gate.objects`)")));
        }
        let (since, until) = self.times(&arguments, look)?;
        let (near, unseen) = match &self.cluster {
            // Its many concurrent looks make it too large for the stack.
            Some(cluster) => Box::pin(near(cluster, &subject, look.now)).await,
            None => (Near::of(&Scene::of(Vec::new(), &[], Vec::new(), look.now), &subject), None),
        };
        let window = Window { namespaces: near.namespaces.clone(), since, until, limit: MOST };
        let backend = |error: super::ChangeLogError| ToolError::Backend(error.to_string());
        let (found, recorded_since) = tokio::try_join!(self.log.changes(&window), self.log.since()).map_err(backend)?;
        let mut changes = made_again(found.changes);
        changes.retain(|change| self.permitted(&change.object));
        let told = Told {
            subject: &subject.to_string(),
            since,
            until,
            more: found.more,
            recorded_since,
            unseen: unseen.map(|error| error.to_string()),
        };
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
