//! Another process goes on from what the runner holds.

use super::*;

#[test]
fn after_a_restart_it_goes_on_under_the_start_that_the_runner_knows() {
    let mut tracker = Tracker::default();
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    tracker.adopt([known], []);
    assert_eq!(tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(90))], at(100)), []);
    assert_eq!(tracker.settle(|_| true, at(101)), []);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(110))), [ended("a", 50, 110)]);
}

#[test]
fn after_a_restart_it_is_not_over_before_all_were_heard_who_may_speak_of_it() {
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    let says = || vec![draft("a", "X", hold(0), Some(50))];
    for holds in [true, false] {
        let mut tracker = Tracker::default();
        tracker.adopt([known.clone()], []);
        assert_eq!(tracker.observe(&object("a"), says(), at(100)), []);
        assert_eq!(tracker.observe(&object("a"), vec![], at(101)), [], "the object is well; no event was heard yet");
        assert_eq!(tracker.settle(|_| false, at(102)), []);
        assert_eq!(brief(&tracker.firing().cloned().collect::<Vec<_>>()), [fired("a", 50)]);
        if holds {
            assert_eq!(tracker.observe(&event("e"), says(), at(103)), []);
            assert_eq!(tracker.settle(|_| true, at(104)), []);
            assert_eq!(brief(&tracker.observe(&event("e"), vec![], at(105))), [ended("a", 50, 105)]);
        } else {
            assert_eq!(brief(&tracker.settle(|_| true, at(105))), [ended("a", 50, 105)]);
        }
        assert!(tracker.is_empty() && tracker.unsettled.is_empty());
    }
}

#[test]
fn after_a_restart_one_of_an_object_that_is_gone_is_over_whoever_was_not_heard() {
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    let mut tracker = Tracker::default();
    tracker.adopt([known], []);
    tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(50))], at(100));
    assert_eq!(brief(&tracker.forget(&pod("a"), at(101))), [ended("a", 50, 101)]);
    assert_eq!(tracker.settle(|_| true, at(102)), []);
}

#[test]
fn what_the_runner_says_late_is_taken_over_by_what_was_heard_meanwhile_and_what_ended_meanwhile_is_not() {
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    let mut tracker = Tracker::default();
    tracker.observe(&object("a"), vec![draft("a", "X", hold(60), Some(99))], at(100));
    tracker.adopt([known.clone()], []);
    assert_eq!(tracker.settle(|_| true, at(101)), [], "it is spoken of, though not long enough to be told anew");
    assert_eq!(tracker.due(at(200)), []);
    assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(201))), [ended("a", 50, 201)]);
    // The runner was asked before it took the end.
    tracker.observe(&object("a"), vec![draft("a", "X", hold(60), None)], at(202));
    tracker.adopt([known], []);
    assert_eq!(
        brief(&tracker.settle(|_| true, at(203))),
        [ended("a", 50, 203)],
        "told once more, which changes nothing"
    );
    assert_eq!(brief(&tracker.due(at(262))), [fired("a", 202)]);
}

#[test]
fn after_a_restart_in_mid_flap_it_goes_on_too() {
    let mut tracker = Tracker::default();
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    tracker.adopt([known], []);
    let lingers = Draft { until: Some(at(700)), ..draft("a", "X", Stage::Lingers, Some(95)) };
    tracker.observe(&object("a"), vec![lingers], at(100));
    assert_eq!(tracker.settle(|_| true, at(101)), []);
    assert_eq!(brief(&tracker.due(at(700))), [ended("a", 50, 700)]);
}

#[test]
fn what_ended_meanwhile_is_resolved_as_far_as_it_can_be_known() {
    let mut tracker = Tracker::default();
    tracker.adopt(["a", "b"].map(|name| *draft(name, "X", hold(0), None).signal), []);
    let knowable = |signal: &Signal| signal.subject.as_ref().unwrap().name == "a";
    assert_eq!(brief(&tracker.settle(knowable, at(100))), [ended("a", 0, 100)]);
    assert_eq!(tracker.settle(knowable, at(101)), []);
}

/// What the runner tells of the condition of [`limited`]: it was told then, and ended then.
fn telling(told: i64, ended: Option<i64>) -> [Telling; 1] {
    let fingerprint = draft("a", "X", hold(0), None).signal.fingerprint;
    [Telling { fingerprint, told_at: at(told), ended_at: ended.map(at) }]
}

#[test]
fn a_restart_forgets_no_rate_limit_and_what_lasts_longer_is_told_after_it() {
    let mut tracker = Tracker::default();
    tracker.adopt([], telling(100, Some(110)));
    assert_eq!(tracker.observe(&object("a"), limited(100, 120), at(120)), []);
    assert_eq!(tracker.observe(&object("a"), vec![], at(130)), []);
    assert_eq!(tracker.observe(&object("a"), limited(100, 140), at(140)), []);
    assert_eq!(tracker.next_due(), Some(at(200)));
    assert_eq!(brief(&tracker.due(at(200))), [fired("a", 140)]);
}

#[test]
fn one_that_held_over_a_restart_or_ended_in_it_is_limited_from_when_it_was_told() {
    let mut known = *draft("a", "X", hold(0), None).signal;
    known.starts_at = at(50);
    for ends_meanwhile in [false, true] {
        let mut tracker = Tracker::default();
        tracker.adopt([known.clone()], telling(100, None));
        if ends_meanwhile {
            assert_eq!(brief(&tracker.settle(|_| true, at(110))), [ended("a", 50, 110)]);
        } else {
            assert_eq!(tracker.observe(&object("a"), limited(100, 50), at(109)), []);
            assert_eq!(tracker.settle(|_| true, at(109)), []);
            assert_eq!(brief(&tracker.observe(&object("a"), vec![], at(110))), [ended("a", 50, 110)]);
        }
        assert_eq!(tracker.observe(&object("a"), limited(100, 120), at(120)), [], "{ends_meanwhile}");
        assert_eq!(brief(&tracker.due(at(200))), [fired("a", 120)], "{ends_meanwhile}");
    }
}

#[test]
fn one_that_comes_back_under_its_old_start_after_a_restart_is_told_as_another() {
    let mut tracker = Tracker::default();
    tracker.adopt([], telling(100, Some(110)));
    let again = tracker.observe(&object("a"), limited(0, 90), at(120));
    assert_eq!(again[0].starts_at, at(110).checked_add(Duration::from_millis(1)).unwrap());
}

#[test]
fn an_object_that_was_made_over_a_restart_under_the_name_of_another_is_news() {
    for (made, told) in [(90, 0), (115, 1)] {
        let mut tracker = Tracker::default();
        tracker.adopt([], telling(100, Some(110)));
        let drafts = limited(100, 120).into_iter().map(|draft| Draft { made: Some(at(made)), ..draft }).collect();
        assert_eq!(tracker.observe(&object("a"), drafts, at(120)).len(), told, "made at {made}");
    }
}

#[test]
fn what_no_object_dates_waits_until_it_is_known_what_was_told_before() {
    let lasts = || vec![draft("a", "X", Stage::Lasts(Duration::ZERO), Some(50))];
    let awaiting = || {
        let mut tracker = Tracker::default();
        tracker.awaits();
        assert_eq!(tracker.observe(&object("a"), lasts(), at(100)), []);
        assert_eq!(tracker.due(at(103)), [], "the runner is away");
        tracker
    };
    let mut tracker = awaiting();
    tracker.adopt([], telling(60, Some(80)));
    assert_eq!(brief(&tracker.due(at(106))), [fired("a", 80)], "one that began after the one before had ended");
    let mut tracker = awaiting();
    let known = Signal { starts_at: at(50), ..*draft("a", "X", hold(0), None).signal };
    tracker.adopt([known], []);
    assert_eq!(tracker.due(at(106)), [], "it is told already");
    assert_eq!(brief(&tracker.firing().cloned().collect::<Vec<_>>()), [fired("a", 50)]);
    let mut tracker = Tracker::default();
    assert_eq!(brief(&tracker.observe(&object("a"), lasts(), at(100))), [fired("a", 50)], "nobody is asked");
}

#[test]
fn what_was_told_while_it_was_awaited_goes_on_under_the_start_that_it_had() {
    let fires = |tracker: &mut Tracker| tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(43))], at(50));
    let mut before = Tracker::default();
    let mut known = fires(&mut before);
    // As it was told by one that had seen another of its name end in the same second.
    known[0].starts_at = at(43).checked_add(Duration::from_millis(451)).unwrap();
    let mut tracker = Tracker::default();
    tracker.awaits();
    assert_eq!(brief(&fires(&mut tracker)), [fired("a", 43)]);
    assert_eq!(tracker.adopt(known.clone(), telling(44, None)), known);
    assert_eq!(tracker.adopt(known.clone(), telling(44, None)), [], "it goes on");
    let resolved = tracker.forget(&pod("a"), at(60));
    assert_eq!((resolved[0].status, resolved[0].starts_at), (SignalStatus::Resolved, known[0].starts_at));

    let mut tracker = Tracker::default();
    tracker.awaits();
    fires(&mut tracker);
    tracker.forget(&pod("a"), at(60));
    let anew = tracker.observe(&object("a"), vec![draft("a", "X", hold(0), Some(70))], at(70));
    assert_eq!(brief(&anew), [fired("a", 70)]);
    assert_eq!(tracker.adopt(known, telling(44, None)), [], "it is another since");
}

#[test]
fn what_waits_for_what_was_told_before_is_looked_at_once_that_is_known_and_not_before() {
    let mut tracker = Tracker::default();
    tracker.awaits();
    let limited = Draft { rate_limit: Duration::from_secs(100), ..draft("a", "X", Stage::Lasts(Duration::ZERO), None) };
    assert_eq!(tracker.observe(&object("a"), vec![limited], at(100)), []);
    assert_eq!(tracker.next_due(), None, "no time ends the awaiting");
    tracker.adopt([], telling(60, Some(80)));
    assert_eq!(tracker.next_due(), Some(Timestamp::MIN));
    assert_eq!(tracker.due(at(101)), []);
    assert_eq!(tracker.wakes.len(), 1, "its old wake is gone");
    assert_eq!(tracker.next_due(), Some(at(160)), "when its rate limit allows it");
    assert_eq!(brief(&tracker.due(at(160))), [fired("a", 100)]);
}

#[test]
fn what_waits_for_what_was_told_before_is_not_held_back_by_its_rate_limit() {
    let mut track = Track::default();
    track.hear(&object("a"), draft("a", "X", Stage::Lasts(Duration::from_secs(5)), None), at(100));
    assert!(matches!(track.turn(None, false, true, at(110)), Turn::Stays), "it waits for the runner");
    assert!(matches!(track.turn(None, false, false, at(110)), Turn::Begins(_)));
    let limited = Draft { rate_limit: Duration::from_secs(100), ..draft("a", "X", Stage::Lasts(Duration::ZERO), None) };
    let mut track = Track::default();
    track.hear(&object("a"), limited, at(100));
    assert!(matches!(track.turn(None, false, true, at(110)), Turn::Stays));
    let ended = Some(End { at: at(80), told: Some(at(60)) });
    assert!(matches!(track.turn(ended, false, false, at(111)), Turn::HeldBack), "it is counted when that is known");
}
