//! The rules over recordings.

use anyhow::Result;

use crate::ground::{ASKED, Ground, MISSING, STORM, classes, code, healthy, missing_config_map, said, storm};

const WELL: &str = r"
title: nothing is broken
ask: {alert: {alertname: KubePodNotReady}}
verdict: no_fault
difficulty: easy
tags: [no_fault]
";

fn suite() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.case("amber-quay", STORM, &storm())?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    ground.case("dusky-vale", WELL, &healthy())?;
    ground.case("early-elm", ASKED, &missing_config_map())?;
    Ok(ground)
}

#[tokio::test]
async fn the_rules_name_causes_and_what_is_well_and_answer_questions_about_what_these_name() -> Result<()> {
    let ground = suite()?;
    let ran = ground.eval(&[], &[]).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    let results = ground.results()?;
    assert_eq!(results.measured.len(), 1, "the rules are told once where they are measured");
    let nothing = String::new();
    assert_eq!(
        classes(&results.measured[0]),
        [
            ("amber-quay", "passed", nothing.clone()),
            ("coral-reed", "passed", nothing.clone()),
            ("dusky-vale", "passed", nothing.clone()),
            ("early-elm", "passed", nothing),
        ],
        "{}",
        said(&ran)
    );
    let summary = &results.measured[0].summary;
    assert!(summary.verified.unwrap().share > 0.99, "the rules prove each statement: {summary:?}");
    assert!(said(&ran).contains("passed (pass@1, 95 %)"), "{}", said(&ran));
    assert!(ground.report("report.md")?.contains("| amber-quay |"));
    assert!(ground.report("junit.xml")?.contains("<testsuite name=\"rules\" tests=\"4\" failures=\"0\" errors=\"0\""));
    let page = ground.report("report.html")?;
    assert!(page.contains("<svg") && page.contains("coral-reed") && !page.contains("<script"));
    Ok(())
}

#[tokio::test]
async fn a_run_goes_on_where_it_ended_and_is_compared_with_another_one() -> Result<()> {
    let ground = suite()?;
    let first = ground.eval(&["--only", "c*"], &[]).await?;
    assert!(said(&first).contains("[1/1] coral-reed rules #1: passed"), "{}", said(&first));
    let before = ground.path("before");
    std::fs::create_dir(&before)?;
    std::fs::copy(ground.path("out").join("results.json"), before.join("results.json"))?;
    // What is right is told otherwise: no answer is needed for that.
    ground.case("coral-reed", &MISSING.replace("name: settings", "name: other"), &missing_config_map())?;
    let again = ground.eval(&["--only", "c*", "--compare", &before.display().to_string()], &[]).await?;
    assert!(said(&again).contains("1 of 1 trials are there from before."), "{}", said(&again));
    let comparison = ground.results()?.comparison.unwrap();
    assert_eq!((comparison.better, comparison.worse, comparison.equal), (0, 1, 0));
    assert!(said(&again).contains("names another cause than ConfigMap shop/other"), "{}", said(&again));
    Ok(())
}

#[tokio::test]
async fn too_few_that_pass_end_with_4_and_a_wrong_case_with_2() -> Result<()> {
    let ground = Ground::new()?;
    // It names nothing that the rules could look at.
    let vague = ASKED.replace("web in namespace shop does not start", "Something does not start");
    ground.case("early-elm", &vague, &missing_config_map())?;
    let below = ground.eval(&["--fail-under", "50"], &[]).await?;
    assert_eq!(code(&below), 4, "{}", said(&below));
    assert!(said(&below).contains("rules passed 0.0 %, and --fail-under wants 50 %"), "{}", said(&below));
    let enough = ground.eval(&["--fail-under", "0"], &[]).await?;
    assert_eq!(code(&enough), 0, "{}", said(&enough));
    ground.case("early-elm", &ASKED.replace("title", "titel"), &missing_config_map())?;
    let wrong = ground.eval(&[], &[]).await?;
    assert_eq!(code(&wrong), 2, "{}", said(&wrong));
    assert!(said(&wrong).contains("early-elm/case.yaml: titel: unknown field `titel`"), "{}", said(&wrong));
    let agent = ground.eval(&["--investigator", "agent"], &[]).await?;
    assert_eq!(code(&agent), 2, "{}", said(&agent));
    Ok(())
}

#[tokio::test]
async fn a_recording_without_what_is_asked_about_is_a_trial_without_an_answer() -> Result<()> {
    let ground = Ground::new()?;
    ground.case("early-elm", ASKED, &missing_config_map())?;
    ground.case("pale-urn", &MISSING.replace("KubePodNotReady", "Nothing"), &missing_config_map())?;
    let ran = ground.eval(&[], &[]).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    let results = ground.results()?;
    let (id, class, why) = classes(&results.measured[0]).pop().unwrap();
    assert_eq!((id, class), ("pale-urn", "failed"));
    assert!(why.starts_with("ask.alert: no alert of the recording has the labels {alertname=\"Nothing\""), "{why}");
    Ok(())
}
