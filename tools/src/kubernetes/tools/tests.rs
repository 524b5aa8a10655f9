#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::kubernetes::double::{Double, failure};
use crate::kubernetes::request::TABLE;
use crate::{Look, Output, ToolError};

fn look() -> Look {
    Look {
        incident_start: Some("2026-01-02T03:00:00Z".parse().unwrap()),
        now: "2026-01-02T03:10:00Z".parse().unwrap(),
        cancel: CancellationToken::new(),
    }
}

async fn call(double: &Double, name: &str, arguments: serde_json::Value) -> Result<Output, ToolError> {
    let tools = tools(double.cluster());
    let tool = tools.iter().find(|tool| tool.spec().name == name).unwrap();
    tool.call(arguments, &look()).await
}

#[tokio::test]
async fn the_six_schemas_cost_no_more_than_1300_tokens() {
    let double = Double::start().await;
    let counter = tiktoken_rs::o200k_base().unwrap();
    let specs: Vec<serde_json::Value> = tools(double.cluster())
        .iter()
        .map(|tool| tool.spec())
        .map(|spec| json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}}))
        .collect();
    assert_eq!(specs.len(), 6);
    let tokens = counter.encode_ordinary(&json!(specs).to_string()).len();
    assert!(tokens <= 1_300, "{tokens}");
}

#[tokio::test]
async fn a_list_is_the_servers_table() {
    let double = Double::start().await;
    let row = |name: &str, ready: &str| json!({"cells": [name, ready], "object": {"metadata": {"namespace": "shop", "name": name}}});
    let table = json!({"kind": "Table", "metadata": {"remainingItemCount": 7}, "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}],
        "rows": [row("web", "1/1"), row("cart", "0/1")]});
    double.answer_accept("/apis/apps/v1/deployments", TABLE, &table).await;
    let output = call(&double, "kubernetes_get", json!({"kind": "deploy", "label_selector": "app"})).await.unwrap();
    assert_eq!(output.title, "deployments in all namespaces where app");
    assert_eq!(
        output.content,
        "2 deployments, 1 unhealthy\nNAMESPACE  NAME  READY\nshop       cart  0/1\nshop       web   1/1\n\
         … at least 7 more left out: narrow it by namespace or selector …\n"
    );
    assert_eq!(double.asked().await, ["/apis/apps/v1/deployments?limit=500&labelSelector=app"]);
}

#[tokio::test]
async fn a_server_without_tables_is_served_too() {
    let double = Double::start().await;
    let pod = json!({"metadata": {"namespace": "shop", "name": "cart-1", "creationTimestamp": "2026-01-02T03:00:00Z"},
        "spec": {"containers": [{}]}, "status": {"phase": "Pending"}});
    double.answer("/api/v1/namespaces/shop/pods", 200, &json!({"kind": "PodList", "items": [pod]})).await;
    let output = call(&double, "kubernetes_get", json!({"kind": "Pod", "namespace": "shop"})).await.unwrap();
    assert_eq!(
        output.content,
        "1 pods, 1 unhealthy\nNAME    READY  STATUS   RESTARTS  AGE\ncart-1  0/1    Pending  0         10m\n"
    );
}

#[tokio::test]
async fn what_may_not_be_seen_is_said_and_the_rest_is_told() {
    let double = Double::start().await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "cart-1",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart-5d", "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "cart:1", "readinessProbe": {"httpGet": {"port": 8080}, "periodSeconds": 5}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "startedAt": "2026-01-02T03:07:30Z", "finishedAt": "2026-01-02T03:08:00Z"}}}]}});
    double.answer("/api/v1/namespaces/shop/pods/cart-1", 200, &pod).await;
    let refusal = failure(403, "Forbidden", "User \"marple\" cannot list resource \"events\"");
    double.answer("/api/v1/namespaces/shop/events", 403, &refusal).await;
    double.answer("/apis/apps/v1/namespaces/shop/replicasets/cart-5d", 403, &refusal).await;
    let output = call(&double, "kubernetes_describe", json!({"kind": "Pod", "name": "cart-1", "namespace": "shop"}))
        .await
        .unwrap();
    insta::assert_snapshot!(output.content);
    assert_eq!(output.object, Some(ObjectRef::namespaced("Pod", "shop", "cart-1")));
}

#[tokio::test]
async fn a_look_without_permission_is_forbidden_and_a_wrong_argument_is_named() {
    let double = Double::start().await;
    double
        .answer("/api/v1/namespaces/shop/secrets/db", 403, &failure(403, "Forbidden", "User \"marple\" cannot get"))
        .await;
    let forbidden = call(&double, "kubernetes_get", json!({"kind": "Secret", "name": "shop/db"})).await;
    assert!(matches!(forbidden, Err(ToolError::Forbidden(text)) if text.contains("resources [secrets]")));
    let wrong = call(&double, "kubernetes_logs", json!({"pod": "cart-1"})).await;
    assert!(matches!(wrong, Err(ToolError::Arguments(text)) if text.contains("there is no argument `pod`")));
    let kindless = call(&double, "kubernetes_logs", json!({"name": "a", "namespace": "b", "grep": "("})).await;
    assert!(matches!(kindless, Err(ToolError::Arguments(text)) if text.contains("`grep`")));
}

#[tokio::test]
async fn the_previous_run_is_read_too_where_it_failed() {
    let double = Double::start().await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "cart-1"}, "spec": {"containers": [{"name": "app"}]},
        "status": {"containerStatuses": [{"name": "app", "restartCount": 1, "state": {"running": {"startedAt": "2026-01-02T03:09:00Z"}},
            "lastState": {"terminated": {"exitCode": 1}}}]}});
    double.answer("/api/v1/namespaces/shop/pods/cart-1", 200, &pod).await;
    let log = "/api/v1/namespaces/shop/pods/cart-1/log";
    double.answer_text(log, "\u{1b}[31mpanic: no such table\u{1b}[0m\n").await;
    let output = call(&double, "kubernetes_logs", json!({"name": "cart-1", "namespace": "shop"})).await.unwrap();
    insta::assert_snapshot!(output.content);
    let asked = double.asked().await;
    assert_eq!(
        asked.get(1..),
        Some(
            &[
                format!("{log}?container=app&previous=true&tailLines=1000"),
                format!("{log}?container=app&tailLines=1000")
            ][..]
        )
    );
}

#[test]
fn a_name_may_carry_its_kind_or_its_namespace() {
    assert_eq!(target("Pod", "pod/cart-1", Some("shop")).to_string(), "Pod shop/cart-1");
    assert_eq!(target("Pod", "shop/cart-1", None).to_string(), "Pod shop/cart-1");
    assert_eq!(target("pods", "pod/cart-1", None).to_string(), "pods cart-1");
}

#[tokio::test]
async fn a_service_that_selects_nothing_is_described_with_what_there_is() {
    let double = Double::start().await;
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "cart", "creationTimestamp": "2026-01-02T02:00:00Z"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9", "selector": {"app": "carte"}, "ports": [{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]}});
    let pod = |name: &str, app: &str| json!({"metadata": {"namespace": "shop", "name": name, "labels": {"app": app}}});
    double.answer("/api/v1/namespaces/shop/services/cart", 200, &service).await;
    let pods = json!({"kind": "PodList", "items": [pod("cart-1", "cart"), pod("cart-2", "cart"), pod("web-1", "web")]});
    double.answer("/api/v1/namespaces/shop/pods", 200, &pods).await;
    double
        .answer_query(
            "/api/v1/namespaces/shop/pods",
            &[("labelSelector", "app=carte")],
            &json!({"kind": "PodList", "items": []}),
        )
        .await;
    double.answer("/api/v1/namespaces/shop/events", 200, &json!({"kind": "EventList", "items": []})).await;
    let slice = json!({"metadata": {"name": "cart-x"}, "ports": [{"port": 8080}], "endpoints": [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "cart-1"}},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": false, "terminating": true}, "targetRef": {"kind": "Pod", "name": "cart-2"}}]});
    double
        .answer(
            "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
            200,
            &json!({"kind": "EndpointSliceList", "items": [slice]}),
        )
        .await;
    let output = call(&double, "kubernetes_describe", json!({"kind": "Service", "name": "cart", "namespace": "shop"}))
        .await
        .unwrap();
    insta::assert_snapshot!(output.content);
}

#[tokio::test]
async fn a_node_is_described_with_what_its_pods_ask_of_it() {
    let double = Double::start().await;
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
        "spec": {"unschedulable": true, "taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110", "hugepages-2Mi": "0"},
            "conditions": [{"type": "MemoryPressure", "status": "True", "lastTransitionTime": "2026-01-02T03:05:00Z", "reason": "KubeletHasInsufficientMemory", "message": "low"}]}});
    let pod = |name: &str, phase: &str, cpu: &str, memory: &str| {
        json!({"metadata": {"namespace": "shop", "name": name}, "status": {"phase": phase}, "spec": {
            "initContainers": [{"resources": {"requests": {"cpu": "1"}}}, {"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}],
            "containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}}]}})
    };
    double.answer("/api/v1/nodes/n1", 200, &node).await;
    let pods = json!({"kind": "PodList", "items": [pod("small", "Running", "1500m", "1Gi"), pod("large", "Running", "10m", "2Gi"), pod("done", "Succeeded", "2", "4Gi")]});
    double.answer_query("/api/v1/pods", &[("fieldSelector", "spec.nodeName=n1")], &pods).await;
    double
        .answer_query(
            "/api/v1/events",
            &[("fieldSelector", "involvedObject.kind=Node,involvedObject.name=n1")],
            &json!({"items": []}),
        )
        .await;
    let output = call(&double, "kubernetes_describe", json!({"kind": "no", "name": "n1"})).await.unwrap();
    insta::assert_snapshot!(output.content);
}
