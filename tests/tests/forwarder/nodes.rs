//! A node that breaks. The test cluster's own must not: a node without a kubelet is made, and its status written as a
//! kubelet and the node-problem-detector would.

use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use crate::stage::{Stage, and_then_clear, delete, patch_status};

const FAULTS: [(&str, &str); 6] = [
    ("NodeNotReady", "Ready"),
    ("NodeMemoryPressure", "MemoryPressure"),
    ("NodeDiskPressure", "DiskPressure"),
    ("NodePIDPressure", "PIDPressure"),
    ("NodeNetworkUnavailable", "NetworkUnavailable"),
    ("NodeProblem", "KernelDeadlock"),
];

#[tokio::test]
async fn each_condition_of_a_node_is_told_and_resolved() {
    let Some(stage) = Stage::open("nodes").await else { return };
    let (name, nodes) = (stage.unique("node"), stage.api_of_cluster::<Node>());
    let yaml = "{ apiVersion: v1, kind: Node, metadata: { name: NAME }, spec: { unschedulable: true } }";
    stage.apply(&yaml.replace("NAME", &name)).await;
    let staged = async {
        patch_status(&nodes, &name, conditions(true)).await;
        let subject = format!("Node /{name}");
        for (signal, condition) in FAULTS {
            let told = stage.firing(signal, &subject).await;
            assert_eq!(told.labels.get("node"), Some(name.as_str()));
            assert!(told.labels.get("condition").is_none_or(|label| label == condition), "{told:?}");
        }
        patch_status(&nodes, &name, conditions(false)).await;
        for (signal, _) in FAULTS {
            stage.resolved(signal, &subject).await;
        }
    };
    and_then_clear(staged, delete(&nodes, &name)).await;
    stage.close().await;
}

fn conditions(broken: bool) -> Value {
    let conditions = FAULTS.map(|(_, condition)| {
        let status = if broken == (condition == "Ready") { "False" } else { "True" };
        json!({"type": condition, "status": status, "reason": "Written", "message": "by a test",
            "lastHeartbeatTime": null, "lastTransitionTime": jiff::Timestamp::now()})
    });
    json!({"conditions": conditions})
}
