#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::{
    Fingerprint, Incident, IncidentId, IncidentStatus, JoinReason, Labels, Member, ObjectRef, Severity, Signal,
    SignalSource, SignalStatus,
};
use proptest::prelude::*;

use super::Book;
use crate::correlate::{Change, CorrelateConfig, Dependency, Known, Related, Snapshot};
use crate::store::{Moment, SignalSeq};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn deployment(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Deployment", "shop", name)
}

fn pod(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Pod", "shop", name)
}

fn node(name: &str) -> ObjectRef {
    ObjectRef::cluster("Node", name)
}

fn owned(owner: ObjectRef) -> Related {
    Related { owner: Some(owner), node: None, known: Known::Owners }
}

fn on(owner: ObjectRef, name: &str) -> Related {
    Related { node: Some(node(name)), ..owned(owner) }
}

fn firing(name: &str, subject: &ObjectRef) -> Signal {
    let labels: Labels = [("alertname", name), ("kind", &subject.kind), ("name", &subject.name)].into_iter().collect();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status: SignalStatus::Firing,
        name: name.to_owned(),
        severity: Severity::Warning,
        subject: Some(subject.clone()),
        labels,
        annotations: Labels::new(),
        starts_at: at(0),
        ends_at: None,
        generator_url: None,
    }
}

fn resolved(signal: &Signal, seconds: i64) -> Signal {
    Signal { status: SignalStatus::Resolved, ends_at: Some(at(seconds)), ..signal.clone() }
}

/// A book, and what a store would hold of it.
struct Kept {
    book: Book,
    incidents: BTreeMap<IncidentId, Incident>,
    members: BTreeMap<(Fingerprint, SignalSource), (IncidentId, Member)>,
    moments: Vec<(IncidentId, Moment)>,
    seq: i64,
}

impl Kept {
    fn new() -> Self {
        Self {
            book: Book::new(CorrelateConfig::default(), Snapshot::default()),
            incidents: BTreeMap::new(),
            members: BTreeMap::new(),
            moments: vec![],
            seq: 0,
        }
    }

    fn fold(&mut self, signal: &Signal, related: &Related, seconds: i64) {
        self.seq += 1;
        self.book.fold(SignalSeq(self.seq), signal, related, at(seconds));
        self.keep(seconds);
    }

    fn tick(&mut self, seconds: i64) {
        self.book.tick(at(seconds));
        self.keep(seconds);
    }

    fn keep(&mut self, seconds: i64) {
        let Some(batch) = self.book.drain(at(seconds)) else { return };
        for change in batch.changes {
            match change {
                Change::Incident { incident, visible, added, removed, .. } => {
                    let before = self.incidents.get(&incident.id);
                    let revision = before.map_or(1, |before| before.revision + u64::from(visible));
                    let mut objects = before.map(|before| before.objects.clone()).unwrap_or_default();
                    objects.retain(|object| !removed.contains(object));
                    objects.extend(added);
                    assert_eq!(objects, incident.objects, "the differences add up");
                    self.incidents.insert(incident.id, Incident { revision, ..*incident });
                }
                Change::Member { incident, member, .. } => {
                    let key = (member.fingerprint, member.source);
                    // As the store does it: a member keeps the reason for which it joined.
                    let reason = self.members.get(&key).filter(|(held, _)| *held == incident);
                    let reason = reason.map_or_else(|| member.reason.clone(), |(_, before)| before.reason.clone());
                    self.members.insert(key, (incident, Member { reason, ..*member }));
                }
                Change::Ended { incident, source, fingerprint, ends_at } => {
                    let (held, member) = self.members.get_mut(&(fingerprint, source)).unwrap();
                    assert_eq!(*held, incident);
                    member.status = SignalStatus::Resolved;
                    member.ends_at = Some(ends_at);
                }
                Change::Merged { from, into, reason } => {
                    for (held, member) in self.members.values_mut().filter(|(held, _)| *held == from) {
                        *held = into;
                        if member.reason == JoinReason::First {
                            member.reason = reason.clone();
                        }
                    }
                }
                Change::Moment { incident, moment, .. } => self.moments.push((incident, moment)),
                Change::Related { .. } | Change::Learned { .. } => {}
            }
        }
    }

    fn live(&self) -> Vec<&Incident> {
        self.incidents.values().filter(|one| one.status != IncidentStatus::Merged).collect()
    }

    fn only(&self) -> &Incident {
        let live = self.live();
        assert_eq!(live.len(), 1, "{live:#?}");
        live[0]
    }

    fn reason(&self, signal: &Signal) -> JoinReason {
        self.members[&(signal.fingerprint, signal.source)].1.reason.clone()
    }
}

#[test]
fn a_native_crash_loop_and_the_alert_of_the_same_pod_are_one_incident() {
    let mut kept = Kept::new();
    let native = Signal { source: SignalSource::Forwarder, ..firing("PodCrashLooping", &pod("cart-1")) };
    let alert = firing("KubePodCrashLooping", &pod("cart-1"));
    kept.fold(&native, &owned(deployment("cart")), 0);
    kept.fold(&alert, &owned(deployment("cart")), 60);
    let incident = kept.only();
    assert_eq!(incident.title, "Deployment shop/cart: PodCrashLooping and 1 more alert");
    assert_eq!((incident.signals, incident.firing, incident.revision), (2, 2, 2));
    assert_eq!(kept.reason(&native), JoinReason::First);
    assert_eq!(kept.reason(&alert), JoinReason::SameObject);
}

#[test]
fn pods_of_one_workload_are_one_incident_and_of_another_another() {
    let mut kept = Kept::new();
    let (a, b, other) = (firing("X", &pod("cart-1")), firing("X", &pod("cart-2")), firing("X", &pod("cart-api-1")));
    kept.fold(&a, &owned(deployment("cart")), 0);
    kept.fold(&b, &owned(deployment("cart")), 1);
    kept.fold(&other, &owned(deployment("cart-api")), 2);
    assert_eq!(kept.live().len(), 2);
    assert_eq!(kept.reason(&b), JoinReason::SameOwner { owner: deployment("cart") });
    assert_eq!(kept.reason(&other), JoinReason::First);
}

#[test]
fn a_repeat_changes_nothing() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    kept.fold(&signal, &owned(deployment("cart")), 0);
    let before = kept.only().clone();
    kept.fold(&signal, &owned(deployment("cart")), 3_600 * 4);
    assert_eq!(*kept.only(), before);
}

#[test]
fn people_see_a_new_alert_and_a_worse_severity_but_not_another_pod_of_the_same() {
    let mut kept = Kept::new();
    kept.fold(&firing("X", &pod("cart-1")), &owned(deployment("cart")), 0);
    kept.fold(&firing("X", &pod("cart-2")), &owned(deployment("cart")), 1);
    assert_eq!(kept.only().revision, 1);
    kept.fold(&firing("Y", &pod("cart-1")), &owned(deployment("cart")), 2);
    assert_eq!(kept.only().revision, 2);
    let worse = Signal { severity: Severity::Critical, ..firing("X", &pod("cart-3")) };
    kept.fold(&worse, &owned(deployment("cart")), 3);
    assert_eq!((kept.only().revision, kept.only().severity), (3, Severity::Critical));
    let id = kept.only().id;
    let told: Vec<_> = kept.moments.iter().map(|(incident, moment)| (*incident == id, moment.clone())).collect();
    let joined = Moment::Joined { name: "Y".into(), object: Some(pod("cart-1")), reason: "same object".into() };
    let opened = Moment::Opened { name: "X".into() };
    assert_eq!(told, [(true, opened), (true, joined), (true, Moment::Worsened { severity: Severity::Critical })]);
}

#[test]
fn an_incident_is_resolved_when_the_last_of_its_signals_is_and_opened_again_by_its_own_alert() {
    let mut kept = Kept::new();
    let (a, b) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-1")));
    let related = owned(deployment("cart"));
    kept.fold(&a, &related, 0);
    kept.fold(&b, &related, 1);
    kept.fold(&resolved(&a, 90), &related, 100);
    assert_eq!((kept.only().status, kept.only().firing), (IncidentStatus::Open, 1));
    kept.fold(&resolved(&b, 80), &related, 110);
    let incident = kept.only().clone();
    assert_eq!((incident.status, incident.resolved_at), (IncidentStatus::Resolved, Some(at(90))));
    let again = Signal { starts_at: at(400), ..a.clone() };
    kept.fold(&again, &related, 500);
    let reopened = kept.only();
    assert_eq!((reopened.id, reopened.status, reopened.resolved_at), (incident.id, IncidentStatus::Open, None));
    assert_eq!((reopened.revision, reopened.firing), (incident.revision + 1, 1));
}

#[test]
fn an_alert_of_a_replaced_pod_opens_the_incident_again_and_another_alert_does_not() {
    let mut kept = Kept::new();
    let first = firing("X", &pod("cart-1"));
    let related = owned(deployment("cart"));
    kept.fold(&first, &related, 0);
    kept.fold(&resolved(&first, 90), &related, 100);
    kept.fold(&firing("Other", &pod("cart-2")), &related, 200);
    assert_eq!(kept.live().len(), 2);
    let mut kept = Kept::new();
    kept.fold(&first, &related, 0);
    kept.fold(&resolved(&first, 90), &related, 100);
    kept.fold(&firing("X", &pod("cart-2")), &related, 200);
    assert_eq!((kept.only().status, kept.only().signals), (IncidentStatus::Open, 2));
}

#[test]
fn after_the_time_for_it_nothing_is_opened_again() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    let related = owned(deployment("cart"));
    kept.fold(&signal, &related, 0);
    kept.fold(&resolved(&signal, 90), &related, 100);
    kept.tick(701);
    assert!(kept.book.is_empty());
    kept.fold(&Signal { starts_at: at(690), ..signal }, &related, 702);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn outside_the_window_another_alert_of_the_object_is_another_incident_but_its_own_stays() {
    let mut kept = Kept::new();
    let (old, new) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-1")));
    let related = owned(deployment("cart"));
    kept.fold(&old, &related, 0);
    kept.fold(&new, &related, 3_601);
    assert_eq!(kept.live().len(), 2);
    kept.fold(&resolved(&old, 4_000), &related, 4_000);
    let states: Vec<_> = kept.live().iter().map(|one| (one.title.as_str(), one.status)).collect();
    let expected =
        [("Deployment shop/cart: X", IncidentStatus::Resolved), ("Deployment shop/cart: Y", IncidentStatus::Open)];
    assert_eq!(states, expected);
}

#[test]
fn a_signal_ends_at_the_time_that_it_named() {
    let mut kept = Kept::new();
    let signal = Signal { ends_at: Some(at(300)), ..firing("X", &pod("cart-1")) };
    kept.fold(&signal, &owned(deployment("cart")), 0);
    assert_eq!(kept.book.next_tick(), Some(at(300)));
    kept.tick(299);
    assert_eq!(kept.only().status, IncidentStatus::Open);
    // Told again, it holds longer.
    kept.fold(&Signal { ends_at: Some(at(600)), ..signal }, &owned(deployment("cart")), 299);
    kept.tick(301);
    assert_eq!(kept.only().status, IncidentStatus::Open);
    kept.tick(600);
    assert_eq!((kept.only().status, kept.only().resolved_at), (IncidentStatus::Resolved, Some(at(600))));
    assert_eq!(kept.book.next_tick(), None);
}

#[test]
fn an_end_that_was_overtaken_by_the_next_beginning_ends_nothing() {
    let mut kept = Kept::new();
    let first = firing("X", &pod("cart-1"));
    let second = Signal { starts_at: at(50), ..first.clone() };
    let related = owned(deployment("cart"));
    kept.fold(&first, &related, 0);
    kept.fold(&second, &related, 60);
    kept.fold(&resolved(&first, 40), &related, 61);
    assert_eq!((kept.only().status, kept.only().firing), (IncidentStatus::Open, 1));
}

#[test]
fn a_beginning_that_comes_after_its_end_opens_nothing() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    kept.fold(&resolved(&signal, 40), &owned(deployment("cart")), 50);
    kept.fold(&signal, &owned(deployment("cart")), 51);
    assert_eq!(kept.live(), Vec::<&Incident>::new());
    kept.fold(&Signal { starts_at: at(52), ..signal }, &owned(deployment("cart")), 53);
    assert_eq!(kept.only().status, IncidentStatus::Open);
}

#[test]
fn alerts_about_no_object_are_grouped_by_name_namespace_and_job() {
    let mut kept = Kept::new();
    let about = |name: &str, job: &str, instance: &str| {
        let labels: Labels = [("alertname", name), ("job", job), ("instance", instance)].into_iter().collect();
        Signal { fingerprint: Fingerprint::of(&labels), labels, subject: None, ..firing(name, &pod("none")) }
    };
    let none = Related::default();
    kept.fold(&about("TargetDown", "api", "1"), &none, 0);
    kept.fold(&about("TargetDown", "api", "2"), &none, 1);
    kept.fold(&about("TargetDown", "db", "1"), &none, 2);
    kept.fold(&about("Slow", "api", "1"), &none, 3);
    let titles: Vec<_> = kept.live().iter().map(|one| (one.title.as_str(), one.signals)).collect();
    assert_eq!(titles, [("TargetDown (job api)", 2), ("TargetDown (job db)", 1), ("Slow (job api)", 1)]);
    assert_eq!(kept.reason(&about("TargetDown", "api", "2")), JoinReason::SameAlert);
}

#[test]
fn different_alerts_that_name_only_a_namespace_are_kept_apart() {
    let mut kept = Kept::new();
    let namespace = ObjectRef::cluster("Namespace", "shop");
    kept.fold(&firing("KubeQuotaExceeded", &namespace), &Related::alone(namespace.clone()), 0);
    kept.fold(&firing("HighErrorRate", &namespace), &Related::alone(namespace.clone()), 1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn alerts_that_fire_by_design_open_nothing_and_move_the_cursor() {
    let mut book = Book::new(CorrelateConfig::default(), Snapshot::default());
    book.fold(SignalSeq(5), &firing("Watchdog", &pod("a")), &Related::default(), at(0));
    let batch = book.drain(at(0)).unwrap();
    assert_eq!((batch.number, batch.cursor, batch.changes), (1, SignalSeq(5), vec![]));
    assert_eq!(book.drain(at(0)), None);
}

#[test]
fn what_runs_on_a_node_that_went_down_joins_it() {
    let mut kept = Kept::new();
    let down = firing("KubeNodeNotReady", &node("n1"));
    let (here, there) = (firing("X", &pod("cart-1")), firing("X", &pod("db-1")));
    kept.fold(&down, &Related::alone(node("n1")), 0);
    kept.fold(&here, &on(deployment("cart"), "n1"), 1);
    kept.fold(&there, &on(deployment("db"), "n2"), 2);
    let titles: Vec<_> = kept.live().iter().map(|one| one.title.as_str()).collect();
    let expected = ["Node n1 and 1 more: KubeNodeNotReady and 1 more alert", "Deployment shop/db: X"];
    assert_eq!(titles, expected);
    assert_eq!(kept.reason(&here), JoinReason::SameNode { node: node("n1") });
}

#[test]
fn a_full_disk_does_not_take_the_pods_of_its_node_in() {
    let mut kept = Kept::new();
    kept.fold(&firing("NodeFilesystemAlmostOutOfSpace", &node("n1")), &Related::alone(node("n1")), 0);
    kept.fold(&firing("X", &pod("cart-1")), &on(deployment("cart"), "n1"), 1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn a_node_told_late_takes_its_pods_in_and_leaves_those_that_also_fail_elsewhere() {
    let mut kept = Kept::new();
    let here = firing("X", &pod("cart-1"));
    kept.fold(&here, &on(deployment("cart"), "n1"), 0);
    kept.fold(&firing("X", &pod("db-1")), &on(deployment("db"), "n1"), 1);
    kept.fold(&firing("X", &pod("db-2")), &on(deployment("db"), "n2"), 2);
    let down = Signal { starts_at: at(900), ..firing("KubeNodeNotReady", &node("n1")) };
    kept.fold(&down, &Related::alone(node("n1")), 901);
    let titles: Vec<_> = kept.live().iter().map(|one| one.title.as_str()).collect();
    assert_eq!(titles, ["Node n1 and 1 more: X and 1 more alert", "Deployment shop/db: X"]);
    assert_eq!(kept.reason(&down), JoinReason::SameNode { node: node("n1") });
}

#[test]
fn an_owner_told_late_merges_the_younger_incident_into_the_older() {
    let mut kept = Kept::new();
    let (a, b) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-2")));
    let guess = |object: &ObjectRef| Related::from_labels(object, &Labels::new());
    kept.fold(&a, &guess(&pod("cart-1")), 0);
    kept.fold(&b, &guess(&pod("cart-2")), 1);
    assert_eq!(kept.live().len(), 2);
    assert_eq!(kept.book.unresolved(10), [pod("cart-1"), pod("cart-2")]);
    let older = kept.live()[0].id;
    for name in ["cart-1", "cart-2"] {
        kept.book.relate(&pod(name), &owned(deployment("cart")), at(10));
        kept.keep(10);
    }
    let incident = kept.only();
    assert_eq!((incident.id, incident.signals, incident.firing), (older, 2, 2));
    assert_eq!(incident.title, "Deployment shop/cart: X and 1 more alert");
    assert_eq!(incident.objects, BTreeSet::from([deployment("cart")]));
    assert_eq!(kept.reason(&b), JoinReason::SameOwner { owner: deployment("cart") });
    let younger = kept.incidents.values().find(|one| one.id != older).unwrap();
    assert_eq!((younger.status, younger.merged_into), (IncidentStatus::Merged, Some(older)));
    assert_eq!(kept.book.unresolved(10), []);
    // What ends now ends in the older.
    kept.fold(&resolved(&b, 20), &owned(deployment("cart")), 20);
    assert_eq!(kept.only().firing, 1);
}

#[test]
fn of_an_object_that_is_gone_its_labels_are_believed() {
    let mut kept = Kept::new();
    let labels: Labels = [("deployment", "cart")].into_iter().collect();
    let guess = Related::from_labels(&pod("cart-1"), &labels);
    kept.fold(&firing("X", &pod("cart-1")), &guess, 0);
    kept.book.relate(&pod("cart-1"), &Related { owner: None, node: None, known: Known::Gone }, at(5));
    kept.keep(5);
    assert_eq!(kept.only().objects, BTreeSet::from([deployment("cart")]));
    assert_eq!(kept.book.unresolved(10), []);
}

fn depends(from: ObjectRef, to: ObjectRef, how: &str) -> Dependency {
    Dependency { from, to, how: how.to_owned() }
}

#[test]
fn what_fails_behind_a_service_that_is_called_joins_who_calls_it() {
    let mut kept = Kept::new();
    let service = ObjectRef::namespaced("Service", "payments", "db");
    let database = ObjectRef::namespaced("StatefulSet", "payments", "db");
    let caller = firing("X", &pod("cart-1"));
    kept.fold(&caller, &owned(deployment("cart")), 0);
    let id = kept.only().id;
    let ways = vec![
        depends(deployment("cart"), service.clone(), "env DATABASE names Service payments/db"),
        depends(service, database.clone(), "it selects StatefulSet payments/db"),
    ];
    kept.book.learn(id, ways, at(5));
    kept.keep(5);
    let failing = firing("Y", &ObjectRef::namespaced("Pod", "payments", "db-0"));
    kept.fold(&failing, &owned(database.clone()), 10);
    assert_eq!(kept.only().title, "Deployment shop/cart and 1 more: X and 1 more alert");
    let how = "env DATABASE names Service payments/db, it selects StatefulSet payments/db";
    let reason = JoinReason::Dependency { from: deployment("cart"), to: database, how: how.to_owned() };
    assert_eq!(kept.reason(&failing), reason);
}

#[test]
fn a_dependency_told_late_merges_all_that_it_joins() {
    let mut kept = Kept::new();
    for (second, name) in ["web", "cart", "db"].into_iter().enumerate() {
        kept.fold(&firing("X", &pod(name)), &owned(deployment(name)), i64::try_from(second).unwrap());
    }
    let ids: Vec<_> = kept.live().iter().map(|one| one.id).collect();
    kept.book.learn(ids[1], vec![depends(deployment("cart"), deployment("db"), "env")], at(5));
    kept.book.learn(ids[0], vec![depends(deployment("web"), deployment("cart"), "env")], at(6));
    kept.keep(6);
    assert_eq!((kept.only().id, kept.only().firing), (ids[0], 3));
    // Of an incident that is part of another by now, things may still be learned.
    kept.fold(&firing("X", &pod("mail")), &owned(deployment("mail")), 7);
    kept.book.learn(ids[1], vec![depends(deployment("cart"), deployment("mail"), "env")], at(8));
    kept.keep(8);
    assert_eq!(kept.only().firing, 4);
}

#[test]
fn sharing_a_node_or_a_configuration_joins_nothing() {
    let mut kept = Kept::new();
    for name in ["web", "cart"] {
        kept.fold(&firing("X", &pod(name)), &owned(deployment(name)), 0);
    }
    let ids: Vec<_> = kept.live().iter().map(|one| one.id).collect();
    let shared = ObjectRef::namespaced("ConfigMap", "shop", "settings");
    for (id, name) in ids.iter().zip(["web", "cart"]) {
        let ways = vec![
            depends(deployment(name), node("n1"), "runs there"),
            depends(deployment(name), shared.clone(), "mounts it"),
            depends(node("n1"), deployment("cart"), "runs it"),
        ];
        kept.book.learn(*id, ways, at(1));
    }
    kept.keep(1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn a_storm_is_told_each_time_its_objects_have_doubled() {
    let mut kept = Kept::new();
    kept.fold(&firing("KubeNodeNotReady", &node("n1")), &Related::alone(node("n1")), 0);
    for index in 0..1_000 {
        let name = format!("d{index}");
        kept.fold(&firing("X", &pod(&name)), &on(deployment(&name), "n1"), 1);
    }
    let incident = kept.only();
    assert_eq!(incident.title, "Node n1 and 1000 more: KubeNodeNotReady and 1 more alert");
    assert_eq!((incident.signals, incident.revision), (1_001, 10));
}

/// What may happen in the property test: alerts of two names on the pods of three workloads.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fire { pod: usize, name: usize, again: bool },
    End { pod: usize, name: usize },
    Wait { seconds: i64 },
    Tell { pod: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..9_usize, 0..2_usize, any::<bool>()).prop_map(|(pod, name, again)| Step::Fire { pod, name, again }),
        3 => (0..9_usize, 0..2_usize).prop_map(|(pod, name)| Step::End { pod, name }),
        2 => prop_oneof![Just(1_i64), Just(65), Just(599), Just(602), Just(3_700)].prop_map(|seconds| Step::Wait { seconds }),
        1 => (0..9_usize).prop_map(|pod| Step::Tell { pod }),
    ]
}

fn workload(index: usize) -> ObjectRef {
    deployment(&format!("w{}", index / 3))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Against a model that only knows which alerts hold: each that holds is a member that holds of exactly one open
    /// incident; an incident is open exactly while one of its members holds; of one workload no two open incidents
    /// began within the window of each other once its owners are told; and the book read back goes on the same.
    #[test]
    fn no_signal_is_lost_and_an_incident_is_open_while_something_in_it_holds(
        steps in proptest::collection::vec(step(), 1..120),
        resume in any::<prop::sample::Index>(),
    ) {
        let mut kept = Kept::new();
        let mut holding: BTreeMap<Fingerprint, Signal> = BTreeMap::new();
        let mut told = BTreeSet::new();
        let mut now = 0;
        let resume = resume.index(steps.len());
        for (index, step) in steps.iter().enumerate() {
            now += 1;
            match *step {
                Step::Fire { pod: which, name, again } => {
                    let object = pod(&format!("p{which}"));
                    let mut signal = firing(["X", "Y"][name], &object);
                    signal.starts_at = at(now);
                    if let Some(before) = holding.get(&signal.fingerprint) {
                        signal.starts_at = before.starts_at;
                    }
                    let related = if told.contains(&which) {
                        owned(workload(which))
                    } else {
                        Related::from_labels(&object, &Labels::new())
                    };
                    for _ in 0..=usize::from(again) {
                        kept.fold(&signal, &related, now);
                    }
                    holding.insert(signal.fingerprint, signal);
                }
                Step::End { pod: which, name } => {
                    let signal = firing(["X", "Y"][name], &pod(&format!("p{which}")));
                    if let Some(signal) = holding.remove(&signal.fingerprint) {
                        kept.fold(&resolved(&signal, now), &Related::default(), now);
                    }
                }
                Step::Wait { seconds } => {
                    now += seconds;
                    kept.tick(now);
                }
                Step::Tell { pod: which } => {
                    told.insert(which);
                    kept.book.relate(&pod(&format!("p{which}")), &owned(workload(which)), at(now));
                    kept.keep(now);
                }
            }
            let held: BTreeSet<Fingerprint> = kept
                .members
                .values()
                .filter(|(id, member)| {
                    let open = kept.incidents[id].status == IncidentStatus::Open;
                    let holds = member.status == SignalStatus::Firing;
                    assert!(!holds || open, "a member that holds is in an open incident");
                    holds
                })
                .map(|(_, member)| member.fingerprint)
                .collect();
            prop_assert_eq!(&held, &holding.keys().copied().collect::<BTreeSet<_>>());
            for incident in kept.live() {
                let of_it = || kept.members.values().filter(|(id, _)| *id == incident.id);
                let firing = of_it().filter(|(_, member)| member.status == SignalStatus::Firing).count();
                prop_assert_eq!(incident.status == IncidentStatus::Open, firing > 0);
                prop_assert_eq!(incident.firing as usize, firing);
                prop_assert!(!incident.title.is_empty());
            }
            if index == resume {
                kept.book = resumed(&kept, at(now));
            }
        }
        // Everything ends: so do all incidents.
        for signal in holding.values() {
            kept.fold(&resolved(signal, now), &Related::default(), now + 1);
        }
        for incident in kept.incidents.values() {
            prop_assert!(matches!(incident.status, IncidentStatus::Resolved | IncidentStatus::Merged));
        }
    }

    /// A burst in any order, with any copies: one incident a workload, and each alert once.
    #[test]
    fn a_burst_is_one_incident_a_workload_in_any_order(
        order in Just((0..60_usize).chain(0..20).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut kept = Kept::new();
        for index in order {
            let signal = firing(["X", "Y"][index % 2], &pod(&format!("p{}", index / 2)));
            kept.fold(&signal, &owned(workload(index / 2)), 1);
        }
        let mut counted: Vec<_> =
            kept.live().iter().map(|one| (one.subject.clone().unwrap(), one.signals, one.firing)).collect();
        counted.sort();
        let mut expected: Vec<_> = (0..10).map(|index| (deployment(&format!("w{index}")), 6, 6)).collect();
        expected.sort();
        prop_assert_eq!(counted, expected);
    }
}

/// The book as it is read back from what was kept.
fn resumed(kept: &Kept, now: Timestamp) -> Book {
    use crate::correlate::{Held, HeldMember};
    let since = now.checked_sub(SignedDuration::from_mins(10)).unwrap();
    let held = kept.incidents.values().filter(|one| match one.status {
        IncidentStatus::Open | IncidentStatus::Acknowledged => true,
        IncidentStatus::Resolved => one.updated_at >= since,
        IncidentStatus::Merged => false,
    });
    let incidents = held
        .map(|incident| Held {
            incident: incident.clone(),
            last_fired_at: incident.updated_at,
            members: kept
                .members
                .values()
                .filter(|(id, _)| *id == incident.id)
                .map(|(_, member)| HeldMember {
                    source: member.source,
                    fingerprint: member.fingerprint,
                    name: member.name.clone(),
                    status: member.status,
                    severity: member.severity,
                    subject: member.subject.clone(),
                    related: Related::from_labels(member.subject.as_ref().unwrap(), &Labels::new()),
                    group: None,
                    starts_at: member.starts_at,
                    ends_at: member.ends_at,
                })
                .collect(),
            dependencies: vec![],
        })
        .map(|mut held| {
            // The objects as they were kept: a member's owner is kept beside it.
            for member in &mut held.members {
                let index: usize = member.subject.as_ref().unwrap().name[1..].parse().unwrap();
                if held.incident.objects.contains(&workload(index)) {
                    member.related = owned(workload(index));
                }
            }
            held
        })
        .collect();
    Book::new(CorrelateConfig::default(), Snapshot { batch: 1_000, cursor: SignalSeq(kept.seq), incidents })
}
