//! What people do with incidents: take them, end them, open their pages.

use marple_core::{Conclusion, EvidenceId, IncidentStatus};

use super::*;
use crate::render::LinkKey;

/// A server whose signals are folded, with one open incident.
async fn with_incident() -> (Server, IncidentId, Arc<Notify>) {
    let server = server().await;
    let changed = Arc::new(Notify::new());
    let store = Arc::new(server.store.clone());
    let (correlator, _teacher) =
        Correlator::new(store, Arc::new(NoOwners), CorrelateConfig::default(), Arc::clone(&changed), Clock::system());
    tokio::spawn(correlator.run(server.cancel.clone()));
    server.ask("POST", "/api/alerts", &webhook(&["a"]).to_string()).await;
    changed.notified().await;
    let incident = server.store.open_incidents().await.unwrap().remove(0);
    (server, incident.id, changed)
}

#[tokio::test]
async fn a_person_takes_an_incident_and_ends_it_and_what_is_over_can_not_be_taken() {
    let (server, id, changed) = with_incident().await;
    let path = |what: &str| format!("/api/incidents/{}/{what}", id.short());
    let taken = server.ask("POST", &path("acknowledge"), r#"{"by": "ada"}"#).await;
    assert_eq!((taken.status, &taken.json()["status"]), (200, &json!("acknowledged")));
    assert_eq!(server.ask("POST", &path("acknowledge"), "").await.status, 200, "again is as good");
    assert_eq!(server.ask("POST", &path("resolve"), r#"{"by": "ada"}"#).await.status, 200);
    changed.notified().await;
    let over = server.store.incident(id).await.unwrap().unwrap();
    assert_eq!(over.status, IncidentStatus::Resolved);
    assert_eq!(over.resolution, Some(marple_core::Resolution::Person { name: "ada".to_owned() }));
    let late = server.ask("POST", &path("acknowledge"), "").await;
    assert_eq!((late.status, late.json()), (409, json!({"error": format!("incident {id} is resolved already")})));
    for body in ["{", r#"{"by": ""}"#, r#"{"who": "ada"}"#] {
        assert_eq!(server.ask("POST", &path("resolve"), body).await.status, 400, "{body}");
    }
    assert_eq!(server.ask("POST", "/api/incidents/00000000/resolve", "").await.status, 404);
    let acts: Vec<_> =
        server.store.audit_records(9).await.unwrap().into_iter().map(|one| (one.actor, one.action)).collect();
    let act = |action: &str| ("ada".to_owned(), action.to_owned());
    assert_eq!(acts, [act("incident resolve"), act("incident acknowledge")]);
}

#[tokio::test]
async fn a_signed_link_opens_the_page_of_its_incident_and_its_evidence_and_nothing_else() {
    let (server, id, _changed) = with_incident().await;
    let draft = EvidenceDraft {
        origin: EvidenceOrigin::Capture,
        title: "logs of Pod shop/a".to_owned(),
        object: None,
        taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        content: "<script>alert(1)</script> panic: no config".to_owned(),
        view: None,
    };
    assert_eq!(server.store.evidence(id).keep(draft).await.unwrap(), "e1".parse::<EvidenceId>().unwrap());
    let key = LinkKey::of(&Secret::new(TOKEN));
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let query = key.query(id, later);
    let open = async |path: &str| {
        server.raw(format!("GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").as_bytes()).await
    };
    let page = open(&format!("/incidents/{id}?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Pod shop/a: KubePodCrashLooping") && page.body.contains("logs of Pod shop/a"));
    assert!(page.body.contains(&format!("href=\"{id}/evidence/e1?{}#quote\"", query.replace('&', "&amp;"))));
    for header in [
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none'; style-src 'sha256-",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
    ] {
        assert!(page.head.contains(header), "{header} is not in\n{}", page.head);
    }
    let evidence = open(&format!("/incidents/{id}/evidence/e1?{query}")).await;
    assert_eq!(evidence.status, 200);
    assert!(
        evidence.body.contains("&lt;script&gt;alert(1)&lt;/script&gt; panic") && !evidence.body.contains("<script>")
    );

    let expired = key.query(id, Timestamp::UNIX_EPOCH);
    let other = key.query(IncidentId::new(), later);
    for path in [
        format!("/incidents/{id}"),
        format!("/incidents/{id}?{expired}"),
        format!("/incidents/{id}?{other}"),
        format!("/incidents/{id}/evidence/e1"),
    ] {
        let refused = open(&path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(!refused.body.contains("KubePodCrashLooping") && refused.head.contains("content-security-policy: "));
    }
    assert_eq!(open(&format!("/api/incidents/{id}?{query}")).await.status, 401, "a link is no token");
    assert_eq!(server.ask("GET", &format!("/incidents/{id}"), "").await.status, 200, "the token opens it too");
    assert_eq!(server.ask("GET", &format!("/incidents/{}", IncidentId::new()), "").await.status, 404);
    assert_eq!(server.ask("GET", &format!("/incidents/{id}/evidence/e9"), "").await.status, 404);
}

#[tokio::test]
async fn a_person_says_whether_a_conclusion_was_right_once_there_is_one() {
    let (server, id, _changed) = with_incident().await;
    let path = format!("/api/incidents/{}/feedback", id.short());
    let wrong = r#"{"verdict": "wrong", "was": "the node's\ndisk", "by": "ada"}"#;
    let early = server.ask("POST", &path, wrong).await;
    let nothing = format!("nothing was concluded about incident {id} yet");
    assert_eq!((early.status, early.json()), (409, json!({ "error": nothing })));
    let rules = crate::store::ConcludedBy::Rules;
    server
        .store
        .set_conclusion(id, &Conclusion::inconclusive("Nothing was found."), rules, Timestamp::now())
        .await
        .unwrap();
    assert_eq!(server.ask("POST", &path, wrong).await.status, 200);
    let shown = server.ask("GET", &format!("/api/incidents/{id}"), "").await.json();
    let said = &shown["feedback"][0];
    let words = (said["verdict"].as_str(), said["was"].as_str(), said["by"].as_str());
    assert_eq!(words, (Some("wrong"), Some("the node's disk"), Some("ada")));
    for body in ["", r#"{"verdict": "perhaps"}"#, r#"{"verdict": "right", "by": ""}"#] {
        assert_eq!(server.ask("POST", &path, body).await.status, 400, "{body}");
    }
}
