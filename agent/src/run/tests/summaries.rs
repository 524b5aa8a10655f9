//! Summaries by the model, where folding is not enough.

use super::*;

/// A run in a small window, and how often it was asked to sum up.
struct Crowded {
    run: Run,
    prompts: Prompts,
    summaries: u32,
    turn: u32,
}

const ASKED: &str = "sum up for yourself";

impl Crowded {
    fn begin() -> Self {
        let prompts = Prompts::embedded();
        let small = |opening: &mut Opening| {
            opening.limits.context_window = 5_000;
            opening.limits.max_output = 1_000;
            opening.budget.turns = NonZeroU32::new(200).unwrap();
            opening.budget.tool_calls = 200;
        };
        Self { run: Run::begin(opening(Mode::Conclude, small), &prompts), prompts, summaries: 0, turn: 0 }
    }

    /// Looks twice, and sums up with these words where that is asked for. Gives the request that follows.
    fn look(&mut self, summary: &str) -> ModelRequest {
        self.turn += 1;
        let turn = self.turn;
        let ids = [format!("a{turn}"), format!("b{turn}")];
        let calls = ids.iter().map(|id| call(id, "logs", &json!({"name": id, "grep": "x".repeat(90)}).to_string()));
        let step = self.run.step(answer("Now the logs of the next pods.", calls.collect()), &self.prompts);
        assert!(matches!(step, Step::CallTools { .. }), "{step:?}");
        let looked = ids.iter().zip(turn * 2..).map(|(id, number)| (id.clone(), seen(number, &"word ".repeat(900))));
        let outcomes = looked.collect();
        let mut asked = self.bounded(Event::ToolsAnswered { outcomes, at: at(2) });
        if last_words(&asked).contains(ASKED) {
            assert!(!asked.may_call && asked.max_output < 1_000, "{asked:?}");
            self.summaries += 1;
            asked = self.bounded(answer(summary, vec![]));
        }
        assert!(!last_words(&asked).contains(ASKED), "twice in a row");
        asked
    }

    fn bounded(&mut self, event: Event) -> ModelRequest {
        let asked = request(self.run.step(event, &self.prompts));
        let size = crate::context::request_tokens(&asked) + asked.max_output;
        assert!(size <= 5_000, "{size}");
        asked
    }
}

fn case_told(request: &ModelRequest) -> String {
    match &request.messages[1] {
        Message::User { content } => content.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_takes_the_place_of_all_but_the_case_and_the_latest_results() {
    let mut crowded = Crowded::begin();
    let first = request(crowded.run.next());
    let list = json!([{"statement": "The node is full.", "standing": "open", "for": ["e3"]}]).to_string();
    let keeps = call("w", "hypotheses", &format!("{{\"hypotheses\": {list}}}"));
    crowded.run.step(answer("", vec![keeps]), &crowded.prompts);
    let mut asked = crowded.look("never asked for");
    while crowded.summaries == 0 {
        assert!(crowded.turn < 30, "it was never asked to sum up");
        asked = crowded.look("The database answers late, \"took 3 s\" [e4].");
    }
    assert_eq!(asked.messages[0], first.messages[0], "the instructions stay");
    let told = case_told(&asked);
    assert!(told.starts_with(&case_told(&first)), "the case stays: {told}");
    assert!(told.contains("The database answers late, \"took 3 s\" [e4]."), "{told}");
    assert!(told.contains("- open: The node is full. For: e3."), "{told}");
    assert!(told.contains("`evidence_read` e"), "{told}");
    assert_eq!(asked.messages.len(), 5, "the case, the last answer and its two results: {:?}", asked.messages);
    assert!(crowded.run.conversation().len() > 20, "the whole is kept for people");
}

#[test]
fn with_it_a_run_looks_on_and_the_latest_stands_for_the_earlier_ones() {
    let mut crowded = Crowded::begin();
    let mut looks = [0; 4];
    let mut asked;
    loop {
        let told = format!("summary {} of what is known.", crowded.summaries + 1);
        asked = crowded.look(&told);
        looks[usize::try_from(crowded.summaries).unwrap()] += 1;
        if asked.tools.len() == 1 {
            break;
        }
    }
    assert_eq!(crowded.summaries, 3, "then it concludes: {looks:?}");
    assert!(looks[1] >= looks[0] / 3 && looks[1] > 2, "a summary makes room for more looks: {looks:?}");
    let told = case_told(&asked);
    assert!(told.contains("summary 3 of what") && !told.contains("summary 2 of what"), "{told}");
}

#[test]
fn a_look_that_was_summed_up_is_shown_again_when_it_is_asked_for() {
    let mut crowded = Crowded::begin();
    while crowded.summaries == 0 {
        crowded.look("Nothing so far.");
    }
    let again = call("again", "logs", &json!({"name": "a1", "grep": "x".repeat(90)}).to_string());
    let asked = request(crowded.run.step(answer("", vec![again]), &crowded.prompts));
    let shown = results(&asked).pop().unwrap().1;
    assert!(shown.starts_with("This call was made before") && shown.contains("word word"), "{shown}");
}

#[test]
fn a_model_that_sums_nothing_up_is_made_to_conclude() {
    let mut crowded = Crowded::begin();
    let mut asked = crowded.look("");
    while asked.tools.len() > 1 {
        asked = crowded.look("");
    }
    assert_eq!(crowded.summaries, 1);
    assert!(last_words(&asked).contains("Conclude now"), "{}", last_words(&asked));
}

#[test]
fn a_long_summary_is_cut_and_no_room_is_lost_to_it() {
    let mut crowded = Crowded::begin();
    while crowded.summaries == 0 {
        crowded.look(&"established ".repeat(900));
    }
    let asked = crowded.look("");
    let told = case_told(&asked);
    assert!(told.contains("established …") && told.matches("established").count() < 700, "{}", told.len());
}
