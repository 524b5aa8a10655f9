//! Takes a person's word on an incident.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use jiff::Timestamp;
use marple_core::{Incident, IncidentStatus};
use serde::Deserialize;

use super::ApiState;
use super::incidents::named;
use super::problem::Problem;
use crate::render::one_line;
use crate::store::Said;

/// The longest name of a person, in characters.
const NAME: usize = 100;

/// Who says it. A body may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    pub(super) by: Option<String>,
}

impl Saying {
    fn name(body: &[u8]) -> Result<String, Problem> {
        let saying: Self = if body.is_empty() {
            Self::default()
        } else {
            serde_json::from_slice(body)
                .map_err(|error| Problem::bad_request(format!("the body is as {{\"by\": \"ada\"}}: {error}")))?
        };
        saying.named()
    }

    /// Who says it, where that is a name; `api` where nobody is named.
    pub(super) fn named(self) -> Result<String, Problem> {
        let name = self.by.map_or_else(|| "api".to_owned(), |by| one_line(&by).trim().to_owned());
        if name.is_empty() || name.chars().count() > NAME {
            return Err(Problem::bad_request(format!("`by` is a name of 1 to {NAME} characters")));
        }
        Ok(name)
    }
}

/// Somebody has taken it.
pub(super) async fn acknowledge(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Incident>, Problem> {
    let by = state.redact().redact(&Saying::name(&body)?);
    let incident = named(&state, &id).await?;
    let said = state.store.acknowledge(incident.id, &by, Timestamp::now()).await?;
    answer(&state, incident, said, IncidentStatus::Acknowledged).await
}

/// It is over.
pub(super) async fn resolve(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Incident>, Problem> {
    let by = state.redact().redact(&Saying::name(&body)?);
    let incident = named(&state, &id).await?;
    let said = state.store.resolve(incident.id, &by, Timestamp::now()).await?;
    answer(&state, incident, said, IncidentStatus::Resolved).await
}

/// The incident as it is now; what was so already is done too, and what can't be any more is a conflict.
async fn answer(
    state: &ApiState,
    incident: Incident,
    said: Said,
    wanted: IncidentStatus,
) -> Result<Json<Incident>, Problem> {
    match said {
        Said::Already(status) if status != wanted => {
            let into = incident.merged_into.map(|into| format!(" into {into}")).unwrap_or_default();
            let state = if status == IncidentStatus::Merged { "merged" } else { "resolved" };
            Err(Problem::conflict(format!("incident {} is {state}{into} already", incident.id)))
        }
        Said::Done | Said::Already(_) => {
            let now = state.store.incident(incident.id).await?;
            now.map(Json).ok_or_else(|| Problem::not_found(format!("there is no incident {}", incident.id)))
        }
    }
}
