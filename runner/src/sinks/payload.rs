//! The JSON that webhook and file receivers get. Its schema is published as docs/schemas/webhook.schema.json.

use jiff::Timestamp;
use marple_core::{Conclusion, EvidenceId, Incident, Member, ObjectRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::SinkError;
use crate::render::{Stage, View, bounded, clean};
use crate::store::ConcludedBy;

/// The longest text of one piece of evidence, in characters; the whole is in the store.
const EVIDENCE_LIMIT: usize = 16_000;

/// An incident as it was at one revision. A later one of the same incident replaces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "marple incident")]
pub struct Payload {
    /// Version of this format: 1. New fields may come within a version.
    pub version: u32,
    /// Names the delivery: the same whenever it is repeated, so that a receiver may drop what it has already seen.
    pub key: String,
    /// The cluster's name.
    pub cluster: String,
    /// The incident.
    pub incident: Incident,
    /// How far the work on it has come.
    pub stage: Stage,
    /// What was concluded; null before.
    pub conclusion: Option<Conclusion>,
    /// Who concluded it.
    pub concluded_by: Option<ConcludedBy>,
    /// The evidence that the conclusion cites.
    pub evidence: Vec<PayloadEvidence>,
    /// Its first alerts: those that hold first, then the worst.
    pub alerts: Vec<Member>,
    /// How many alerts there are beyond these.
    pub more_alerts: u32,
    /// Where people can look at it; null where no address is configured.
    pub link: Option<String>,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadEvidence {
    /// Its name within the incident, by which citations refer to it.
    pub id: EvidenceId,
    /// What was looked at.
    pub title: String,
    /// The object that it shows, where it is one.
    pub object: Option<ObjectRef>,
    /// When it was read.
    pub taken_at: Timestamp,
    /// The text, redacted, and cut to 16,000 characters.
    pub text: String,
    /// Whether the text was cut.
    pub cut: bool,
}

impl Payload {
    /// This view as it is sent, on one line of JSON.
    pub(super) fn json(view: &View, key: &str) -> Result<String, SinkError> {
        serde_json::to_string(&Self::of(view, key))
            .map_err(|error| SinkError::Permanent { reason: format!("the incident can't be written as JSON: {error}") })
    }

    /// What is sent of this view.
    pub fn of(view: &View, key: &str) -> Self {
        let evidence = view.cited.iter().map(|evidence| {
            let shown = clean(evidence.shown());
            let text = bounded(&shown, EVIDENCE_LIMIT);
            PayloadEvidence {
                id: evidence.id,
                title: evidence.title.clone(),
                object: evidence.object.clone(),
                taken_at: evidence.taken_at,
                cut: text.len() != shown.len() || evidence.view.is_none() && evidence.rest.is_some(),
                text: text.into_owned(),
            }
        });
        Self {
            version: 1,
            key: key.to_owned(),
            cluster: view.cluster.clone(),
            incident: view.incident.clone(),
            stage: view.stage,
            conclusion: view.conclusion.clone(),
            concluded_by: view.by,
            evidence: evidence.collect(),
            alerts: view.members.clone(),
            more_alerts: view.more_members,
            link: view.link(),
        }
    }
}

/// The schema of [`Payload`], as it is published.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Payload).to_value();
    // A model's conclusion has no such field, so that the type's own schema leaves it out.
    let verified = json!({ "type": "boolean", "description": "Whether the quote was found in the evidence." });
    if let Some(Value::Object(fields)) = schema.pointer_mut("/$defs/Citation/properties") {
        fields.insert("verified".to_owned(), verified);
    }
    schema
}
