use std::ops::ControlFlow;

use marple_core::Extent;
use marple_tools::evidence::{CHUNK, chunks, extent};

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
    assert_eq!(log.heads().await.unwrap().iter().map(|one| one.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(log.get(EvidenceId(3)).await.unwrap(), None);
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

/// All of a piece, by its chunks.
async fn whole(log: &dyn EvidenceLog, id: u32) -> String {
    let layout = log.layout(EvidenceId(id)).await.unwrap().unwrap();
    let mut text = String::new();
    let add = |chunk: &str| {
        text += chunk;
        ControlFlow::Continue(())
    };
    chunks(log, EvidenceId(id), &layout, add).await.unwrap();
    let lines = u64::try_from(text.lines().count()).unwrap();
    assert_eq!(extent(&layout), Extent { bytes: text.len() as u64, lines });
    text
}

/// Lines of a log that compress as logs do.
fn lines(range: std::ops::Range<u32>) -> String {
    range.map(|number| format!("2026-01-02T03:04:05Z INFO GET /carts/{number} of a customer of a customer\n")).collect()
}

async fn count(store: &SqliteStore, table: &'static str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(store.readers()).await.unwrap()
}

/// Whether the room is that of what is there.
async fn assert_room(store: &SqliteStore) {
    let there = "SELECT coalesce((SELECT sum(length(packed)) FROM contents), 0) \
        + coalesce((SELECT sum(length(packed)) FROM chunks), 0)";
    let there: i64 = sqlx::query_scalar(there).fetch_one(store.readers()).await.unwrap();
    assert_eq!(room(store).await, there);
}

#[tokio::test]
async fn a_text_of_many_megabytes_is_kept_whole_and_held_in_part() {
    let (_folder, store) = store().await;
    let incident = IncidentId::new();
    let log = store.evidence(incident);
    let content = lines(0..200_000);
    assert_eq!(log.keep(text("long", &content)).await.unwrap(), EvidenceId(1));
    assert_eq!(log.keep(text("long", &content)).await.unwrap(), EvidenceId(1));
    assert_eq!(whole(log.as_ref(), 1).await, content);
    let held = log.get(EvidenceId(1)).await.unwrap().unwrap();
    assert!(content.starts_with(&held.content) && held.content.len() > 7 << 20);
    let rest = &content[held.content.len()..];
    assert_eq!(held.rest, Some(Extent { bytes: rest.len() as u64, lines: rest.lines().count() as u64 }));
    assert_eq!(log.heads().await.unwrap()[0].size, content.len() as u64);
    assert_eq!(store.evidence_entries(incident).await.unwrap()[0].size, content.len() as u64);
    assert_room(&store).await;
}

#[tokio::test]
async fn a_log_that_has_grown_shares_its_chunks_and_their_room() {
    let (_folder, store) = store().await;
    let log = store.evidence(IncidentId::new());
    log.keep(text("then", &lines(0..60_000))).await.unwrap();
    let (before, chunks_before) = (room(&store).await, count(&store, "chunks").await);
    log.keep(text("now", &lines(0..75_000))).await.unwrap();
    let all = count(&store, "chunks").await;
    assert_eq!((chunks_before, all), (5, 7), "the last chunk has become another, and one has come");
    let rooms: Vec<i64> =
        sqlx::query_scalar("SELECT room FROM evidence ORDER BY number").fetch_all(store.readers()).await.unwrap();
    assert_eq!(rooms.iter().sum::<i64>(), room(&store).await);
    assert_eq!(rooms[0], before);
    assert_eq!(whole(log.as_ref(), 2).await, lines(0..75_000));
}

#[tokio::test]
async fn parts_are_put_in_their_order_and_what_is_not_finished_is_let_go_of() {
    let (folder, store) = store().await;
    let ended = Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    apply(&store, 1, 0, vec![put(&ended, true)]).await;
    let log = store.evidence(ended.id);
    let writer = log.begin();
    for piece in lines(0..40_000).as_bytes().chunks(100_000) {
        assert!(writer.append(1, std::str::from_utf8(piece).unwrap()).await.unwrap());
    }
    assert!(writer.append(0, "head\n").await.unwrap());
    let abandoned = log.begin();
    // Of several chunks all but the last are written when it returns.
    abandoned.append(0, &noise(7).repeat(6)).await.unwrap();
    assert_eq!(count(&store, "writings").await, 2);
    drop(abandoned);
    let (id, extent) = writer.finish(text("parts", "end\n")).await.unwrap();
    assert_eq!((id, extent.lines), (EvidenceId(1), 40_002));
    drop(writer);
    let content = format!("head\n{}end\n", lines(0..40_000));
    assert_eq!(whole(log.as_ref(), 1).await, content);
    // The next text that is begun lets go of it.
    let next = log.begin();
    next.append(0, &lines(0..90_000)).await.unwrap();
    assert_eq!(count(&store, "writings").await, 1);
    assert_room(&store).await;
    drop(next);
    // So do retention and opening the store anew, as after the end of a process.
    store.retention(at(0)).await.unwrap();
    assert_eq!(count(&store, "writings").await, 0);
    let cut_off = log.begin();
    cut_off.append(0, &noise(8).repeat(6)).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in ["marple.db", "marple.db-wal"] {
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let after = SqliteStore::open(&copy.path().join("marple.db")).await.unwrap();
    assert_eq!(count(&after, "writings").await, 0);
    assert_eq!(whole(after.evidence(ended.id).as_ref(), 1).await, content);
    assert_room(&after).await;
    // With the incident, all of it goes.
    after.retention(at(200)).await.unwrap();
    let left = [count(&after, "chunks").await, count(&after, "content_chunks").await, room(&after).await];
    assert_eq!(left, [0, 0, 0]);
}

#[tokio::test]
async fn a_long_text_is_let_go_of_to_make_room_and_shared_chunks_stay() {
    let (_folder, store) = store().await;
    let ended = || Incident { status: IncidentStatus::Resolved, resolved_at: Some(at(1)), ..incident(&cart()) };
    let (open, old) = (incident(&cart()), ended());
    apply(&store, 1, 0, vec![put(&open, true), put(&old, true)]).await;
    let (of_open, of_old) = (store.evidence(open.id), store.evidence(old.id));
    let shared = noise(1) + "\n" + &noise(2) + "\n";
    of_old.keep(text("old", &(shared.clone() + &noise(3)))).await.unwrap();
    of_open.keep(text("open", &shared)).await.unwrap();
    store.bound_evidence(format!("{}KiB", room(&store).await / 1_024 + 10).parse().unwrap());
    of_open.keep(text("open", &noise(4))).await.unwrap();
    assert!(whole(of_old.as_ref(), 1).await.starts_with("(This text was let go of"));
    assert_eq!(whole(of_open.as_ref(), 1).await, shared);
    assert_room(&store).await;
}

#[tokio::test]
async fn a_text_for_which_there_is_no_room_is_kept_in_part_and_says_how_much_is_missing() {
    let (_folder, store) = store().await;
    let log = store.evidence(IncidentId::new());
    store.bound_evidence("2MiB".parse().unwrap());
    let content: String = (0..5).map(|seed| noise(seed) + "\n").collect();
    log.keep(text("long", &content)).await.unwrap();
    let kept = whole(log.as_ref(), 1).await;
    let (there, note) = kept.rsplit_once('…').unwrap().0.rsplit_once('…').unwrap();
    assert!(content.starts_with(there) && there.len() > CHUNK, "{}", there.len());
    let left_out =
        Extent { bytes: (content.len() - there.len()) as u64, lines: content[there.len()..].lines().count() as u64 };
    let why = "open incidents have all that `store.evidence_max` allows";
    assert_eq!(note, format!(" {left_out} more are not kept: {why} "));
    let full = log.keep(text("none", &noise(9).repeat(2))).await.unwrap_err();
    assert!(full.full, "{full}");
    assert_room(&store).await;
}
