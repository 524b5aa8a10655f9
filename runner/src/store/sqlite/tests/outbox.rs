use super::*;

#[tokio::test]
async fn a_later_revision_is_wanted_by_those_who_were_told_before_too() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    apply(&store, 1, 1, vec![put(&one, true)]).await;
    store.outbox_want(one.id, &["mail", "slack"], 1, at(2)).await.unwrap();
    store.outbox_want(one.id, &["pager"], 2, at(3)).await.unwrap();
    let due = store.outbox_due(at(3), 10).await.unwrap();
    let mut due: Vec<_> = due.iter().map(|row| (row.receiver.as_str(), row.wanted, row.next_at)).collect();
    due.sort_unstable();
    assert_eq!(due, [("mail", 2, at(2)), ("pager", 2, at(3)), ("slack", 2, at(2))]);
    assert_eq!(store.incidents_behind(&[one.id]).await.unwrap()[0].told_revision, 2);
}

#[tokio::test]
async fn a_message_is_due_until_its_last_revision_is_confirmed() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, &["slack"], 1, at(10)).await.unwrap();
    assert_eq!(store.outbox_due(at(9), 10).await.unwrap(), []);
    assert_eq!(store.next_due_at().await.unwrap(), Some(at(10)));
    let row = store.outbox_due(at(10), 10).await.unwrap().remove(0);
    store.outbox_begin(row.id, at(10)).await.unwrap();
    assert_eq!(store.outbox_due(at(10), 10).await.unwrap(), [], "a row is taken once");
    assert!(store.outbox_begin(row.id, at(10)).await.is_err());
    store.outbox_want(incident, &["slack"], 3, at(40)).await.unwrap();
    store.outbox_progress(row.id, &json!({"ts": "1"})).await.unwrap();
    store.outbox_confirm(row.id, 1, &json!({"ts": "1", "thread": "2"}), at(11)).await.unwrap();
    let due = store.outbox_due(at(11), 10).await.unwrap().remove(0);
    assert_eq!((due.wanted, due.delivered, due.attempts, due.first_started_at), (3, 1, 0, Some(at(10))));
    assert_eq!(due.receipt, Some(json!({"ts": "1", "thread": "2"})));
    store.outbox_begin(row.id, at(12)).await.unwrap();
    store.outbox_confirm(row.id, 3, &json!({}), at(13)).await.unwrap();
    assert_eq!(store.next_due_at().await.unwrap(), None);
    store.outbox_want(incident, &["slack"], 3, at(50)).await.unwrap();
    assert_eq!(store.next_due_at().await.unwrap(), None, "nothing newer is to be said");
}

#[tokio::test]
async fn what_was_being_sent_when_the_program_died_may_have_been_sent() {
    let (folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, &["slack"], 1, at(0)).await.unwrap();
    let row = store.outbox_due(at(0), 1).await.unwrap().remove(0);
    store.outbox_begin(row.id, at(1)).await.unwrap();
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    assert_eq!(store.outbox_interrupted(at(5)).await.unwrap(), 1);
    let due = store.outbox_due(at(5), 10).await.unwrap().remove(0);
    assert_eq!((due.maybe_sent, due.attempts, due.first_started_at), (true, 1, Some(at(1))));
}

#[tokio::test]
async fn a_lost_answer_stays_known_over_later_failures_and_backoff_over_new_revisions() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, &["slack"], 1, at(0)).await.unwrap();
    let id = store.outbox_due(at(0), 1).await.unwrap().remove(0).id;
    store.outbox_begin(id, at(0)).await.unwrap();
    store.outbox_retry(id, "no answer in 10 s", true, at(5)).await.unwrap();
    store.outbox_begin(id, at(5)).await.unwrap();
    store.outbox_retry(id, "HTTP 500", false, at(30)).await.unwrap();
    store.outbox_want(incident, &["slack"], 2, at(6)).await.unwrap();
    assert_eq!(store.outbox_due(at(29), 10).await.unwrap(), []);
    let due = store.outbox_due(at(30), 10).await.unwrap().remove(0);
    assert_eq!((due.wanted, due.maybe_sent, due.last_error.as_deref()), (2, true, Some("HTTP 500")));
    assert_eq!((due.attempts, due.failing_since), (2, Some(at(0))));
}

#[tokio::test]
async fn a_dead_letter_is_seen_and_can_be_resent_or_revived_by_news() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, &["slack"], 1, at(0)).await.unwrap();
    let id = store.outbox_due(at(0), 1).await.unwrap().remove(0).id;
    assert!(matches!(store.outbox_resend(id, at(1)).await, Err(StoreError::Missing { .. })));
    for revive in ["resend", "news"] {
        let begun = store.outbox_due(at(100), 1).await.unwrap().remove(0);
        assert_eq!((begun.attempts, begun.failing_since), (0, None));
        store.outbox_begin(id, at(1)).await.unwrap();
        store.outbox_bury(id, "channel_not_found").await.unwrap();
        let dead = store.outbox_dead(10).await.unwrap();
        assert_eq!((dead[0].state, dead[0].last_error.as_deref()), (OutboxState::Dead, Some("channel_not_found")));
        assert_eq!(store.outbox_due(at(100), 10).await.unwrap(), []);
        match revive {
            "resend" => store.outbox_resend(id, at(2)).await.unwrap(),
            _ => store.outbox_want(incident, &["slack"], 2, at(2)).await.unwrap(),
        }
    }
    assert_eq!(store.outbox_due(at(100), 10).await.unwrap().len(), 1);
    assert_eq!(store.outbox_dead(10).await.unwrap(), []);
}
