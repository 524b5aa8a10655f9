//! Which links are known already, and which are news. Pure.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use jiff::Timestamp;

use super::batch::{Entry, Listed, Listing};
use super::links::{is_linked, links};
use crate::config::{Namespaces, Scope};
use crate::object::{Kind, Object, ObjectKey};
use crate::picture::Observation;

/// What an observation comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A listing begins: what is told of the one before is out of date.
    Listing(Kind, Scope),
    /// An object has other links than before, or is gone.
    Entry(Box<Entry>),
    /// A listing is complete.
    Listed(Listed),
}

/// Which links are known already: of each object a hash of its name and one of them, 16 bytes.
#[derive(Debug)]
pub(crate) struct Survey {
    namespaces: Namespaces,
    seen: BTreeMap<(Kind, Scope), Seen>,
}

/// The objects of a kind in a scope.
#[derive(Debug, Default)]
struct Seen {
    listing: Listing,
    hashes: HashMap<u64, u64, BuildHasherDefault<DefaultHasher>>,
}

impl Survey {
    pub(crate) const fn new(namespaces: Namespaces) -> Self {
        Self { namespaces, seen: BTreeMap::new() }
    }

    /// Takes in what a watch saw; nothing where it is known already or concerns nobody.
    pub(crate) fn take(&mut self, observation: &Observation, now: Timestamp) -> Option<News> {
        match observation {
            Observation::Listing(kind, scope) if is_linked(kind) => {
                let seen = self.seen.entry((kind.clone(), scope.clone())).or_default();
                // All that is listed is told again: whoever keeps it needs no more to know what is gone.
                seen.hashes.clear();
                seen.listing = Listing(now.as_microsecond().max(seen.listing.0.saturating_add(1)));
                Some(News::Listing(kind.clone(), scope.clone()))
            }
            Observation::Seen(object, scope) => self.seen(object, scope, now).map(|entry| News::Entry(Box::new(entry))),
            Observation::Gone(key) => self.gone(key, now).map(|entry| News::Entry(Box::new(entry))),
            Observation::Listed(kind, scope) if is_linked(kind) => {
                let seen = self.seen.get_mut(&(kind.clone(), scope.clone()))?;
                seen.hashes.shrink_to_fit();
                Some(News::Listed(Listed {
                    kind: kind.as_str().to_owned(),
                    namespace: scope.namespace().to_owned(),
                    namespaces: self.namespaces.clone(),
                    listing: seen.listing,
                    at: now,
                }))
            }
            Observation::Listing(..) | Observation::Listed(..) | Observation::Forbidden(..) => None,
        }
    }

    fn seen(&mut self, object: &Object, scope: &Scope, now: Timestamp) -> Option<Entry> {
        let kind = object.kind();
        if !is_linked(&kind) {
            return None;
        }
        let key = object.key();
        let counts = key.namespace.is_empty() || self.namespaces.count(&key.namespace);
        if key.name.is_empty() || !counts {
            return None;
        }
        let Some(links) = links(object) else { return self.gone(&key, now) };
        let seen = self.seen.entry((kind, scope.clone())).or_default();
        let told = hash(&links);
        if seen.hashes.insert(hash(&(&key.namespace, &key.name)), told) == Some(told) {
            return None;
        }
        Some(Entry { object: key.reference(), listing: seen.listing, links: Some(links), gone_at: None })
    }

    fn gone(&mut self, key: &ObjectKey, now: Timestamp) -> Option<Entry> {
        let place = hash(&(&key.namespace, &key.name));
        let mut of_kind =
            self.seen.iter_mut().filter(|((kind, scope), _)| *kind == key.kind && scope.covers(&key.namespace));
        let (_, seen) = of_kind.find(|(_, seen)| seen.hashes.contains_key(&place))?;
        seen.hashes.remove(&place);
        Some(Entry { object: key.reference(), listing: seen.listing, links: None, gone_at: Some(now) })
    }
}

/// A hash that is the same throughout the process.
fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use serde_json::json;

    use super::*;
    use crate::watch::object_of;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn pod(namespace: &str, name: &str, node: &str) -> Observation {
        let pod = json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"nodeName": node}});
        Observation::Seen(object_of("Pod", pod).unwrap().unwrap(), Scope::Cluster)
    }

    fn gone(name: &str) -> Observation {
        Observation::Gone(ObjectKey::new(Kind::Pod, "shop", name))
    }

    /// What is told, in short.
    fn told(survey: &mut Survey, observation: &Observation, second: i64) -> String {
        match survey.take(observation, at(second)) {
            None => "nothing".to_owned(),
            Some(News::Listing(kind, _)) => format!("{kind}s are listed"),
            Some(News::Listed(listed)) => {
                format!("{}s were listed, {}", listed.kind, listed.listing == Listing(at(0).as_microsecond()))
            }
            Some(News::Entry(entry)) => match entry.links {
                Some(links) => format!("{} on {}", entry.object, links.node.unwrap_or_default()),
                None => format!("{} is gone", entry.object),
            },
        }
    }

    #[test]
    fn only_what_is_new_is_told_and_all_of_it_again_after_a_list() {
        let mut survey = Survey::new(Namespaces::default());
        let listing = Observation::Listing(Kind::Pod, Scope::Cluster);
        let listed = Observation::Listed(Kind::Pod, Scope::Cluster);
        let steps = [
            (listing.clone(), "Pods are listed"),
            (pod("shop", "a", "n1"), "Pod shop/a on n1"),
            (listed.clone(), "Pods were listed, true"),
            (pod("shop", "a", "n1"), "nothing"),
            (pod("shop", "a", "n2"), "Pod shop/a on n2"),
            (gone("a"), "Pod shop/a is gone"),
            (gone("a"), "nothing"),
            (gone("never"), "nothing"),
            (pod("shop", "a", "n2"), "Pod shop/a on n2"),
            // A clock that stands still makes no two lists one.
            (listing, "Pods are listed"),
            (pod("shop", "a", "n2"), "Pod shop/a on n2"),
            (listed, "Pods were listed, false"),
        ];
        for (observation, wanted) in steps {
            assert_eq!(told(&mut survey, &observation, 0), wanted);
        }
    }

    #[test]
    fn namespaces_that_do_not_count_and_objects_without_a_name_are_passed_over() {
        let namespaces = serde_json::from_value(json!({"exclude": ["kube-*"]})).unwrap();
        let mut survey = Survey::new(namespaces);
        assert_eq!(told(&mut survey, &pod("kube-system", "a", "n"), 0), "nothing");
        assert_eq!(told(&mut survey, &pod("shop", "", "n"), 0), "nothing");
        assert_eq!(told(&mut survey, &Observation::Listing(Kind::Event, Scope::Cluster), 0), "nothing");
    }
}
