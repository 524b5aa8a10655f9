use super::*;

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
                    name: member.name.as_str().into(),
                    status: member.status,
                    severity: member.severity,
                    subject: member.subject.clone().map(Arc::new),
                    related: Related::from_labels(member.subject.as_ref().unwrap(), &Labels::new()).into(),
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
                    member.related = owned(workload(index)).into();
                }
            }
            held
        })
        .collect();
    Book::new(CorrelateConfig::default(), Snapshot { batch: 1_000, cursor: SignalSeq(kept.seq), incidents })
}
