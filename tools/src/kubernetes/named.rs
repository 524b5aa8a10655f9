//! The objects that a text names in plain words.

use std::collections::BTreeSet;

use marple_core::ObjectRef;

use super::{Cluster, LookError};

/// Kinds that people ask about, those that tell most of the others first.
const KINDS: [&str; 13] = [
    "apps/Deployment",
    "apps/StatefulSet",
    "apps/DaemonSet",
    "batch/CronJob",
    "batch/Job",
    "v1/Pod",
    "v1/Service",
    "networking.k8s.io/Ingress",
    "autoscaling/HorizontalPodAutoscaler",
    "v1/PersistentVolumeClaim",
    "policy/PodDisruptionBudget",
    "v1/ResourceQuota",
    "v1/ConfigMap",
];

/// Kinds that are meant only where the text says so too: other objects have names like theirs.
const SAID: [&str; 5] = ["Pod", "Service", "ConfigMap", "ResourceQuota", "PersistentVolumeClaim"];

/// The most objects of a text.
const NAMED: usize = 6;

impl Cluster {
    /// The objects that a text names, at most six: in the namespaces that it names, those whose name is one of its words;
    /// where it names none of them, the namespaces themselves. Nothing where it names no namespace.
    ///
    /// An object of a kind that the text says stands before those of others with the same name.
    pub async fn named_in(&self, text: &str) -> Result<BTreeSet<ObjectRef>, LookError> {
        let words: Vec<&str> = words(text).collect();
        let kind = self.kind("v1/Namespace").await?;
        let namespaces = self.names(&kind, None, None).await?;
        let namespaces: BTreeSet<String> =
            namespaces.into_iter().map(|(_, name)| name).filter(|name| words.contains(&name.as_str())).collect();
        let mut found: Vec<(bool, ObjectRef)> = Vec::new();
        for namespace in &namespaces {
            for text in KINDS {
                // What the cluster doesn't serve, or the caller may not list, is not named.
                let Ok(kind) = self.kind(text).await else { continue };
                let said = says(&words, &kind.kind, &kind.plural);
                if SAID.contains(&kind.kind.as_str()) && !said {
                    continue;
                }
                let Ok(names) = self.names(&kind, Some(namespace), None).await else { continue };
                let meant = names.into_iter().map(|(_, name)| name).filter(|name| words.contains(&name.as_str()));
                found.extend(
                    meant.map(|name| (said, ObjectRef::namespaced(kind.kind.clone(), namespace.clone(), name))),
                );
            }
        }
        // `the Deployment cart` is not the Service of that name; but of what no kind was said, all is meant.
        let said: BTreeSet<String> =
            found.iter().filter(|(said, _)| *said).map(|(_, object)| object.name.clone()).collect();
        found.retain(|(by_kind, object)| *by_kind || !said.contains(&object.name));
        if found.is_empty() {
            return Ok(namespaces.into_iter().map(|name| ObjectRef::cluster("Namespace", name)).take(NAMED).collect());
        }
        Ok(found.into_iter().map(|(_, object)| object).take(NAMED).collect())
    }
}

/// The words of a text that may be names, without the marks around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let within = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.');
    text.split(move |letter: char| !within(letter))
        .map(|word| word.trim_matches(['.', '-']))
        .filter(|word| !word.is_empty())
}

/// Whether a kind is among the words, in the singular or the plural.
fn says(words: &[&str], kind: &str, plural: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(kind) || word.eq_ignore_ascii_case(plural))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_without_the_marks_around_them() {
        let found: Vec<&str> = words("Why does deployment/cart-2 of `shop` (v1.2) fail? It's slow.").collect();
        assert_eq!(found, ["Why", "does", "deployment", "cart-2", "of", "shop", "v1.2", "fail", "It", "s", "slow"]);
        assert!(says(&found, "Deployment", "deployments") && !says(&found, "Pod", "pods"));
    }
}
