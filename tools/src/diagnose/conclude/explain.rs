//! Follows findings from a workload to the cause of its trouble.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use marple_core::{Finding, ObjectRef, ProofSource, Severity};

use crate::diagnose::{Condition, Role, condition};
use crate::scene::{Graph, Relation, Scene};

/// Further away than this nothing is explained: each step is one more thing that may be a coincidence.
const DEPTH: usize = 8;

/// Findings from the symptom to what explains it, the last being the root.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    /// What is explained.
    pub(super) from: ObjectRef,
    /// Never empty.
    pub(super) findings: Vec<&'a Finding>,
    root: &'a Finding,
    class: Class,
}

/// How well a way explains, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// A cause on the object itself that holds.
    OwnCause,
    /// A log or message leads to a dependency with a cause.
    LedToCause,
    /// What it is made of or runs on has a cause.
    BelowCause,
    /// A setting names a dependency with a cause, and the object itself says nothing else.
    NamedCause,
    /// A cause on the object itself that is over.
    PastCause,
    /// It is so by someone's decision: scaled to zero, suspended.
    Decision,
    /// A log leads to a dependency that shows symptoms.
    LedToSymptom,
    /// What it is made of shows symptoms.
    BelowSymptom,
    /// A log leads to a dependency that shows nothing.
    LedNowhere,
    /// Only symptoms of its own.
    OwnSymptom,
    /// A setting names a dependency in trouble, but the object itself speaks of something else.
    NamedBeside,
}

impl<'a> Way<'a> {
    /// What explains the symptom.
    pub(super) fn root(&self) -> &'a Finding {
        self.root
    }

    /// How well it explains: less is better.
    pub(super) fn class(&self) -> u8 {
        self.class as u8
    }

    fn ends_in_cause(&self) -> bool {
        known(self.root).is_some_and(|condition| condition.role == Role::Cause)
    }

    /// The same way from an object one step before.
    fn after(&self, from: &ObjectRef, before: impl IntoIterator<Item = &'a Finding>, class: Class) -> Self {
        let mut findings = Vec::new();
        for finding in before.into_iter().chain(self.findings.iter().copied()) {
            if !findings.iter().any(|one: &&Finding| std::ptr::eq(*one, finding)) {
                findings.push(finding);
            }
        }
        Self { from: from.clone(), findings, root: self.root, class }
    }
}

/// The findings by top owner.
pub(super) struct Case<'a> {
    scene: &'a Scene,
    graph: &'a Graph,
    units: BTreeMap<ObjectRef, Vec<&'a Finding>>,
}

fn known(finding: &Finding) -> Option<&'static Condition> {
    condition(&finding.condition)
}

impl<'a> Case<'a> {
    pub(super) fn of(scene: &'a Scene, graph: &'a Graph, findings: &[&'a Finding]) -> Self {
        let mut units = BTreeMap::<_, Vec<_>>::new();
        for finding in findings {
            units.entry(graph.top_owner(&finding.object)).or_default().push(*finding);
        }
        for findings in units.values_mut() {
            findings.sort_by_key(|finding| (known(finding).map(|known| known.rank), Reverse(finding.severity)));
        }
        Self { scene, graph, units }
    }

    /// The best way from a top owner to what explains its trouble.
    pub(super) fn explain(&self, unit: &ObjectRef) -> Option<Way<'a>> {
        self.go(unit, &mut BTreeSet::new())
    }

    fn own(&self, unit: &ObjectRef, role: Role) -> impl Iterator<Item = &'a Finding> {
        let findings = self.units.get(unit).map(Vec::as_slice).unwrap_or_default();
        findings.iter().copied().filter(move |finding| known(finding).is_some_and(|known| known.role == role))
    }

    fn go(&self, unit: &ObjectRef, visited: &mut BTreeSet<ObjectRef>) -> Option<Way<'a>> {
        if visited.len() >= DEPTH || !visited.insert(unit.clone()) {
            return None;
        }
        let mut ways = Vec::new();
        self.own_ways(unit, visited, &mut ways);
        self.led_ways(unit, visited, &mut ways);
        self.ways_below(unit, visited, &mut ways);
        visited.remove(unit);
        // Of equal classes the first: findings are in the order of their ranks.
        ways.into_iter().min_by_key(|way| way.class)
    }

    /// The symptom of a unit that people see first: the widest one.
    fn outermost(&self, unit: &ObjectRef) -> Option<&'a Finding> {
        self.own(unit, Role::Symptom).max_by_key(|finding| known(finding).map(|known| known.rank))
    }

    fn alone(unit: &ObjectRef, root: &'a Finding, class: Class) -> Way<'a> {
        Way { from: unit.clone(), findings: vec![root], root, class }
    }

    fn own_ways(&self, unit: &ObjectRef, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
        for cause in self.own(unit, Role::Cause) {
            let class = match (cause.severity, cause.at) {
                (Severity::Info, _) => Class::Decision,
                (_, Some(_)) => Class::PastCause,
                (_, None) => Class::OwnCause,
            };
            let way = Self::alone(unit, cause, class);
            // The culprit may have a cause of its own: a claim its class, a pod's node its pressure.
            let further = cause
                .culprit
                .as_ref()
                .map(|culprit| self.graph.top_owner(culprit))
                .filter(|culprit| culprit != unit)
                .and_then(|culprit| self.go(&culprit, visited))
                .filter(Way::ends_in_cause)
                .filter(|way| way.root.severity > Severity::Info);
            let way = further.map_or(way, |further| further.after(unit, [cause], class));
            ways.push(way.after(unit, self.outermost(unit), class));
        }
        if let Some(symptom) = self.own(unit, Role::Symptom).next() {
            let way = Self::alone(unit, symptom, Class::OwnSymptom);
            ways.push(way.after(
                unit,
                self.outermost(unit).filter(|outer| !std::ptr::eq(*outer, symptom)),
                Class::OwnSymptom,
            ));
        }
    }

    fn led_ways(&self, unit: &ObjectRef, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
        // A program that ends with words of its own is not explained by a dependency that it merely names.
        let speaks = self.own(unit, Role::Symptom).any(|finding| {
            known(finding).is_some_and(|known| known.rank <= 25)
                && finding.proofs.iter().any(|proof| matches!(proof.source, ProofSource::Log { .. }))
        });
        for pointer in self.own(unit, Role::Pointer) {
            let Some(culprit) = pointer.culprit.as_ref().map(|culprit| self.graph.top_owner(culprit)) else { continue };
            let told = known(pointer).is_some_and(|known| known.told);
            let further = self.go(&culprit, visited);
            let class = match &further {
                _ if !told && speaks => Class::NamedBeside,
                Some(way) if way.ends_in_cause() && told => Class::LedToCause,
                Some(way) if way.ends_in_cause() => Class::NamedCause,
                Some(_) if told => Class::LedToSymptom,
                Some(_) => Class::BelowSymptom,
                None if told => Class::LedNowhere,
                None => Class::OwnSymptom,
            };
            let way = match further {
                Some(way) => way.after(unit, [pointer], class),
                None => Self::alone(unit, pointer, class),
            };
            ways.push(way.after(unit, self.outermost(unit), class));
        }
    }

    /// Over what it is made of: a Service's pods, a claim's volume, an ingress's Service, a pod's node.
    fn ways_below(&self, unit: &ObjectRef, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
        let mut below = BTreeMap::new();
        for edge in self.graph.members(unit).iter().chain([unit]).flat_map(|member| self.graph.edges(member)) {
            let followed = match edge.relation {
                Relation::Selects => !unit.is("NetworkPolicy"),
                Relation::Refers => self.scene.get(&edge.to).is_some(),
                Relation::RunsOn => true,
                Relation::Owned | Relation::TalksTo => false,
            };
            let to = self.graph.top_owner(&edge.to);
            if followed && to != *unit {
                below.entry(to).or_insert(edge.relation);
            }
        }
        for (to, relation) in below {
            let Some(way) = self.go(&to, visited) else { continue };
            let down = matches!(way.root.condition.as_str(), "node-not-ready" | "node-network-unavailable");
            // A node's other troubles are not those of each pod on it.
            if relation == Relation::RunsOn && !down {
                continue;
            }
            let class = if way.ends_in_cause() { Class::BelowCause } else { Class::BelowSymptom };
            ways.push(way.after(unit, self.outermost(unit), class));
        }
    }
}
