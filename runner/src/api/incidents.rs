//! Shows incidents.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use marple_core::{Evidence, EvidenceId, Finding, Incident, IncidentId, IncidentStatus, Member, ObjectRef};
use marple_tools::EvidenceLog;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::{ApiState, pieces};
use crate::store::{Concluded, EvidenceEntry, Feedback, IncidentFilter, Named, TimelineEntry};

/// How many members of an incident are shown, the most telling first.
const MEMBERS: u32 = 200;

/// How many lines of its story.
const LINES: u32 = 500;

/// Which incidents are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// States, as `open,resolved`.
    status: Option<String>,
    /// An object, as `Deployment/shop/cart` or `Node/worker-1`.
    object: Option<String>,
    since: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

impl Wanted {
    fn filter(self) -> Result<IncidentFilter, Problem> {
        let wrong = |what: &str, given: &str| Problem::bad_request(format!("{what}; got {given:?}"));
        let status = self.status.as_deref().unwrap_or_default();
        let status = status
            .split(',')
            .filter(|word| !word.is_empty())
            .map(|word| match word {
                "open" => Ok(IncidentStatus::Open),
                "acknowledged" => Ok(IncidentStatus::Acknowledged),
                "resolved" => Ok(IncidentStatus::Resolved),
                "merged" => Ok(IncidentStatus::Merged),
                other => {
                    Err(wrong("`status` is open, acknowledged, resolved or merged, or several with commas", other))
                }
            })
            .collect::<Result<_, _>>()?;
        let object = self.object.map(|text| {
            let mut parts = text.split('/');
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(kind), Some(namespace), Some(name), None) => Ok(ObjectRef::namespaced(kind, namespace, name)),
                (Some(kind), Some(name), None, None) => Ok(ObjectRef::cluster(kind, name)),
                _ => Err(wrong("`object` is as Deployment/shop/cart or Node/worker-1", &text)),
            }
        });
        let since = self.since.map(|text| {
            text.parse::<Timestamp>().map_err(|_| wrong("`since` is a time as 2026-01-31T12:00:00Z", &text))
        });
        let before = self
            .before
            .map(|text| text.parse::<IncidentId>().map_err(|_| wrong("`before` is the id of an incident", &text)));
        Ok(IncidentFilter {
            status,
            object: object.transpose()?,
            since: since.transpose()?,
            before: before.transpose()?,
            limit: self.limit.unwrap_or_default(),
        })
    }
}

/// Incidents, latest first.
pub(super) async fn list(
    State(state): State<ApiState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Incident>>, Problem> {
    Ok(Json(state.store.incidents(&wanted.filter()?).await?))
}

/// One incident with what is known of it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    incident: Incident,
    /// At most 200, those that hold first; `incident.signals` says how many there are.
    members: Vec<Member>,
    timeline: Vec<TimelineEntry>,
    findings: Vec<Finding>,
    conclusion: Option<Concluded>,
    /// What people said of the conclusion.
    feedback: Vec<Feedback>,
    evidence: Vec<EvidenceEntry>,
}

/// One incident, by its id or the beginning of its short name.
pub(super) async fn one(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Shown>, Problem> {
    let incident = named(&state, &id).await?;
    let id = incident.id;
    Ok(Json(Shown {
        incident,
        members: state.store.members(id, MEMBERS).await?,
        timeline: state.store.timeline(id, LINES).await?,
        findings: state.store.findings(id).await?,
        conclusion: state.store.conclusion(id).await?,
        feedback: state.store.feedback(id).await?,
        evidence: state.store.evidence_entries(id).await?,
    }))
}

/// One piece of evidence; of a text of many MiB the beginning.
pub(super) async fn evidence(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
) -> Result<Json<Evidence>, Problem> {
    let (log, wanted) = piece(&state, &id, &evidence).await?;
    pieces::whole(log.as_ref(), wanted, &format!("incident {id}")).await
}

/// The whole text of one piece of evidence, a chunk at a time.
pub(super) async fn evidence_text(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (log, wanted) = piece(&state, &id, &evidence).await?;
    pieces::text(log, wanted, &format!("incident {id}")).await
}

/// The evidence of an incident, and the id of one piece of it.
async fn piece(state: &ApiState, id: &str, evidence: &str) -> Result<(Arc<dyn EvidenceLog>, EvidenceId), Problem> {
    let incident = named(state, id).await?.id;
    Ok((state.store.evidence(incident), pieces::id(evidence)?))
}

pub(super) async fn named(state: &ApiState, typed: &str) -> Result<Incident, Problem> {
    match state.store.incident_by_prefix(typed).await? {
        Named::One(incident) => Ok(*incident),
        Named::Nothing => Err(Problem::not_found(format!("there is no incident {typed}"))),
        Named::Several(ids) => {
            let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Problem::bad_request(format!("several incidents begin with {typed}, among them {ids}")))
        }
    }
}
