//! Faults staged on a real cluster are concluded by the rules alone, with the true cause object.
//!
//! Runs where `MARPLE_TEST_CONTEXT` names a context of the kubeconfig.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use futures::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Namespace, Pod};
use kube::api::{DeleteParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use marple_core::{Conclusion, Confidence, ObjectRef, Verdict};
use marple_tools::diagnose::{Role, Symptom, conclude, condition, run};
use marple_tools::kubernetes::Cluster;
use marple_tools::scene::{Scene, keep};
use marple_tools::{MemoryEvidence, Redact};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How long a staged fault may take to show: image pulls and crash loops back off.
const PATIENCE: Duration = Duration::from_secs(150);

struct Nothing;

impl Redact for Nothing {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Namespaces of one test, deleted with it.
struct Stage {
    client: Client,
    names: Vec<String>,
}

impl Stage {
    /// Namespaces `diagnose-<test>-<suffix>`; nothing where no cluster is given.
    async fn raise(suffixes: &[&str]) -> Option<Self> {
        let Ok(context) = std::env::var("MARPLE_TEST_CONTEXT") else {
            eprintln!("left out: MARPLE_TEST_CONTEXT names no cluster");
            return None;
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        let options = kube::config::KubeConfigOptions { context: Some(context), ..Default::default() };
        let config = kube::Config::from_kubeconfig(&options).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let unique = Timestamp::now().as_millisecond() % 10_000_000;
        let mut names = Vec::new();
        for suffix in suffixes {
            let name = format!("diagnose-{suffix}-{unique}");
            let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
            Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
            names.push(name);
        }
        Some(Self { client, names })
    }

    fn first(&self) -> &str {
        &self.names[0]
    }

    async fn create(&self, namespace: &str, path: &str, object: Value) {
        let request = http::Request::post(format!("/{path}"))
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&object).unwrap())
            .unwrap();
        self.client.request::<Value>(request).await.unwrap_or_else(|error| panic!("{namespace} {path}: {error}"));
    }

    async fn delete(&self, path: &str) {
        let request = http::Request::delete(format!("/{path}")).body(Vec::new()).unwrap();
        self.client.request::<Value>(request).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// A Deployment of the workload image, with its container patched.
    async fn deploy(&self, namespace: &str, name: &str, container: Value) {
        let mut app = json!({"name": "app", "image": "localhost/workload:1", "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 8080}], "resources": {"limits": {"memory": "64Mi", "cpu": "200m"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 2}});
        for (field, value) in container.as_object().unwrap() {
            app[field] = value.clone();
        }
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": 1,
            "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [app]}}}});
        self.create(namespace, &format!("apis/apps/v1/namespaces/{namespace}/deployments"), object).await;
    }

    async fn serve(&self, namespace: &str, name: &str, selector: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": selector}, "ports": [{"port": 8080}]}});
        self.create(namespace, &format!("api/v1/namespaces/{namespace}/services"), object).await;
    }

    /// Waits until a pod of the app is as `shows` asks.
    async fn pod(&self, namespace: &str, app: &str, shows: impl Fn(&Value) -> bool) -> ObjectRef {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let stream = watcher(pods, watcher::Config::default().labels(&format!("app={app}")));
        let found = stream.applied_objects().try_filter_map(async |pod: Pod| {
            let value = serde_json::to_value(&pod).unwrap();
            Ok(shows(&value).then(|| pod.metadata.name.unwrap()))
        });
        let name =
            tokio::time::timeout(PATIENCE, Box::pin(found).next()).await.expect("the fault shows").unwrap().unwrap();
        ObjectRef::namespaced("Pod", namespace, name)
    }

    /// Waits until the deployment counts its pod as available: that comes a moment after the pod is ready.
    async fn available(&self, namespace: &str, name: &str) {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        let named = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let found = watcher(deployments, named).applied_objects().try_filter_map(async |deployment: Deployment| {
            Ok(deployment.status.and_then(|status| status.available_replicas).filter(|available| *available > 0))
        });
        tokio::time::timeout(PATIENCE, Box::pin(found).next()).await.expect("it is available").unwrap().unwrap();
    }

    /// Waits until an event says so.
    async fn event(&self, namespace: &str, says: impl Fn(&str, &str) -> bool) {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let found =
            watcher(events, watcher::Config::default()).applied_objects().try_filter_map(async |event: Event| {
                let (reason, message) = (event.reason.unwrap_or_default(), event.message.unwrap_or_default());
                Ok(says(&reason, &message).then_some(()))
            });
        tokio::time::timeout(PATIENCE, Box::pin(found).next()).await.expect("the event comes").unwrap().unwrap();
    }

    /// What the rules conclude about an object, as if it were no longer young.
    async fn conclude(&self, name: &str, object: &ObjectRef) -> Conclusion {
        let cluster = Cluster::new(self.client.clone());
        let now = Timestamp::now();
        let began = std::time::Instant::now();
        let mut scene = Scene::read(&cluster, std::slice::from_ref(object), now, &CancellationToken::new()).await;
        let read = began.elapsed();
        // The rules leave alone what is younger than half a minute; a test need not wait for that.
        scene.now = now + Duration::from_secs(90);
        let mut findings = run(&scene);
        let evidence = MemoryEvidence::default();
        let kept = keep(&scene, &findings, &evidence, &Nothing).await.unwrap();
        kept.resolve(&mut findings);
        let symptom = Symptom { name: name.to_owned(), object: Some(object.clone()), starts_at: now };
        let conclusion = conclude(&scene, &[symptom], &findings);
        eprintln!(
            "--- {name} on {object}: {} objects, {} logs, read in {read:?}",
            scene.objects.len(),
            scene.logs.len()
        );
        eprintln!("{}", serde_json::to_string_pretty(&conclusion).unwrap());
        for finding in &findings {
            eprintln!("  {} {}: {}", finding.condition, finding.object, finding.statement);
        }
        assert!(
            findings.iter().all(|finding| finding.citations.iter().all(|citation| citation.verified)),
            "{findings:#?}"
        );
        assert!(conclusion.summary.chars().count() <= 300);
        conclusion
    }
}

/// Runs a test on its stage, and strikes the stage however the test ends.
async fn staged(suffixes: &[&str], test: impl AsyncFn(&Stage)) {
    let Some(stage) = Stage::raise(suffixes).await else { return };
    let ended = std::panic::AssertUnwindSafe(test(&stage)).catch_unwind().await;
    let namespaces: Api<Namespace> = Api::all(stage.client.clone());
    for name in &stage.names {
        namespaces.delete(name, &DeleteParams::default()).await.ok();
    }
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

fn waits(reason: &'static str) -> impl Fn(&Value) -> bool {
    move |pod| pod.pointer("/status/containerStatuses/0/state/waiting/reason").is_some_and(|found| found == reason)
}

fn cause(conclusion: &Conclusion) -> (String, Confidence) {
    (conclusion.cause.as_ref().map(|cause| cause.object.to_string()).unwrap_or_default(), conclusion.confidence)
}

#[tokio::test]
async fn a_missing_config_map_is_the_cause() {
    staged(&["config"], async |stage| {
    let namespace = stage.first().to_owned();
    let env = json!({"env": [{"name": "DATABASE_URL", "valueFrom": {"configMapKeyRef": {"name": "cart-config", "key": "url"}}}]});
    stage.deploy(&namespace, "cart", env).await;
    let pod = stage.pod(&namespace, "cart", waits("CreateContainerConfigError")).await;
    let conclusion = stage.conclude("KubePodNotReady", &pod).await;
    assert_eq!(cause(&conclusion), (format!("ConfigMap {namespace}/cart-config"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_memory_limit_that_is_too_low_is_the_cause() {
    staged(&["memory"], async |stage| {
        let namespace = stage.first().to_owned();
        stage.deploy(&namespace, "cart", json!({"env": [{"name": "LEAK", "value": "40"}]})).await;
        let killed = |pod: &Value| {
            ["state", "lastState"].iter().any(|state| {
                pod.pointer(&format!("/status/containerStatuses/0/{state}/terminated/reason"))
                    .is_some_and(|reason| reason == "OOMKilled")
            })
        };
        let pod = stage.pod(&namespace, "cart", killed).await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion).0, format!("Deployment {namespace}/cart"));
        assert!(conclusion.cause.unwrap().statement.contains("limit of 64Mi"));
    })
    .await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_the_cause() {
    staged(&["image"], async |stage| {
        let namespace = stage.first().to_owned();
        stage.deploy(&namespace, "cart", json!({"image": "localhost/workload:nope"})).await;
        let pulls = |pod: &Value| waits("ImagePullBackOff")(pod) || waits("ErrImagePull")(pod);
        let pod = stage.pod(&namespace, "cart", pulls).await;
        let conclusion = stage.conclude("KubePodNotReady", &pod).await;
        assert_eq!(cause(&conclusion), (format!("Deployment {namespace}/cart"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_readiness_probe_on_a_wrong_port_is_the_cause() {
    staged(&["probe"], async |stage| {
        let namespace = stage.first().to_owned();
        stage
            .deploy(
                &namespace,
                "cart",
                json!({"readinessProbe": {"httpGet": {"path": "/healthz", "port": 9999}, "periodSeconds": 1}}),
            )
            .await;
        stage.serve(&namespace, "cart", "cart").await;
        stage
            .event(&namespace, |reason, message| reason == "Unhealthy" && message.contains("connection refused"))
            .await;
        // The event may be there before the status that says that the container runs.
        let runs = |pod: &Value| pod.pointer("/status/containerStatuses/0/state/running").is_some();
        stage.pod(&namespace, "cart", runs).await;
        let deployment = ObjectRef::namespaced("Deployment", &namespace, "cart");
        let conclusion = stage.conclude("KubeDeploymentReplicasMismatch", &deployment).await;
        assert_eq!(cause(&conclusion), (format!("Deployment {namespace}/cart"), Confidence::High));
        assert!(conclusion.cause.unwrap().statement.contains("9999"));
        let service = ObjectRef::namespaced("Service", &namespace, "cart");
        assert_eq!(cause(&stage.conclude("ServiceDown", &service).await).0, format!("Deployment {namespace}/cart"));
    })
    .await;
}

#[tokio::test]
async fn a_quota_that_refuses_pods_is_the_cause() {
    staged(&["quota"], async |stage| {
    let namespace = stage.first().to_owned();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "compute"}, "spec": {"hard": {"limits.memory": "32Mi"}}});
    stage.create(&namespace, &format!("api/v1/namespaces/{namespace}/resourcequotas"), quota).await;
    stage.deploy(&namespace, "cart", json!({})).await;
    stage.event(&namespace, |reason, message| reason == "FailedCreate" && message.contains("exceeded quota")).await;
    let sets: Api<ReplicaSet> = Api::namespaced(stage.client.clone(), &namespace);
    let failing = watcher(sets, watcher::Config::default()).applied_objects().try_filter_map(async |set: ReplicaSet| {
        Ok(set.status.and_then(|status| status.conditions).map(|_| ()))
    });
    tokio::time::timeout(PATIENCE, Box::pin(failing).next()).await.unwrap();
    let deployment = ObjectRef::namespaced("Deployment", &namespace, "cart");
    let conclusion = stage.conclude("KubeDeploymentReplicasMismatch", &deployment).await;
    assert_eq!(cause(&conclusion), (format!("ResourceQuota {namespace}/compute"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_service_whose_selector_fits_nothing_is_the_cause_and_for_its_caller_too() {
    staged(&["selector", "caller"], async |stage| {
        let (namespace, front) = (stage.names[0].clone(), stage.names[1].clone());
        stage.deploy(&namespace, "cart", json!({})).await;
        stage.serve(&namespace, "cart", "crat").await;
        let url = format!("http://cart.{namespace}:8080");
        stage
            .deploy(
                &front,
                "web",
                json!({"env": [{"name": "DOWNSTREAM", "value": url}, {"name": "SELF_TRAFFIC", "value": "5"}]}),
            )
            .await;
        let ready = |pod: &Value| pod.pointer("/status/containerStatuses/0/ready").is_some_and(|ready| ready == true);
        stage.pod(&namespace, "cart", ready).await;
        stage.pod(&front, "web", ready).await;
        let service = ObjectRef::namespaced("Service", &namespace, "cart");
        let conclusion = stage.conclude("ServiceWithoutEndpoints", &service).await;
        assert_eq!(cause(&conclusion), (service.to_string(), Confidence::High));
        let web = ObjectRef::namespaced("Deployment", &front, "web");
        assert_eq!(cause(&stage.conclude("HighErrorRate", &web).await).0, service.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_cause_in_another_namespace_is_found_through_the_chain() {
    staged(&["shop", "payments"], async |stage| {
        let (shop, payments) = (stage.names[0].clone(), stage.names[1].clone());
        stage.deploy(&payments, "db", json!({"envFrom": [{"secretRef": {"name": "db-credentials"}}]})).await;
        stage.serve(&payments, "db", "db").await;
        stage
            .deploy(&shop, "cart", json!({"env": [{"name": "DATABASE", "value": format!("db.{payments}.svc:8080")}]}))
            .await;
        stage.pod(&payments, "db", waits("CreateContainerConfigError")).await;
        let pod = stage.pod(&shop, "cart", waits("CrashLoopBackOff")).await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion), (format!("Secret {payments}/db-credentials"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_healthy_app_has_no_fault() {
    staged(&["healthy"], async |stage| {
        let namespace = stage.first().to_owned();
        stage.deploy(&namespace, "cart", json!({"env": [{"name": "LOG_RATE", "value": "20"}]})).await;
        stage.serve(&namespace, "cart", "cart").await;
        let ready = |pod: &Value| pod.pointer("/status/containerStatuses/0/ready").is_some_and(|ready| ready == true);
        let pod = stage.pod(&namespace, "cart", ready).await;
        stage.available(&namespace, "cart").await;
        let conclusion = stage.conclude("KubePodNotReady", &pod).await;
        assert_eq!((conclusion.verdict, conclusion.cause), (Verdict::NoFault, None));
    })
    .await;
}

#[tokio::test]
async fn a_dependency_that_only_a_secret_names_is_found_through_the_log() {
    staged(&["told", "ledger"], async |stage| {
        let (shop, ledger) = (stage.names[0].clone(), stage.names[1].clone());
        stage.deploy(&ledger, "db", json!({"envFrom": [{"configMapRef": {"name": "db-settings"}}]})).await;
        stage.serve(&ledger, "db", "db").await;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cart-db"},
            "stringData": {"DATABASE": format!("db.{ledger}.svc:8080")}});
        stage.create(&shop, &format!("api/v1/namespaces/{shop}/secrets"), secret).await;
        stage.deploy(&shop, "cart", json!({"envFrom": [{"secretRef": {"name": "cart-db"}}]})).await;
        stage.pod(&ledger, "db", waits("CreateContainerConfigError")).await;
        let pod = stage.pod(&shop, "cart", waits("CrashLoopBackOff")).await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion), (format!("ConfigMap {ledger}/db-settings"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_mistyped_is_the_cause() {
    staged(&["typo", "stock"], async |stage| {
        let (shop, stock) = (stage.names[0].clone(), stage.names[1].clone());
        stage.deploy(&stock, "db", json!({})).await;
        stage.serve(&stock, "db", "db").await;
        stage.deploy(&shop, "cart", json!({"env": [{"name": "DATABASE", "value": format!("dbs.{stock}:8080")}]})).await;
        let pod = stage.pod(&shop, "cart", waits("CrashLoopBackOff")).await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion).0, format!("Deployment {shop}/cart"));
        assert!(conclusion.summary.contains(&format!("Service {stock}/db does")), "{}", conclusion.summary);
    })
    .await;
}

#[tokio::test]
async fn credentials_that_are_refused_name_the_secret_that_holds_them() {
    staged(&["credentials"], async |stage| {
        let namespace = stage.first().to_owned();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cart-db"}, "stringData": {"PASSWORD": "old"}});
        stage.create(&namespace, &format!("api/v1/namespaces/{namespace}/secrets"), secret).await;
        let says = "pq: password authentication failed for user \"cart\"";
        stage
            .deploy(
                &namespace,
                "cart",
                json!({"envFrom": [{"secretRef": {"name": "cart-db"}}],
                    "env": [{"name": "EXIT_AFTER", "value": "1s"}, {"name": "EXIT_LOG", "value": says}]}),
            )
            .await;
        let pod = stage.pod(&namespace, "cart", waits("CrashLoopBackOff")).await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion), (format!("Secret {namespace}/cart-db"), Confidence::Medium));
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_the_cause() {
    staged(&["certificate"], async |stage| {
        let namespace = stage.first().to_owned();
        let expired = include_str!("../../tools/src/view/expired.crt.base64").trim();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web-tls"}, "type": "kubernetes.io/tls",
            "data": {"tls.crt": expired, "tls.key": expired}});
        stage.create(&namespace, &format!("api/v1/namespaces/{namespace}/secrets"), secret).await;
        stage.deploy(&namespace, "web", json!({})).await;
        stage.serve(&namespace, "web", "web").await;
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}, "spec": {
            "tls": [{"hosts": ["shop.example"], "secretName": "web-tls"}],
            "rules": [{"host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "web", "port": {"number": 8080}}}}]}}]}});
        stage.create(&namespace, &format!("apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"), ingress).await;
        let object = ObjectRef::namespaced("Ingress", &namespace, "web");
        let conclusion = stage.conclude("IngressCertificateError", &object).await;
        assert_eq!(cause(&conclusion), (format!("Secret {namespace}/web-tls"), Confidence::High));
        assert!(!serde_json::to_string(&conclusion).unwrap().contains(expired));
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_is_the_cause_of_pods_that_are_not_made() {
    staged(&["webhook"], async |stage| {
        let namespace = stage.first().to_owned();
        let name = format!("{namespace}.example.com");
        let path = "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
        let configuration = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace}, "webhooks": [{"name": name, "failurePolicy": "Fail", "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "timeoutSeconds": 2,
                // No other namespace is touched.
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "clientConfig": {"service": {"namespace": namespace, "name": "policy"}}}]});
        stage.create(&namespace, path, configuration).await;
        stage.deploy(&namespace, "cart", json!({})).await;
        let refused = |reason: &str, message: &str| reason == "FailedCreate" && message.contains("failed calling webhook");
        stage.event(&namespace, refused).await;
        let deployment = ObjectRef::namespaced("Deployment", &namespace, "cart");
        let conclusion = stage.conclude("KubeDeploymentRolloutStuck", &deployment).await;
        stage.delete(&format!("{path}/{namespace}")).await;
        assert_eq!(cause(&conclusion), (format!("ValidatingWebhookConfiguration {namespace}"), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_priority_class_that_is_missing_is_the_cause() {
    staged(&["priority"], async |stage| {
        let namespace = stage.first().to_owned();
        let pod = json!({"metadata": {"labels": {"app": "cart"}}, "spec": {"priorityClassName": "diagnose-absent",
            "containers": [{"name": "app", "image": "localhost/workload:1"}]}});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart"},
            "spec": {"selector": {"matchLabels": {"app": "cart"}}, "template": pod}});
        stage.create(&namespace, &format!("apis/apps/v1/namespaces/{namespace}/deployments"), object).await;
        stage.event(&namespace, |reason, message| reason == "FailedCreate" && message.contains("PriorityClass")).await;
        let deployment = ObjectRef::namespaced("Deployment", &namespace, "cart");
        let conclusion = stage.conclude("KubeDeploymentReplicasMismatch", &deployment).await;
        assert_eq!(cause(&conclusion), ("PriorityClass diagnose-absent".to_owned(), Confidence::High));
    })
    .await;
}

#[tokio::test]
async fn a_hook_that_fails_is_the_cause() {
    staged(&["hook"], async |stage| {
        let namespace = stage.first().to_owned();
        stage.deploy(&namespace, "cart", json!({"lifecycle": {"postStart": {"exec": {"command": ["/absent"]}}}})).await;
        stage.event(&namespace, |reason, _| reason == "FailedPostStartHook").await;
        let pod = stage
            .pod(&namespace, "cart", |pod| waits("PostStartHookError")(pod) || waits("CrashLoopBackOff")(pod))
            .await;
        let conclusion = stage.conclude("KubePodCrashLooping", &pod).await;
        assert_eq!(cause(&conclusion).0, format!("Deployment {namespace}/cart"));
        assert!(conclusion.summary.contains("postStart hook"), "{}", conclusion.summary);
    })
    .await;
}

/// The namespaces and nodes that no test breaks.
#[tokio::test]
async fn a_healthy_cluster_has_no_finding() {
    staged(&["well"], async |stage| {
        let namespace = stage.first().to_owned();
        stage.deploy(&namespace, "cart", json!({"env": [{"name": "LOG_RATE", "value": "20"}]})).await;
        stage.serve(&namespace, "cart", "cart").await;
        let ready = |pod: &Value| pod.pointer("/status/containerStatuses/0/ready").is_some_and(|ready| ready == true);
        stage.pod(&namespace, "cart", ready).await;
        stage.available(&namespace, "cart").await;
        let cluster = Cluster::new(stage.client.clone());
        let all = cluster.list("v1/Namespace", None, None, None, 500).await.unwrap();
        let names = all.iter().filter_map(|space| space.pointer("/metadata/name")?.as_str());
        let system =
            names.filter(|name| name.starts_with("kube-") || ["default", "monitoring", &namespace].contains(name));
        let nodes = cluster.list("v1/Node", None, None, None, 50).await.unwrap();
        let nodes = nodes.iter().filter_map(|node| node.pointer("/metadata/name")?.as_str());
        let subjects = system
            .map(|name| ObjectRef::cluster("Namespace", name))
            .chain(nodes.map(|name| ObjectRef::cluster("Node", name)))
            .collect::<Vec<_>>();
        assert!(subjects.len() >= 4, "{subjects:?}");
        for subject in subjects {
            let now = Timestamp::now();
            let mut scene = Scene::read(&cluster, std::slice::from_ref(&subject), now, &CancellationToken::new()).await;
            scene.now = now + Duration::from_secs(90);
            let mine = |object: &ObjectRef| {
                object
                    .namespace
                    .as_deref()
                    .is_none_or(|space| Some(space) == subject.namespace.as_deref() || space == subject.name)
            };
            let found = run(&scene);
            let wrong = found
                .iter()
                .filter(|finding| condition(&finding.condition).is_none_or(|known| known.role != Role::Context))
                .filter(|finding| mine(&finding.object))
                .collect::<Vec<_>>();
            assert!(wrong.is_empty(), "{subject}: {wrong:#?}");
        }
    })
    .await;
}
