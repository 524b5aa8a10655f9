//! The Kubernetes tools on a real cluster, against what `kubectl` says of the same facts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod delivered;
mod looks;
mod space;

use marple_core::ObjectRef;
use marple_tools::ToolError;
use marple_tools::kubernetes::{Kind, LogRequest};
use serde_json::json;

use space::Space;

/// A pod that lacks a ConfigMap, and one that is well.
const WORKLOADS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: localhost/busybox:1
        command: [sleep, "3600"]
        envFrom: [{configMapRef: {name: cart-config}}]
        env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: credentials, key: absent}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: "localhost/busybox:1", command: [sleep, "3600"]}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials}
stringData: {password: correct-horse-battery}
"#;

/// Waits until both Deployments are as they will stay.
async fn settled(space: &Space) {
    space
        .wait(
            "pod",
            "-l app=cart",
            "jsonpath={.status.containerStatuses[0].state.waiting.reason}=CreateContainerConfigError",
        )
        .await;
    space.wait("deployment/web", "", "condition=Available").await;
}

#[tokio::test]
async fn a_list_is_what_kubectl_lists_with_the_unhealthy_first() {
    let Some(space) = Space::raise("list", WORKLOADS).await else { return };
    settled(&space).await;
    let output = space.call("kubernetes_get", json!({"kind": "pods", "namespace": space.name})).await.unwrap();
    let row = |line: &str| line.split_whitespace().take(4).map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = output.content.lines().skip(2).map(row).collect();
    let mut theirs: Vec<Vec<String>> = space.kubectl(&["get", "pods", "--no-headers"]).await.lines().map(row).collect();
    theirs.sort();
    let mut sorted = rows.clone();
    sorted.sort();
    assert_eq!(sorted, theirs);
    assert_eq!(rows[0][2], "CreateContainerConfigError");
    assert!(output.content.starts_with("2 pods, 1 unhealthy\n"), "{}", output.content);
}

#[tokio::test]
async fn an_object_is_the_yaml_that_kubectl_gives_without_the_noise() {
    let Some(space) = Space::raise("yaml", WORKLOADS).await else { return };
    settled(&space).await;
    let arguments = json!({"kind": "Deployment", "namespace": space.name, "name": "web"});
    let output = space.call("kubernetes_get", arguments).await.unwrap();
    let theirs = space.kubectl(&["get", "deployment", "web", "-o", "yaml"]).await;
    let bare = |line: &str| line.trim().trim_start_matches("- ").replace('"', "");
    let known: std::collections::BTreeSet<String> = theirs.lines().map(bare).collect();
    let unknown: Vec<&str> = output.content.lines().filter(|line| !known.contains(&bare(line))).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "{theirs}");
    for noise in ["managedFields", "resourceVersion", "uid:", "last-applied-configuration", "terminationMessagePath"] {
        assert!(!output.content.contains(noise), "{noise}");
    }
    assert_eq!(output.object, Some(ObjectRef::namespaced("Deployment", &space.name, "web")));
}

#[tokio::test]
async fn a_description_tells_the_state_the_reason_and_the_events() {
    let Some(space) = Space::raise("describe", WORKLOADS).await else { return };
    settled(&space).await;
    let theirs = space
        .kubectl(&["get", "events", "--field-selector", "reason=Failed", "-o", "jsonpath={.items[0].message}"])
        .await;
    assert!(theirs.contains("not found"), "{theirs}");
    let arguments = json!({"kind": "deploy", "namespace": space.name, "name": "cart"});
    let text = space.call("kubernetes_describe", arguments).await.unwrap().content;
    for words in [
        theirs.as_str(),
        "CreateContainerConfigError",
        "env from: ConfigMap cart-config",
        "1 wanted, 0 ready",
        "MinimumReplicasUnavailable",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let service = space
        .call("kubernetes_describe", json!({"kind": "svc", "namespace": space.name, "name": "cart"}))
        .await
        .unwrap()
        .content;
    assert!(
        service.contains("ready endpoints (0): none") && service.contains("endpoints that are not ready (1)"),
        "{service}"
    );
}

#[tokio::test]
async fn a_namespace_is_described_with_its_quotas_and_the_pods_that_are_not_well() {
    let quota = "\n---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: small}\nspec: {hard: {pods: \"2\", services: \"9\"}}\n";
    let Some(space) = Space::raise("namespace", &format!("{WORKLOADS}{quota}")).await else { return };
    settled(&space).await;
    space.wait("resourcequota/small", "", "jsonpath={.status.used.pods}=2").await;
    let text = space.call("kubernetes_describe", json!({"kind": "ns", "name": space.name})).await.unwrap().content;
    for words in
        ["small: pods 2 of 2 (full), services 1 of 9", "pods that are not well, the worst first (1 of 2)", "not found"]
    {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
}

#[tokio::test]
async fn what_is_missing_is_said_and_a_secrets_value_never() {
    let Some(space) = Space::raise("secret", WORKLOADS).await else { return };
    settled(&space).await;
    let related = space
        .call("kubernetes_related", json!({"kind": "deploy", "namespace": space.name, "name": "cart"}))
        .await
        .unwrap()
        .content;
    assert!(related.contains("ConfigMap cart-config (all env of app): MISSING"), "{related}");
    assert!(
        related.contains("Secret credentials (env TOKEN of app): exists, key absent MISSING; it has password"),
        "{related}"
    );
    let (secret, all) = (
        json!({"kind": "Secret", "name": "credentials", "namespace": space.name}),
        json!({"kind": "secrets", "namespace": space.name}),
    );
    let workload = json!({"kind": "deploy", "name": "cart", "namespace": space.name});
    let encoded = space.kubectl(&["get", "secret", "credentials", "-o", "jsonpath={.data.password}"]).await;
    let mut seen = Vec::new();
    for name in space.tools() {
        for arguments in [&secret, &all, &workload] {
            let output = space.call(&name, arguments.clone()).await;
            let text = output.map_or_else(
                |error| error.to_string(),
                |output| output.content + &output.title + &output.view.unwrap_or_default(),
            );
            assert!(!text.contains("correct-horse") && !text.contains(&encoded), "{name} {arguments}\n{text}");
            seen.push(text);
        }
    }
    let objects = space.cluster.list("Secret", Some(&space.name), None, None, 10).await.unwrap();
    assert!(!json!(objects).to_string().contains(&encoded));
    assert!(seen.iter().any(|text| text.contains("password: 21 bytes")), "the Secret itself was read");
}

const CRASHING: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: crashing}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: localhost/busybox:1
    command: [sh, -c, "if [ -e /state/ran ]; then echo second run; sleep 3600; fi; touch /state/ran; echo first run; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo \"retry $i of the connection to the database\"; done; echo FATAL no such table; exit 3"]
    volumeMounts: [{name: state, mountPath: /state}]
  - {name: side, image: "localhost/busybox:1", command: [sleep, "3600"]}
  volumes: [{name: state, emptyDir: {}}]
"#;

#[tokio::test]
async fn logs_are_those_of_kubectl_both_of_this_run_and_the_one_before() {
    let Some(space) = Space::raise("logs", CRASHING).await else { return };
    space.wait("pod/crashing", "", "jsonpath={.status.containerStatuses[?(@.name==\"app\")].restartCount}=1").await;
    space.wait("pod/crashing", "", "condition=Ready").await;
    let mut request = LogRequest::new(&space.name, "crashing");
    request.container = Some("app".to_owned());
    assert_eq!(space.cluster.logs(&request).await.unwrap(), space.kubectl(&["logs", "crashing", "-c", "app"]).await);
    request.previous = true;
    assert_eq!(
        space.cluster.logs(&request).await.unwrap(),
        space.kubectl(&["logs", "crashing", "-c", "app", "--previous"]).await
    );

    let both = space.call("kubernetes_logs", json!({"namespace": space.name, "name": "crashing"})).await.unwrap();
    let view = both.view.unwrap();
    assert!(
        view.contains("FATAL no such table") && view.contains("second run") && view.contains("exit code 3"),
        "{view}"
    );
    assert!(view.contains("11 times, differing in numbers, times or ids: 11 lines left out"), "{view}");
    assert!(both.content.contains("retry 7 of the connection"), "the whole is kept: {}", both.content);

    let wrong =
        space.call("kubernetes_logs", json!({"namespace": space.name, "name": "crashing", "container": "main"})).await;
    assert!(matches!(wrong, Err(ToolError::NotFound(text)) if text.contains("did you mean one of app, side?")));
    let elsewhere = space.call("kubernetes_logs", json!({"namespace": "default", "name": "crashing"})).await;
    let right = format!("Pod {}/crashing", space.name);
    assert!(matches!(elsewhere, Err(ToolError::NotFound(text)) if text.contains(&right)));
}

#[tokio::test]
async fn a_rollout_tells_the_field_that_changed_and_a_rollback_that_it_is_one() {
    let Some(space) = Space::raise("rollout", WORKLOADS).await else { return };
    settled(&space).await;
    space.kubectl(&["set", "env", "deployment/web", "LEVEL=debug"]).await;
    space.wait("deployment/web", "", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=2").await;
    let history = async || {
        space
            .call("kubernetes_rollout_history", json!({"kind": "deploy", "namespace": space.name, "name": "web"}))
            .await
            .unwrap()
            .content
    };
    let text = history().await;
    assert!(
        text.contains("revision 1 → 2") && text.contains("spec.containers[app].env[LEVEL].value: (not set) → debug"),
        "{text}"
    );
    space.kubectl(&["rollout", "undo", "deployment/web"]).await;
    space.wait("deployment/web", "", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=3").await;
    let text = history().await;
    assert!(text.contains("revision 2 → 3: rolled back to what was revision 1"), "{text}");
    let pod = space.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"]).await;
    let of_pod =
        space.call("kubernetes_rollout_history", json!({"kind": "Pod", "namespace": space.name, "name": pod})).await;
    let top = format!("Deployment {}/web", space.name);
    assert!(matches!(of_pod, Err(ToolError::Arguments(text)) if text.contains(&top)));
}

#[tokio::test]
async fn events_of_a_workload_include_those_of_its_pods() {
    let Some(space) = Space::raise("events", WORKLOADS).await else { return };
    settled(&space).await;
    let arguments = json!({"kind": "Deployment", "namespace": space.name, "name": "cart"});
    let output = space.call("kubernetes_events", arguments).await.unwrap();
    for reason in ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Failed"] {
        assert!(output.content.contains(reason), "{reason} is not in\n{}", output.content);
    }
    let of_service =
        space.call("kubernetes_events", json!({"kind": "svc", "namespace": space.name, "name": "cart"})).await.unwrap();
    assert!(
        of_service.content.starts_with("no events"),
        "events of another kind of the same name: {}",
        of_service.content
    );
}

#[tokio::test]
async fn the_owners_are_those_of_the_owner_references() {
    let Some(space) = Space::raise("owners", WORKLOADS).await else { return };
    settled(&space).await;
    let pod = space.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"]).await;
    let set = space.kubectl(&["get", "rs", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"]).await;
    let owners = space.cluster.owners(&ObjectRef::namespaced("Pod", &space.name, pod)).await.unwrap();
    let wanted = [
        ObjectRef::namespaced("ReplicaSet", &space.name, set),
        ObjectRef::namespaced("Deployment", &space.name, "web"),
    ];
    assert_eq!(owners, wanted);
}

#[tokio::test]
async fn a_missing_permission_is_named_with_verb_and_resource() {
    let Some(space) = Space::raise("blind", WORKLOADS).await else { return };
    let blind = space.as_service_account("default").await;
    let refused = |output: Result<marple_tools::Output, ToolError>| match output {
        Err(ToolError::Forbidden(text)) => text,
        other => panic!("{other:?}"),
    };
    let text = refused(
        blind.call("kubernetes_get", json!({"kind": "Secret", "namespace": space.name, "name": "credentials"})).await,
    );
    let who = format!(
        "system:serviceaccount:{}:default may not get secrets credentials in namespace {}",
        space.name, space.name
    );
    assert!(text.contains(&who) && text.contains("verbs [get], resources [secrets]"), "{text}");
    let text = refused(blind.call("kubernetes_get", json!({"kind": "nodes"})).await);
    assert!(text.contains("a ClusterRole with verbs [list], resources [nodes]"), "{text}");
}

#[tokio::test]
async fn every_kind_of_the_cluster_that_can_be_listed_is_listed() {
    let Some(space) = Space::raise("kinds", "").await else { return };
    let kinds = space.cluster.kinds().await.unwrap();
    let mut ours: Vec<String> =
        kinds.iter().filter(|kind| kind.verbs.iter().any(|verb| verb == "list")).map(Kind::resource).collect();
    let mut theirs: Vec<String> =
        space.kubectl(&["api-resources", "--verbs=list", "-o", "name"]).await.lines().map(str::to_owned).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
    for kind in ours {
        let listed = space.call("kubernetes_get", json!({"kind": kind, "namespace": space.name})).await;
        if listed.is_err() {
            // Another test may have had it defined, and gone.
            let now = space.kubectl(&["api-resources", "--verbs=list", "-o", "name"]).await;
            assert!(!now.lines().any(|name| name == kind), "{kind}: {listed:?}");
        }
    }
}
