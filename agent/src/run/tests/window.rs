//! Small windows.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::*;

#[test]
fn all_results_of_a_turn_are_seen_and_older_ones_make_room_for_them() {
    let prompts = Prompts::embedded();
    let small = |opening: &mut Opening| opening.limits.context_window = 8_192;
    let mut run = Run::begin(opening(Mode::Conclude, small), &prompts);
    let looked = |run: &mut Run, first: u32, texts: &[String]| {
        let ids: Vec<String> = (0..texts.len()).map(|place| format!("c{first}-{place}")).collect();
        let calls = ids.iter().map(|id| call(id, "events", &format!("{{\"of\":\"{id}\"}}"))).collect();
        run.step(answer("", calls), &prompts);
        let numbers = first..;
        let outcomes = ids.iter().zip(texts).zip(numbers).map(|((id, text), number)| (id.clone(), seen(number, text)));
        let outcomes: Vec<_> = outcomes.collect();
        request(run.step(Event::ToolsAnswered { outcomes, at: at(2) }, &prompts))
    };
    let long = |what: &str| format!("{what} begins {} {what} ends", "word ".repeat(4_000));
    looked(&mut run, 1, &[long("old")]);
    let names = ["a", "b", "c", "d", "e"];
    let mut texts: Vec<String> = names.iter().map(|name| long(name)).collect();
    texts.push("short and whole".to_owned());
    let asked = looked(&mut run, 2, &texts);
    assert!(crate::context::request_tokens(&asked) <= 8_192 - 2_000);
    let told = results(&asked);
    assert!(told[0].1.starts_with("[folded"), "{}", told[0].1);
    for (name, (_, text)) in names.iter().zip(&told[1..]) {
        assert!(text.contains(&format!("{name} begins")) && text.contains(&format!("{name} ends")), "{text}");
        assert!(text.contains("characters left out here"), "{text}");
    }
    assert!(told[6].1.contains("short and whole"), "{}", told[6].1);
}

#[test]
fn in_a_large_window_results_are_as_long_as_they_were() {
    let prompts = Prompts::embedded();
    let mut run = Run::begin(opening(Mode::Conclude, |opening| opening.limits.context_window = 128_000), &prompts);
    run.step(answer("", vec![call("a", "events", "{}"), call("b", "logs", "{}")]), &prompts);
    let text = "word ".repeat(5_000).trim_end().to_owned();
    let outcomes = vec![("a".to_owned(), seen(1, &text)), ("b".to_owned(), seen(2, &text))];
    let told = results(&request(run.step(Event::ToolsAnswered { outcomes, at: at(2) }, &prompts)));
    assert!(told.iter().all(|(_, told)| told.contains(&text) && !told.contains("left out")));
}

#[test]
fn a_long_case_is_told_in_less_detail_where_the_window_is_small_so_that_looks_remain() {
    let prompts = Prompts::embedded();
    let long = |window: u32| {
        let finding = |number: u32| Finding {
            condition: "errors-in-log".to_owned(),
            object: ObjectRef::namespaced("Pod", "shop", format!("cart-{number}")),
            category: Category::Dependency,
            severity: Severity::Warning,
            statement: format!("It logs errors, {number}: {}", "connection to db refused ".repeat(8)),
            culprit: None,
            at: None,
            proofs: Vec::new(),
            citations: Vec::new(),
            remedies: Vec::new(),
        };
        Run::begin(
            opening(Mode::Conclude, |opening| {
                opening.limits.context_window = window;
                opening.case.findings = (0..40).map(finding).collect();
            }),
            &prompts,
        )
    };
    let tools = |run: &Run| request(run.next()).tools.len();
    let (small, large) = (long(4_500), long(128_000));
    assert_eq!((tools(&small), tools(&large)), (4, 4));
    let told = |run: &Run| match &request(run.next()).messages[1] {
        Message::User { content } => content.clone(),
        other => panic!("{other:?}"),
    };
    assert!(told(&large).contains("and 20 less severe ones"), "{}", told(&large));
    assert!(told(&small).contains("and 32 less severe ones"), "{}", told(&small));
}
