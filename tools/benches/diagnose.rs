//! The rules on a scene of 500 objects: 98 workloads, a tenth of them broken, that call each other.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use jiff::Timestamp;
use marple_core::ObjectRef;
use marple_tools::diagnose::{Symptom, conclude, run};
use marple_tools::scene::{Log, Scene};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

const NOW: &str = "2026-01-02T12:00:00Z";
const OLD: &str = "2026-01-01T12:00:00Z";

fn object(kind: &str, name: &str, mut rest: Value) -> Value {
    rest["kind"] = kind.into();
    rest["metadata"]["name"] = name.into();
    rest["metadata"]["namespace"] = "shop".into();
    rest["metadata"]["creationTimestamp"] = OLD.into();
    rest
}

fn scene() -> Scene {
    let (mut objects, mut events, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..98 {
        let name = format!("app-{index}");
        let broken = index % 10 == 0;
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1",
            "env": [{"name": "DOWNSTREAM", "value": format!("http://app-{}:8080", (index + 1) % 98)}]}]}});
        let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true}]);
        objects.push(object("Deployment", &name, json!({"metadata": {}, "spec": {"replicas": 1, "template": template}, "status": {"readyReplicas": u8::from(!broken)}})));
        objects.push(object("ReplicaSet", &format!("{name}-5d"), json!({"metadata": {"ownerReferences": owner("Deployment", &name)}, "spec": {"template": template}, "status": {"replicas": 1}})));
        let state = if broken {
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}})
        } else {
            json!({"running": {"startedAt": OLD}})
        };
        objects.push(object(
            "Pod",
            &format!("{name}-5d-a"),
            json!({"metadata": {"labels": {"app": name}, "ownerReferences": owner("ReplicaSet", &format!("{name}-5d"))}, "spec": template["spec"],
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if broken { "False" } else { "True" }}],
                    "containerStatuses": [{"name": "app", "ready": !broken, "restartCount": 5, "state": state,
                        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-02T11:58:00Z"}}}]}}),
        ));
        objects.push(object(
            "Service",
            &name,
            json!({"metadata": {}, "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]}}),
        ));
        objects.push(object(
            "ConfigMap",
            &name,
            json!({"metadata": {}, "data": {"url": format!("http://app-{}:8080", (index + 2) % 98)}}),
        ));
        events.extend((0..4).map(|count| {
            json!({"involvedObject": {"kind": "Pod", "namespace": "shop", "name": format!("{name}-5d-a")}, "type": "Warning", "reason": "BackOff",
                "message": "Back-off restarting failed container", "count": count, "lastTimestamp": "2026-01-02T11:59:00Z"})
        }));
        if broken {
            let line = format!("dial tcp: app-{}:8080: connect: connection refused\n", (index + 1) % 98);
            let pod = ObjectRef::namespaced("Pod", "shop", format!("{name}-5d-a"));
            logs.push(Log { pod, container: "app".to_owned(), previous: true, text: line.repeat(200) });
        }
    }
    objects.extend((0..10).map(|index| object("ResourceQuota", &format!("quota-{index}"), json!({"metadata": {}}))));
    assert_eq!(objects.len(), 500);
    Scene::of(objects, &events, logs, NOW.parse().unwrap())
}

#[divan::bench]
fn run_and_conclude_on_500_objects(bencher: divan::Bencher) {
    let scene = scene();
    let symptom = Symptom {
        name: "KubePodCrashLooping".to_owned(),
        object: Some(ObjectRef::namespaced("Pod", "shop", "app-0-5d-a")),
        starts_at: "2026-01-02T11:50:00Z".parse::<Timestamp>().unwrap(),
    };
    bencher.bench_local(|| {
        let findings = run(&scene);
        conclude(&scene, std::slice::from_ref(&symptom), &findings)
    });
}
