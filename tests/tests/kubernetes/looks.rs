//! Lists, descriptions, logs, use and rights, each against `kubectl`'s own answer.

use std::collections::BTreeMap;

use marple_tools::ToolError;
use serde_json::json;

use crate::space::Space;

/// What each pod says in one go is folded, however the starts of the pods fall together.
const PODS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: localhost/busybox:1
        command: [sh, -c, "for i in 1 2 3; do echo line $i of $HOSTNAME; done; sleep 1; echo ERROR refused; sleep 3600"]
        resources: {requests: {memory: 8Mi}, limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: lost, labels: {app: lost}}
spec:
  terminationGracePeriodSeconds: 0
  nodeSelector: {nowhere: "true"}
  containers: [{name: app, image: "localhost/busybox:1", command: [sleep, "3600"]}]
"#;

async fn pods(name: &str) -> Option<Space> {
    let space = Space::raise(name, PODS).await?;
    space.wait("deployment/web", "", "condition=Available").await;
    space.wait("pod/lost", "", "condition=PodScheduled=False").await;
    Some(space)
}

#[tokio::test]
async fn counts_and_filters_are_those_of_kubectl() {
    let Some(space) = pods("counts").await else { return };
    let rows =
        space.kubectl(&["get", "pods", "--no-headers", "-o", "custom-columns=a:.status.phase,b:.spec.nodeName"]).await;
    let mut theirs: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.lines() {
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ").replace("<none>", "(none)");
        *theirs.entry(row).or_default() += 1;
    }
    let arguments = json!({"kind": "pods", "namespace": space.name, "group_by": ["status.phase", "spec.nodeName"]});
    let output = space.call("kubernetes_get", arguments).await.unwrap();
    let ours: BTreeMap<String, usize> = output
        .content
        .lines()
        .skip(2)
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (format!("{} {}", words[1], words[2]), words[0].parse().unwrap())
        })
        .collect();
    assert_eq!(ours, theirs, "{}", output.content);

    let wanted = space
        .kubectl(&["get", "pods", "--field-selector=status.phase=Pending", "-o", "jsonpath={.items[*].metadata.name}"])
        .await;
    let arguments = json!({"kind": "pods", "namespace": space.name, "filter": "object.status.phase == 'Pending'"});
    let output = space.call("kubernetes_get", arguments).await.unwrap();
    assert!(output.content.starts_with("1 of 4 pods"), "{}", output.content);
    assert!(output.content.contains(&wanted) && wanted == "lost", "{wanted}: {}", output.content);
}

#[tokio::test]
async fn logs_of_a_selector_are_the_lines_that_kubectl_gives() {
    let Some(space) = pods("selector").await else { return };
    let complete = async || {
        let text = space.kubectl(&["logs", "-l", "app=web", "--tail=-1", "--prefix"]).await;
        (text.matches("ERROR refused").count() == 3).then_some(()).ok_or(text)
    };
    marple_tests::cluster::wait_for("three whole logs", std::time::Duration::from_mins(1), complete).await.unwrap();
    let theirs = space.kubectl(&["logs", "-l", "app=web", "--tail=-1", "--prefix"]).await;
    // As `[pod/web-1/app] line 1`.
    let mut theirs: Vec<String> = theirs
        .lines()
        .map(|line| {
            let (source, text) = line.split_once("] ").unwrap();
            format!("{}: {text}", source.trim_start_matches("[pod/").split('/').next().unwrap())
        })
        .collect();
    let arguments = json!({"label_selector": "app=web", "namespace": space.name});
    let output = space.call("kubernetes_logs", arguments).await.unwrap();
    let (head, lines) = output.content.split_once("the lines:\n").unwrap();
    assert!(head.contains("3×") && head.contains("ERROR refused"), "the errors stand first: {head}");
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines.is_sorted_by_key(|line| line.get(..8)), "in the order of time: {lines:?}");
    let mut ours: Vec<String> = lines.iter().map(|line| line[9..].to_owned()).collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs);
    let arguments = json!({"label_selector": "app=web", "namespace": space.name, "level": "error"});
    let output = space.call("kubernetes_logs", arguments).await.unwrap();
    assert!(output.content.contains("(3 of 12 lines match)"), "{}", output.content);
}

#[tokio::test]
async fn use_is_told_by_the_metrics_api_and_where_that_is_refused_by_prometheus() {
    let Some(space) = pods("top").await else { return };
    let account = format!("--serviceaccount={}:default", space.name);
    space.kubectl(&["create", "rolebinding", "views", "--clusterrole=view", &account]).await;
    // The role may read workloads, and no usage.
    let viewer = space.as_service_account("default").await.with_all_tools().await;
    let space = space.with_all_tools().await;
    for (space, source) in [(&space, "3 pods; by "), (&viewer, "3 pods; by the kubelets' metrics")] {
        assert!(space.tools().contains(&"kubernetes_top".to_owned()), "{:?}", space.tools());
        let told = async || {
            let arguments = json!({"kind": "Deployment", "name": "web", "namespace": space.name});
            let output = space.call("kubernetes_top", arguments).await;
            let text = output.map_err(|error| error.to_string())?.content;
            // What runs now is scraped a pod at a time.
            let rows = text.lines().filter(|line| line.starts_with("web-") && line.contains("of 64Mi"));
            if rows.filter(|row| !row.contains('?')).count() == 3 { Ok(text) } else { Err(text) }
        };
        let text = marple_tests::cluster::wait_for("the use of three pods", std::time::Duration::from_mins(2), told)
            .await
            .unwrap();
        assert!(text.starts_with(source), "{text}");
    }
    let nodes = space.call("kubernetes_top", json!({"kind": "nodes"})).await.unwrap().content;
    let names = space.kubectl(&["get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"]).await;
    assert!(names.split(' ').all(|name| nodes.contains(name)), "{names}\n{nodes}");
}

const RIGHTS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: cart}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}
- {apiGroups: [""], resources: [configmaps], resourceNames: [settings], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: cart}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dangles}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gone}
subjects: [{kind: ServiceAccount, name: cart}]
"#;

#[tokio::test]
async fn rights_are_those_of_kubectl_auth_can_i_with_and_without_a_review() {
    let Some(space) = Space::raise("rights", RIGHTS).await else { return };
    let account = format!("--as=system:serviceaccount:{}:cart", space.name);
    // Its reader may list roles and not make reviews.
    let reader = format!("kube-rights-{}", std::process::id());
    space.kubectl(&["create", "serviceaccount", "looker"]).await;
    space
        .kubectl(&[
            "create",
            "clusterrole",
            &reader,
            "--verb=get,list",
            "--resource=roles,rolebindings,clusterroles,clusterrolebindings",
        ])
        .await;
    let subject = format!("--serviceaccount={}:looker", space.name);
    space.kubectl(&["create", "clusterrolebinding", &reader, &format!("--clusterrole={reader}"), &subject]).await;
    let blind = space.as_service_account("looker").await;
    let mut answers = Vec::new();
    for (verb, resource, name) in [
        ("get", "pods", None),
        ("get", "pods/log", None),
        ("delete", "pods", None),
        ("get", "configmaps", Some("settings")),
        ("get", "configmaps", Some("others")),
        ("list", "secrets", None),
        ("get", "deployments.apps", None),
    ] {
        let (kind, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let named = name.map_or_else(|| kind.to_owned(), |name| format!("{kind}/{name}"));
        let sub = format!("--subresource={sub}");
        let theirs = space.kubectl_says(&["auth", "can-i", verb, &named, &sub, &account]).await;
        let arguments = json!({"subject": format!("{}/cart", space.name), "verb": verb, "resource": resource, "namespace": space.name, "name": name});
        let ours = space.call("kubernetes_access", arguments.clone()).await.unwrap().content;
        let by_roles = blind.call("kubernetes_access", arguments).await.unwrap().content;
        let yes = theirs.trim() == "yes";
        answers.push((verb, resource, name, yes, ours.starts_with("yes"), by_roles.starts_with("yes by RBAC")));
        assert!(ours.contains("(the API server's own answer)"), "{ours}");
        assert!(ours.contains("RoleBinding") || !yes, "{ours}");
    }
    space.kubectl(&["delete", "clusterrolebinding", &reader]).await;
    space.kubectl(&["delete", "clusterrole", &reader]).await;
    assert!(
        answers.iter().all(|(_, _, _, theirs, ours, by_roles)| theirs == ours && theirs == by_roles),
        "{answers:?}"
    );
    assert!(answers.iter().any(|answer| answer.3) && answers.iter().any(|answer| !answer.3));
    let related =
        space.call("kubernetes_related", json!({"kind": "sa", "name": "cart", "namespace": space.name})).await.unwrap();
    assert!(related.content.contains("get, list: pods, pods/log"), "{}", related.content);
    assert!(related.content.contains("for that role is MISSING"), "{}", related.content);
    let wrong = space.call("kubernetes_access", json!({"subject": "cart", "verb": "get", "resource": "pods"})).await;
    assert!(matches!(wrong, Err(ToolError::Arguments(text)) if text.contains("`subject`")));
}

const KINDS: &str = r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 2
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 8080}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [shop.example], secretName: absent}]
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nothing, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec: {hard: {pods: "9", requests.memory: 1Gi}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: sizes}
spec: {limits: [{type: Container, max: {memory: 512Mi}, default: {memory: 128Mi}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {level: debug, "app.yaml": "one: 1\ntwo: 2\n"}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: absent, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec: {replicas: 0, selector: {app: old}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: app, image: "localhost/busybox:1"}]}}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: outside}
subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 5432}]}]
"#;

/// Kind and name, and the words that both descriptions have.
const FACTS: [(&str, &str, &[&str]); 21] = [
    ("hpa", "web", &["web", "cpu", "80%", "2", "5"]),
    ("pdb", "web", &["3", "app=web"]),
    ("networkpolicy", "web", &["app=web", "app=front", "8080"]),
    ("ingress", "web", &["shop.example", "nothing", "absent"]),
    ("resourcequota", "small", &["pods", "9", "requests.memory", "1Gi"]),
    ("limitrange", "sizes", &["Container", "512Mi", "128Mi"]),
    ("configmap", "settings", &["level", "debug", "two: 2"]),
    ("pvc", "data", &["Pending", "absent", "data"]),
    ("rc", "old", &["old", "localhost/busybox:1"]),
    ("endpoints", "outside", &["192.0.2.7", "5432"]),
    ("serviceaccount", "cart", &["cart"]),
    ("role", "reader", &["pods/log", "settings"]),
    ("rolebinding", "reads", &["reader", "ServiceAccount", "cart"]),
    ("deployment", "web", &["localhost/busybox:1", "64Mi", "ScalingReplicaSet"]),
    ("pod", "lost", &["nowhere=true", "FailedScheduling"]),
    ("namespace", "", &["small", "Active"]),
    ("priorityclass", "system-node-critical", &["2000001000"]),
    ("clusterrole", "system:basic-user", &["selfsubjectaccessreviews.authorization.k8s.io", "create"]),
    ("clusterrolebinding", "cluster-admin", &["cluster-admin", "system:masters"]),
    ("servicecidr", "kubernetes", &["Ready"]),
    ("service", "kubernetes", &["443"]),
];

#[tokio::test]
async fn each_kind_is_described_with_the_facts_that_kubectl_tells() {
    let manifest = format!("{PODS}---{RIGHTS}---{KINDS}");
    let Some(space) = Space::raise("describe-all", &manifest).await else { return };
    space.wait("deployment/web", "", "condition=Available").await;
    space.wait("pdb/web", "", "jsonpath={.status.currentHealthy}=3").await;
    space.wait("resourcequota/small", "", "jsonpath={.status.used.pods}=4").await;
    let mut lacking = Vec::new();
    for (kind, name, words) in FACTS {
        let name = if kind == "namespace" { &space.name } else { name };
        let place = if kind == "service" { "default" } else { &space.name };
        let theirs = space.kubectl(&["describe", kind, name, "-n", place]).await;
        let arguments = json!({"kind": kind, "name": name, "namespace": place});
        let ours = space.call("kubernetes_describe", arguments).await.unwrap().content;
        let bare = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            if !ours.contains(word) || !bare(&theirs).contains(word) {
                lacking.push(format!("{kind}: {word:?} is not in both\n{ours}\n--- kubectl:\n{theirs}"));
            }
        }
        assert!(ours.len() < theirs.len().max(1_000) * 2, "{kind} is told at length\n{ours}");
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    let told = async |kind: &str| {
        space
            .call("kubernetes_describe", json!({"kind": kind, "name": "web", "namespace": space.name}))
            .await
            .unwrap()
            .content
    };
    assert!(told("pdb").await.contains("may be evicted now: none"), "{}", told("pdb").await);
    let ingress = told("ingress").await;
    assert!(ingress.contains("Service nothing: MISSING") && ingress.contains("Secret absent: MISSING"), "{ingress}");
    assert!(told("networkpolicy").await.contains("lets out: nothing"), "{}", told("networkpolicy").await);
    let claim = space
        .call("kubernetes_describe", json!({"kind": "pvc", "name": "data", "namespace": space.name}))
        .await
        .unwrap();
    assert!(claim.content.contains("class: absent: MISSING"), "{}", claim.content);
}

#[tokio::test]
async fn an_event_is_found_by_the_identifier_of_its_object_also_when_that_is_gone() {
    let Some(space) = pods("uid").await else { return };
    let uid = space.kubectl(&["get", "pod", "lost", "-o", "jsonpath={.metadata.uid}"]).await;
    space.kubectl(&["delete", "pod", "lost", "--wait=true"]).await;
    let output = space.call("kubernetes_events", json!({"name": uid, "namespace": space.name})).await.unwrap();
    assert!(output.content.contains("FailedScheduling"), "{}", output.content);
}
