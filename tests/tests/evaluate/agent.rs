//! The agent over recordings, with a model that is scripted.

use anyhow::Result;
use marple_tests::model::{KEY, MODEL, ModelDouble, Received, Reply};
use serde_json::{Value, json};

use crate::ground::{ASKED, Ground, MISSING, classes, code, missing_config_map, said};

/// Tokens that request and answer may have together, as the configuration takes it where it says nothing.
const WINDOW: u32 = 128_000;

fn names(object: &'static str) -> Reply {
    let conclusion = move |received: &Received| -> Value {
        json!({
            "verdict": "fault", "summary": "web can't start: its ConfigMap settings was not found.",
            "cause": {"object": {"kind": "ConfigMap", "namespace": "shop", "name": object}, "category": "configuration",
                "statement": "It is missing.", "citations": [received.cite("settings")]},
            "chain": [], "impact": "web is down", "confidence": "high", "remedies": [], "ruled_out": [], "unseen": []
        })
    };
    Reply::conclude(conclusion)
}

fn environment(model: &ModelDouble) -> [(&str, &str); 3] {
    [("OPENAI_API_KEY", KEY), ("OPENAI_BASE_URL", &model.url), ("OPENAI_MODEL", MODEL)]
}

#[tokio::test]
async fn the_agent_is_measured_beside_the_rules_with_what_it_used() -> Result<()> {
    let ground = Ground::new()?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    ground.case("early-elm", ASKED, &missing_config_map())?;
    let words = Reply::text("The root cause is the ConfigMap shop/settings: it is not there.");
    let model = ModelDouble::with_window([names("settings"), words], WINDOW).await?;
    let ran = ground.eval(&["--jobs", "1"], &environment(&model)).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    model.assert_clean();
    let results = ground.results()?;
    let told: Vec<_> = results.measured.iter().map(|one| one.investigator.name.as_str()).collect();
    assert_eq!(told, ["agent double-1", "rules"]);
    let passed: Vec<_> = classes(&results.measured[0]).iter().map(|(id, class, _)| (*id, *class)).collect();
    assert_eq!(passed, [("coral-reed", "passed"), ("early-elm", "passed")], "{}", said(&ran));
    let summary = &results.measured[0].summary;
    assert!(summary.prompt_tokens.unwrap() > 500.0 && summary.completion_tokens.unwrap() > 10.0, "{summary:?}");
    assert!((summary.turns.unwrap() - 1.0).abs() < 1e-9, "{summary:?}");
    assert!((summary.verified.unwrap().share - 1.0).abs() < 1e-9, "{summary:?}");
    let page = ground.report("report.html")?;
    assert!(page.contains("web in namespace shop does not start."), "the transcript is in it");

    // The second run asks the model nothing: its script is over.
    let again = ground.eval(&["--jobs", "1"], &environment(&model)).await?;
    assert_eq!(code(&again), 0, "{}", said(&again));
    model.assert_clean();
    Ok(())
}

#[tokio::test]
async fn a_model_that_is_right_every_other_time_is_not_relied_on() -> Result<()> {
    let ground = Ground::new()?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    // The wrong one goes back once, for the rules have proven the other.
    let script = [names("settings"), names("banner"), names("banner")];
    let model = ModelDouble::with_window(script, WINDOW).await?;
    let ran = ground.eval(&["--jobs", "1", "--trials", "2"], &environment(&model)).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    let summary = &ground.results()?.measured[0].summary;
    assert!((summary.pass.unwrap().share - 0.5).abs() < 1e-9, "{}", said(&ran));
    let all = summary.pass_all.unwrap();
    assert_eq!((all.k, all.share.share.to_bits()), (2, 0.0_f64.to_bits()));
    Ok(())
}

#[tokio::test]
async fn a_model_that_refuses_is_no_answer_of_the_agent() -> Result<()> {
    let ground = Ground::new()?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    let model = ModelDouble::with_window([Reply::status(401, "wrong key").forever()], WINDOW).await?;
    let ran = ground.eval(&[], &environment(&model)).await?;
    assert_eq!(code(&ran), 1, "{}", said(&ran));
    assert!(said(&ran).contains("no trial of agent double-1 came to an answer; the first: the language model failed"));
    let results = ground.results()?;
    assert_eq!(classes(&results.measured[0])[0].1, "failed");
    assert_eq!(classes(&results.measured[1])[0].1, "passed", "the rules are told all the same");
    Ok(())
}

#[tokio::test]
async fn a_judge_is_asked_about_words_alone_and_its_agreement_is_told() -> Result<()> {
    let ground = Ground::new()?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    ground.case("early-elm", ASKED, &missing_config_map())?;
    // The rules of prose want the kind, the judge does not.
    let words = Reply::text("The root cause is that shop/settings is not there.");
    let judged =
        Reply::text("{\"verdict\": \"fault\", \"cause\": true, \"must\": [], \"must_not\": [], \"remedy\": false}");
    let model = ModelDouble::with_window([names("settings"), words, judged], WINDOW).await?;
    let ran = ground.eval(&["--jobs", "1", "--judge"], &environment(&model)).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    model.assert_clean();
    let judging = model.requests().pop().unwrap()["messages"].to_string();
    assert!(
        judging.contains("- ConfigMap shop/settings") && judging.contains("is that shop/settings is not there."),
        "{judging}"
    );
    let results = ground.results()?;
    assert_eq!(classes(&results.measured[0])[1].1, "wrong", "what the judge says replaces no rule");
    let summary = &results.measured[0].summary;
    let agreement = summary.agreement.unwrap();
    assert_eq!((agreement.agreed, agreement.asked), (1, 2));
    assert!((summary.judged.unwrap().share - 1.0).abs() < 1e-9);
    Ok(())
}
