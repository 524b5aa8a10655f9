//! Any sequence of events.

use proptest::prelude::*;

use super::*;

/// What the peers of the machine do at one step.
#[derive(Clone, Debug)]
enum Deed {
    Say(String),
    Call(Vec<(Option<String>, String, String)>),
    Conclude { faults: bool },
    Cut,
    Fail(ModelError),
    Wait(i64),
    Loud(u64),
    Stray,
    Resume,
    Cancel,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("events".to_owned()),
        4 => Just("logs".to_owned()),
        1 => Just("conclude".to_owned()),
        1 => Just("hypotheses".to_owned()),
        1 => ".{0,8}",
    ]
}

fn arguments() -> impl Strategy<Value = String> {
    prop_oneof![6 => (0..9).prop_map(|n| format!("{{\"n\":{n}}}")), 1 => ".{0,12}", 1 => Just("{}".to_owned())]
}

fn deed() -> impl Strategy<Value = Deed> {
    let id = prop_oneof![Just(None), Just(Some("x".to_owned())), "[a-z]{1,3}".prop_map(Some), ".{0,80}".prop_map(Some)];
    prop_oneof![
        12 => prop::collection::vec((id, name(), arguments()), 0..20).prop_map(Deed::Call),
        2 => ".{0,20}".prop_map(Deed::Say),
        2 => any::<bool>().prop_map(|faults| Deed::Conclude { faults }),
        1 => Just(Deed::Cut),
        2 => Just(Deed::Fail(ModelError::ContextLength("too long".to_owned()))),
        1 => (0_i64..200).prop_map(Deed::Wait),
        1 => (1_u64..3_000).prop_map(Deed::Loud),
        1 => Just(Deed::Stray),
        1 => Just(Deed::Resume),
    ]
}

fn last_deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Fail(ModelError::Unavailable("down".to_owned()))),
        Just(Deed::Cancel),
        Just(Deed::Call(vec![(None, "events".to_owned(), "{}".to_owned())])),
        Just(Deed::Say(String::new())),
        Just(Deed::Conclude { faults: true }),
        Just(Deed::Wait(1_000)),
    ]
}

/// The event that this deed is in answer to a step, or nothing where it is none.
fn event(step: &Step, deed: &Deed, now: &mut i64) -> Option<Event> {
    *now += 1;
    if let Deed::Wait(seconds) = deed {
        *now += seconds;
    }
    let time = at(*now);
    let checked = |faults: bool| {
        let faults = if faults { vec!["cause: it cites nothing".to_owned()] } else { Vec::new() };
        Box::new(Checked { conclusion: rules(), faults })
    };
    match deed {
        Deed::Cancel => return Some(Event::Cancelled),
        Deed::Resume => return Some(Event::Resumed { at: time }),
        Deed::Stray => {
            return Some(match step {
                Step::CallModel { .. } => Event::Checked { checked: checked(false), at: time },
                _ => answer("stray", vec![]),
            });
        }
        _ => {}
    }
    match step {
        Step::CallModel { .. } => {
            let whole = |content: &str, calls, finish, prompt: Option<u64>| {
                let usage = prompt.map(|prompt| Usage { prompt, completion: 10, ..Usage::default() });
                let content = content.to_owned();
                let answer = ModelAnswer { content, calls, finish, usage, ..ModelAnswer::default() };
                Some(Event::ModelAnswered { answer, at: time })
            };
            match deed {
                Deed::Say(text) => whole(text, vec![], Finish::Complete, None),
                Deed::Call(calls) => {
                    let calls = calls
                        .iter()
                        .map(|(id, name, arguments)| WrittenCall {
                            id: id.clone(),
                            name: name.clone(),
                            arguments: arguments.clone(),
                            ..WrittenCall::default()
                        })
                        .collect();
                    whole("", calls, Finish::Complete, None)
                }
                Deed::Conclude { .. } => whole("", vec![concluding("x")], Finish::Complete, None),
                Deed::Cut => whole("cut", vec![call("a", "events", "{")], Finish::Length, None),
                Deed::Loud(prompt) => {
                    whole("", vec![call("", "logs", &format!("{{\"n\":{now}}}"))], Finish::Complete, Some(*prompt))
                }
                Deed::Fail(error) => Some(Event::ModelFailed { error: error.clone(), at: time }),
                _ => Some(Event::Tick { at: time }),
            }
        }
        Step::CallTools { calls, .. } => {
            // One of three is missing, one of three is away.
            let outcomes = calls.iter().enumerate().filter(|(index, _)| index % 3 != 2).map(|(index, call)| {
                let text = "word ".repeat((usize::try_from(*now).unwrap() * 37) % 3_000);
                (call.id.clone(), if index % 3 == 0 { seen(7, &text) } else { away() })
            });
            Some(Event::ToolsAnswered { outcomes: outcomes.collect(), at: time })
        }
        Step::Conclude { .. } => {
            Some(Event::Checked { checked: checked(matches!(deed, Deed::Conclude { faults: true })), at: time })
        }
        Step::CheckAnswer { .. } => {
            let faults = matches!(deed, Deed::Conclude { faults: true }).then(|| "there is no evidence e9".to_owned());
            Some(Event::AnswerChecked { faults: faults.into_iter().collect(), at: time })
        }
        Step::Done(_) => None,
    }
}

/// Prompt tokens that may be spent, and millionths of a dollar, each a token's price.
const PROMPT: u64 = 30_000;
const COST: u64 = 20_000;
/// What no answer here costs more than.
const ANSWER: u64 = 2_000;

fn small(mode: Mode) -> Opening {
    opening(mode, |opening| {
        // Small enough for summaries.
        opening.limits.context_window = 4_200;
        opening.limits.max_output = 1_000;
        opening.budget.turns = NonZeroU32::new(24).unwrap();
        opening.budget.tool_calls = 60;
        opening.budget.duration = Period::seconds(600);
        opening.limits.prices = Prices { prompt: 1.0, cached: None, completion: 1.0 };
        opening.budget.prompt_tokens = PROMPT;
        opening.budget.cost = 0.02;
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_ends_within_bounds_and_every_request_is_whole(
        mode in prop_oneof![3 => Just(Mode::Conclude), 1 => Just(Mode::Answer)],
        deeds in prop::collection::vec(deed(), 0..60),
        last in last_deeds(),
    ) {
        let prompts = Prompts::embedded();
        let mut run = Run::begin(small(mode), &prompts);
        let mut step = run.next();
        let (mut now, mut requests, mut endings) = (0, 0_u32, 0);
        let (mut longest, mut loud) = (0, 0);
        let rest = std::iter::repeat_n(last, 60);
        for deed in deeds.into_iter().chain(rest) {
            match &step {
                Step::CallModel { request, .. } => {
                    assert_strict(request);
                    let prompt = crate::context::request_tokens(request);
                    prop_assert!(prompt + request.max_output <= 4_200, "{prompt}");
                    longest = longest.max(u64::from(prompt));
                }
                Step::CallTools { calls, .. } => {
                    prop_assert!(!calls.is_empty());
                    prop_assert!(calls.iter().all(|call| ["events", "logs"].contains(&call.name.as_str())));
                }
                Step::Conclude { .. } | Step::CheckAnswer { .. } => {}
                Step::Done(outcome) => {
                    endings += 1;
                    prop_assert!(run.calls() <= 60 && run.turns() <= 24, "{} calls, {} turns", run.calls(), run.turns());
                    // What a server counts more than was reckoned, and the answers, come on top of one request.
                    let usage = outcome.usage;
                    prop_assert!(usage.prompt <= PROMPT + 3 * longest + loud, "{usage:?}, the longest {longest}");
                    prop_assert!(usage.cost <= COST + 3 * longest + loud + ANSWER, "{usage:?}, the longest {longest}");
                    prop_assert_eq!(outcome.answer.is_some(), mode == Mode::Answer && outcome.ending.is_of_model());
                    // Whatever comes now changes nothing any more.
                    let again = run.step(answer("late", vec![concluding("another")]), &prompts);
                    prop_assert_eq!(&again, &step);
                    let again = run.step(Event::Cancelled, &prompts);
                    prop_assert_eq!(&again, &step);
                    break;
                }
            }
            if let Deed::Loud(prompt) = &deed {
                loud = loud.max(*prompt);
            }
            if let Some(event) = event(&step, &deed, &mut now) {
                requests += u32::from(matches!(event, Event::ModelAnswered { .. }));
                step = run.step(event, &prompts);
            }
        }
        prop_assert_eq!(endings, 1, "it goes on after {} answers: {:?}", requests, run.next());
    }

    #[test]
    fn a_run_resumed_from_any_saved_state_goes_on_the_same(
        deeds in prop::collection::vec(deed(), 1..25),
        saved_at in 0_usize..25,
    ) {
        let prompts = Prompts::embedded();
        let mut run = Run::begin(small(Mode::Conclude), &prompts);
        let mut resumed: Option<Run> = None;
        let (mut step, mut now) = (run.next(), 0);
        for (index, deed) in deeds.iter().enumerate() {
            if index == saved_at {
                let saved = serde_json::to_string(&run).unwrap();
                let back: Run = serde_json::from_str(&saved).unwrap();
                prop_assert_eq!(&back, &run);
                prop_assert_eq!(&back.next(), &step);
                resumed = Some(back);
            }
            let Some(event) = event(&step, deed, &mut now) else { break };
            step = run.step(event.clone(), &prompts);
            if let Some(resumed) = &mut resumed {
                prop_assert_eq!(&resumed.step(event, &prompts), &step);
            }
        }
    }
}
