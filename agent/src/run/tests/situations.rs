//! One situation a test.

use super::*;

fn begin(change: impl FnOnce(&mut Opening)) -> (Run, Prompts) {
    let prompts = Prompts::embedded();
    (Run::begin(opening(Mode::Conclude, change), &prompts), prompts)
}

fn looked(outcomes: Vec<(&str, CallOutcome)>) -> Event {
    let outcomes = outcomes.into_iter().map(|(id, outcome)| (id.to_owned(), outcome)).collect();
    Event::ToolsAnswered { outcomes, at: at(2) }
}

fn unfaulted(step: Step) -> Event {
    match step {
        Step::Conclude { conclusion } => {
            Event::Checked { checked: Box::new(Checked { conclusion: *conclusion, faults: Vec::new() }), at: at(3) }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_look_and_a_conclusion_make_an_outcome() {
    let (mut run, prompts) = begin(|_| {});
    let first = request(run.next());
    assert_eq!(
        first.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(),
        ["events", "logs", "hypotheses", "conclude"]
    );
    let calls = pending(run.step(answer("Let me see.", vec![call("a", "events", "{\"name\":\"cart\"}")]), &prompts));
    assert_eq!(calls, [("a".to_owned(), "events".to_owned(), json!({"name": "cart"}))]);
    let second = request(run.step(looked(vec![("a", seen(1, "Back-off"))]), &prompts));
    let expected = "<data-7f3a9c>\n[e1] events of Pod shop/cart-1\nBack-off\n</data-7f3a9c>";
    assert_eq!(results(&second), [("a".to_owned(), expected.to_owned())]);
    assert_eq!(second.messages.get(..2), first.messages.get(..), "the beginning stays, so that prompt caches hit");
    let check = run.step(answer("", vec![concluding("All is well.")]), &prompts);
    let outcome = outcome(run.step(unfaulted(check), &prompts));
    assert_eq!(outcome.ending, Ending::Concluded);
    assert_eq!((outcome.conclusion.summary.as_str(), outcome.turns, outcome.calls), ("All is well.", 2, 1));
    assert!(outcome.usage.prompt > 0 && outcome.usage.completion > 0);
}

#[test]
fn the_same_call_again_is_answered_from_before_and_the_third_time_forces_the_conclusion() {
    let (mut run, prompts) = begin(|_| {});
    run.step(answer("", vec![call("a", "events", "{\"name\":\"cart\",\"since\":null}")]), &prompts);
    run.step(looked(vec![("a", seen(1, "Back-off"))]), &prompts);
    let again = request(run.step(answer("", vec![call("b", "events", "{ \"name\": \"cart\" }")]), &prompts));
    assert_eq!(
        last_words(&again),
        "This call was made before with the same arguments: its result is [e1] above. It was not made again. Look elsewhere, or conclude."
    );
    let third =
        request(run.step(answer("", vec![call("c", "events", "{\"since\":\"\",\"name\":\"cart\"}")]), &prompts));
    assert_eq!(third.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["conclude"]);
    assert!(
        last_words(&third)
            .contains("Conclude now with `conclude`, from what you have: the same call was made three times")
    );
    let check = run.step(answer("", vec![concluding("x")]), &prompts);
    let outcome = outcome(run.step(unfaulted(check), &prompts));
    assert_eq!(outcome.ending, Ending::Forced { why: "the same call was made three times".to_owned() });
    assert_eq!(outcome.calls, 1);
}

#[test]
fn a_call_whose_backend_failed_may_be_made_once_more() {
    let (mut run, prompts) = begin(|_| {});
    run.step(answer("", vec![call("a", "logs", "{}")]), &prompts);
    run.step(looked(vec![("a", away())]), &prompts);
    let calls = pending(run.step(answer("", vec![call("b", "logs", "{}")]), &prompts));
    assert_eq!(calls.len(), 1);
    run.step(looked(vec![("b", seen(1, "fine now"))]), &prompts);
    let check = run.step(answer("", vec![concluding("x")]), &prompts);
    assert_eq!(outcome(run.step(unfaulted(check), &prompts)).conclusion.unseen, []);
}

#[test]
fn what_calls_could_not_see_is_told_though_the_model_keeps_silent() {
    let (mut run, prompts) = begin(|opening| {
        opening.case.rules.unseen = vec![Unseen { what: "metrics".to_owned(), why: "no Prometheus".to_owned() }];
    });
    run.step(answer("", vec![call("a", "logs", "{}")]), &prompts);
    run.step(looked(vec![("a", away())]), &prompts);
    let check = run.step(answer("", vec![concluding("x")]), &prompts);
    let unseen = outcome(run.step(unfaulted(check), &prompts)).conclusion.unseen;
    assert_eq!(unseen.iter().map(|one| one.what.as_str()).collect::<Vec<_>>(), ["metrics", "logs"]);
}

#[test]
fn ids_that_are_missing_or_double_are_replaced_and_all_get_their_result() {
    let (mut run, prompts) = begin(|_| {});
    let calls = vec![call("", "events", "{\"n\":1}"), call("x", "events", "{\"n\":2}"), call("x", "logs", "{\"n\":3}")];
    let ids: Vec<String> = pending(run.step(answer("", calls), &prompts)).into_iter().map(|call| call.0).collect();
    assert_eq!(ids, ["call_1", "x", "call_2"]);
    let request = request(run.step(looked(vec![("call_2", seen(3, "c")), ("x", seen(2, "b"))]), &prompts));
    let results = results(&request);
    assert_eq!(results.len(), 3);
    assert!(results[0].1.contains("Cancelled: it did not end"), "{results:?}");
}

#[test]
fn wrong_names_and_arguments_are_told_and_three_such_turns_force_the_conclusion() {
    let (mut run, prompts) = begin(|_| {});
    let first =
        request(run.step(answer("", vec![call("a", "kubectl get", "{}"), call("b", "logs", "{\"pod\" 1}")]), &prompts));
    let told = results(&first);
    assert_eq!(told[0].1, "There is no tool `kubectl_get`; the tools are events, logs, hypotheses, conclude.");
    assert!(told[1].1.starts_with("The arguments are no JSON object: expected `:` at line 1"), "{told:?}");
    assert!(told[1].1.ends_with("They were: {\"pod\" 1}"), "{told:?}");
    request(run.step(answer("", vec![call("c", "shell", "{}")]), &prompts));
    let third = request(run.step(answer("", vec![call("d", "shell", "[]")]), &prompts));
    assert_eq!(third.tools.len(), 1);
    request(run.step(answer("", vec![call("e", "events", "{}")]), &prompts));
    let outcome = outcome(run.step(answer("I can't.", vec![]), &prompts));
    assert_eq!(outcome.ending, Ending::Unusable { why: "it neither looked nor concluded".to_owned() });
    assert_eq!(
        outcome.conclusion.unseen.last().unwrap().why,
        "the language model gave no usable answer: it neither looked nor concluded"
    );
}

#[test]
fn a_prefix_before_a_known_name_is_forgiven() {
    let (mut run, prompts) = begin(|_| {});
    let calls = pending(run.step(answer("", vec![call("a", "functions.events", "\"{\\\"n\\\": 1}\"")]), &prompts));
    assert_eq!(calls, [("a".to_owned(), "events".to_owned(), json!({"n": 1}))]);
}

#[test]
fn a_conclusion_in_words_counts_and_other_words_do_not() {
    let (mut run, prompts) = begin(|_| {});
    let nudged = request(run.step(answer("I believe all is well.", vec![]), &prompts));
    assert_eq!(last_words(&nudged), "Look further with a tool, or call `conclude`; words alone end nothing.");
    let content = "```json\n{\"verdict\":\"no_fault\",\"summary\":\"All is well.\",\"confidence\":\"low\"}\n```";
    let check = run.step(answer(content, vec![]), &prompts);
    assert_eq!(outcome(run.step(unfaulted(check), &prompts)).conclusion.verdict, Verdict::NoFault);
}

#[test]
fn faults_go_back_once_and_what_fails_again_is_kept_and_marked() {
    let (mut run, prompts) = begin(|_| {});
    let arguments = json!({"verdict": "fault", "summary": "cart lacks memory", "confidence": "high", "cause": {
        "object": "Deployment shop/cart", "category": "resources", "statement": "limit too low",
        "citations": [{"evidence": "e1", "quote": "invented"}]}})
    .to_string();
    for round in 1..=2 {
        let step = run.step(answer("", vec![call(&format!("c{round}"), "conclude", &arguments)]), &prompts);
        let Step::Conclude { conclusion } = step else { panic!("{step:?}") };
        let faults = vec!["cause: \"invented\" does not occur in e1".to_owned()];
        let step = run.step(
            Event::Checked { checked: Box::new(Checked { conclusion: *conclusion, faults }), at: at(3) },
            &prompts,
        );
        if round == 1 {
            let words = last_words(&request(step));
            assert!(words.contains("- cause: \"invented\" does not occur in e1"), "{words}");
        } else {
            let conclusion = outcome(step).conclusion;
            assert_eq!((conclusion.verdict, conclusion.confidence), (Verdict::Fault, Confidence::Low));
            assert!(conclusion.citations().all(|citation| !citation.verified));
        }
    }
}

#[test]
fn a_conclusion_that_went_back_counts_when_no_better_comes() {
    let (mut run, prompts) = begin(|_| {});
    let step = run.step(answer("", vec![concluding("All is well.")]), &prompts);
    let Step::Conclude { conclusion } = step else { panic!("{step:?}") };
    let checked = Box::new(Checked { conclusion: *conclusion, faults: vec!["summary: too long".to_owned()] });
    request(run.step(Event::Checked { checked, at: at(3) }, &prompts));
    let failed = Event::ModelFailed { error: ModelError::Unavailable("connection refused".to_owned()), at: at(4) };
    let outcome = outcome(run.step(failed, &prompts));
    assert_eq!(outcome.conclusion.summary, "All is well.");
    assert_eq!(outcome.ending, Ending::Forced { why: "the language model failed: connection refused".to_owned() });
}

#[test]
fn looks_beside_a_conclusion_are_not_made() {
    let (mut run, prompts) = begin(|_| {});
    let step = run.step(answer("", vec![call("a", "events", "{}"), concluding("x")]), &prompts);
    let Step::Conclude { conclusion } = step else { panic!("{step:?}") };
    let checked = Box::new(Checked { conclusion: *conclusion, faults: vec!["f".to_owned()] });
    let told = results(&request(run.step(Event::Checked { checked, at: at(3) }, &prompts)));
    assert_eq!(told[0].1, "Not made: `conclude` came in the same turn. Look first, conclude alone.");
    assert_eq!(told[1].0, "end");
}

#[test]
fn looks_beside_a_conclusion_that_can_not_be_read_are_made() {
    let (mut run, prompts) = begin(|_| {});
    let step = run.step(answer("", vec![call("a", "events", "{}"), call("end", "conclude", "{}")]), &prompts);
    let Step::CallTools { calls, .. } = &step else { panic!("{step:?}") };
    assert_eq!(calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["a"]);
    let told = results(&request(run.step(looked(vec![("a", seen(1, "nothing"))]), &prompts)));
    assert_eq!((told[0].0.as_str(), told[1].0.as_str()), ("a", "end"));
    assert!(told[1].1.starts_with("The conclusion could not be read: conclude: arguments are missing:"), "{told:?}");
}

#[test]
fn time_is_kept_for_the_conclusion_and_then_it_is_over() {
    let (mut run, prompts) = begin(|opening| opening.budget.duration = Period::seconds(100));
    let Step::CallModel { within, .. } = run.next() else { panic!() };
    assert_eq!(within.as_secs(), 80);
    let step = run.step(Event::Tick { at: at(80) }, &prompts);
    let Step::CallModel { within, request } = step else { panic!("{step:?}") };
    assert_eq!((within.as_secs(), request.tools.len()), (20, 1));
    assert!(last_words(&request).contains("the budget of time nears its end"));
    let outcome = outcome(run.step(Event::Tick { at: at(100) }, &prompts));
    assert_eq!(outcome.ending, Ending::BudgetSpent { limit: Limit::Time });
}

#[test]
fn the_time_between_saving_and_resuming_is_not_counted() {
    let (mut run, prompts) = begin(|opening| opening.budget.duration = Period::seconds(100));
    run.step(Event::Tick { at: at(10) }, &prompts);
    let mut resumed: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    let step = resumed.step(Event::Resumed { at: at(5_000) }, &prompts);
    let Step::CallModel { within, .. } = step else { panic!("{step:?}") };
    assert_eq!(within.as_secs(), 70);
}

#[test]
fn tokens_and_money_are_never_spent_beyond_the_budget() {
    let prices = Prices { prompt: 1.0, cached: None, completion: 1.0 };
    for (tokens, cost, limit) in [(6_000, 1_000_000_u32, Limit::PromptTokens), (400_000, 9_000, Limit::Cost)] {
        let (mut run, prompts) = begin(|opening| {
            opening.limits.prices = prices;
            opening.budget.prompt_tokens = tokens;
            opening.budget.cost = f64::from(cost) / 1e6;
        });
        let mut step = run.next();
        for turn in 0.. {
            step = match step {
                Step::CallModel { .. } => {
                    let arguments = format!("{{\"n\":{turn}}}");
                    run.step(answer("", vec![call("", "events", &arguments)]), &prompts)
                }
                Step::CallTools { calls, .. } => {
                    run.step(looked(vec![(&calls[0].id, seen(1, &"word ".repeat(100)))]), &prompts)
                }
                Step::Conclude { .. } | Step::CheckAnswer { .. } => panic!("nothing was concluded"),
                Step::Done(outcome) => {
                    assert_eq!(outcome.ending, Ending::BudgetSpent { limit });
                    assert!(outcome.usage.prompt <= tokens, "{:?}", outcome.usage);
                    assert!(outcome.usage.cost <= u64::from(cost), "{:?}", outcome.usage);
                    assert!(outcome.turns >= 2, "{}", outcome.turns);
                    break;
                }
            };
        }
    }
}

#[test]
fn a_request_that_is_too_long_is_folded_and_sent_again() {
    let (mut run, prompts) = begin(|_| {});
    for turn in 0..4 {
        run.step(answer("", vec![call(&format!("c{turn}"), "events", &format!("{{\"n\":{turn}}}"))]), &prompts);
        run.step(looked(vec![(&format!("c{turn}"), seen(turn, &"word ".repeat(2_000)))]), &prompts);
    }
    let before = crate::context::request_tokens(&request(run.next()));
    let error = ModelError::ContextLength("maximum context length is 8192 tokens".to_owned());
    let after = request(run.step(Event::ModelFailed { error, at: at(5) }, &prompts));
    let told = results(&after);
    assert!(crate::context::request_tokens(&after) <= before / 4 * 3);
    assert_eq!(told[0].1, "[folded to save room: `evidence_read` e0 shows it again] events of Pod shop/cart-1");
    assert!(told[3].1.contains("word word"), "the newest stays");
}

#[test]
fn a_folded_result_is_shown_again_when_the_call_is_repeated() {
    let (mut run, prompts) = begin(|opening| opening.limits.context_window = 12_000);
    for turn in 0..9 {
        run.step(answer("", vec![call(&format!("c{turn}"), "events", &format!("{{\"n\":{turn}}}"))]), &prompts);
        run.step(
            looked(vec![(&format!("c{turn}"), seen(turn, &format!("{turn} {}", "word ".repeat(1_300))))]),
            &prompts,
        );
    }
    let request = request(run.step(answer("", vec![call("r", "events", "{\"n\":0}")]), &prompts));
    let words = last_words(&request);
    assert!(words.starts_with(
        "This call was made before with the same arguments; it was not made again. What it gave:\n<data-7f3a9c>\n[e0]"
    ));
    assert!(crate::context::request_tokens(&request) <= 12_000);
}

#[test]
fn a_result_that_is_too_long_loses_its_middle_and_says_how_much() {
    let (mut run, prompts) = begin(|opening| opening.limits.context_window = 8_000);
    run.step(answer("", vec![call("a", "events", "{}")]), &prompts);
    let text = format!("first {}last", "word ".repeat(5_000));
    let told = results(&request(run.step(looked(vec![("a", seen(1, &text))]), &prompts)));
    assert!(told[0].1.contains("first word") && told[0].1.contains("word last\n</data-7f3a9c>"));
    assert!(told[0].1.contains(" characters left out here; `evidence_read` e1 shows them …"), "{}", told[0].1);
}

#[test]
fn a_case_that_no_window_holds_says_which_setting_helps() {
    let (run, _) = begin(|opening| opening.limits.context_window = 1_000);
    let outcome = outcome(run.next());
    let Ending::ModelUnavailable { why, limited: false } = outcome.ending else { panic!("{:?}", outcome.ending) };
    assert!(why.ends_with("configure a model with a larger context_window"), "{why}");
}

#[test]
fn a_cut_answer_is_never_acted_on() {
    let (mut run, prompts) = begin(|_| {});
    let cut = ModelAnswer {
        content: "I look".to_owned(),
        calls: vec![call("a", "events", "{}")],
        finish: Finish::Length,
        ..ModelAnswer::default()
    };
    let request = request(run.step(Event::ModelAnswered { answer: cut, at: at(1) }, &prompts));
    assert!(last_words(&request).starts_with("Your answer reached the longest length and was cut"));
    assert_eq!(run.calls(), 0);
}

#[test]
fn cancelling_gives_the_rules_conclusion_and_says_so() {
    let (mut run, prompts) = begin(|_| {});
    let outcome = outcome(run.step(Event::Cancelled, &prompts));
    assert_eq!(outcome.ending, Ending::Cancelled);
    assert_eq!(outcome.conclusion.summary, rules().summary);
    assert_eq!(outcome.conclusion.unseen[0].why, "the investigation was cancelled");
}

#[test]
fn an_answer_in_words_ends_a_question() {
    let prompts = Prompts::embedded();
    let mut run = Run::begin(opening(Mode::Answer, |_| {}), &prompts);
    let first = request(run.next());
    assert_eq!(first.tools.len(), 2, "nothing to conclude with");
    run.step(answer("", vec![call("a", "events", "{}")]), &prompts);
    run.step(looked(vec![("a", seen(1, "Back-off"))]), &prompts);
    run.step(answer(" Because it waits [e1]. ", vec![]), &prompts);
    let outcome = outcome(run.step(Event::AnswerChecked { faults: Vec::new(), at: at(3) }, &prompts));
    assert_eq!((outcome.answer.as_deref(), outcome.ending), (Some("Because it waits [e1]."), Ending::Concluded));
    assert_eq!(outcome.conclusion, rules());
}

#[test]
fn a_question_is_answered_from_what_there_is_when_turns_run_out() {
    let prompts = Prompts::embedded();
    let mut run =
        Run::begin(opening(Mode::Answer, |opening| opening.budget.turns = NonZeroU32::new(3).unwrap()), &prompts);
    run.step(answer("", vec![call("a", "events", "{}")]), &prompts);
    let forced = request(run.step(looked(vec![("a", seen(1, "Back-off"))]), &prompts));
    assert!(!forced.may_call);
    assert!(last_words(&forced).contains("Answer now, from what you have"));
}

#[test]
fn confidence_falls_with_what_is_not_found() {
    let (run, _) = begin(|_| {});
    let cite = |verified| Citation { evidence: EvidenceId(1), quote: "q".to_owned(), verified };
    let conclusion = |cause: Vec<Citation>, link: Vec<Citation>| {
        let value = json!({"verdict": "fault", "summary": "s", "confidence": "high",
            "cause": {"object": {"kind": "Node", "name": "n"}, "category": "node", "statement": "s", "citations": cause},
            "chain": [{"object": {"kind": "Node", "name": "n"}, "statement": "s", "citations": link}]});
        run.settled(serde_json::from_value(value).unwrap()).confidence
    };
    assert_eq!(conclusion(vec![cite(true)], vec![cite(true)]), Confidence::High);
    assert_eq!(conclusion(vec![cite(true)], vec![cite(false)]), Confidence::Medium);
    assert_eq!(conclusion(vec![cite(true), cite(false)], vec![]), Confidence::Low);
    assert_eq!(conclusion(vec![], vec![cite(true)]), Confidence::Low);
}

#[test]
fn a_cause_without_the_verdict_fault_is_told_as_a_link() {
    let (run, _) = begin(|_| {});
    let value = json!({"verdict": "inconclusive", "summary": "s", "confidence": "high",
        "cause": {"object": {"kind": "Node", "name": "n"}, "category": "node", "statement": "suspected"}});
    let settled = run.settled(serde_json::from_value(value).unwrap());
    assert_eq!((settled.cause, settled.chain[0].statement.as_str()), (None, "suspected"));
}
