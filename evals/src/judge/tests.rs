//! Labels, and what is measured by them.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use marple_agent::model::{Delta, ModelAnswer, ModelLimits};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::case::Suite;

/// A judge's model that says the same of everything.
struct Says {
    text: &'static str,
    asked: AtomicUsize,
}

#[async_trait]
impl Model for Says {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn limits(&self) -> ModelLimits {
        ModelLimits::default()
    }

    async fn complete(&self, _: ModelRequest, _: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(ModelAnswer { content: self.text.to_owned(), ..ModelAnswer::default() })
    }
}

const CASE: &str = "title: t
ask: {question: why}
verdict: fault
causes: [{object: {kind: ConfigMap, namespace: shop, name: settings}, categories: [configuration]}]
must: [{means: the key, any: [TIMEOUT]}]
remedy: {means: put it back, any: [undo]}
difficulty: easy
hops: 1
";

const LABELS: &str = "
- case: web
  answer: The root cause is ConfigMap shop/settings, whose TIMEOUT is gone. Undo it.
  judgement: {verdict: fault, cause: true, must: [true], remedy: true}
- case: web
  answer: I think ConfigMap settings in shop lost a key; to undo what was done to it is of no use.
  judgement: {verdict: fault, cause: true, must: [false]}
";

fn suite(labels: &str) -> (TempDir, Suite) {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("web");
    std::fs::create_dir(&case).unwrap();
    std::fs::write(case.join("case.yaml"), CASE).unwrap();
    std::fs::write(case.join("incident.bundle"), "").unwrap();
    std::fs::write(folder.path().join(LABELS_FILE), labels).unwrap();
    let suite = Suite::open(folder.path(), None).unwrap();
    (folder, suite)
}

#[tokio::test]
async fn rules_and_judge_are_measured_by_what_people_say_and_the_judge_is_asked_once() {
    let (folder, suite) = suite(LABELS);
    let text = "{\"verdict\": \"fault\", \"cause\": true, \"must\": [true], \"remedy\": false}";
    let model = Arc::new(Says { text, asked: AtomicUsize::new(0) });
    let judge = Judge::new(model.clone(), Prompts::default());
    let labels = Labels::of(&suite).unwrap();
    let (kept, cancel) = (folder.path().join("judgements"), CancellationToken::new());
    for _ in 0..2 {
        let measured = labels.measure(Some(&judge), &kept, &cancel).await.unwrap();
        let rules = Opinion { agreement: Agreement { agreed: 7, asked: 8 }, differs: vec!["web: remedy".to_owned()] };
        let judge = Opinion {
            agreement: Agreement { agreed: 6, asked: 8 },
            differs: vec!["web: remedy".to_owned(), "web: must: the key".to_owned()],
        };
        assert_eq!(measured, WithPeople { answers: 2, rules, judge: Some(judge) });
    }
    assert_eq!(model.asked.load(Ordering::SeqCst), 2);
    let alone = labels.measure(None, &kept, &cancel).await.unwrap();
    assert_eq!(alone.judge, None);
    cancel.cancel();
    std::fs::remove_dir_all(&kept).unwrap();
    assert_eq!(labels.measure(Some(&judge), &kept, &cancel).await, None);
}

#[tokio::test]
async fn a_label_of_no_case_or_that_leaves_a_question_out_is_refused_by_its_place() {
    let fault = |labels: &str| Labels::of(&suite(labels).1).unwrap_err().to_string();
    let none = LABELS.replacen("case: web", "case: wep", 1);
    assert!(fault(&none).ends_with("labels.yaml: [0].case: there is no case \"wep\""), "{}", fault(&none));
    let open = LABELS.replacen("must: [false]", "must: []", 1);
    assert!(fault(&open).contains("[1].judgement: `must` has 0 answers to 1 questions"), "{}", fault(&open));
    assert!(fault("- case: web\n  answer: a\n").contains("missing field `judgement`"));
    assert!(fault("- [").contains("no valid YAML"));
    let without = Suite { folder: Path::new("/nowhere").to_owned(), cases: Vec::new() };
    let measured = Labels::of(&without).unwrap().measure(None, Path::new(""), &CancellationToken::new()).await;
    assert_eq!(measured, None);
}

#[test]
fn labels_of_cases_that_were_left_out_are_left_out() {
    let (folder, _) = suite(LABELS);
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    for file in ["case.yaml", "incident.bundle"] {
        std::fs::copy(folder.path().join("web").join(file), other.join(file)).unwrap();
    }
    let suite = Suite::open(folder.path(), Some("other")).unwrap();
    assert!(Labels::of(&suite).is_ok_and(|labels| labels.is_empty()));
}

#[test]
fn the_schema_in_the_docs_is_that_of_labels() {
    crate::published::assert_published("labels", &Labels::schema());
}

#[tokio::test]
async fn the_rules_agree_with_people_in_nine_of_ten_questions_of_the_suite() {
    let suite = Suite::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/suite")), None).unwrap();
    let labels = Labels::of(&suite).unwrap();
    let measured = labels.measure(None, Path::new(""), &CancellationToken::new()).await.unwrap();
    let Agreement { agreed, asked } = measured.rules.agreement;
    assert!(asked > 100 && agreed * 10 >= asked * 9, "{agreed} of {asked}: {:#?}", measured.rules.differs);
}
