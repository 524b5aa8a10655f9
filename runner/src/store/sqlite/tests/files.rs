use super::*;

#[tokio::test]
async fn retention_deletes_what_ended_and_keeps_what_is_open_or_unsaid() {
    let (folder, store) = store().await;
    let open = incident(&cart());
    let ended = || Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    let (old, unsaid) = (ended(), ended());
    let firing = signal("a", SignalStatus::Firing);
    let over = [signal("b", SignalStatus::Firing), signal("b", SignalStatus::Resolved)];
    store.accept(vec![firing.clone()], vec![], at(0)).await.unwrap();
    store.accept(over.to_vec(), vec![], at(0)).await.unwrap();
    apply(&store, 1, 3, vec![put(&open, true), put(&old, true), put(&unsaid, true)]).await;
    store.outbox_want(unsaid.id, &["slack"], 1, at(0)).await.unwrap();
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
    assert_eq!(log.heads().await.unwrap(), []);
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
    let writes = (0..20).map(|index| {
        let store = store.clone();
        async move {
            let id = if index % 2 == 0 { nowhere } else { one.id };
            store.keep_capture(id, nothing_found(index)).await
        }
    });
    let ended = futures::future::join_all(writes).await;
    assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 10);
    assert_eq!(store.incidents_behind(&[one.id]).await.unwrap()[0].captured_at, Some(at(19)));
}

#[tokio::test]
async fn what_was_answered_is_in_a_copy_of_the_files_taken_at_any_moment() {
    let (folder, store) = store().await;
    let copy = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let pod = format!("p{round}");
        store.accept(vec![signal(&pod, SignalStatus::Firing)], vec![], at(0)).await.unwrap();
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
