//! Finds an object in words: its name, whole, with its kind near.

use super::phrases::Phrase;
use crate::case::AcceptedObject;

/// How far a kind may stand from a name, in characters.
const NEAR: usize = 40;

/// How an object is named in words.
pub(super) struct Mention {
    name: Phrase,
    kind: Phrase,
    namespace: Option<String>,
    object_kind: String,
}

impl Mention {
    /// Of an object.
    pub(super) fn of(object: &AcceptedObject) -> Self {
        let name = Phrase::new(&format!("(?:^|[^a-z0-9.-])({})(?:[^a-z0-9-]|$)", object.name.expression()));
        Self {
            name,
            kind: Phrase::new(&format!(r"\b(?:{})\b", spellings(&object.kind).join("|"))),
            namespace: object.namespace.clone(),
            object_kind: object.kind.to_lowercase(),
        }
    }

    /// Whether a sentence has the name, with its kind near, be it in the sentence before.
    pub(super) fn is_in(&self, before: &str, sentence: &str) -> bool {
        let text = format!("{before} {sentence}");
        let mut from = before.len();
        while let Some(found) = self.name.group_from(&text, from) {
            if self.is_meant(&text, found.start, found.end) {
                return true;
            }
            from = found.end;
        }
        false
    }

    fn is_meant(&self, sentence: &str, start: usize, end: usize) -> bool {
        let before = sentence.get(..start).unwrap_or_default();
        let after = sentence.get(end..).unwrap_or_default();
        // What stands before a slash is the kind or the namespace, and another one means another object.
        if let Some(prefix) = before.strip_suffix('/') {
            let part = prefix.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || "-.".contains(letter))).next();
            let part = part.unwrap_or_default();
            let kind = self.kind.is_in(part);
            if !kind && self.namespace.as_deref() != Some(part) && !part.eq_ignore_ascii_case(&self.object_kind) {
                return false;
            }
        }
        let near_before: String = before.chars().rev().take(NEAR).collect::<Vec<_>>().into_iter().rev().collect();
        let near_after: String = after.chars().take(NEAR).collect();
        self.kind.is_in(&near_before) || self.kind.is_in(&near_after)
    }
}

/// How a kind is written: as one word or several, in the plural, and as kubectl shortens it.
fn spellings(kind: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut small = false;
    for letter in kind.chars() {
        if letter.is_uppercase() && small {
            spaced.push_str("[ -]?");
        }
        small = letter.is_lowercase();
        spaced.push(letter.to_ascii_lowercase());
    }
    let plural =
        if let Some(stem) = spaced.strip_suffix('y') { format!("{stem}ies") } else { format!("{spaced}(?:e?s)?") };
    let short = match kind {
        "ConfigMap" => &["cm"][..],
        "Deployment" => &["deploy"],
        "DaemonSet" => &["ds"],
        "StatefulSet" => &["sts"],
        "ReplicaSet" => &["rs"],
        "Service" => &["svc"],
        "PersistentVolumeClaim" => &["pvcs?"],
        "PersistentVolume" => &["pvs?"],
        "HorizontalPodAutoscaler" => &["hpas?"],
        "PodDisruptionBudget" => &["pdbs?"],
        "NetworkPolicy" => &["netpol"],
        "ServiceAccount" => &["sa"],
        "ResourceQuota" => &["quotas?"],
        "StorageClass" => &["sc"],
        "Ingress" => &["ing"],
        "Namespace" => &["ns"],
        _ => &[],
    };
    [spaced, plural].into_iter().chain(short.iter().map(|&one| one.to_owned())).collect()
}
