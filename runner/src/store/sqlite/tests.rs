#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod evidence;
mod files;
mod incidents;
mod memory;
mod outbox;
mod signals;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{
    Conclusion, EvidenceId, EvidenceOrigin, Fingerprint, Incident, IncidentId, IncidentStatus, JoinReason, Labels,
    Member, ObjectRef, Severity, Signal, SignalSource, SignalStatus, Size, Verdict,
};
use marple_tools::{EvidenceDraft, EvidenceLog};
use serde_json::json;
use tempfile::TempDir;

use crate::correlate::{Batch, Change, Related};
use crate::store::{
    Accepted, AuditRecord, Begun, Behind, Captured, ConcludedBy, IncidentFilter, Incidents, InvestigationKind,
    Investigations, Moment, Named, Outbox, OutboxState, Quarantined, Retired, SignalSeq, Signals, SqliteStore,
    StoreError, Upkeep,
};

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) async fn store() -> (TempDir, SqliteStore) {
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
        resolution: None,
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
        related: Related::alone(signal.subject.clone().unwrap()).into(),
        at: at(1),
    }
}

async fn apply(store: &SqliteStore, number: u64, cursor: i64, changes: Vec<Change>) {
    let batch = Batch { number, at: at(2), cursor: SignalSeq(cursor), changes };
    store.apply(Arc::new(batch)).await.unwrap();
}

fn nothing_known() -> Conclusion {
    Conclusion::inconclusive("Nothing was found.")
}

fn nothing_found(second: i64) -> Captured<'static> {
    Captured { findings: None, conclusion: None, investigate: false, at: at(second) }
}

fn cart() -> ObjectRef {
    ObjectRef::namespaced("Deployment", "shop", "cart")
}
