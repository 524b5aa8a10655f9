//! An incident that was concluded wrongly becomes a case.

use std::time::Duration;

use anyhow::Result;
use marple_evals::Suite;
use marple_evals::case::{Ask, Case};
use marple_tests::cluster::wait_for;
use marple_tests::program::{Program, TOKEN};
use serde_json::{Value, json};

use crate::ground::{Ground, classes, code, missing_config_map, said};

/// What Alertmanager would have posted of the recording's alert.
fn webhook() -> Value {
    let mut alert = missing_config_map().alertmanager.alerts.remove(0);
    alert["status"] = json!("firing");
    alert["endsAt"] = json!("0001-01-01T00:00:00Z");
    json!({"version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "marple", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "alerts": [alert]})
}

/// An incident that a program holds, and a recording of it.
struct Outage {
    ground: Ground,
    program: Program,
    url: String,
    suite: String,
    bundle: String,
    id: String,
}

impl Outage {
    async fn begin() -> Result<Self> {
        let ground = Ground::new()?;
        let recording = ground.path("outage.bundle");
        missing_config_map().write(&recording)?;
        let program = Program::serve("cluster: { enabled: false }\nforwarder: { enabled: false }\n", &[]).await?;
        assert!(program.post("/api/alerts", &webhook()).await?.is_success());
        let id = wait_for("the incident", Duration::from_secs(30), || async {
            let incidents = program.get("/api/incidents").await.map_err(|error| error.to_string())?;
            incidents[0]["id"].as_str().map(str::to_owned).ok_or_else(|| incidents.to_string())
        })
        .await?;
        let (suite, bundle) = (ground.suite().display().to_string(), recording.display().to_string());
        Ok(Self { url: program.url(""), ground, program, suite, bundle, id })
    }
}

#[tokio::test]
async fn one_command_makes_a_case_that_can_be_run_at_once() -> Result<()> {
    let Outage { ground, url, suite, bundle, id, program: _program } = Outage::begin().await?;
    let add = |more: &[&'static str]| {
        let mut arguments: Vec<String> =
            ["eval", "add-case", &id, "--url", &url, "--bundle", &bundle, "--suite", &suite].map(str::to_owned).into();
        arguments.extend(more.iter().map(|&one| one.to_owned()));
        arguments
    };
    let run = async |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ground.marple(&arguments, &[("MARPLE_TOKEN", TOKEN)]).await
    };
    let without = run(add(&[])).await?;
    assert_eq!(code(&without), 2, "a fault has a cause: {}", said(&without));
    let right = ["--cause", "ConfigMap/shop/settings", "--category", "configuration", "--note", "it was\nmissing"];
    let added = run(add(&right)).await?;
    assert_eq!(code(&added), 0, "{}", said(&added));

    let suite = Suite::open(&ground.suite(), None)?;
    let added = &suite.cases[0];
    let text = std::fs::read_to_string(ground.suite().join(&added.id).join("case.yaml"))?;
    assert!(text.contains("# Said about it: it was missing\n"), "{text}");
    let Case { ask: Ask::Alert(labels), causes, .. } = &added.case else { panic!("{text}") };
    assert_eq!(labels.get("pod"), Some("web-1-a"));
    assert_eq!(causes[0].object.to_string(), "ConfigMap shop/settings");

    let ran = ground.eval(&[], &[]).await?;
    assert_eq!(classes(&ground.results()?.measured[0])[0].1, "passed", "{}", said(&ran));
    let twice = run(add(&right)).await?;
    assert_eq!(code(&twice), 1, "{}", said(&twice));
    assert!(said(&twice).contains("is there already: choose another --id"), "{}", said(&twice));
    Ok(())
}

#[tokio::test]
async fn what_people_said_of_a_conclusion_is_taken_over_and_what_was_right_is_no_case() -> Result<()> {
    let Outage { ground, url, suite, bundle, id, program: _program } = Outage::begin().await?;
    let environment = [("MARPLE_TOKEN", TOKEN)];
    let add = ["eval", "add-case", "--incident", &id, "--url", &url, "--bundle", &bundle, "--suite", &suite];
    let say = |verdict: &'static str, was: &'static str| {
        let words = ["incident", verdict, &id, "--was", was, "--by", "ann", "--url", &url].map(str::to_owned);
        let (ground, environment) = (&ground, &environment);
        async move { ground.marple(&words.each_ref().map(String::as_str), environment).await }
    };

    assert_eq!(code(&say("right", "the ConfigMap").await?), 0);
    let refused = ground.marple(&add, &environment).await?;
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    assert!(said(&refused).contains("ann said that incident"), "{}", said(&refused));

    assert_eq!(code(&say("wrong", "it was ConfigMap/shop/settings, which nobody made").await?), 0);
    let without = ground.marple(&add, &environment).await?;
    assert!(said(&without).contains("ann said that it was: it was ConfigMap/shop/settings"), "{}", said(&without));
    let added = ground.marple(&[&add[..], &["--category", "configuration"]].concat(), &environment).await?;
    assert_eq!(code(&added), 0, "{}", said(&added));
    let suite = Suite::open(&ground.suite(), None)?;
    assert_eq!(suite.cases[0].case.causes[0].object.to_string(), "ConfigMap shop/settings");
    let text = std::fs::read_to_string(ground.suite().join(&suite.cases[0].id).join("case.yaml"))?;
    assert!(text.contains("which nobody made (wrong, by ann)\n"), "{text}");
    Ok(())
}
