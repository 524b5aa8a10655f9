use super::*;

#[tokio::test]
async fn a_batch_applied_twice_is_applied_once() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    let first = signal("a", SignalStatus::Firing);
    apply(&store, 1, 7, vec![put(&one, true), join(&one, &first, JoinReason::First)]).await;
    for _ in 0..2 {
        let changes = vec![put(&one, true), Change::Moment { incident: one.id, at: at(2), moment: Moment::Resolved }];
        apply(&store, 2, 9, changes).await;
    }
    assert_eq!(store.cursor().await.unwrap(), SignalSeq(9));
    assert_eq!(store.incident(one.id).await.unwrap(), Some(Incident { revision: 2, ..one.clone() }));
    assert_eq!(store.members(one.id, 10).await.unwrap(), [Member::of(&first, JoinReason::First)]);
    assert_eq!(store.timeline(one.id, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_merge_moves_members_and_tells_those_who_were_told_of_the_younger() {
    let (_folder, store) = store().await;
    let (older, mut younger) = (incident(&cart()), incident(&ObjectRef::namespaced("Pod", "shop", "b")));
    let (a, b) = (signal("a", SignalStatus::Firing), signal("b", SignalStatus::Firing));
    let changes = vec![
        put(&older, true),
        join(&older, &a, JoinReason::First),
        put(&younger, true),
        join(&younger, &b, JoinReason::First),
    ];
    apply(&store, 1, 1, changes).await;
    store.outbox_want(younger.id, &["told"], 1, at(2)).await.unwrap();
    store.outbox_want(younger.id, &["untold"], 1, at(900)).await.unwrap();
    let row = store.outbox_due(at(2), 10).await.unwrap().remove(0);
    store.outbox_begin(row.id, at(2)).await.unwrap();
    store.outbox_confirm(row.id, 1, &json!({"ts": "1"}), at(3)).await.unwrap();

    younger.status = IncidentStatus::Merged;
    younger.merged_into = Some(older.id);
    let reason = JoinReason::SameOwner { owner: cart() };
    let merged = Change::Merged { from: younger.id, into: older.id, reason: reason.clone() };
    apply(&store, 2, 2, vec![put(&younger, true), merged]).await;

    let expected = [Member::of(&a, JoinReason::First), Member::of(&b, reason)];
    let mut members = store.members(older.id, 10).await.unwrap();
    members.sort_by_key(|member| member.subject.clone());
    assert_eq!(members, expected);
    assert_eq!(store.members(younger.id, 10).await.unwrap(), []);
    let due = store.outbox_due(at(1_000), 10).await.unwrap();
    let due: Vec<_> = due.iter().map(|row| (row.receiver.as_str(), row.wanted, row.delivered)).collect();
    assert_eq!(due, [("told", 2, 1)]);
}

#[tokio::test]
async fn the_snapshot_holds_what_is_open_or_was_resolved_a_moment_ago() {
    let (_folder, store) = store().await;
    let open = incident(&cart());
    let resolved = |seconds| Incident {
        status: IncidentStatus::Resolved,
        resolved_at: Some(at(seconds)),
        ..incident(&ObjectRef::cluster("Node", "n"))
    };
    let (recent, old) = (resolved(50), resolved(10));
    let first = signal("a", SignalStatus::Firing);
    let changes = vec![put(&open, true), join(&open, &first, JoinReason::First), put(&recent, true), put(&old, true)];
    apply(&store, 1, 3, changes).await;
    let snapshot = store.snapshot(at(20)).await.unwrap();
    assert_eq!((snapshot.batch, snapshot.cursor), (1, SignalSeq(3)));
    let held: Vec<_> = snapshot.incidents.iter().map(|held| held.incident.clone()).collect();
    assert_eq!(held, [open, recent]);
    let member = &snapshot.incidents[0].members[0];
    assert_eq!((member.fingerprint, member.subject.as_deref()), (first.fingerprint, first.subject.as_ref()));
    assert_eq!(*member.related, Related::alone(first.subject.clone().unwrap()));
}

#[tokio::test]
async fn incidents_are_found_by_what_people_type() {
    let (_folder, store) = store().await;
    let (one, two) = (incident(&cart()), incident(&cart()));
    apply(&store, 1, 1, vec![put(&one, true), put(&two, true)]).await;
    let named = async |typed: &str| store.incident_by_prefix(typed).await.unwrap();
    assert_eq!(named(&one.id.short()).await, Named::One(Box::new(one.clone())));
    assert_eq!(named(&one.id.to_string().to_uppercase()).await, Named::One(Box::new(one.clone())));
    assert_eq!(named(&one.id.short()[..6]).await, Named::One(Box::new(one.clone())));
    assert_eq!(named(&one.id.to_string()[..8]).await, Named::Several(vec![two.id, one.id]));
    assert_eq!(named("%%%%").await, Named::Nothing);
}

#[tokio::test]
async fn incidents_are_filtered_and_paged_latest_first() {
    let (_folder, store) = store().await;
    let node = ObjectRef::cluster("Node", "n");
    let (one, two, three) = (incident(&cart()), incident(&node), incident(&cart()));
    apply(&store, 1, 1, vec![put(&one, true), put(&two, true), put(&three, true)]).await;
    let ids = async |filter: IncidentFilter| {
        store.incidents(&filter).await.unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(IncidentFilter::default()).await, [three.id, two.id, one.id]);
    assert_eq!(ids(IncidentFilter { object: Some(cart()), ..Default::default() }).await, [three.id, one.id]);
    assert_eq!(ids(IncidentFilter { object: Some(node), ..Default::default() }).await, [two.id]);
    assert_eq!(ids(IncidentFilter { before: Some(three.id), limit: 1, ..Default::default() }).await, [two.id]);
    assert_eq!(ids(IncidentFilter { since: Some(at(2)), ..Default::default() }).await, []);
    let merged = IncidentFilter { status: vec![IncidentStatus::Merged], ..Default::default() };
    assert_eq!(ids(merged).await, []);
}

#[tokio::test]
async fn an_incident_needs_work_until_it_is_captured_and_its_last_revision_told() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    apply(&store, 1, 1, vec![put(&one, true)]).await;
    let behind = async || store.incidents_needing_work(10).await.unwrap().len();
    assert_eq!(behind().await, 1);
    store.keep_capture(one.id, nothing_found(2)).await.unwrap();
    assert_eq!(behind().await, 1);
    store.outbox_want(one.id, &[], 1, at(3)).await.unwrap();
    assert_eq!(behind().await, 0);
    apply(&store, 2, 2, vec![put(&one, false)]).await;
    assert_eq!(behind().await, 0);
    apply(&store, 3, 3, vec![put(&one, true)]).await;
    assert_eq!(behind().await, 1);
    assert_eq!(store.incidents_needing_work(10).await.unwrap(), [(one.id, 2)]);
    let behind =
        Behind { incident: Incident { revision: 2, ..one.clone() }, captured_at: Some(at(2)), told_revision: 1 };
    assert_eq!(store.incidents_behind(&[IncidentId::new(), one.id]).await.unwrap(), [behind]);
    let missing = store.keep_capture(IncidentId::new(), nothing_found(3)).await.unwrap_err();
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
}

#[tokio::test]
async fn what_a_capture_came_to_is_kept_at_once_and_begins_one_investigation() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    apply(&store, 1, 1, vec![put(&one, true)]).await;
    let (findings, conclusion) = (vec![], nothing_known());
    for second in [2, 3] {
        let captured =
            Captured { findings: Some(&findings), conclusion: Some(&conclusion), investigate: true, at: at(second) };
        store.keep_capture(one.id, captured).await.unwrap();
    }
    let concluded = store.conclusion(one.id).await.unwrap().unwrap();
    assert_eq!((concluded.conclusion, concluded.by, concluded.at), (conclusion, ConcludedBy::Rules, at(2)));
    assert_eq!(store.begun(one.id).await.unwrap(), Begun { all: 1, unfinished: 1 });
    let kept = store.incidents_behind(&[one.id]).await.unwrap().remove(0);
    assert_eq!((kept.incident.revision, kept.captured_at), (2, Some(at(3))));
    let unfinished = store.unfinished().await.unwrap().remove(0);
    store.finish_investigation(unfinished.id, &json!("done"), at(4)).await.unwrap();
    store.keep_capture(one.id, Captured { investigate: true, ..nothing_found(5) }).await.unwrap();
    assert_eq!(store.begun(one.id).await.unwrap(), Begun { all: 2, unfinished: 1 });
}

#[tokio::test]
async fn an_unfinished_investigation_comes_back_with_its_last_step() {
    let (folder, store) = store().await;
    let incident = IncidentId::new();
    let id = store.begin_investigation(incident, InvestigationKind::Cause, at(1)).await.unwrap();
    let other = store.begin_investigation(incident, InvestigationKind::Question, at(2)).await.unwrap();
    store.save_run(id, &json!({"turn": 1}), at(3)).await.unwrap();
    store.save_run(id, &json!({"turn": 2}), at(4)).await.unwrap();
    store.finish_investigation(other, &json!("done"), at(5)).await.unwrap();
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let rows = store.unfinished().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].id, rows[0].incident, &rows[0].run), (id, incident, &Some(json!({"turn": 2}))));
    assert!(store.save_run(other, &json!(null), at(6)).await.is_err());
}

#[tokio::test]
async fn a_new_conclusion_is_seen_by_people_and_the_same_again_is_not() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    apply(&store, 1, 1, vec![put(&one, true)]).await;
    let conclusion = nothing_known();
    assert_eq!(store.set_conclusion(one.id, &conclusion, ConcludedBy::Rules, at(3)).await.unwrap(), 2);
    assert_eq!(store.set_conclusion(one.id, &conclusion, ConcludedBy::Rules, at(4)).await.unwrap(), 2);
    assert_eq!(store.set_conclusion(one.id, &conclusion, ConcludedBy::Agent, at(5)).await.unwrap(), 3);
    let concluded = store.conclusion(one.id).await.unwrap().unwrap();
    assert_eq!((concluded.conclusion, concluded.by, concluded.at), (conclusion, ConcludedBy::Agent, at(5)));
    assert_eq!(store.findings(one.id).await.unwrap(), []);
    // Correlation goes on from the store's revision.
    apply(&store, 2, 2, vec![put(&one, true)]).await;
    assert_eq!(store.incident(one.id).await.unwrap().unwrap().revision, 4);
}
