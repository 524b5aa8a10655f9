#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod model;
mod restart;

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
    let key = ConditionKey { subject: pod(subject), name, part: None };
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
    Draft {
        key,
        stage,
        since: since.map(at),
        last: None,
        until: None,
        progress: None,
        rate_limit: Duration::ZERO,
        made: None,
        signal: Box::new(signal),
    }
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
    assert_eq!(tracker.firing().count(), 0);
    tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(90))], at(100));
    assert_eq!(tracker.observe(&object("a"), vec![lingers()], at(101)), []);
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(300))], at(300)), []);
    assert_eq!(tracker.observe(&object("a"), vec![lingers()], at(301)), []);
    assert_eq!(brief(&tracker.due(at(700))), [ended("a", 90, 700)]);
    assert!(tracker.is_empty());
}

#[test]
fn it_is_the_same_whether_lingering_is_heard_before_or_after_what_holds() {
    let lingers = || vec![Draft { until: Some(at(700)), ..draft("a", "X", Stage::Lingers, Some(95)) }];
    let holds = || vec![draft("a", "X", hold(0), Some(90))];
    for lingers_first in [true, false] {
        let mut tracker = Tracker::default();
        let mut told = Vec::new();
        for lingering in [lingers_first, !lingers_first] {
            let (witness, says) = if lingering { (object("a"), lingers()) } else { (event("e"), holds()) };
            told.extend(tracker.observe(&witness, says, at(100)));
        }
        told.extend(tracker.observe(&event("e"), vec![], at(101)));
        told.extend(tracker.due(at(700)));
        assert_eq!(brief(&told), [fired("a", 90), ended("a", 90, 700)], "{lingers_first}");
    }
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

/// A draft that is told once in so many seconds.
fn limited(seconds: u64, since: i64) -> Vec<Draft> {
    vec![Draft { rate_limit: Duration::from_secs(seconds), ..draft("a", "X", hold(0), Some(since)) }]
}

#[test]
fn one_that_comes_and_goes_is_told_once_in_its_rate_limit_and_what_lasts_longer_is_told_after_it() {
    let mut tracker = Tracker::default();
    assert_eq!(brief(&tracker.observe(&object("a"), limited(100, 90), at(100))), [fired("a", 90)]);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(110))), [ended("a", 90, 110)]);
    for start in [120, 140, 160] {
        assert_eq!(tracker.observe(&object("a"), limited(100, start), at(start)), []);
        assert_eq!(tracker.observe(&object("a"), vec![], at(start + 10)), []);
    }
    assert_eq!(tracker.observe(&object("a"), limited(100, 180), at(180)), []);
    assert_eq!(tracker.next_due(), Some(at(200)));
    assert_eq!(brief(&tracker.due(at(200))), [fired("a", 180)]);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(210))), [ended("a", 180, 210)]);
    assert_eq!(tracker.observe(&object("a"), limited(100, 299), at(299)), []);
}

#[test]
fn the_rate_limit_is_of_one_object_and_not_of_the_next_of_its_name() {
    let mut tracker = Tracker::default();
    tracker.observe(&object("a"), limited(100, 90), at(100));
    tracker.forget(&pod("a"), at(110));
    assert_eq!(brief(&tracker.observe(&object("a"), limited(100, 111), at(111))), [fired("a", 111)]);
}

#[test]
fn a_start_that_moves_on_or_lies_ahead_delays_nothing() {
    let mut tracker = Tracker::default();
    let says = |since| vec![draft("a", "X", hold(60), Some(since))];
    for since in [100, 120, 140] {
        assert_eq!(tracker.observe(&object("a"), says(since), at(since)), []);
    }
    assert_eq!(brief(&tracker.due(at(160))), [fired("a", 140)]);
    assert_eq!(tracker.observe(&object("b"), vec![draft("b", "X", hold(60), Some(9000))], at(161)), []);
    assert_eq!(tracker.next_due(), Some(at(221)));
}

#[test]
fn a_clock_that_goes_back_and_the_ends_of_time_stop_nothing() {
    let mut tracker = Tracker::default();
    let says = |since| vec![Draft { since, until: Some(Timestamp::MAX), ..draft("a", "X", hold(u64::MAX), None) }];
    for (since, now) in [(Timestamp::MAX, at(100)), (Timestamp::MIN, at(50)), (at(90), Timestamp::MAX), (at(90), at(1))]
    {
        tracker.observe(&object("a"), says(Some(since)), now);
        tracker.due(now);
        tracker.next_due();
    }
    tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(1))], Timestamp::MIN);
    assert_eq!(brief(&tracker.due(at(10))), [fired("a", 1)]);
    tracker.forget(&pod("a"), at(5));
    assert!(tracker.is_empty());
}

#[test]
fn of_a_storm_of_events_as_many_are_heard_as_there_is_room_for_and_room_comes_back() {
    let mut tracker = Tracker::default();
    let says = |number: usize, now: i64| {
        let pod = format!("cart-{number}");
        vec![Draft { until: Some(at(now + 60)), ..draft(&pod, "X", hold(0), Some(now)) }]
    };
    let mut told = 0;
    for number in 0..50_000 {
        told += tracker.observe(&event(&format!("e{number}")), says(number, 100), at(100)).len();
        assert!(tracker.len() <= MOST_EVENTS && tracker.spoken.len() <= MOST_EVENTS);
    }
    assert_eq!(told, MOST_EVENTS);
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(90))], at(100)).len(), 1);
    assert_eq!(tracker.due(at(160)).len(), MOST_EVENTS);
    assert_eq!(tracker.observe(&event("e"), says(1, 200), at(200)).len(), 1);
    assert!(tracker.ended.len() <= 16 * 1024);
}
