use super::*;

#[tokio::test]
async fn a_signal_accepted_twice_is_one() {
    let (_folder, store) = store().await;
    let both = [signal("a", SignalStatus::Firing), signal("b", SignalStatus::Firing)];
    assert_eq!(store.accept(both.to_vec(), vec![], at(0)).await.unwrap(), Accepted { new: 2, duplicate: 0 });
    let again = [both[1].clone(), signal("c", SignalStatus::Firing)];
    assert_eq!(store.accept(again.to_vec(), vec![], at(1)).await.unwrap(), Accepted { new: 1, duplicate: 1 });
    let pods: Vec<_> = store.unprocessed(10).await.unwrap().into_iter().map(|(_, signal)| signal).collect();
    assert_eq!(pods, [both[0].clone(), both[1].clone(), signal("c", SignalStatus::Firing)]);
}

#[tokio::test]
async fn posts_that_wait_together_are_answered_each_for_its_own() {
    let (_folder, store) = store().await;
    let known: Vec<_> = (0..150).map(|pod| signal(&format!("known-{pod}"), SignalStatus::Firing)).collect();
    store.accept(known.clone(), vec![], at(0)).await.unwrap();
    // Of post n, n signals are new and n + 1 known; one that is empty is among them.
    let posts: Vec<Vec<_>> = (0..40)
        .map(|number| {
            let new = (0..number).map(|pod| signal(&format!("new-{number}-{pod}"), SignalStatus::Firing));
            new.chain(known.iter().take(if number == 0 { 0 } else { number + 1 }).cloned()).collect()
        })
        .collect();
    let answers = futures::future::join_all(posts.iter().map(|post| store.accept(post.clone(), vec![], at(1)))).await;
    for (number, answer) in answers.into_iter().enumerate() {
        let duplicate = if number == 0 { 0 } else { number + 1 };
        assert_eq!(answer.unwrap(), Accepted { new: number, duplicate });
    }
    let kept: std::collections::BTreeSet<_> =
        store.unprocessed(5_000).await.unwrap().into_iter().map(|(_, signal)| signal.fingerprint).collect();
    let sent: std::collections::BTreeSet<_> = posts.iter().flatten().chain(&known).map(|one| one.fingerprint).collect();
    assert_eq!(kept, sent);
}

#[tokio::test]
async fn the_same_signal_twice_in_one_post_is_one() {
    let (_folder, store) = store().await;
    let twice = [signal("a", SignalStatus::Firing), signal("a", SignalStatus::Firing)];
    assert_eq!(store.accept(twice.to_vec(), vec![], at(0)).await.unwrap(), Accepted { new: 1, duplicate: 1 });
    assert_eq!(store.accept(twice.to_vec(), vec![], at(1)).await.unwrap(), Accepted { new: 0, duplicate: 2 });
}

#[tokio::test]
async fn an_alert_that_holds_again_under_its_old_start_is_news_once_a_late_copy_is_ruled_out() {
    let (_folder, store) = store().await;
    let (firing, resolved) = (signal("a", SignalStatus::Firing), signal("a", SignalStatus::Resolved));
    store.accept(vec![firing.clone()], vec![], at(0)).await.unwrap();
    store.accept(vec![resolved], vec![], at(100)).await.unwrap();
    let late = store.accept(vec![firing.clone()], vec![], at(130)).await.unwrap();
    assert_eq!(late, Accepted { new: 0, duplicate: 1 });
    let again = store.accept(vec![firing.clone()], vec![], at(200)).await.unwrap();
    assert_eq!(again, Accepted { new: 1, duplicate: 0 });
    let order: Vec<_> = store.unprocessed(10).await.unwrap().into_iter().map(|(_, signal)| signal.status).collect();
    assert_eq!(order, [SignalStatus::Resolved, SignalStatus::Firing]);
    assert_eq!(store.firing(SignalSource::Alertmanager).await.unwrap(), [firing]);
}

#[tokio::test]
async fn when_conditions_were_told_is_known_of_those_that_hold_and_of_those_that_ended_lately() {
    let (_folder, store) = store().await;
    let (firing, resolved) = (SignalStatus::Firing, SignalStatus::Resolved);
    let again = Signal { starts_at: at(50), ..signal("flaps", firing) };
    let posts = [
        (vec![signal("holds", firing), signal("flaps", firing), signal("ended", firing)], 10),
        (vec![signal("ended", resolved), Signal { ends_at: Some(at(40)), ..signal("flaps", resolved) }], 100),
        (vec![again.clone()], 120),
        // Both waited while the store was away.
        (vec![signal("spooled", firing), signal("spooled", resolved)], 900),
        (vec![Signal { source: SignalSource::Forwarder, ..signal("other", firing) }], 900),
    ];
    for (signals, second) in posts {
        store.accept(signals, vec![], at(second)).await.unwrap();
    }
    let telling = |pod: &str, told: i64, ended: Option<i64>| {
        let fingerprint = signal(pod, firing).fingerprint;
        marple_forwarder::Telling { fingerprint, told_at: at(told), ended_at: ended.map(at) }
    };
    let lately = [telling("spooled", 100, Some(100)), telling("flaps", 120, None)];
    let all = [lately[0], lately[1], telling("ended", 10, Some(100)), telling("holds", 10, None)];
    assert_eq!(store.told(SignalSource::Alertmanager, at(99)).await.unwrap(), all);
    let holding = [lately[1], all[3]];
    assert_eq!(store.told(SignalSource::Alertmanager, at(100)).await.unwrap(), holding);
}

#[tokio::test]
async fn numbers_of_signals_are_not_given_again_after_the_last_ones_were_deleted() {
    let (folder, store) = store().await;
    store.accept(vec![signal("a", SignalStatus::Resolved)], vec![], at(0)).await.unwrap();
    apply(&store, 1, 1, vec![]).await;
    assert_eq!(store.retention(at(1)).await.unwrap().signals, 1);
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    store.accept(vec![signal("b", SignalStatus::Firing)], vec![], at(2)).await.unwrap();
    assert_eq!(store.unprocessed(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn unusable_entries_are_kept_once_and_counted() {
    let (_folder, store) = store().await;
    let entry = Quarantined {
        origin: "alerts",
        reason: "the alert has no label `alertname`".to_owned(),
        pointer: "/alerts/0/labels".to_owned(),
        body: "{}".to_owned(),
    };
    for second in [0, 5] {
        store.accept(vec![], vec![entry.clone()], at(second)).await.unwrap();
    }
    let kept = store.quarantine(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].count, kept[0].first_at, kept[0].last_at), (2, at(0), at(5)));
    assert_eq!((kept[0].reason.as_str(), kept[0].pointer.as_str()), (entry.reason.as_str(), "/alerts/0/labels"));
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_no_news_however_late() {
    let (_folder, store) = store().await;
    let stream = marple_forwarder::Sequence { stream: uuid::Uuid::now_v7(), number: 1 };
    let next = marple_forwarder::Sequence { number: 2, ..stream };
    let firing = vec![signal("a", SignalStatus::Firing)];
    let resolved = vec![signal("a", SignalStatus::Resolved)];
    let new = Accepted { new: 1, duplicate: 0 };
    assert_eq!(store.accept_once(Some(stream), firing.clone(), vec![], at(0)).await.unwrap(), new);
    assert_eq!(store.accept_once(Some(next), resolved, vec![], at(10)).await.unwrap(), new);
    let again = store.accept_once(Some(stream), firing.clone(), vec![], at(600)).await.unwrap();
    assert_eq!(again, Accepted { new: 0, duplicate: 1 });
    assert_eq!(store.firing(SignalSource::Alertmanager).await.unwrap(), []);
    let other = marple_forwarder::Sequence { stream: uuid::Uuid::now_v7(), number: 1 };
    assert_eq!(store.accept_once(Some(other), firing, vec![], at(600)).await.unwrap(), new, "another forwarder's word");
}
