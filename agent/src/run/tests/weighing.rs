//! Hypotheses.

use marple_core::Period;

use super::*;

fn weighing(id: &str, standing: &str) -> WrittenCall {
    let list = json!([{"statement": "The database is gone.", "standing": standing, "for": ["e1"]}]);
    call(id, "hypotheses", &json!({ "hypotheses": list }).to_string())
}

#[test]
fn they_are_kept_beside_looks_and_cost_no_call() {
    let prompts = Prompts::embedded();
    let mut run = Run::begin(opening(Mode::Conclude, |_| {}), &prompts);
    let calls = pending(run.step(answer("", vec![weighing("w", "open"), call("a", "events", "{}")]), &prompts));
    assert_eq!(calls.len(), 1, "{calls:?}");
    let outcomes = vec![("a".to_owned(), seen(1, "Back-off"))];
    let told = results(&request(run.step(Event::ToolsAnswered { outcomes, at: at(2) }, &prompts)));
    assert_eq!(told[0], ("w".to_owned(), "Kept.".to_owned()));
    let check = run.step(answer("", vec![weighing("v", "likely"), concluding("All is well.")]), &prompts);
    let Step::Conclude { conclusion } = check else { panic!("{check:?}") };
    let checked = Box::new(Checked { conclusion: *conclusion, faults: Vec::new() });
    let outcome = outcome(run.step(Event::Checked { checked, at: at(3) }, &prompts));
    assert_eq!((outcome.calls, outcome.hypotheses.len()), (1, 1));
    assert_eq!(outcome.hypotheses[0].standing, crate::Standing::Likely);
    assert!(outcome.conclusion.unseen.is_empty(), "the model concluded: {:?}", outcome.conclusion.unseen);
}

#[test]
fn a_turn_with_nothing_else_is_no_miss_and_ends_with_the_turns() {
    let prompts = Prompts::embedded();
    let turns = |opening: &mut Opening| opening.budget.turns = NonZeroU32::new(7).unwrap();
    let mut run = Run::begin(opening(Mode::Conclude, turns), &prompts);
    for turn in 1..=4 {
        let asked = request(run.step(answer("", vec![weighing(&format!("w{turn}"), "open")]), &prompts));
        assert_eq!(asked.tools.len(), 4, "turn {turn}");
    }
    let last = request(run.step(answer("", vec![weighing("w5", "open")]), &prompts));
    assert_eq!(last.tools.len(), 1, "only a conclusion is possible");
    let refused = request(run.step(answer("", vec![weighing("w6", "refuted")]), &prompts));
    assert!(last_words(&refused).contains("only `conclude` can be called now"), "{}", last_words(&refused));
    let outcome = outcome(run.step(answer("", vec![weighing("w7", "refuted")]), &prompts));
    assert_eq!(outcome.ending, Ending::BudgetSpent { limit: Limit::Turns });
    let told = outcome.conclusion.unseen.iter().map(|unseen| unseen.what.as_str()).collect::<Vec<_>>();
    assert!(told.contains(&"whether this is so: The database is gone"), "{told:?}");
}

#[test]
fn what_is_no_list_is_told_and_what_was_kept_stays() {
    let prompts = Prompts::embedded();
    let time = |opening: &mut Opening| opening.budget.duration = Period::seconds(100);
    let mut run = Run::begin(opening(Mode::Conclude, time), &prompts);
    run.step(answer("", vec![weighing("w", "open")]), &prompts);
    let asked = request(run.step(answer("", vec![call("v", "hypotheses", "{\"hypotheses\": 3}")]), &prompts));
    assert!(last_words(&asked).starts_with("The hypotheses could not be read: "), "{}", last_words(&asked));
    let outcome = outcome(run.step(Event::Tick { at: at(1_000) }, &prompts));
    assert_eq!(outcome.hypotheses.len(), 1);
}
