//! Reports say what came out, whatever was answered.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::case::{Case, SuiteCase};
use crate::investigator::{Answer, Attempt, Entry, Identity, Speaker, Spent};
use crate::judge::Judgement;
use crate::trial::{End, Key, Trial};

const FAULT: &str = "title: \"web lost | its <key>\"\nask: {question: why}\nverdict: fault\nhops: 2\ndifficulty: hard\n\
    causes: [{object: {kind: ConfigMap, namespace: shop, name: settings}, categories: [configuration]}]\n";
const NO_FAULT: &str = "title: a nightly job\nask: {question: why}\nverdict: no_fault\ndifficulty: easy\n";

const RIGHT: &str = "The root cause is the ConfigMap shop/settings.";
const WRONG: &str = "The root cause is <script>alert(1)</script> & the Node a\u{7}.";

fn suite_case(id: &str, text: &str) -> SuiteCase {
    let case = Case::from_yaml(text, Path::new(id)).unwrap();
    SuiteCase { id: id.to_owned(), case, bundle: PathBuf::new(), digest: id.to_owned() }
}

fn cases() -> Vec<SuiteCase> {
    vec![suite_case("amber-quay", FAULT), suite_case("coral-reed", NO_FAULT)]
}

fn identity(name: &str) -> Identity {
    let kind = name.split(' ').next().unwrap_or_default().to_owned();
    Identity { kind, name: name.to_owned(), model: None, digest: "1".to_owned() }
}

fn trial(case: &SuiteCase, investigator: &Identity, number: u32, answer: Result<&str, &str>) -> Trial {
    let transcript = vec![Entry { by: Speaker::Tool, title: "look".to_owned(), text: "a </pre> b".to_owned() }];
    let end = match answer {
        Ok(text) => End::Answered(Box::new(Attempt {
            answer: Answer::Prose(text.to_owned()),
            checked: false,
            note: None,
            transcript,
            spent: Some(Spent { prompt_tokens: 12_345, completion_tokens: 300, cost_micros: 20_000 }),
            turns: Some(4),
            looks: Some(9),
        })),
        Err(why) => End::Failed { why: why.to_owned(), transcript },
    };
    Trial {
        version: crate::trial::VERSION,
        key: Key::of(case, investigator, number),
        case: case.id.clone(),
        investigator: investigator.name.clone(),
        number,
        end,
        seconds: 1.5,
        judgement: None,
        judged: None,
    }
}

/// A peer that is right once in two trials of a fault and fails at what is none, and the rules, which can't tell.
fn results() -> (Results, Vec<Trial>) {
    let (cases, peer, rules) = (cases(), identity("command peer"), identity("rules"));
    let mut trials = vec![
        trial(&cases[0], &peer, 1, Ok(RIGHT)),
        trial(&cases[0], &peer, 2, Ok(WRONG)),
        trial(&cases[1], &peer, 1, Err("peer ended with exit status: 1: no \"route\"")),
        trial(&cases[1], &peer, 2, Ok("Nothing is broken.")),
        trial(&cases[0], &rules, 1, Ok("It could not be determined.")),
        trial(&cases[1], &rules, 1, Ok("Nothing is broken.")),
    ];
    let verdict = marple_core::Verdict::Fault;
    trials[1].judgement =
        Some(Judgement { verdict, cause: true, must: Vec::new(), must_not: Vec::new(), remedy: false });
    let results = Results {
        version: VERSION,
        program: "marple 0.1.0".to_owned(),
        suite: "suite".to_owned(),
        at: "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap(),
        measured: vec![Measured::of(&peer, &cases, &trials), Measured::of(&rules, &cases, &trials)],
        comparison: None,
        people: None,
    };
    (results, trials)
}

#[test]
fn the_table_tells_the_figures_and_each_failure_with_its_reason() {
    insta::assert_snapshot!(table(&results().0));
}

#[test]
fn markdown_keeps_its_tables_whatever_is_written_in_them() {
    let text = markdown(&results().0);
    insta::assert_snapshot!(text);
    assert!(text.lines().filter(|line| line.starts_with("| coral")).all(|line| line.matches(" | ").count() == 6));
}

#[test]
fn junit_counts_failures_and_errors_and_is_xml_whatever_was_answered() {
    let text = junit(&results().0);
    insta::assert_snapshot!(text);
    assert!(!text.contains("<script>") && !text.contains('\u{7}'));
}

#[test]
fn the_page_loads_nothing_runs_nothing_and_shows_every_transcript() {
    let (results, trials) = results();
    let page = html(&results, &trials);
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(page.matches("a &lt;/pre&gt; b").count(), trials.len());
    assert!(page.matches("<svg").count() == 3 && page.contains("default-src 'none'"));
}

#[test]
fn a_failed_trial_is_not_passed_and_says_nothing_of_answers() {
    let summary = &results().0.measured[0].summary;
    assert_eq!(summary.classes, [2, 0, 0, 1, 1]);
    assert!((summary.pass.unwrap().share - 0.5).abs() < 1e-9);
    assert_eq!((summary.pass_all.unwrap().k, summary.pass_all.unwrap().share.share.to_bits()), (2, 0.0_f64.to_bits()));
    assert!((summary.no_fault.unwrap().share - 1.0).abs() < 1e-9, "the one answer to it is right");
    assert!((summary.confidently_wrong.unwrap().share - 0.25).abs() < 1e-9);
    let agreement = summary.agreement.unwrap();
    assert_eq!((agreement.agreed, agreement.asked), (1, 2), "on the verdict, not on the cause");
}

#[test]
fn results_are_read_as_they_were_written_and_no_other_version_is() {
    let folder = tempfile::tempdir().unwrap();
    let (results, trials) = results();
    write(&results, &trials, folder.path()).unwrap();
    assert_eq!(Results::read(folder.path()).unwrap(), results);
    let file = folder.path().join(RESULTS_FILE);
    let newer = std::fs::read_to_string(&file).unwrap().replace("\"version\": 1", "\"version\": 2");
    std::fs::write(&file, newer).unwrap();
    let error = Results::read(&file).unwrap_err().to_string();
    assert!(error.contains("its version is 2, and 1 is read"), "{error}");
}

#[test]
fn two_runs_are_compared_case_by_case() {
    let (before, _) = results();
    let (cases, peer) = (cases(), identity("command peer"));
    let trials = [trial(&cases[0], &peer, 1, Ok(RIGHT)), trial(&cases[1], &peer, 1, Err("gone"))];
    let comparison = compare(&Measured::of(&peer, &cases, &trials), &before).unwrap();
    assert_eq!((comparison.better, comparison.worse, comparison.equal, comparison.apart), (1, 1, 0, 0));
    assert!((comparison.chance - 1.0).abs() < 1e-9);
    let told: Vec<_> = comparison.differences.iter().map(|one| (one.case.as_str(), one.why.as_str())).collect();
    assert_eq!(told, [("amber-quay", ""), ("coral-reed", "gone")]);
    assert_eq!(comparison.with, "marple 0.1.0, command peer");
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_types() {
    crate::published::assert_published("results", &Results::schema());
}
