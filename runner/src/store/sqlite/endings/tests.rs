#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use marple_core::{Fingerprint, Incident, JoinReason, ObjectRef, Severity, SignalSource};
use tempfile::TempDir;

use super::*;
use crate::correlate::{Batch, Change, Related};
use crate::store::{AuditRecord, Incidents, SignalSeq, Signals, Upkeep};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn alert(name: &str) -> Signal {
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&[("alertname", name)].into_iter().collect()),
        status: SignalStatus::Firing,
        name: name.to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", "cart-1")),
        labels: [("alertname", name)].into_iter().collect(),
        annotations: Labels::new(),
        starts_at: at(0),
        ends_at: None,
        generator_url: None,
    }
}

/// A store with one open incident of these alerts, all heard first at 1.
async fn with_incident(names: &[&str]) -> (TempDir, SqliteStore, IncidentId) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let alerts: Vec<Signal> = names.iter().map(|name| alert(name)).collect();
    store.accept(alerts.clone(), vec![], at(1)).await.unwrap();
    let count = u32::try_from(alerts.len()).unwrap();
    let incident = Incident {
        id: IncidentId::new(),
        status: IncidentStatus::Open,
        title: "Pod shop/cart-1: X".to_owned(),
        severity: Severity::Warning,
        subject: None,
        objects: BTreeSet::new(),
        signals: count,
        firing: count,
        starts_at: at(0),
        opened_at: at(1),
        updated_at: at(1),
        resolved_at: None,
        resolution: None,
        merged_into: None,
        revision: 1,
    };
    let id = incident.id;
    let (incident, added, removed) = (Box::new(incident), vec![], vec![]);
    let mut changes = vec![Change::Incident { incident, last_fired_at: at(1), visible: true, added, removed }];
    changes.extend(alerts.iter().map(|signal| Change::Member {
        incident: id,
        member: Box::new(Member::of(signal, JoinReason::First)),
        related: Related::default().into(),
        at: at(1),
    }));
    let cursor = SignalSeq(i64::from(count));
    store.apply(Arc::new(Batch { number: 1, at: at(1), cursor, changes })).await.unwrap();
    (folder, store, id)
}

/// What has come in since, as name and status.
async fn came(store: &SqliteStore) -> Vec<(String, SignalStatus)> {
    let signals = store.unprocessed(10).await.unwrap();
    signals.into_iter().map(|(_, signal)| (signal.name, signal.status)).collect()
}

#[tokio::test]
async fn what_is_not_told_again_ends_and_what_is_told_again_does_not() {
    let (_folder, store, id) = with_incident(&["A", "B"]).await;
    assert_eq!(store.expire(at(0), at(100)).await.unwrap(), 0, "all was heard since");
    assert_eq!(store.accept(vec![alert("B")], vec![], at(90)).await.unwrap().duplicate, 1);
    assert_eq!(store.expire(at(50), at(100)).await.unwrap(), 1);
    assert_eq!(came(&store).await, [("A".to_owned(), SignalStatus::Resolved)]);
    assert_eq!(store.expire(at(50), at(101)).await.unwrap(), 0, "once");
    let moments = store.timeline(id, 10).await.unwrap();
    let object = Some(ObjectRef::namespaced("Pod", "shop", "cart-1"));
    assert_eq!(moments.last().unwrap().moment, Moment::Unheard { name: "A".to_owned(), object });
}

#[tokio::test]
async fn a_person_ends_all_alerts_of_an_incident_once_and_that_is_recorded() {
    let (_folder, store, id) = with_incident(&["A", "B"]).await;
    assert_eq!(store.resolve(id, "ada", at(10)).await.unwrap(), Said::Done);
    let mut ended = came(&store).await;
    ended.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(ended, [("A".to_owned(), SignalStatus::Resolved), ("B".to_owned(), SignalStatus::Resolved)]);
    let record = store.audit_records(5).await.unwrap();
    let detail = json!({ "incident": id });
    assert_eq!(
        record,
        [AuditRecord { at: at(10), actor: "ada".to_owned(), action: "incident resolve".to_owned(), detail }]
    );
    let nobody = store.resolve(IncidentId::new(), "ada", at(10)).await;
    assert!(matches!(nobody, Err(StoreError::Missing { .. })), "{nobody:?}");
}

#[tokio::test]
async fn an_acknowledgement_is_a_change_that_people_see_and_holds_once() {
    let (_folder, store, id) = with_incident(&["A"]).await;
    assert_eq!(store.acknowledge(id, "ada", at(10)).await.unwrap(), Said::Done);
    let incident = store.incident(id).await.unwrap().unwrap();
    assert_eq!((incident.status, incident.revision), (IncidentStatus::Acknowledged, 2));
    let again = store.acknowledge(id, "ada", at(11)).await.unwrap();
    assert_eq!(again, Said::Already(IncidentStatus::Acknowledged));
    assert_eq!(store.audit_records(5).await.unwrap().len(), 1);
    assert_eq!(store.resolve(id, "ada", at(12)).await.unwrap(), Said::Done);
}
