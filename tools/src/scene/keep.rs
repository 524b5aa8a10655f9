//! Puts what matters of a scene among the evidence, and the rules' proofs into citations of it.

use std::collections::{BTreeMap, BTreeSet};

use marple_core::{Citation, EvidenceId, EvidenceOrigin, Finding, ObjectRef, ProofSource, Severity};

use super::{Graph, Scene};
use crate::{EvidenceDraft, EvidenceError, EvidenceLog, Redact};

/// The most pieces of evidence that one scene leaves.
const PIECES_LIMIT: usize = 60;

/// The most text that one scene leaves, in bytes.
const BYTES_LIMIT: usize = 4 << 20;

/// What of a scene is evidence now.
pub struct Kept<'a> {
    redact: &'a dyn Redact,
    pieces: BTreeMap<ProofSource, (EvidenceId, String)>,
}

/// Keeps what the findings and subjects rest on: objects, events, logs and rollouts, the findings' proofs first.
///
/// At most 60 pieces and 4 MiB; what doesn't fit is left out whole, so that no piece is a torso.
pub async fn keep<'a>(
    scene: &Scene,
    findings: &[Finding],
    log: &dyn EvidenceLog,
    redact: &'a dyn Redact,
) -> Result<Kept<'a>, EvidenceError> {
    let mut kept = Kept { redact, pieces: BTreeMap::new() };
    let mut bytes = 0;
    for source in sources(scene, findings) {
        if kept.pieces.len() >= PIECES_LIMIT {
            break;
        }
        let Some(text) = scene.text(&source) else { continue };
        if bytes + text.len() > BYTES_LIMIT {
            continue;
        }
        bytes += text.len();
        let content = redact.redact(&text);
        let searched = one_spaced(&content);
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Capture,
            title: title(&source),
            object: object(&source).cloned(),
            taken_at: scene.now,
            content,
            view: None,
        };
        let id = match log.keep(draft).await {
            Ok(id) => id,
            // What was kept before is enough to go on with.
            Err(error) if error.full => break,
            Err(error) => return Err(error),
        };
        kept.pieces.insert(source, (id, searched));
    }
    Ok(kept)
}

impl Kept<'_> {
    /// Gives each finding the citations that its proofs come to, and takes secrets out of its words. A citation is
    /// verified where the quote occurs in the evidence, whitespace apart.
    pub fn resolve(&self, findings: &mut [Finding]) {
        for finding in findings {
            finding.statement = self.redact.redact(&finding.statement);
            for proof in &mut finding.proofs {
                proof.quote = self.redact.redact(&proof.quote);
            }
            finding.citations =
                finding.proofs.iter().filter_map(|proof| self.cite(&proof.source, &proof.quote)).collect();
        }
    }

    /// The evidence that shows this place, where it was kept.
    pub fn evidence(&self, source: &ProofSource) -> Option<EvidenceId> {
        self.pieces.get(source).map(|(id, _)| *id)
    }

    /// How many pieces were kept.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    fn cite(&self, source: &ProofSource, quote: &str) -> Option<Citation> {
        let (evidence, text) = self.pieces.get(source)?;
        Some(Citation { evidence: *evidence, quote: quote.to_owned(), verified: text.contains(&one_spaced(quote)) })
    }
}

/// Whether words occur in a text, whitespace apart.
pub(crate) fn occurs(text: &str, quote: &str) -> bool {
    one_spaced(text).contains(&one_spaced(quote))
}

fn one_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Places worth keeping, the most telling first, none twice.
fn sources(scene: &Scene, findings: &[Finding]) -> Vec<ProofSource> {
    let graph = Graph::of(scene);
    let mut ranked = findings.iter().collect::<Vec<_>>();
    ranked.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut wanted = Vec::new();
    wanted.extend(ranked.iter().flat_map(|finding| finding.proofs.iter().map(|proof| proof.source.clone())));
    let mut objects = Vec::<&ObjectRef>::new();
    let tops = scene.subjects.iter().map(|subject| graph.top_owner(subject)).collect::<Vec<_>>();
    objects.extend(scene.subjects.iter().chain(&tops));
    let telling = ranked.iter().filter(|finding| finding.severity > Severity::Info);
    objects.extend(telling.flat_map(|finding| [Some(&finding.object), finding.culprit.as_ref()]).flatten());
    for object in objects {
        wanted.push(ProofSource::Object(object.clone()));
        wanted.push(ProofSource::Events(object.clone()));
        wanted.push(ProofSource::Rollout(object.clone()));
    }
    let told = warned(scene, &graph, &tops, &wanted);
    wanted.extend(told.into_iter().map(|pod| ProofSource::Events(pod.clone())));
    wanted.extend(scene.logs.iter().map(|log| ProofSource::Log {
        pod: log.pod.clone(),
        container: log.container.clone(),
        previous: log.previous,
    }));
    let mut seen = BTreeSet::new();
    wanted.retain(|source| seen.insert(source.clone()));
    wanted
}

/// Pods of these owners whose events warn of what those of no object before them do: pods that fail alike may be at
/// different turns of it.
fn warned<'a>(scene: &'a Scene, graph: &Graph, tops: &[ObjectRef], wanted: &[ProofSource]) -> Vec<&'a ObjectRef> {
    let reasons = |object: &'a ObjectRef| {
        scene.events_of(object).filter(|event| event.warning).map(|event| event.reason.as_str())
    };
    let told = wanted.iter().filter_map(|source| match source {
        ProofSource::Events(object) => Some(object),
        _ => None,
    });
    let mut known: BTreeSet<&str> =
        told.flat_map(|object| scene.events_of(object)).map(|event| event.reason.as_str()).collect();
    let pods = scene.of_kind("Pod").map(|(pod, _)| pod).filter(|pod| tops.contains(&graph.top_owner(pod)));
    pods.filter(|pod| reasons(pod).filter(|reason| known.insert(reason)).count() > 0).collect()
}

fn title(source: &ProofSource) -> String {
    match source {
        ProofSource::Object(object) => object.to_string(),
        ProofSource::Events(object) => format!("events of {object}"),
        ProofSource::Rollout(object) => format!("what changed in {object}"),
        ProofSource::Log { pod, container, previous } => {
            format!("logs of {pod} container {container}{}", if *previous { ", previous" } else { "" })
        }
        ProofSource::Evidence(id) => id.to_string(),
    }
}

fn object(source: &ProofSource) -> Option<&ObjectRef> {
    match source {
        ProofSource::Object(object) | ProofSource::Events(object) | ProofSource::Rollout(object) => Some(object),
        ProofSource::Log { pod, .. } => Some(pod),
        ProofSource::Evidence(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name, "ownerReferences": [
            {"kind": "Deployment", "name": "cart", "controller": true}]}})
    }

    fn event(pod: &str, reason: &str, kind: &str) -> Value {
        json!({"involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod}, "reason": reason, "type": kind,
            "message": reason, "lastTimestamp": "2026-01-02T03:04:05Z"})
    }

    #[test]
    fn events_of_equal_pods_are_kept_where_they_warn_of_something_else() {
        let deployment = json!({"kind": "Deployment", "metadata": {"namespace": "shop", "name": "cart"}});
        let objects = vec![deployment, pod("cart-1"), pod("cart-2"), pod("cart-3")];
        let events = [
            event("cart-1", "Failed", "Warning"),
            event("cart-2", "Failed", "Warning"),
            event("cart-2", "Pulled", "Normal"),
            event("cart-3", "Failed", "Warning"),
            event("cart-3", "BackOff", "Warning"),
        ];
        let mut scene = Scene::of(objects, &events, vec![], Timestamp::UNIX_EPOCH);
        scene.subjects = vec![ObjectRef::namespaced("Pod", "shop", "cart-1")];
        let kept = sources(&scene, &[]).into_iter().filter_map(|source| match source {
            ProofSource::Events(object) if object.is("Pod") => Some(object.name),
            _ => None,
        });
        assert_eq!(kept.collect::<Vec<_>>(), ["cart-1", "cart-3"]);
    }
}
