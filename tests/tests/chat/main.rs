//! Questions over the wires of HolmesGPT and OpenAI, to a marple that asks a scripted model about a real cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod approvals;
mod holmes;
mod openai;
mod spans;

use anyhow::Result;
use marple_tests::cluster::TestCluster;
use marple_tests::model::{KEY, MODEL, ModelDouble, Reply};
use marple_tests::program::Program;
use serde_json::json;

/// What the model answers in the end.
const ANSWER: &str = "The namespace is active [e1].\n\nNothing is wrong with it.";

/// A program that asks this model about the cluster.
async fn program(cluster: &TestCluster, model: &ModelDouble) -> Result<Program> {
    asking(cluster, model, "").await
}

/// The same, which takes the model's first word.
async fn limited(cluster: &TestCluster, model: &ModelDouble) -> Result<Program> {
    asking(cluster, model, ", retries: 0").await
}

async fn asking(cluster: &TestCluster, model: &ModelDouble, settings: &str) -> Result<Program> {
    let settings = format!(
        "cluster: {{ context: {} }}\nforwarder: {{ enabled: false }}\n\
         model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\"{settings} }}\n",
        cluster.context(),
        model.url
    );
    Program::serve(&settings, &[]).await
}

/// The model looks at a namespace, and answers.
fn looking() -> [Reply; 2] {
    let look = json!({ "kind": "Namespace", "name": "kube-system" });
    [Reply::call("kubernetes_describe", look), Reply::text(ANSWER)]
}
