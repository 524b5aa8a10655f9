use super::*;

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

fn text(incident: &str, content: &str) -> EvidenceDraft {
    EvidenceDraft {
        origin: EvidenceOrigin::Look,
        title: format!("logs of {incident}"),
        object: None,
        taken_at: at(1),
        content: content.to_owned(),
        view: None,
    }
}

#[tokio::test]
async fn a_piece_has_one_drawing_and_its_entry_says_so() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    let log = store.evidence(incident);
    let (one, two) = (log.keep(text("a", "1")).await.unwrap(), log.keep(text("a", "2")).await.unwrap());
    log.draw(one, "<svg>first</svg>".to_owned()).await.unwrap();
    log.draw(one, "<svg>second</svg>".to_owned()).await.unwrap();
    assert_eq!(log.drawing(one).await.unwrap().as_deref(), Some("<svg>first</svg>"));
    assert_eq!((log.drawing(two).await.unwrap(), log.drawing(EvidenceId(9)).await.unwrap()), (None, None));
    let drawn: Vec<bool> =
        store.evidence_entries(incident).await.unwrap().into_iter().map(|entry| entry.drawn).collect();
    assert_eq!(drawn, [true, false]);
}

/// Letters that do not compress, some half of a MiB of them.
fn noise(seed: u64) -> String {
    let word = |n: u64| format!("{:016x}", (n + seed * 1_000_003).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..60_000).map(word).collect()
}

async fn room(store: &SqliteStore) -> i64 {
    sqlx::query_scalar("SELECT bytes FROM evidence_room").fetch_one(store.readers()).await.unwrap()
}

async fn contents(store: &SqliteStore) -> (i64, i64) {
    let counted = "SELECT count(*), coalesce(sum(length(packed)), 0) FROM contents";
    sqlx::query_as(counted).fetch_one(store.readers()).await.unwrap()
}

#[tokio::test]
async fn a_text_of_many_incidents_is_kept_once_and_goes_with_the_last() {
    let (_folder, store) = store().await;
    let ended = || Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    let (first, second) = (ended(), Incident { updated_at: at(100), ..ended() });
    apply(&store, 1, 0, vec![put(&first, true), put(&second, true)]).await;
    for incident in [first.id, second.id] {
        let log = store.evidence(incident);
        log.keep(text(&incident.to_string(), &noise(1))).await.unwrap();
    }
    let (count, bytes) = contents(&store).await;
    assert_eq!((count, bytes), (1, room(&store).await));
    store.retention(at(50)).await.unwrap();
    assert_eq!(store.evidence(second.id).get(EvidenceId(1)).await.unwrap().unwrap().content, noise(1));
    assert_eq!(contents(&store).await, (1, bytes));
    store.retention(at(200)).await.unwrap();
    assert_eq!((contents(&store).await, room(&store).await), ((0, 0), 0));
}

#[tokio::test]
async fn what_is_not_cited_makes_room_first_and_what_is_open_never() {
    let (_folder, store) = store().await;
    let ended = || Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    let (open, old) = (incident(&cart()), ended());
    apply(&store, 1, 0, vec![put(&open, true), put(&old, true)]).await;
    let (of_open, of_old) = (store.evidence(open.id), store.evidence(old.id));
    of_open.keep(text("open", &noise(1))).await.unwrap();
    of_old.keep(text("cited", &noise(2))).await.unwrap();
    of_old.keep(text("aside", &noise(3))).await.unwrap();
    let citing = |evidence| {
        let cause = json!({ "object": cart(), "category": "application", "statement": "s",
            "citations": [{ "evidence": evidence, "quote": "q" }] });
        serde_json::from_value(json!({ "verdict": "fault", "summary": "s", "confidence": "high", "cause": cause }))
            .unwrap()
    };
    let conclusion: Conclusion = citing("e1");
    store.set_conclusion(old.id, &conclusion, ConcludedBy::Rules, at(2)).await.unwrap();

    let (count, bytes) = contents(&store).await;
    assert_eq!(count, 3);
    let held = |log: Arc<dyn EvidenceLog>, id| async move {
        !log.get(EvidenceId(id)).await.unwrap().unwrap().content.starts_with("(This text was let go of")
    };
    // Room for three of them and a little.
    let most: Size = format!("{}KiB", bytes / 1_024 + 100).parse().unwrap();
    store.bound_evidence(most);
    of_open.keep(text("open", &noise(4))).await.unwrap();
    let left = [held(of_old.clone(), 1).await, held(of_old.clone(), 2).await, held(of_open.clone(), 1).await];
    assert_eq!(left, [true, false, true]);
    of_open.keep(text("open", &noise(5))).await.unwrap();
    let left = [held(of_old.clone(), 1).await, held(of_open.clone(), 1).await, held(of_open.clone(), 3).await];
    assert_eq!(left, [false, true, true]);
    let full = of_open.keep(text("open", &noise(6))).await.unwrap_err();
    assert!(full.full && full.to_string().contains("store.evidence_max"), "{full}");
    assert_eq!(contents(&store).await.1, room(&store).await);
}
