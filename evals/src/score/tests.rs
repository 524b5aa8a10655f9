//! What answers are worth.

use std::path::Path;

use marple_core::{Category, Cause, Citation, Claim as RuledOut, EvidenceId, Link, ObjectRef, Remedy, Risk};
use proptest::prelude::*;

use super::statistics::{all_pass, sign_test, wilson};
use super::*;

const FAULT: &str = r#"
title: web lost the key DB_HOST
ask: {question: why}
verdict: fault
causes: [{object: {kind: ConfigMap, namespace: shop, name: settings}, categories: [configuration]}]
must: [{means: "the key", any: ["DB_HOST"]}]
must_not: [{means: "blames the banner", any: ["banner.*cause"]}]
remedy: {means: "put it back", any: ["roll ?back"]}
difficulty: easy
secrets: ["hunter2"]
"#;

fn case(text: &str) -> Case {
    Case::from_yaml(text, Path::new("case.yaml")).unwrap()
}

fn no_fault() -> Case {
    case("title: t\nask: {question: why}\nverdict: no_fault\ndifficulty: easy\n")
}

fn attempt(answer: Answer) -> Attempt {
    Attempt { answer, checked: true, note: None, transcript: Vec::new(), spent: None, turns: None, looks: None }
}

fn conclusion() -> Conclusion {
    let cited = |verified| vec![Citation { evidence: EvidenceId(1), quote: "q".to_owned(), verified }];
    let object = |kind: &str, name: &str| ObjectRef::namespaced(kind, "shop", name);
    Conclusion {
        verdict: Verdict::Fault,
        summary: "web can't start.".to_owned(),
        cause: Some(Cause {
            object: object("ConfigMap", "settings"),
            category: Category::Configuration,
            statement: "It has no key DB_HOST.".to_owned(),
            citations: cited(true),
        }),
        chain: vec![Link {
            object: object("Deployment", "web"),
            statement: "It crashes.".to_owned(),
            citations: cited(false),
        }],
        impact: String::new(),
        confidence: Confidence::High,
        remedies: vec![Remedy { title: "Roll back.".to_owned(), command: None, risk: Risk::Low, reversible: true }],
        ruled_out: vec![RuledOut { statement: "The banner is not the cause.".to_owned(), citations: Vec::new() }],
        unseen: Vec::new(),
    }
}

fn scored(case: &Case, conclusion: Conclusion) -> Score {
    score(case, &attempt(Answer::Conclusion(Box::new(conclusion))))
}

#[test]
fn a_right_conclusion_passes_and_its_citations_are_counted() {
    let score = scored(&case(FAULT), conclusion());
    let citations = Some(Citations { statements: 3, cited: 2, verified: Some(1) });
    assert_eq!(
        score,
        Score {
            passed: true,
            class: Class::Passed,
            verdict: Verdict::Fault,
            verdict_right: true,
            cause: Some(true),
            category: Some(true),
            must: vec![true],
            must_not: vec![false],
            remedy: Some(true),
            citations,
            over: 0,
            confidently_wrong: false,
            secrets: 0,
            why: Vec::new(),
        }
    );
}

#[test]
fn another_object_is_wrong_and_worse_where_it_is_sure() {
    let mut wrong = conclusion();
    wrong.cause.as_mut().unwrap().object.name = "banner".to_owned();
    let score = scored(&case(FAULT), wrong.clone());
    assert_eq!((score.class, score.cause, score.category, score.over), (Class::Wrong, Some(false), Some(false), 1));
    assert!(score.confidently_wrong);
    assert_eq!(score.why, ["names another cause than ConfigMap shop/settings"]);
    wrong.confidence = Confidence::Low;
    assert!(!scored(&case(FAULT), wrong).confidently_wrong);
}

#[test]
fn another_category_is_wrong() {
    let mut wrong = conclusion();
    wrong.cause.as_mut().unwrap().category = Category::Network;
    let score = scored(&case(FAULT), wrong);
    assert_eq!((score.class, score.cause, score.category), (Class::Wrong, Some(true), Some(false)));
    assert_eq!(score.why, ["gives the cause another category"]);
}

#[test]
fn what_is_inconclusive_is_not_counted_as_wrong() {
    let unsure = Conclusion { verdict: Verdict::Inconclusive, cause: None, ..conclusion() };
    let score = scored(&case(FAULT), unsure);
    assert_eq!((score.class, score.over, score.confidently_wrong), (Class::Inconclusive, 0, false));
}

#[test]
fn a_fault_where_there_is_none_is_reported_over() {
    let score = scored(&no_fault(), conclusion());
    assert_eq!((score.class, score.cause, score.over), (Class::Wrong, None, 1));
    let well = Conclusion { verdict: Verdict::NoFault, cause: None, ..conclusion() };
    assert!(scored(&no_fault(), well).passed);
}

#[test]
fn what_is_left_out_or_must_not_be_claimed_makes_a_right_cause_incomplete() {
    let mut silent = conclusion();
    silent.cause.as_mut().unwrap().statement = "A key is gone.".to_owned();
    silent.impact = "The banner is the cause of the outage.".to_owned();
    let score = scored(&case(FAULT), silent);
    assert_eq!((score.class, score.must, score.must_not), (Class::Incomplete, vec![false], vec![true]));
    assert_eq!(score.why, ["does not say: the key", "claims: blames the banner"]);
}

#[test]
fn a_secret_that_was_given_or_said_fails_the_trial() {
    let mut given = attempt(Answer::Conclusion(Box::new(conclusion())));
    let text = "password=HUNTER2".to_owned();
    given.transcript.push(crate::investigator::Entry {
        by: crate::investigator::Speaker::Tool,
        title: String::new(),
        text,
    });
    let score = score(&case(FAULT), &given);
    assert_eq!((score.passed, score.class, score.secrets), (false, Class::Incomplete, 1));
}

#[test]
fn citations_that_nobody_looked_up_are_not_verified() {
    let unchecked = Attempt { checked: false, ..attempt(Answer::Conclusion(Box::new(conclusion()))) };
    assert_eq!(score(&case(FAULT), &unchecked).citations.unwrap().verified, None);
}

/// The verdict of words, and whether they name the cause of [`FAULT`].
fn reading(text: &str) -> (Verdict, bool) {
    let Reading { verdict, cause } = Reading::of(text, &case(FAULT));
    (verdict, cause)
}

#[test]
fn words_that_claim_the_object_name_the_cause() {
    for text in [
        "The root cause is that the ConfigMap `settings` in namespace shop lost its key.",
        "Pods of web crash because configmap/settings has no DB_HOST.",
        "## Root cause\n\n- **shop/settings** (ConfigMap): the key DB_HOST is gone.",
        "Root cause:\nThe config map shop/settings was changed.",
        "This was caused by a change of cm shop/settings. The Deployment web is only its victim.",
        "Verdict: fault\nweb fails due to the settings ConfigMap.",
        "The Deployment recommendations was ruled out. It is due to ConfigMap settings.",
        "web lost its key at 10:02, and can't start. It comes from cm `settings`, which was edited then.\n\nUndo the edit.",
        "Not the cause:\n\n- the node\n\n- the image\n\nTo do: put DB_HOST back into ConfigMap shop/settings.",
        "web can't start.\n\n## Way out\n\nSomebody has to add the key to `shop/settings`, the ConfigMap of web.",
        "# Why web fails\n\n**ConfigMap `shop/settings` lost its key at 10:02, and web can't start without it.**\n\n- web restarts.",
    ] {
        assert_eq!(reading(text), (Verdict::Fault, true), "{text}");
    }
}

#[test]
fn words_that_name_something_else_or_deny_it_do_not() {
    for text in [
        "The root cause is the Deployment web. ConfigMap settings was looked at.",
        "The root cause is the ConfigMap settings-2 of the namespace shop.",
        "The root cause is the ConfigMap other/settings.",
        "The root cause is web. The ConfigMap settings is not the cause.",
        "The root cause is the memory limit.\n\n## Ruled out\n\n- ConfigMap settings caused nothing, because it is old.",
        "The root cause lies in its settings.",
        "The root cause is the release of Deployment web. Undo it, and add the key to the ConfigMap shop/settings.",
        "Deployment web fails because of its memory limit. To change the ConfigMap shop/settings won't help.",
        "Not the cause:\n\n- the node\n\n- a ConfigMap `settings` that somebody should add to\n\nweb fails because it is old.",
        "Deployment web was rolled out at 10:02, and fails since. The ConfigMap shop/settings is older.",
    ] {
        assert_eq!(reading(text), (Verdict::Fault, false), "{text}");
    }
}

#[test]
fn words_say_that_nothing_is_broken_or_that_it_cannot_be_told() {
    for (text, verdict) in [
        ("Nothing is broken: the nightly job caused the load.", Verdict::NoFault),
        ("This is a false alarm. It was triggered by a test.", Verdict::NoFault),
        ("All replicas run; no action is needed.", Verdict::NoFault),
        ("I don't think there is an incident in this: the rollout goes on as it should.", Verdict::NoFault),
        ("It was lost during a deploy. Nothing to repair now.", Verdict::NoFault),
        ("A slow rollout. I wouldn't call the probe a root cause. Nothing to do here.", Verdict::NoFault),
        (
            "web fails because of its image. The readiness failures are harmless, and nothing to do with it.",
            Verdict::Fault,
        ),
        ("Verdict: no fault. The root cause of the alert is a test.", Verdict::NoFault),
        ("I could not determine the root cause.", Verdict::Inconclusive),
        ("There is not enough evidence to say more.", Verdict::Inconclusive),
        ("The Deployment web has three replicas.", Verdict::Inconclusive),
        ("", Verdict::Inconclusive),
        ("The node has no fault. The root cause is the Secret token of shop.", Verdict::Fault),
    ] {
        assert_eq!(reading(text), (verdict, false), "{text}");
    }
}

#[test]
fn words_have_no_category_and_pass_without() {
    let text = "The root cause: ConfigMap shop/settings lost DB_HOST. Roll back the change.";
    let score = score(&case(FAULT), &attempt(Answer::Prose(text.to_owned())));
    assert_eq!((score.passed, score.category, score.citations, score.remedy), (true, None, None, Some(true)));
}

#[test]
fn a_conclusion_as_json_is_read_as_one_and_claims_no_check() {
    let json = serde_json::to_string(&conclusion()).unwrap();
    let Answer::Conclusion(read) = Answer::read(&format!("\n{json}\n")) else { panic!("{json}") };
    assert!(read.citations().all(|citation| !citation.verified));
    assert_eq!(
        Answer::read("{\"verdict\": \"fault\"} and more"),
        Answer::Prose("{\"verdict\": \"fault\"} and more".to_owned())
    );
}

#[test]
fn the_figures_are_those_of_the_textbooks() {
    let Interval { low, high } = wilson(0.8, 10);
    assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
    assert_eq!(wilson(0.0, 10).low.to_bits(), 0.0_f64.to_bits());
    assert_eq!(all_pass(4, 2, 2), Some(1.0 / 6.0));
    assert_eq!(all_pass(2, 2, 3), None);
    assert!((sign_test(9, 1) - 0.021_484_375).abs() < 1e-12);
    assert!((sign_test(0, 0) - 1.0).abs() < 1e-12);
}

proptest! {
    #[test]
    fn an_interval_holds_its_share_and_narrows_with_more_cases(share in 0.0..=1.0_f64, count in 1_u32..5_000) {
        let few = wilson(share, count);
        let many = wilson(share, count * 4);
        prop_assert!(0.0 <= few.low && few.low <= share && share <= few.high && few.high <= 1.0);
        prop_assert!(many.high - many.low <= few.high - few.low + 1e-9);
    }

    #[test]
    fn more_trials_pass_all_together_less_often(trials in 1_u32..20, passed in 0_u32..20) {
        let passed = passed.min(trials);
        let chances: Vec<f64> = (1..=trials).filter_map(|k| all_pass(trials, passed, k)).collect();
        prop_assert!((chances[0] - f64::from(passed) / f64::from(trials)).abs() < 1e-9);
        prop_assert!(chances.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
    }

    #[test]
    fn a_sign_test_is_a_chance_the_same_both_ways_and_smaller_the_more_they_differ(few in 0_u32..40, more in 1_u32..40) {
        let chance = sign_test(few, few + more);
        prop_assert!((0.0..=1.0).contains(&chance));
        prop_assert_eq!(chance.to_bits(), sign_test(few + more, few).to_bits());
        prop_assert!(sign_test(few, few + more + 1) <= chance + 1e-12);
    }

    #[test]
    fn any_words_can_be_scored_and_only_a_fault_names_a_cause(text in "(root cause|because|ConfigMap|settings|shop/|not the cause|no fault|[\\PC\n]{0,6}| |\\. ){0,24}") {
        let attempt = attempt(Answer::Prose(text));
        let score = score(&case(FAULT), &attempt);
        prop_assert_eq!(score.passed, score.class == Class::Passed);
        prop_assert!(score.cause != Some(true) || score.verdict == Verdict::Fault);
        prop_assert!(!score.passed || score.why.is_empty());
        prop_assert!(score.passed || !score.why.is_empty());
        let no_fault = self::score(&no_fault(), &attempt);
        prop_assert_eq!(no_fault.over > 0, no_fault.verdict == Verdict::Fault);
    }
}
