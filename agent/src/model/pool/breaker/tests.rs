#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::num::NonZeroU32;

use marple_core::Period;
use proptest::prelude::*;

use super::*;

fn config() -> BreakerConfig {
    BreakerConfig {
        failures: NonZeroU32::new(3).unwrap(),
        pause: Period::seconds(10),
        longest_pause: Period::seconds(60),
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn leave(breaker: &mut Breaker, now: Duration) -> Ticket {
    match breaker.admit(now) {
        Admission::Ask(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn opened() -> Breaker {
    let mut breaker = Breaker::new(config());
    for _ in 0..3 {
        let ticket = leave(&mut breaker, at(0));
        breaker.failed(ticket, at(0));
    }
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_an_answer_between_them_begins_the_count_anew() {
    let mut breaker = Breaker::new(config());
    for failing in [true, true, false, true, true] {
        let ticket = leave(&mut breaker, at(0));
        if failing { breaker.failed(ticket, at(0)) } else { breaker.answered(ticket) }
    }
    assert!(!breaker.is_open());
    let ticket = leave(&mut breaker, at(5));
    breaker.failed(ticket, at(5));
    assert_eq!(breaker.admit(at(6)), Admission::Paused(at(9)));
}

#[test]
fn after_the_pause_one_tries_and_each_try_that_fails_doubles_it_up_to_the_bound() {
    let mut breaker = opened();
    let mut now = at(0);
    for pause in [10, 20, 40, 60, 60] {
        now += at(pause).saturating_sub(Duration::from_millis(1));
        assert_eq!(breaker.admit(now), Admission::Paused(Duration::from_millis(1)));
        now += Duration::from_millis(1);
        let ticket = leave(&mut breaker, now);
        assert_eq!(breaker.admit(now), Admission::Tried);
        breaker.failed(ticket, now);
    }
    now += at(60);
    let ticket = leave(&mut breaker, now);
    breaker.answered(ticket);
    assert!(!breaker.is_open());
}

#[test]
fn a_try_that_nobody_waits_for_any_more_is_made_anew() {
    let mut breaker = opened();
    let first = leave(&mut breaker, at(10));
    breaker.abandoned(first, at(11));
    let second = leave(&mut breaker, at(11));
    breaker.failed(second, at(12));
    assert_eq!(breaker.admit(at(12)), Admission::Paused(at(20)), "the pause doubles by failures alone");
}

/// What the peers of the breaker do at one moment.
#[derive(Clone, Debug)]
enum Deed {
    Pass(u64),
    Ask,
    Answer(usize),
    Fail(usize),
    Abandon(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0_u64..40).prop_map(Deed::Pass),
        6 => Just(Deed::Ask),
        1 => any::<usize>().prop_map(Deed::Answer),
        6 => any::<usize>().prop_map(Deed::Fail),
        1 => any::<usize>().prop_map(Deed::Abandon),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_one_tries_at_a_time_and_no_pause_is_longer_than_the_bound(
        deeds in prop::collection::vec(deed(), 0..200),
    ) {
        let mut breaker = Breaker::new(config());
        let mut out: Vec<Ticket> = Vec::new();
        let (mut now, mut in_a_row) = (at(0), 0_u32);
        for deed in deeds {
            let was_open = breaker.is_open();
            match deed {
                Deed::Pass(seconds) => now += at(seconds),
                Deed::Ask => match breaker.admit(now) {
                    Admission::Ask(ticket) => {
                        prop_assert_eq!(ticket.probe.is_some(), was_open, "a model that is left alone is only tried");
                        out.push(ticket);
                    }
                    Admission::Paused(left) => prop_assert!(!left.is_zero() && left <= at(60), "{left:?}"),
                    Admission::Tried => {
                        prop_assert!(out.iter().any(|ticket| ticket.probe == Some(breaker.probes)), "nobody tries");
                    }
                },
                Deed::Answer(which) if !out.is_empty() => {
                    let ticket = out.swap_remove(which % out.len());
                    breaker.answered(ticket);
                    prop_assert!(!breaker.is_open());
                    in_a_row = 0;
                }
                Deed::Fail(which) if !out.is_empty() => {
                    let ticket = out.swap_remove(which % out.len());
                    breaker.failed(ticket, now);
                    if !was_open {
                        in_a_row += 1;
                        prop_assert_eq!(breaker.is_open(), in_a_row >= 3);
                        if in_a_row >= 3 {
                            in_a_row = 0;
                        }
                    }
                    prop_assert!(!was_open || breaker.is_open(), "a failure never closes it");
                }
                Deed::Abandon(which) if !out.is_empty() => {
                    let ticket = out.swap_remove(which % out.len());
                    breaker.abandoned(ticket, now);
                    prop_assert_eq!(breaker.is_open(), was_open);
                }
                _ => {}
            }
        }
        // However it got here, it is asked again within the bound once what is out has ended.
        for ticket in out {
            breaker.abandoned(ticket, now);
        }
        prop_assert!(matches!(breaker.admit(now + at(60)), Admission::Ask(_)));
    }
}
