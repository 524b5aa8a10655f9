//! The log tool, and what is caught of gone pods, against a real Loki.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use marple_core::ObjectRef;
use marple_tests::cluster::wait_for;
use marple_tools::log_store::{LogStore, around, tools};
use marple_tools::redact::Redactor;
use marple_tools::scene::Scene;
use marple_tools::{Look, Output, ToolError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Names the URL of a Loki that tests may write to; without it they are left out.
const LOKI: &str = "MARPLE_TEST_LOKI";

/// Pods that a Deployment `cart` had, and one of another.
const GONE: &str = "cart-5d8f9c7b4-x2x9z";
const OTHER: &str = "cart-api-5d8f9c7b4-mmzzz";

/// A Loki that holds lines of a namespace that nothing else writes to.
struct Stage {
    store: LogStore,
    namespace: String,
    start: Timestamp,
}

impl Stage {
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
    async fn build() -> Result<Option<Self>> {
        let Ok(url) = std::env::var(LOKI) else {
            eprintln!("left out: it needs a Loki, and {LOKI} is not set");
            return Ok(None);
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        let store = LogStore::new(&serde_json::from_value(json!({"store": "loki", "endpoint": {"url": url}}))?)?;
        let start = Timestamp::from_second(Timestamp::now().as_second() - 600)?;
        let namespace = format!("logs-{:x}", Timestamp::now().as_nanosecond());
        let stage = Self { store, namespace, start };
        let lines: Vec<(i64, String)> = std::iter::once((-60, "level=info msg=\"no error yet\"".to_owned()))
            .chain((0..300).map(|n| (n, format!("level=error msg=\"connection to db:5432 refused\" try={n}"))))
            .chain([(300, "said \"}) or {x=\"y\" |~ `.*` \\ and left".to_owned())])
            .collect();
        stage.push(&url, GONE, &lines).await?;
        stage.push(&url, OTHER, &[(1, "FATAL of another".to_owned())]).await?;
        wait_for("the lines", Duration::from_secs(30), || async {
            let output = stage.call(json!({"namespace": stage.namespace})).await??;
            ensure!(output.content.starts_with("303 lines "), "{}", output.content);
            Ok(())
        })
        .await?;
        Ok(Some(stage))
    }

    async fn push(&self, url: &str, pod: &str, lines: &[(i64, String)]) -> Result<()> {
        let at = |seconds: i64| (self.start.as_nanosecond() + i128::from(seconds) * 1_000_000_000).to_string();
        let values: Vec<Value> = lines.iter().map(|(seconds, line)| json!([at(*seconds), line])).collect();
        let stream = json!({"namespace": self.namespace, "pod": pod, "container": "app"});
        let body = json!({"streams": [{"stream": stream, "values": values}]});
        let answer = reqwest::Client::new().post(format!("{url}/loki/api/v1/push")).json(&body).send().await?;
        answer.error_for_status().context("push")?;
        Ok(())
    }

    async fn call(&self, arguments: Value) -> Result<Result<Output, ToolError>> {
        let tool = tools(self.store.clone()).pop().context("a tool")?;
        let look = Look { incident_start: Some(self.start), now: Timestamp::now(), cancel: CancellationToken::new() };
        Ok(tool.call(arguments, &look).await)
    }

    async fn content(&self, mut arguments: Value) -> Result<String> {
        arguments["namespace"] = self.namespace.clone().into();
        Ok(self.call(arguments).await??.content)
    }
}

#[tokio::test]
async fn logs_of_pods_that_are_gone_are_found_in_a_real_loki() -> Result<()> {
    let Some(stage) = Stage::build().await? else { return Ok(()) };

    let all = stage.content(json!({"kind": "Deployment", "name": "cart"})).await?;
    assert!(all.starts_with("302 lines from ") && !all.contains("of another"), "{all}");
    assert!(all.contains("level=info") && all.contains("lines in between not read"), "{all}");
    assert!(all.lines().nth(1).is_some_and(|line| line.starts_with("each 60s: none before ")), "{all}");

    let errors = stage.content(json!({"kind": "Deployment", "name": "cart", "level": "error"})).await?;
    assert!(errors.starts_with("300 lines from ") && !errors.contains("no error yet"), "{errors}");

    let one = stage.content(json!({"name": GONE, "container": "app", "text": "TRY=299"})).await?;
    assert!(one.starts_with("1 line from "), "{one}");

    let hostile = stage.content(json!({"text": "\"}) or {x=\"y\" |~ `.*` \\ and"})).await?;
    assert!(hostile.starts_with("1 line from "), "{hostile}");

    let none = stage.content(json!({"name": "cart-1"})).await?;
    assert!(none.starts_with("0 lines from "), "{none}");

    let query = json!({"query": format!("sum by (pod) (count_over_time({{namespace=\"{}\"}}[30m]))", stage.namespace)});
    let rows = stage.call(query).await??.content;
    assert!(rows.contains(&format!("pod={GONE:?} ")), "{rows}");

    let wrong = stage.call(json!({"query": "{namespace=\"a\""})).await?;
    assert!(
        matches!(&wrong, Err(ToolError::Arguments(text)) if text.starts_with("Loki refuses the query: parse error")),
        "{wrong:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_lines_around_the_start_are_caught_of_a_workload_without_its_pods() -> Result<()> {
    let Some(stage) = Stage::build().await? else { return Ok(()) };
    let deployment =
        json!({"kind": "Deployment", "metadata": {"namespace": stage.namespace, "name": "cart", "uid": "1"}});
    let mut scene = Scene::of(vec![deployment], &[], Vec::new(), Timestamp::now());
    scene.subjects = vec![ObjectRef::namespaced("Deployment", &stage.namespace, "cart")];
    let redact = Redactor::new(&marple_tools::redact::RedactConfig::default())?;
    let start = stage.start + SignedDuration::from_secs(10);
    let stored = around(&stage.store, &scene, &scene.subjects, start, scene.now, &redact).await;
    assert_eq!(stored.unseen, None);
    let [draft] = stored.drafts.as_slice() else { panic!("{stored:?}") };
    assert!(
        draft.content.contains(&format!("all from {GONE}/app")) && draft.content.contains("try=299"),
        "{}",
        draft.content
    );
    Ok(())
}
