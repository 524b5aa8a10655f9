//! Follows findings from a workload to the cause of its trouble.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use marple_core::{Finding, ObjectRef, ProofSource, Severity};

use crate::diagnose::{Condition, Role, condition, dependency, dependency_trouble, service_port, workload};
use crate::scene::spoken::trouble;
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
    /// A cause on the object itself that holds, by what the cluster says.
    OwnCause,
    /// A log or message leads to a dependency with a cause.
    LedToCause,
    /// What it is made of or runs on has a cause.
    BelowCause,
    /// A cause on the object itself that holds, inferred: what its words may mean.
    OwnLikelyCause,
    /// A setting names a dependency with a cause, and the object itself says nothing else.
    NamedCause,
    /// A cause on the object itself that is over.
    PastCause,
    /// What a program says while it serves may mean a cause, and the alert is not on what it answers.
    WhileServing,
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
    /// Nothing of its own or below; what serves, scales or limits it has a cause.
    CauseAbove,
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

    /// Whether what explains the symptom is a cause, and not another symptom.
    pub(super) fn ends_in_cause(&self) -> bool {
        known(self.root).is_some_and(|condition| condition.role == Role::Cause)
    }

    /// Whether the cause lies in what serves, scales or limits the object, which may be beside the point.
    pub(super) fn is_from_above(&self) -> bool {
        self.class == Class::CauseAbove
    }

    /// Whether the cause is one that a program tells of while it serves, beside an alert that is not on its answers.
    pub(super) fn is_while_serving(&self) -> bool {
        self.class == Class::WhileServing
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
    above: BTreeMap<ObjectRef, BTreeSet<ObjectRef>>,
}

fn known(finding: &Finding) -> Option<&'static Condition> {
    condition(&finding.condition)
}

/// Whether clients meet the certificate of an object of this kind.
fn is_served_with(object: &ObjectRef) -> bool {
    ["Ingress", "Gateway", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]
        .contains(&object.kind.as_str())
}

/// Whether a cause is only told by the log of a program that goes on.
fn is_said_while_serving(finding: &Finding) -> bool {
    finding.severity == Severity::Warning
        && finding.proofs.first().is_some_and(|proof| matches!(proof.source, ProofSource::Log { previous: false, .. }))
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
        let mut above = BTreeMap::<_, BTreeSet<_>>::new();
        let acts = |object: &ObjectRef| {
            ["Service", "HorizontalPodAutoscaler", "Ingress", "HTTPRoute", "GRPCRoute"].contains(&object.kind.as_str())
        };
        for edge in graph.all_edges().filter(|edge| acts(&edge.from)) {
            if matches!(edge.relation, Relation::Selects | Relation::Refers) {
                above.entry(graph.top_owner(&edge.to)).or_default().insert(edge.from.clone());
            }
        }
        Self { scene, graph, units, above }
    }

    /// The best way from a top owner to what explains its trouble. `calls` says whether a call that only a setting tells
    /// of may explain it.
    pub(super) fn explain(&self, unit: &ObjectRef, calls: bool) -> Option<Way<'a>> {
        self.go(unit, calls, &mut BTreeSet::new())
    }

    fn own(&self, unit: &ObjectRef, role: Role) -> impl Iterator<Item = &'a Finding> {
        let findings = self.units.get(unit).map(Vec::as_slice).unwrap_or_default();
        findings.iter().copied().filter(move |finding| known(finding).is_some_and(|known| known.role == role))
    }

    fn go(&self, unit: &ObjectRef, calls: bool, visited: &mut BTreeSet<ObjectRef>) -> Option<Way<'a>> {
        if visited.len() >= DEPTH || !visited.insert(unit.clone()) {
            return None;
        }
        let mut ways = Vec::new();
        self.own_ways(unit, calls, visited, &mut ways);
        self.led_ways(unit, calls, visited, &mut ways);
        self.ways_below(unit, calls, visited, &mut ways);
        self.ways_above(unit, &mut ways);
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

    fn own_ways(&self, unit: &ObjectRef, calls: bool, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
        for cause in self.own(unit, Role::Cause) {
            let told = known(cause).is_some_and(|known| known.told);
            let class = match (cause.severity, cause.at) {
                (Severity::Info, _) => Class::Decision,
                (_, Some(_)) => Class::PastCause,
                (_, None) if told => Class::OwnCause,
                (_, None) if !calls && is_said_while_serving(cause) => Class::WhileServing,
                (_, None) => Class::OwnLikelyCause,
            };
            let way = Self::alone(unit, cause, class);
            // The culprit may have a cause of its own: a claim its class, a pod's node its pressure.
            let further = cause
                .culprit
                .as_ref()
                .map(|culprit| self.graph.top_owner(culprit))
                .filter(|culprit| culprit != unit)
                .and_then(|culprit| self.go(&culprit, calls, visited))
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

    /// Whether a program ends with words of its own, not with those of a failed call: it is not explained by what it merely
    /// names.
    fn speaks(&self, unit: &ObjectRef) -> bool {
        self.own(unit, Role::Symptom).any(|finding| {
            known(finding).is_some_and(|known| known.rank <= 25)
                && finding
                    .proofs
                    .iter()
                    .any(|proof| matches!(proof.source, ProofSource::Log { .. }) && trouble(&proof.quote).is_none())
        })
    }

    /// Whether a log or event of a unit speaks of certificates.
    fn speaks_of_certificates(&self, unit: &ObjectRef) -> bool {
        let speaks = |text: &str| {
            let text = text.to_ascii_lowercase();
            ["certificat", "x509", "tls", "ssl"].iter().any(|word| text.contains(word))
        };
        let findings = self.units.get(unit).map(Vec::as_slice).unwrap_or_default();
        let said = |finding: &&Finding| {
            finding.proofs.iter().any(|proof| {
                matches!(proof.source, ProofSource::Log { .. } | ProofSource::Events(_)) && speaks(&proof.quote)
            })
        };
        findings.iter().any(said)
    }

    fn led_ways(&self, unit: &ObjectRef, calls: bool, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
        let speaks = self.speaks(unit);
        for pointer in self.own(unit, Role::Pointer) {
            let Some(culprit) = pointer.culprit.as_ref().map(|culprit| self.graph.top_owner(culprit)) else { continue };
            let told = known(pointer).is_some_and(|known| known.told);
            let by_setting = dependency_trouble::is(pointer);
            // What is called shows in answers, and in a caller that does not get ready for it.
            if by_setting && !calls || !told && !calls && workload::is_well(self.scene, unit) {
                continue;
            }
            let further = self.go(&culprit, calls, visited).filter(|way| !by_setting || way.ends_in_cause());
            let decided = further.as_ref().is_some_and(|way| way.root.severity == Severity::Info);
            // Nor is what somebody wants so, as long as only a setting leads there.
            if by_setting && further.is_none() || !told && decided {
                continue;
            }
            let class = match &further {
                _ if dependency::is_beside(pointer) || !told && speaks => Class::NamedBeside,
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

    /// Over what serves or scales it: a Service that sends to a wrong port, an autoscaler at its bound.
    fn ways_above(&self, unit: &ObjectRef, ways: &mut Vec<Way<'a>>) {
        let first = self.above.get(unit).into_iter().flatten();
        let second = first.clone().filter_map(|above| self.above.get(above)).flatten();
        for above in first.chain(second) {
            let causes = self.own(above, Role::Cause).filter(|cause| !service_port::is_by_declaration(cause));
            ways.extend(causes.map(|cause| Self::alone(unit, cause, Class::CauseAbove)));
        }
    }

    /// Over what it is made of: a Service's pods, a claim's volume, an ingress's Service, a pod's node.
    fn ways_below(&self, unit: &ObjectRef, calls: bool, visited: &mut BTreeSet<ObjectRef>, ways: &mut Vec<Way<'a>>) {
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
            let Some(way) = self.go(&to, calls, visited) else { continue };
            let down = matches!(way.root.condition.as_str(), "node-not-ready" | "node-network-unavailable");
            // A node's other troubles are not those of each pod on it.
            if relation == Relation::RunsOn && !down {
                continue;
            }
            // What an ended program merely mounts is beside its own last words, unless they are about such a thing.
            let beside = relation == Relation::Refers
                && way.root.condition == "secret-certificate-expired"
                && !is_served_with(unit)
                && self.speaks(unit)
                && !self.speaks_of_certificates(unit);
            let class = match way.ends_in_cause() {
                _ if beside => Class::NamedBeside,
                true => Class::BelowCause,
                false => Class::BelowSymptom,
            };
            ways.push(way.after(unit, self.outermost(unit), class));
        }
    }
}
