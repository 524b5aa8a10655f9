//! Answers in words, and requests whose answers nobody waited for.

use super::*;

fn asked() -> (Run, Prompts) {
    let prompts = Prompts::embedded();
    let priced = |opening: &mut Opening| opening.limits.prices = Prices { prompt: 2.0, cached: None, completion: 8.0 };
    (Run::begin(opening(Mode::Answer, priced), &prompts), prompts)
}

fn checked(faults: &[&str]) -> Event {
    Event::AnswerChecked { faults: faults.iter().map(|fault| (*fault).to_owned()).collect(), at: at(3) }
}

#[test]
fn an_answer_is_given_once_what_it_cites_was_looked_up() {
    let (mut run, prompts) = asked();
    let step = run.step(answer("It is the quota [e1].", vec![]), &prompts);
    assert_eq!(step, Step::CheckAnswer { answer: "It is the quota [e1].".to_owned() });
    let outcome = outcome(run.step(checked(&[]), &prompts));
    assert_eq!((outcome.answer.as_deref(), outcome.ending), (Some("It is the quota [e1]."), Ending::Concluded));
}

#[test]
fn what_it_cites_and_is_not_so_goes_back_once_and_is_told_after_that() {
    let (mut run, prompts) = asked();
    run.step(answer("It is the quota [e9].", vec![]), &prompts);
    let mend = request(run.step(checked(&["there is no evidence e9"]), &prompts));
    assert!(last_words(&mend).contains("- there is no evidence e9"), "{}", last_words(&mend));
    run.step(answer("It is the quota, says \"used 3 of 2 pods\" [e1].", vec![]), &prompts);
    let faults = ["\"used 3 of 2 pods\" does not occur in e1"];
    let outcome = outcome(run.step(checked(&faults), &prompts));
    let told = outcome.answer.unwrap();
    assert!(told.starts_with("It is the quota, says"), "{told}");
    assert!(told.ends_with("*Not verified: \"used 3 of 2 pods\" does not occur in e1.*"), "{told}");
}

#[test]
fn where_no_better_answer_comes_the_first_is_given_with_what_is_not_so() {
    let (mut run, prompts) = asked();
    run.step(answer("It is the quota [e9].", vec![]), &prompts);
    run.step(checked(&["there is no evidence e9"]), &prompts);
    let error = ModelError::Unavailable("down".to_owned());
    let outcome = outcome(run.step(Event::ModelFailed { error, at: at(4) }, &prompts));
    assert_eq!(outcome.answer.unwrap(), "It is the quota [e9].\n\n*Not verified: there is no evidence e9.*");
}

#[test]
fn a_request_that_is_no_longer_waited_for_is_reckoned_with() {
    let (mut run, prompts) = asked();
    let sent = u64::from(crate::context::request_tokens(&request(run.next())));
    let ended = outcome(run.step(Event::Tick { at: at(100_000) }, &prompts));
    let used = ended.usage;
    assert!(used.prompt >= sent - 3 && used.cost == used.prompt * 2, "{used:?}, sent {sent}");
    let (mut run, prompts) = asked();
    let outcome = outcome(run.step(Event::Cancelled, &prompts));
    assert!(outcome.usage.prompt >= sent - 3, "{:?}", outcome.usage);
}

#[test]
fn what_other_attempts_used_is_added() {
    let (mut run, prompts) = asked();
    let lost = Usage { prompt: 700, cost: 1_400, ..Usage::default() };
    let usage = Some(Usage { prompt: 700, completion: 10, ..Usage::default() });
    let answer = ModelAnswer { content: "Yes.".to_owned(), usage, lost, ..ModelAnswer::default() };
    run.step(Event::ModelAnswered { answer, at: at(1) }, &prompts);
    assert_eq!(run.usage(), Usage { prompt: 1_400, completion: 10, cost: 2_880, ..Usage::default() });
}
