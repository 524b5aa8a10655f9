//! What goes back to the model before a conclusion counts, beside its citations.

use marple_core::{Category, Cause, Claim, ObjectRef};

use super::*;

fn because_of(kind: &str, name: &str) -> Conclusion {
    Conclusion {
        verdict: Verdict::Fault,
        summary: format!("{name} is broken."),
        confidence: Confidence::High,
        cause: Some(Cause {
            object: ObjectRef::namespaced(kind, "shop", name),
            category: Category::Configuration,
            statement: "It was changed.".to_owned(),
            citations: vec![Citation { evidence: EvidenceId(1), quote: "changed".to_owned(), verified: true }],
        }),
        ..rules()
    }
}

fn concluded(run: &mut Run, prompts: &Prompts, conclusion: Conclusion) -> Step {
    run.step(answer("", vec![concluding("x")]), prompts);
    let checked = Checked { conclusion, faults: Vec::new() };
    run.step(Event::Checked { checked: Box::new(checked), at: at(3) }, prompts)
}

fn begun(change: impl FnOnce(&mut Opening)) -> (Run, Prompts) {
    let prompts = Prompts::embedded();
    (Run::begin(opening(Mode::Conclude, change), &prompts), prompts)
}

#[test]
fn a_fault_goes_back_once_to_be_refuted_and_a_look_may_follow() {
    let (mut run, prompts) = begun(|opening| opening.refutes = true);
    let asked = request(concluded(&mut run, &prompts, because_of("ConfigMap", "settings")));
    assert!(last_words(&asked).contains("Try to refute it"), "{}", last_words(&asked));
    let looks = pending(run.step(answer("", vec![call("a", "events", "{}")]), &prompts));
    assert_eq!(looks.len(), 1);
    run.step(Event::ToolsAnswered { outcomes: vec![("a".to_owned(), seen(2, "quiet"))], at: at(4) }, &prompts);
    let other = because_of("Node", "worker-1");
    let ended = outcome(concluded(&mut run, &prompts, other.clone()));
    assert_eq!((ended.conclusion, ended.ending), (other, Ending::Concluded), "the second counts, and is not doubted");
}

#[test]
fn what_is_no_fault_or_was_forced_is_not_refuted() {
    let (mut run, prompts) = begun(|opening| opening.refutes = true);
    let healthy = Conclusion { verdict: Verdict::NoFault, cause: None, ..because_of("ConfigMap", "settings") };
    assert_eq!(outcome(concluded(&mut run, &prompts, healthy)).ending, Ending::Concluded);
    let (mut run, prompts) = begun(|opening| {
        opening.refutes = true;
        opening.budget.turns = NonZeroU32::new(2).unwrap();
    });
    let ended = outcome(concluded(&mut run, &prompts, because_of("ConfigMap", "settings")));
    assert!(matches!(ended.ending, Ending::Forced { .. }), "{:?}", ended.ending);
}

#[test]
fn a_refutation_that_never_comes_leaves_what_was_concluded() {
    let (mut run, prompts) = begun(|opening| opening.refutes = true);
    let conclusion = because_of("ConfigMap", "settings");
    concluded(&mut run, &prompts, conclusion.clone());
    let failed = Event::ModelFailed { error: ModelError::Unavailable("away".to_owned()), at: at(4) };
    let ended = outcome(run.step(failed, &prompts));
    assert_eq!(ended.conclusion, conclusion);
}

#[test]
fn a_cause_that_the_rules_have_proven_is_named_or_ruled_out() {
    let proven = because_of("Node", "worker-1");
    let with = |proven: &Conclusion| {
        let proven = proven.clone();
        begun(|opening| opening.case.rules = proven)
    };
    let (mut run, prompts) = with(&proven);
    let asked = request(concluded(&mut run, &prompts, because_of("ConfigMap", "settings")));
    assert!(last_words(&asked).contains("the rules have proven Node shop/worker-1: It was changed."), "it goes back");
    let weighed = Conclusion {
        ruled_out: vec![Claim { statement: "worker-1 was well".to_owned(), citations: Vec::new() }],
        ..because_of("ConfigMap", "settings")
    };
    assert_eq!(outcome(concluded(&mut run, &prompts, weighed.clone())).conclusion, weighed);

    let (mut run, prompts) = with(&proven);
    assert_eq!(
        outcome(concluded(&mut run, &prompts, proven.clone())).conclusion,
        proven,
        "the same is no contradiction"
    );
    let unsure = Conclusion { confidence: Confidence::Medium, ..proven };
    let (mut run, prompts) = with(&unsure);
    let other = because_of("ConfigMap", "settings");
    assert_eq!(outcome(concluded(&mut run, &prompts, other.clone())).conclusion, other, "a guess binds nobody");
}

#[test]
fn a_model_that_may_not_be_asked_leaves_the_rules_and_says_why() {
    let (mut run, prompts) = begun(|_| {});
    let stopped = Event::ModelFailed { error: ModelError::Stopped("ann stopped it".to_owned()), at: at(1) };
    let ended = outcome(run.step(stopped, &prompts));
    assert_eq!(ended.ending, Ending::Stopped { why: "ann stopped it".to_owned() });
    assert_eq!(ended.conclusion.unseen[0].why, "the language model may not be asked: ann stopped it");
}
