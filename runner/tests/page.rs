//! The pages of an incident: all that is known of it, every text escaped, nothing that runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod views;

use marple_core::EvidenceOrigin;
use marple_runner::page::{self, IncidentPage};
use marple_runner::render::View;
use marple_runner::store::{ConcludedBy, EvidenceEntry, Moment, TimelineEntry};

fn shown(view: View) -> IncidentPage {
    let entry = |at: &str, moment: Moment| TimelineEntry { at: at.parse().unwrap(), moment };
    let summary = view.conclusion.as_ref().map(|conclusion| conclusion.summary.clone()).unwrap_or_default();
    let timeline = vec![
        entry("2026-03-02T03:12:00Z", Moment::Opened { name: "KubePodCrashLooping".to_owned() }),
        entry("2026-03-02T03:12:09Z", Moment::Concluded { by: ConcludedBy::Rules, summary }),
        entry("2026-03-02T03:20:00Z", Moment::Acknowledged { by: "ada".to_owned() }),
    ];
    let evidence = view.cited.iter().map(|evidence| EvidenceEntry {
        id: evidence.id,
        origin: EvidenceOrigin::Capture,
        title: evidence.title.clone(),
        object: evidence.object.clone(),
        taken_at: evidence.taken_at,
        size: u64::try_from(evidence.content.len()).unwrap(),
        drawn: evidence.id == view.cited[0].id,
    });
    IncidentPage { evidence: evidence.collect(), timeline, query: "expires=1&signature=ab".to_owned(), view }
}

#[test]
fn a_page_shows_cause_chain_quotes_alerts_and_story_with_links_to_the_whole_evidence() {
    let shown = shown(views::agent());
    let page = page::incident(&shown);
    let conclusion = shown.view.conclusion.as_ref().unwrap();
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    for statement in conclusion.chain.iter().map(|link| &link.statement) {
        assert!(page.contains(&escaped(statement)), "{statement} is not in\n{page}");
    }
    for citation in conclusion.citations() {
        assert!(page.contains(&escaped(citation.quote.trim())), "{} is not in\n{page}", citation.quote);
    }
    for words in ["KubePodCrashLooping", "opened by KubePodCrashLooping", "ada has taken it", "connection refused"] {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    let cited = &shown.view.cited[0];
    let link = format!("href=\"{}/evidence/{}?expires=1&amp;signature=ab#quote\"", shown.view.incident.id, cited.id);
    assert!(page.contains(&link), "{link} is not in\n{page}");
    assert!(page.contains("not found in the evidence"), "{page}");
    let drawing =
        format!("src=\"{}/evidence/{}/drawing.svg?expires=1&amp;signature=ab\"", shown.view.incident.id, cited.id);
    assert!(page.contains(&drawing), "{drawing} is not in\n{page}");
}

#[test]
fn what_comes_from_the_cluster_is_text_and_nothing_else() {
    let page = page::incident(&shown(views::hostile()));
    let evidence = shown(views::hostile());
    let cited = &evidence.view.cited[0];
    let whole = page::evidence(&evidence.view.incident, cited, &[views::HOSTILE], "");
    for page in [&page, &whole] {
        assert!(!page.contains("<!channel>") && page.contains("&lt;!channel&gt;"), "{page}");
        assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'), "{page}");
        assert!(!page.contains("<script") && !page.contains("<a href=\"http"), "{page}");
        assert!(!page.contains("href=\"https://evil.example"), "{page}");
    }
}

#[test]
fn the_policy_lets_a_browser_use_the_pages_own_style_alone() {
    let policy = page::policy();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}
