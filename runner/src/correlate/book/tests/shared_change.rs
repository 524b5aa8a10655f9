use super::*;
use crate::correlate::SharedChange;

fn settings() -> ObjectRef {
    ObjectRef::namespaced("ConfigMap", "shop", "settings")
}

/// The settings were changed then; these workloads need them.
fn changed(seconds: i64, needed_by: impl IntoIterator<Item = usize>) -> SharedChange {
    let needed_by = needed_by.into_iter().map(workload).collect();
    SharedChange { object: settings(), at: at(seconds), what: "data.timeout: 5s → 50ms".to_owned(), needed_by }
}

fn workload(number: usize) -> ObjectRef {
    deployment(&format!("w{number}"))
}

/// A pod of a workload begins to fail.
fn fails(kept: &mut Kept, number: usize, seconds: i64) -> Signal {
    let signal = Signal { starts_at: at(seconds), ..firing("X", &pod(&format!("p{number}"))) };
    kept.fold(&signal, &owned(workload(number)), seconds);
    signal
}

fn learn(kept: &mut Kept, change: &SharedChange, seconds: i64) {
    kept.book.learn_change(change, at(seconds));
    kept.keep(seconds);
}

#[test]
fn workloads_that_need_what_changed_shortly_before_are_one_incident_and_the_change_is_named() {
    let mut kept = Kept::new();
    let change = changed(100, [1, 2]);
    fails(&mut kept, 1, 130);
    learn(&mut kept, &change, 130);
    assert_eq!(kept.live().len(), 1);
    let second = fails(&mut kept, 2, 160);
    learn(&mut kept, &change, 160);
    kept.only();
    let reason = kept.reason(&second);
    let expected = JoinReason::SameChange { object: settings(), at: at(100), what: change.what.clone() };
    assert_eq!(reason, expected);
    assert_eq!(
        reason.to_string(),
        "needs ConfigMap shop/settings too, which was changed at 2027-01-15T08:01:40Z: data.timeout: 5s → 50ms"
    );
    // Their other pods go on in it.
    kept.fold(&firing("Y", &pod("p1-b")), &owned(workload(1)), 200);
    kept.only();
}

#[test]
fn what_began_before_the_change_or_long_after_is_apart() {
    for (first, second) in [(90, 130), (130, 90), (130, 100 + 20 * 60 + 1)] {
        let mut kept = Kept::new();
        let change = changed(100, [1, 2]);
        for (number, began) in [(1, first), (2, second)] {
            fails(&mut kept, number, began);
            learn(&mut kept, &change, first.max(second));
        }
        assert_eq!(kept.live().len(), 2, "{first} {second}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Of a storm in a namespace a change joins just those that need what changed and began shortly after it, whatever the
    /// order; all others stay apart.
    #[test]
    fn only_what_needs_it_and_began_after_it_is_joined(
        began in proptest::collection::vec(0..3_000_i64, 2..24),
        needs in proptest::collection::btree_set(0..24_usize, 0..24),
        changed_at in 0..3_000_i64,
        order in any::<prop::sample::Index>(),
    ) {
        let mut kept = Kept::new();
        let change = changed(changed_at, needs.iter().copied());
        let now = 3_000;
        let first = order.index(began.len());
        for step in 0..began.len() {
            let number = (first + step) % began.len();
            let signal = Signal { starts_at: at(began[number]), ..firing("X", &pod(&format!("p{number}"))) };
            kept.fold(&signal, &owned(workload(number)), now);
            // It is asked each time that something begins, and so told again and again.
            learn(&mut kept, &change, now);
        }
        let joined = |number: &usize| needs.contains(number) && change.precedes(at(began[*number]));
        let expected_joined: BTreeSet<ObjectRef> = (0..began.len()).filter(joined).map(workload).collect();
        let mut expected: Vec<BTreeSet<ObjectRef>> =
            (0..began.len()).filter(|number| !joined(number)).map(|number| [workload(number)].into()).collect();
        expected.extend(Some(expected_joined).filter(|objects| !objects.is_empty()));
        let mut found: Vec<BTreeSet<ObjectRef>> = kept.live().iter().map(|one| one.objects.clone()).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
