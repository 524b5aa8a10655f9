//! Takes the cause of an earlier incident for a repeat of it, once what proved it is seen again.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use marple_agent::citation::relocate;
use marple_core::{Citation, Conclusion, Confidence, Incident, ObjectRef, Unseen, Verdict};
use marple_tools::history::Window;
use serde_json::json;

use super::{Detective, WorkError};
use crate::store::{Alike, Concluded, ConcludedBy, InvestigationRow, Judgement};

/// Members whose names are compared; a storm of one cause has few.
const MEMBERS: u32 = 200;

/// Changes since then that are looked through; where there are more, the cluster is another.
const CHANGES: usize = 500;

/// What is known of a repeat.
pub(super) struct Repeat {
    conclusion: Conclusion,
    of: Incident,
}

impl Detective {
    /// The cause of an earlier incident of the same, where it still holds: the same alerts of the same object, a cause that
    /// the model was sure of and no person called wrong, not changed since, and every step of it proven by what was
    /// captured now. Of an incident that was investigated before, nothing: whoever asks again wants it looked at.
    pub(super) async fn repeated(
        &self,
        row: &InvestigationRow,
        incident: &Incident,
        alike: &[Alike],
    ) -> Result<Option<Repeat>, WorkError> {
        let within = SignedDuration::try_from(self.reuse_within.duration()).unwrap_or(SignedDuration::MAX);
        if row.run.is_some() || within.is_zero() || self.store.begun(incident.id).await?.all > 1 {
            return Ok(None);
        }
        let names: BTreeSet<String> =
            self.store.members(incident.id, MEMBERS).await?.into_iter().map(|member| member.name).collect();
        let latest = incident.starts_at.checked_sub(within).unwrap_or(incident.starts_at);
        let same = |one: &&Alike| {
            one.incident.subject == incident.subject
                && incident.subject.is_some()
                && one.incident.starts_at >= latest
                && one.alerts.iter().collect::<BTreeSet<_>>() == names.iter().collect()
        };
        // The latest decides: an older one may have been of another cause.
        let Some(earlier) = alike.iter().find(same) else { return Ok(None) };
        let Some(Concluded { conclusion, at, .. }) = earlier.concluded.as_ref().filter(|_| !doubted(earlier)) else {
            return Ok(None);
        };
        if !self.unchanged(conclusion, *at).await {
            return Ok(None);
        }
        let log = self.store.evidence(incident.id);
        let Some(found) = relocate(conclusion.clone(), log.as_ref()).await? else { return Ok(None) };
        Ok(proven(found).map(|conclusion| Repeat { conclusion, of: earlier.incident.clone() }))
    }

    /// Whether nothing of a cause and its chain has changed since. Where that can't be known, it counts as changed.
    async fn unchanged(&self, conclusion: &Conclusion, since: Timestamp) -> bool {
        let chain = conclusion.chain.iter().map(|link| &link.object);
        let objects: BTreeSet<&ObjectRef> = conclusion.cause.iter().map(|cause| &cause.object).chain(chain).collect();
        let namespaces = objects.iter().filter_map(|object| object.namespace.clone()).collect();
        let window = Window { namespaces, since, until: self.clock.now(), limit: CHANGES };
        match self.changes.changes(&window).await {
            Ok(found) => !found.more && found.changes.iter().all(|change| !objects.contains(&change.object)),
            Err(_) => false,
        }
    }

    /// Keeps it as the conclusion, and says whence it comes.
    pub(super) async fn reuse(
        &self,
        row: &InvestigationRow,
        incident: &Incident,
        repeat: Repeat,
    ) -> Result<(), WorkError> {
        let Repeat { mut conclusion, of } = repeat;
        // What could not be seen then is of then.
        conclusion.unseen.clear();
        conclusion.add_unseen(&Unseen {
            what: "a new investigation".to_owned(),
            why: format!(
                "this repeats incident {} of {:.0}, whose proofs were seen again; `marple incident investigate {}` looks anew",
                of.id.short(),
                of.starts_at,
                incident.id.short()
            ),
        });
        tracing::info!(incident = %incident.id.short(), of = %of.id.short(), "a repeat: the earlier cause still holds");
        metrics::counter!("marple_investigations_total", "ending" => "reused").increment(1);
        let now = self.clock.now();
        self.store.set_conclusion(incident.id, &conclusion, ConcludedBy::Agent, now).await?;
        self.store.finish_investigation(row.id, &json!({ "reused": of.id }), now).await?;
        Ok(())
    }
}

/// Whether the model was less than sure of what it concluded, or a person did not call it right.
fn doubted(earlier: &Alike) -> bool {
    let sure = earlier.concluded.as_ref().is_some_and(|Concluded { conclusion, by, .. }| {
        *by == ConcludedBy::Agent && conclusion.verdict == Verdict::Fault && conclusion.confidence == Confidence::High
    });
    !sure || earlier.feedback.as_ref().is_some_and(|said| said.verdict != Judgement::Right)
}

/// The conclusion without what was not seen again; nothing where its cause or a step of its chain is not proven any more.
fn proven(mut conclusion: Conclusion) -> Option<Conclusion> {
    let cause = conclusion.cause.as_mut()?;
    if cause.citations.is_empty() || !cause.citations.iter().all(|citation| citation.verified) {
        return None;
    }
    for link in &mut conclusion.chain {
        let had = !link.citations.is_empty();
        link.citations.retain(|citation| citation.verified);
        if had && link.citations.is_empty() {
            return None;
        }
    }
    let seen = |citations: &[Citation]| citations.iter().all(|citation| citation.verified);
    conclusion.ruled_out.retain(|claim| seen(&claim.citations));
    Some(conclusion)
}
