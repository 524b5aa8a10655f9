//! What the first request costs, with every tool that there is.

use std::sync::Arc;
use std::time::Duration;

use marple_agent::context::tokens;
use marple_agent::{Ending, Mode};
use marple_tests::model::{ModelDouble, Reply};
use marple_tools::endpoint::EndpointConfig;
use marple_tools::history::{ChangeLog, ChangeLogError, Found, RecentChanges, Recorded, Window};
use marple_tools::kubernetes::Cluster;
use marple_tools::prometheus::Prometheus;
use marple_tools::{Tool, Toolbox};
use serde_json::{Value, json};

use crate::scene::{Journal, Plain, budget, case, config, investigator, look, toolbox};

/// Instructions and tools have at most so many tokens.
const MOST: u32 = 4_000;

/// The tools alone, the conclusion's among them.
const MOST_OF_TOOLS: u32 = 2_500;

/// The tool of the change history alone.
const MOST_OF_CHANGES: u32 = 200;

/// A history without changes.
struct NoChanges;

#[async_trait::async_trait]
impl ChangeLog for NoChanges {
    async fn changes(&self, _: &Window) -> Result<Found, ChangeLogError> {
        Ok(Found::default())
    }

    async fn since(&self) -> Result<Option<jiff::Timestamp>, ChangeLogError> {
        Ok(None)
    }
}

#[tokio::test]
async fn instructions_and_all_real_tools_have_at_most_4000_tokens() {
    let model = ModelDouble::start([Reply::all_is_well()]).await.unwrap();
    let investigator = investigator(&config(&model.url), budget());
    let nowhere = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
    let cluster = Cluster::new(kube::Client::try_from(nowhere).unwrap());
    let prometheus: EndpointConfig = serde_json::from_value(json!({"url": "http://127.0.0.1:9"})).unwrap();
    let evidence = Arc::clone(toolbox().await.evidence());
    let recorded = Recorded { log: Arc::new(NoChanges), cluster: None, topology: None };
    let tools: Vec<Arc<dyn Tool>> = marple_tools::kubernetes::tools(cluster)
        .into_iter()
        .chain(marple_tools::prometheus::tools(Prometheus::new(&prometheus).unwrap()))
        .chain([Arc::new(RecentChanges::new(recorded)) as Arc<dyn Tool>])
        .chain(marple_tools::evidence::tools(Arc::clone(&evidence)))
        .collect();
    let count = tools.len();
    let toolbox = Toolbox::new(tools, evidence, Arc::new(Plain), Duration::from_secs(5));
    let outcome = investigator.investigate(case(Mode::Conclude), None, &toolbox, &look(), &Journal::default()).await;
    assert_eq!(outcome.ending, Ending::Concluded);
    let request = model.requests().remove(0);
    let instructions = tokens(request["messages"][0]["content"].as_str().unwrap());
    let case = tokens(request["messages"][1]["content"].as_str().unwrap());
    let offered: u32 =
        request["tools"].as_array().unwrap().iter().map(|tool| tokens(&tool["function"].to_string())).sum();
    let changes = request["tools"].as_array().unwrap().iter().find(|tool| tool["function"]["name"] == "recent_changes");
    let changes = tokens(&changes.unwrap()["function"].to_string());
    assert!(changes <= MOST_OF_CHANGES, "recent_changes {changes}");
    println!(
        "recent_changes {changes}, instructions {instructions}, {count} tools and conclude {offered}, case {case} tokens"
    );
    assert!(offered <= MOST_OF_TOOLS, "tools {offered}");
    assert!(instructions + offered <= MOST, "instructions {instructions}, tools {offered}");
    let names: Vec<&Value> =
        request["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names.last(), Some(&&json!("conclude")));
}
