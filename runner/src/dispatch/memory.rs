//! What earlier incidents tell of one.

use marple_agent::Remembered;
use marple_core::{Incident, Verdict};

use crate::render::one_line;
use crate::store::{Alike, Concluded, Feedback, Store, StoreError};

/// How many earlier incidents are looked at.
const LOOKED_AT: u32 = 30;

/// How many of them a model is told of.
const TOLD: usize = 3;

/// Earlier incidents that share an object with this one, or have what the rules say is its cause; the latest first.
pub(super) async fn earlier(store: &dyn Store, incident: &Incident) -> Result<Vec<Alike>, StoreError> {
    let concluded = store.conclusion(incident.id).await?;
    let cause = concluded.and_then(|concluded| concluded.conclusion.cause).map(|cause| cause.object);
    store.alike(incident.id, cause.as_ref(), LOOKED_AT).await
}

/// What a model is told of earlier incidents: those that were explained, the most telling first.
pub(super) fn hints(incident: &Incident, alike: &[Alike]) -> Vec<Remembered> {
    let mut told: Vec<&Alike> = alike.iter().filter(|one| tells(one)).collect();
    // A person's word tells most, then that it was about the same; the order of equals is that of time.
    told.sort_by_key(|one| {
        (std::cmp::Reverse(one.feedback.is_some()), std::cmp::Reverse(one.incident.subject == incident.subject))
    });
    told.into_iter().take(TOLD).map(hint).collect()
}

fn tells(one: &Alike) -> bool {
    let concluded = one.concluded.as_ref().is_some_and(|known| known.conclusion.verdict != Verdict::Inconclusive);
    concluded || one.feedback.as_ref().is_some_and(|said| said.was.is_some())
}

fn hint(one: &Alike) -> Remembered {
    let concluded = match &one.concluded {
        Some(Concluded { conclusion, .. }) => match &conclusion.cause {
            Some(cause) => format!("{}: {}", cause.object, conclusion.summary),
            None => conclusion.summary.clone(),
        },
        None => "nothing".to_owned(),
    };
    let said = one.feedback.as_ref().map(|Feedback { verdict, was, by, .. }| {
        let was = was.as_ref().map(|was| format!(", it was {}", one_line(was))).unwrap_or_default();
        format!("{by}: {}{was}", verdict.as_str())
    });
    Remembered { title: one_line(&one.incident.title), began: one.incident.starts_at, concluded, said }
}
