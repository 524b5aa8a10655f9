#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod model;

use std::time::Duration;

use marple_core::{Labels, Severity, SignalSource};

use super::*;
use crate::condition::Stage;
use crate::object::Kind;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(name: &str) -> ObjectKey {
    ObjectKey::new(Kind::Pod, "shop", name)
}

fn object(name: &str) -> Witness {
    Witness::Object(pod(name))
}

fn event(name: &str) -> Witness {
    Witness::Event(ObjectKey::new(Kind::Event, "shop", name))
}

fn hold(seconds: u64) -> Stage {
    Stage::Holds(Duration::from_secs(seconds))
}

/// A draft of the condition `name` of a pod.
fn draft(subject: &str, name: &'static str, stage: Stage, since: Option<i64>) -> Draft {
    let key = ConditionKey { subject: pod(subject), name, container: None };
    let identity: Labels = [("name", name), ("subject", subject)].into_iter().collect();
    let signal = Signal {
        source: SignalSource::Forwarder,
        fingerprint: Fingerprint::of(&identity),
        status: SignalStatus::Firing,
        name: name.to_owned(),
        severity: Severity::Warning,
        subject: Some(key.subject.reference()),
        labels: Labels::new(),
        annotations: Labels::new(),
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: None,
        generator_url: None,
    };
    Draft { key, stage, since: since.map(at), last: None, until: None, progress: None, signal: Box::new(signal) }
}

/// Name of the subject, status, start and end, in seconds.
fn brief(signals: &[Signal]) -> Vec<(String, SignalStatus, i64, Option<i64>)> {
    let brief = |signal: &Signal| {
        let subject = signal.subject.as_ref().unwrap().name.clone();
        (subject, signal.status, signal.starts_at.as_second(), signal.ends_at.map(Timestamp::as_second))
    };
    signals.iter().map(brief).collect()
}

fn fired(subject: &str, start: i64) -> (String, SignalStatus, i64, Option<i64>) {
    (subject.to_owned(), SignalStatus::Firing, start, None)
}

fn ended(subject: &str, start: i64, end: i64) -> (String, SignalStatus, i64, Option<i64>) {
    (subject.to_owned(), SignalStatus::Resolved, start, Some(end))
}

#[test]
fn it_is_told_once_under_the_objects_own_start() {
    let mut tracker = Tracker::default();
    let says = || vec![draft("a", "X", hold(0), Some(90))];
    assert_eq!(brief(&tracker.observe(&object("a"), says(), at(100))), [fired("a", 90)]);
    assert_eq!(brief(&tracker.observe(&object("a"), says(), at(101))), []);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(102))), [ended("a", 90, 102)]);
    assert!(tracker.is_empty());
}

#[test]
fn a_hold_counts_from_the_objects_own_start() {
    let mut tracker = Tracker::default();
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(60), Some(90))], at(100)), []);
    assert_eq!(tracker.next_due(), Some(at(150)));
    assert_eq!(tracker.due(at(149)), []);
    assert_eq!(brief(&tracker.due(at(150))), [fired("a", 90)]);
    assert_eq!(tracker.next_due(), None);
}

#[test]
fn what_passes_inside_its_hold_is_never_told() {
    let mut tracker = Tracker::default();
    tracker.observe(&object("a"), vec![draft("a", "X", hold(60), Some(90))], at(100));
    assert_eq!(tracker.observe(&object("a"), vec![], at(120)), []);
    assert_eq!(tracker.due(at(1000)), []);
    assert!(tracker.is_empty());
}

#[test]
fn lingering_keeps_what_is_told_and_begins_nothing() {
    let mut tracker = Tracker::default();
    let lingers = || Draft { until: Some(at(700)), ..draft("a", "X", Stage::Lingers, Some(95)) };
    assert_eq!(tracker.observe(&object("a"), vec![lingers()], at(99)), []);
    assert!(tracker.is_empty());
    tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(90))], at(100));
    assert_eq!(tracker.observe(&object("a"), vec![lingers()], at(101)), []);
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(300))], at(300)), []);
    assert_eq!(tracker.observe(&object("a"), vec![lingers()], at(301)), []);
    assert_eq!(brief(&tracker.due(at(700))), [ended("a", 90, 700)]);
}

#[test]
fn progress_begins_the_hold_anew() {
    let mut tracker = Tracker::default();
    let counts = |progress| Draft { progress: Some(progress), ..draft("a", "X", hold(60), None) };
    tracker.observe(&object("a"), vec![counts(1)], at(100));
    tracker.observe(&object("a"), vec![counts(1)], at(130));
    tracker.observe(&object("a"), vec![counts(2)], at(150));
    assert_eq!(tracker.due(at(209)), []);
    assert_eq!(brief(&tracker.due(at(210))), [fired("a", 150)]);
}

#[test]
fn a_deleted_object_takes_all_its_conditions_with_it_whoever_told_them() {
    let mut tracker = Tracker::default();
    tracker.observe(
        &object("a"),
        vec![draft("a", "X", hold(0), Some(90)), draft("a", "Z", hold(60), Some(90))],
        at(100),
    );
    tracker.observe(&event("e"), vec![draft("a", "Y", hold(0), Some(91))], at(100));
    tracker.observe(&object("b"), vec![draft("b", "X", hold(0), Some(92))], at(100));
    assert_eq!(brief(&tracker.forget(&pod("a"), at(110))), [ended("a", 90, 110), ended("a", 91, 110)]);
    assert_eq!(brief(&tracker.firing().cloned().collect::<Vec<_>>()), [fired("b", 92)]);
    assert_eq!(tracker.due(at(1000)), []);
}

#[test]
fn it_ends_when_the_last_witness_is_silent() {
    let mut tracker = Tracker::default();
    tracker.observe(&event("e"), vec![draft("a", "X", hold(0), Some(90))], at(100));
    assert_eq!(tracker.observe(&event("f"), vec![draft("a", "X", hold(0), Some(80))], at(100)), []);
    assert_eq!(tracker.observe(&event("e"), vec![], at(101)), []);
    assert_eq!(brief(&tracker.observe(&event("f"), vec![], at(102))), [ended("a", 90, 102)]);
}

#[test]
fn what_events_told_before_the_object_was_well_has_ended() {
    let mut tracker = Tracker::default();
    let told = |last| Draft { last: Some(at(last)), until: Some(at(700)), ..draft("a", "X", hold(0), Some(90)) };
    tracker.observe(&event("e"), vec![told(100)], at(100));
    assert_eq!(tracker.recovered(&pod("a"), at(99), at(101)), []);
    assert_eq!(brief(&tracker.recovered(&pod("a"), at(110), at(111))), [ended("a", 90, 111)]);
}

#[test]
fn one_that_comes_back_under_its_old_start_is_told_as_another() {
    let mut tracker = Tracker::default();
    let says = || vec![draft("a", "X", hold(0), Some(90))];
    tracker.observe(&object("a"), says(), at(100));
    tracker.observe(&object("a"), vec![], at(110));
    let again = tracker.observe(&object("a"), says(), at(120));
    assert_eq!(again[0].starts_at, at(110).checked_add(Duration::from_millis(1)).unwrap());
}

#[test]
fn after_a_restart_it_goes_on_under_the_start_that_the_runner_knows() {
    let mut tracker = Tracker::default();
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    tracker.adopt([known]);
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(90))], at(100)), []);
    assert_eq!(tracker.settle(|_| true, at(101)), []);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(110))), [ended("a", 50, 110)]);
}

#[test]
fn after_a_restart_in_mid_flap_it_goes_on_too() {
    let mut tracker = Tracker::default();
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    tracker.adopt([known]);
    let lingers = Draft { until: Some(at(700)), ..draft("a", "X", Stage::Lingers, Some(95)) };
    tracker.observe(&object("a"), vec![lingers], at(100));
    assert_eq!(tracker.settle(|_| true, at(101)), []);
    assert_eq!(brief(&tracker.due(at(700))), [ended("a", 50, 700)]);
}

#[test]
fn what_ended_meanwhile_is_resolved_as_far_as_it_can_be_known() {
    let mut tracker = Tracker::default();
    tracker.adopt(["a", "b"].map(|name| *draft(name, "X", hold(0), None).signal));
    let knowable = |signal: &Signal| signal.subject.as_ref().unwrap().name == "a";
    assert_eq!(brief(&tracker.settle(knowable, at(100))), [ended("a", 0, 100)]);
    assert_eq!(tracker.settle(knowable, at(101)), []);
}
