#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{
    Conclusion, Confidence, EvidenceId, EvidenceOrigin, Fingerprint, Incident, IncidentId, IncidentStatus, JoinReason,
    Labels, Member, ObjectRef, Severity, Signal, SignalSource, SignalStatus, Verdict,
};
use marple_tools::EvidenceDraft;
use serde_json::json;
use tempfile::TempDir;

use crate::correlate::{Batch, Change, Related};
use crate::store::{
    Accepted, AuditRecord, ConcludedBy, IncidentFilter, Incidents, InvestigationKind, Investigations, Moment, Named,
    Outbox, OutboxState, Quarantined, Retired, SignalSeq, Signals, SqliteStore, StoreError, Upkeep,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

async fn store() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    (folder, store)
}

fn signal(pod: &str, status: SignalStatus) -> Signal {
    let labels: Labels =
        [("alertname", "KubePodCrashLooping"), ("namespace", "shop"), ("pod", pod)].into_iter().collect();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status,
        name: "KubePodCrashLooping".to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", pod)),
        labels,
        annotations: Labels::new(),
        starts_at: at(0),
        ends_at: (status == SignalStatus::Resolved).then(|| at(100)),
        generator_url: None,
    }
}

fn incident(object: &ObjectRef) -> Incident {
    Incident {
        id: IncidentId::new(),
        status: IncidentStatus::Open,
        title: format!("{object}: KubePodCrashLooping"),
        severity: Severity::Warning,
        subject: Some(object.clone()),
        objects: BTreeSet::from([object.clone()]),
        signals: 1,
        firing: 1,
        starts_at: at(0),
        opened_at: at(1),
        updated_at: at(1),
        resolved_at: None,
        merged_into: None,
        revision: 1,
    }
}

fn put(incident: &Incident, visible: bool) -> Change {
    Change::Incident {
        incident: Box::new(incident.clone()),
        last_fired_at: at(1),
        visible,
        added: incident.objects.iter().cloned().collect(),
        removed: vec![],
    }
}

fn join(incident: &Incident, signal: &Signal, reason: JoinReason) -> Change {
    Change::Member {
        incident: incident.id,
        member: Box::new(Member::of(signal, reason)),
        related: Related::alone(signal.subject.clone().unwrap()),
        at: at(1),
    }
}

async fn apply(store: &SqliteStore, number: u64, cursor: i64, changes: Vec<Change>) {
    let batch = Batch { number, at: at(2), cursor: SignalSeq(cursor), changes };
    store.apply(Arc::new(batch)).await.unwrap();
}

fn cart() -> ObjectRef {
    ObjectRef::namespaced("Deployment", "shop", "cart")
}

#[tokio::test]
async fn a_signal_accepted_twice_is_one() {
    let (_folder, store) = store().await;
    let both = [signal("a", SignalStatus::Firing), signal("b", SignalStatus::Firing)];
    assert_eq!(store.accept(&both, &[], at(0)).await.unwrap(), Accepted { new: 2, duplicate: 0 });
    let again = [both[1].clone(), signal("c", SignalStatus::Firing)];
    assert_eq!(store.accept(&again, &[], at(1)).await.unwrap(), Accepted { new: 1, duplicate: 1 });
    let pods: Vec<_> = store.unprocessed(10).await.unwrap().into_iter().map(|(_, signal)| signal).collect();
    assert_eq!(pods, [both[0].clone(), both[1].clone(), signal("c", SignalStatus::Firing)]);
}

#[tokio::test]
async fn an_alert_that_holds_again_under_its_old_start_is_news_once_a_late_copy_is_ruled_out() {
    let (_folder, store) = store().await;
    let (firing, resolved) = (signal("a", SignalStatus::Firing), signal("a", SignalStatus::Resolved));
    store.accept(std::slice::from_ref(&firing), &[], at(0)).await.unwrap();
    store.accept(&[resolved], &[], at(100)).await.unwrap();
    let late = store.accept(std::slice::from_ref(&firing), &[], at(130)).await.unwrap();
    assert_eq!(late, Accepted { new: 0, duplicate: 1 });
    let again = store.accept(std::slice::from_ref(&firing), &[], at(200)).await.unwrap();
    assert_eq!(again, Accepted { new: 1, duplicate: 0 });
    let order: Vec<_> = store.unprocessed(10).await.unwrap().into_iter().map(|(_, signal)| signal.status).collect();
    assert_eq!(order, [SignalStatus::Resolved, SignalStatus::Firing]);
    assert_eq!(store.firing(SignalSource::Alertmanager).await.unwrap(), [firing]);
}

#[tokio::test]
async fn numbers_of_signals_are_not_given_again_after_the_last_ones_were_deleted() {
    let (folder, store) = store().await;
    store.accept(&[signal("a", SignalStatus::Resolved)], &[], at(0)).await.unwrap();
    apply(&store, 1, 1, vec![]).await;
    assert_eq!(store.retention(at(1)).await.unwrap().signals, 1);
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    store.accept(&[signal("b", SignalStatus::Firing)], &[], at(2)).await.unwrap();
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
        store.accept(&[], std::slice::from_ref(&entry), at(second)).await.unwrap();
    }
    let kept = store.quarantine(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].count, kept[0].first_at, kept[0].last_at), (2, at(0), at(5)));
    assert_eq!((kept[0].reason.as_str(), kept[0].pointer.as_str()), (entry.reason.as_str(), "/alerts/0/labels"));
}

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
    store.outbox_want(younger.id, "told", 1, at(2)).await.unwrap();
    store.outbox_want(younger.id, "untold", 1, at(900)).await.unwrap();
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
    assert_eq!((member.fingerprint, &member.subject), (first.fingerprint, &first.subject));
    assert_eq!(member.related, Related::alone(first.subject.clone().unwrap()));
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
    store.mark_captured(one.id, at(2)).await.unwrap();
    assert_eq!(behind().await, 1);
    store.mark_told(one.id, 1).await.unwrap();
    assert_eq!(behind().await, 0);
    apply(&store, 2, 2, vec![put(&one, false)]).await;
    assert_eq!(behind().await, 0);
    apply(&store, 3, 3, vec![put(&one, true)]).await;
    assert_eq!(behind().await, 1);
    let missing = store.mark_told(IncidentId::new(), 1).await.unwrap_err();
    assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
}

#[tokio::test]
async fn evidence_is_numbered_by_incident_and_kept_once() {
    let (_folder, store) = store().await;
    let draft = |content: &str| EvidenceDraft {
        origin: EvidenceOrigin::Capture,
        title: "logs of Pod shop/cart-1".to_owned(),
        object: Some(cart()),
        taken_at: at(1),
        content: content.to_owned(),
        view: Some("short".to_owned()),
    };
    let log = store.evidence(IncidentId::new());
    assert_eq!(log.keep(draft("one")).await.unwrap(), EvidenceId(1));
    assert_eq!(log.keep(draft("two")).await.unwrap(), EvidenceId(2));
    assert_eq!(log.keep(draft("one")).await.unwrap(), EvidenceId(1));
    assert_eq!(store.evidence(IncidentId::new()).keep(draft("one")).await.unwrap(), EvidenceId(1));
    let kept = log.get(EvidenceId(2)).await.unwrap().unwrap();
    assert_eq!((kept.content.as_str(), kept.view.as_deref(), kept.taken_at), ("two", Some("short"), at(1)));
    assert_eq!(log.all().await.unwrap().iter().map(|one| one.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(log.get(EvidenceId(3)).await.unwrap(), None);
}

#[tokio::test]
async fn too_long_a_piece_of_evidence_says_how_much_is_missing() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    let log = store.evidence(incident);
    let draft = EvidenceDraft {
        origin: EvidenceOrigin::Look,
        title: "all".to_owned(),
        object: None,
        taken_at: at(1),
        content: "ä".repeat(5 << 20),
        view: None,
    };
    let id = log.keep(draft).await.unwrap();
    let content = log.get(id).await.unwrap().unwrap().content;
    assert!(content.ends_with("\n… 2097152 bytes more are not kept: a piece of evidence holds 8 MiB …\n"));
    assert_eq!(store.evidence_entries(incident).await.unwrap()[0].size, content.len() as u64);
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
    let conclusion = Conclusion {
        verdict: Verdict::Inconclusive,
        summary: "Nothing was found.".to_owned(),
        cause: None,
        chain: vec![],
        impact: String::new(),
        confidence: Confidence::Low,
        remedies: vec![],
        ruled_out: vec![],
        unseen: vec![],
    };
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

#[tokio::test]
async fn a_message_is_due_until_its_last_revision_is_confirmed() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, "slack", 1, at(10)).await.unwrap();
    assert_eq!(store.outbox_due(at(9), 10).await.unwrap(), []);
    assert_eq!(store.next_due_at().await.unwrap(), Some(at(10)));
    let row = store.outbox_due(at(10), 10).await.unwrap().remove(0);
    store.outbox_begin(row.id, at(10)).await.unwrap();
    assert_eq!(store.outbox_due(at(10), 10).await.unwrap(), [], "a row is taken once");
    assert!(store.outbox_begin(row.id, at(10)).await.is_err());
    store.outbox_want(incident, "slack", 3, at(40)).await.unwrap();
    store.outbox_progress(row.id, &json!({"ts": "1"})).await.unwrap();
    store.outbox_confirm(row.id, 1, &json!({"ts": "1", "thread": "2"}), at(11)).await.unwrap();
    let due = store.outbox_due(at(11), 10).await.unwrap().remove(0);
    assert_eq!((due.wanted, due.delivered, due.attempts, due.first_started_at), (3, 1, 0, Some(at(10))));
    assert_eq!(due.receipt, Some(json!({"ts": "1", "thread": "2"})));
    store.outbox_begin(row.id, at(12)).await.unwrap();
    store.outbox_confirm(row.id, 3, &json!({}), at(13)).await.unwrap();
    assert_eq!(store.next_due_at().await.unwrap(), None);
    store.outbox_want(incident, "slack", 3, at(50)).await.unwrap();
    assert_eq!(store.next_due_at().await.unwrap(), None, "nothing newer is to be said");
}

#[tokio::test]
async fn what_was_being_sent_when_the_program_died_may_have_been_sent() {
    let (folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, "slack", 1, at(0)).await.unwrap();
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
    store.outbox_want(incident, "slack", 1, at(0)).await.unwrap();
    let id = store.outbox_due(at(0), 1).await.unwrap().remove(0).id;
    store.outbox_begin(id, at(0)).await.unwrap();
    store.outbox_retry(id, "no answer in 10 s", true, at(5)).await.unwrap();
    store.outbox_begin(id, at(5)).await.unwrap();
    store.outbox_retry(id, "HTTP 500", false, at(30)).await.unwrap();
    store.outbox_want(incident, "slack", 2, at(6)).await.unwrap();
    assert_eq!(store.outbox_due(at(29), 10).await.unwrap(), []);
    let due = store.outbox_due(at(30), 10).await.unwrap().remove(0);
    assert_eq!((due.wanted, due.maybe_sent, due.last_error.as_deref()), (2, true, Some("HTTP 500")));
    assert_eq!((due.attempts, due.failing_since), (2, Some(at(0))));
}

#[tokio::test]
async fn a_dead_letter_is_seen_and_can_be_resent_or_revived_by_news() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    store.outbox_want(incident, "slack", 1, at(0)).await.unwrap();
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
            _ => store.outbox_want(incident, "slack", 2, at(2)).await.unwrap(),
        }
    }
    assert_eq!(store.outbox_due(at(100), 10).await.unwrap().len(), 1);
    assert_eq!(store.outbox_dead(10).await.unwrap(), []);
}

#[tokio::test]
async fn retention_deletes_what_ended_and_keeps_what_is_open_or_unsaid() {
    let (folder, store) = store().await;
    let open = incident(&cart());
    let ended = || Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    let (old, unsaid) = (ended(), ended());
    let firing = signal("a", SignalStatus::Firing);
    let over = [signal("b", SignalStatus::Firing), signal("b", SignalStatus::Resolved)];
    store.accept(std::slice::from_ref(&firing), &[], at(0)).await.unwrap();
    store.accept(&over, &[], at(0)).await.unwrap();
    apply(&store, 1, 3, vec![put(&open, true), put(&old, true), put(&unsaid, true)]).await;
    store.outbox_want(unsaid.id, "slack", 1, at(0)).await.unwrap();
    let log = store.evidence(old.id);
    // Random text, so that it fills pages though it is compressed.
    let word = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let content = (0..200_000).map(word).collect();
    let draft = EvidenceDraft {
        origin: EvidenceOrigin::Look,
        title: "t".to_owned(),
        object: None,
        taken_at: at(0),
        content,
        view: None,
    };
    log.keep(draft).await.unwrap();
    let record = AuditRecord { at: at(0), actor: "api".into(), action: "resend".into(), detail: json!({}) };
    store.audit(&record).await.unwrap();
    assert_eq!(store.audit_records(10).await.unwrap(), [record]);
    let retired = store.retention(at(10)).await.unwrap();
    assert_eq!(retired, Retired { incidents: 1, signals: 2, records: 1 });
    assert_eq!(store.incident(old.id).await.unwrap(), None);
    assert_eq!(log.all().await.unwrap(), []);
    assert!(store.incident(unsaid.id).await.unwrap().is_some());
    assert_eq!(store.firing(SignalSource::Alertmanager).await.unwrap(), [firing]);
    store.close().await;
    let size = std::fs::metadata(folder.path().join("marple.db")).unwrap().len();
    assert!(size < 500_000, "{size} bytes after a megabyte was deleted");
}

#[tokio::test]
async fn a_store_belongs_to_one_process_and_one_owner() {
    let (folder, store) = store().await;
    let path = folder.path().join("marple.db");
    let second = SqliteStore::open(&path).await.err().unwrap();
    assert!(second.to_string().contains("another marple is using it"), "{second}");
    store.writable().await.unwrap();
    for file in ["marple.db", "marple.db-wal", "marple.db-shm", "marple.db.lock"] {
        assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
    }
    store.close().await;
    assert!(matches!(store.writable().await, Err(StoreError::Closed)));
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_failed_write_does_not_take_its_neighbours_with_it() {
    let (_folder, store) = store().await;
    let one = incident(&cart());
    apply(&store, 1, 1, vec![put(&one, true)]).await;
    let nowhere = IncidentId::new();
    let writes =
        (0..20).map(|index| {
            let store = store.clone();
            async move {
                if index % 2 == 0 { store.mark_told(nowhere, 1).await } else { store.mark_told(one.id, index).await }
            }
        });
    let ended = futures::future::join_all(writes).await;
    assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 10);
    assert_eq!(store.incidents_needing_work(1).await.unwrap()[0].told_revision, 19);
}

#[tokio::test]
async fn what_was_answered_is_in_a_copy_of_the_files_taken_at_any_moment() {
    let (folder, store) = store().await;
    let copy = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let pod = format!("p{round}");
        store.accept(&[signal(&pod, SignalStatus::Firing)], &[], at(0)).await.unwrap();
        // As the files are after `kill -9`: nothing was closed.
        for file in ["marple.db", "marple.db-wal"] {
            std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
        }
        let _ = std::fs::remove_file(copy.path().join("marple.db-shm"));
        let found = SqliteStore::open(&copy.path().join("marple.db")).await.unwrap();
        let signals = found.unprocessed(100).await.unwrap();
        assert_eq!(signals.len(), round + 1);
        assert_eq!(signals[round].1.subject, Some(ObjectRef::namespaced("Pod", "shop", pod)));
        found.close().await;
    }
}
