#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Author, Change, ChangeKind, FieldChange, ObjectRef};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::near::{Near, Nearness};
use super::*;
use crate::scene::Scene;
use crate::{Look, Tool, ToolError};

fn at(text: &str) -> Timestamp {
    format!("2026-01-02T{text}Z").parse().unwrap()
}

fn change(kind: &str, namespace: &str, name: &str, when: &str, field: (&str, &str, &str)) -> Change {
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    Change {
        cluster: "test".to_owned(),
        object: ObjectRef { kind: kind.to_owned(), namespace, name: name.to_owned() },
        uid: "u".to_owned(),
        version: "1".to_owned(),
        at: at(when),
        found_late: false,
        by: Author { manager: Some("kubectl-edit".to_owned()), ..Author::default() },
        kind: ChangeKind::Altered,
        fields: vec![FieldChange {
            path: field.0.to_owned(),
            before: Some(field.1.to_owned()),
            after: Some(field.2.to_owned()),
        }],
        left_out: 0,
    }
}

/// A history that holds these, and what it was asked.
struct Held {
    changes: Vec<Change>,
    more: bool,
    since: Option<Timestamp>,
    asked: Mutex<Vec<Window>>,
}

impl Held {
    fn of(changes: Vec<Change>) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self { changes, more: false, since: Some(at("00:00:00")), asked: Mutex::default() })
    }
}

#[async_trait]
impl ChangeLog for Held {
    async fn changes(&self, window: &Window) -> Result<Found, ChangeLogError> {
        self.asked.lock().unwrap().push(window.clone());
        Ok(Found { changes: self.changes.clone(), more: self.more })
    }

    async fn since(&self) -> Result<Option<Timestamp>, ChangeLogError> {
        Ok(self.since)
    }
}

fn look() -> Look {
    Look { incident_start: Some(at("12:00:00")), now: at("12:30:00"), cancel: CancellationToken::new() }
}

/// Without a cluster and a topology.
fn recorded(log: std::sync::Arc<Held>) -> Recorded {
    Recorded { log, cluster: None, topology: None }
}

async fn told(held: std::sync::Arc<Held>, arguments: Value) -> Result<String, ToolError> {
    RecentChanges::new(recorded(held)).call(arguments, &look()).await.map(|output| output.content)
}

fn cart() -> Value {
    json!({"kind": "Deployment", "name": "cart", "namespace": "shop"})
}

#[tokio::test]
async fn changes_are_told_before_and_after_with_time_and_writer_the_nearest_first() {
    let mut deleted = change("ConfigMap", "shop", "flags", "11:58:00", ("data.a", "1", ""));
    (deleted.kind, deleted.by, deleted.fields, deleted.found_late) =
        (ChangeKind::Deleted, Author::default(), vec![], true);
    let held = Held::of(vec![
        deleted,
        change("ConfigMap", "shop", "settings", "11:57:00", ("data.timeout", "5s", "50ms")),
        change("Deployment", "shop", "cart", "11:55:00", ("containers[app].image", "cart:1", "cart:2")),
        change("Node", "", "worker", "11:50:00", ("unschedulable", "false", "true")),
    ]);
    assert_eq!(
        told(held.clone(), cart()).await.unwrap(),
        "(now 2026-01-02T12:30:00Z, T is the start of the incident, 2026-01-02T12:00:00Z)\n\
         recorded changes from 2026-01-02T10:00:00Z until 2026-01-02T12:30:00Z\n\
         of Deployment shop/cart itself:\n  \
         35m ago (T-5m) (2026-01-02T11:55:00Z) Deployment shop/cart changed by kubectl-edit\n    \
         containers[app].image: cart:1 → cart:2\n\
         of others in its namespace:\n  \
         32m ago (T-2m) (2026-01-02T11:58:00Z, at the latest) ConfigMap shop/flags deleted (the API server doesn't tell by whom)\n  \
         33m ago (T-3m) (2026-01-02T11:57:00Z) ConfigMap shop/settings changed by kubectl-edit\n    \
         data.timeout: 5s → 50ms\n\
         elsewhere:\n  \
         40m ago (T-10m) (2026-01-02T11:50:00Z) Node worker changed by kubectl-edit\n    \
         unschedulable: false → true\n"
    );
    let asked = held.asked.lock().unwrap()[0].clone();
    let namespaces = ["shop".to_owned()].into();
    assert_eq!(asked, Window { namespaces, since: at("10:00:00"), until: at("12:30:00"), limit: 500 });
}

#[tokio::test]
async fn the_window_is_chosen_and_paged_and_a_wrong_one_is_told() {
    let held = std::sync::Arc::new(Held {
        changes: vec![change("ConfigMap", "shop", "a", "09:00:00", ("data.a", "1", "2"))],
        more: true,
        since: Some(at("08:00:00")),
        asked: Mutex::default(),
    });
    let paged = json!({"kind": "Deployment", "name": "cart", "namespace": "shop", "before": "5h", "until": "2026-01-02T10:00:00Z"});
    let text = told(held.clone(), paged).await.unwrap();
    assert!(text.contains("ask again with until 2026-01-02T09:00:00Z"), "{text}");
    assert!(text.contains("changes are recorded only since"), "{text}");
    let asked = held.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.since, asked.until), (at("05:00:00"), at("10:00:00")));
    let wrong = json!({"kind": "Deployment", "name": "cart", "namespace": "shop", "before": "yesterday"});
    let error = told(held, wrong).await.unwrap_err().to_string();
    assert_eq!(error, "recent_changes: argument `before` is \"yesterday\"; wanted is a length of time as 2h or 3d");
}

#[tokio::test]
async fn what_changes_all_the_time_hides_nothing_else() {
    let mut changes: Vec<Change> = (10..40)
        .rev()
        .map(|minute| change("Deployment", "shop", "cart", &format!("11:{minute}:00"), ("replicas", "1", "2")))
        .collect();
    changes.push(change("Deployment", "shop", "cart", "11:05:00", ("containers[app].image", "a:1", "a:2")));
    let output = RecentChanges::new(recorded(Held::of(changes))).call(cart(), &look()).await.unwrap();
    assert_eq!(output.content.matches("replicas: 1 → 2").count(), 30, "{}", output.content);
    let text = output.view.unwrap();
    assert_eq!(text.matches("replicas: 1 → 2").count(), 3, "{text}");
    assert!(text.contains("… 27 earlier changes of the same fields of it are left out …"), "{text}");
    assert!(text.contains("containers[app].image: a:1 → a:2"), "{text}");
}

#[tokio::test]
async fn that_nothing_changed_is_told_too() {
    let text = told(Held::of(vec![]), cart()).await.unwrap();
    assert!(text.contains("none: nothing that is recorded changed in this time"), "{text}");
}

#[tokio::test]
async fn the_tool_is_offered_once_changes_are_recorded() {
    let of = |since: Option<Timestamp>| {
        let held = Held { changes: vec![], more: false, since, asked: Mutex::default() };
        crate::Toolsets::new([toolset(Some(recorded(std::sync::Arc::new(held))), true)], std::sync::Arc::new(Plain))
    };
    let offered = of(Some(at("00:00:00"))).offered().await;
    assert_eq!(offered.tools.iter().map(|tool| tool.spec().name.as_ref()).collect::<Vec<_>>(), ["recent_changes"]);
    let offered = of(None).offered().await;
    assert!(offered.tools.is_empty());
    assert!(offered.unseen[0].why.contains("no changes are recorded yet"), "{:?}", offered.unseen);
    let without = crate::Toolsets::new([toolset(None, false)], std::sync::Arc::new(Plain));
    assert!(without.offered().await.unseen.is_empty());
}

struct Plain;

impl crate::Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// A Deployment `cart` that reads a ConfigMap and calls `db` in another namespace, which a StatefulSet serves.
fn shop() -> Scene {
    let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true}]);
    let objects = json!([
        {"kind": "Deployment", "metadata": {"namespace": "shop", "name": "cart", "annotations": {"meta.helm.sh/release-name": "cart"}},
            "spec": {"template": {"metadata": {"labels": {"app": "cart"}}, "spec": {"serviceAccountName": "cart", "containers": [
                {"name": "app", "env": [{"name": "DB", "value": "http://db.data.svc.cluster.local:5432"}], "envFrom": [{"configMapRef": {"name": "settings"}}]}]}}}},
        {"kind": "ReplicaSet", "metadata": {"namespace": "shop", "name": "cart-1", "ownerReferences": owner("Deployment", "cart")}},
        {"kind": "Pod", "metadata": {"namespace": "shop", "name": "cart-1-a", "labels": {"app": "cart"}, "ownerReferences": owner("ReplicaSet", "cart-1")},
            "spec": {"nodeName": "worker", "containers": [{"name": "app", "env": [{"name": "DB", "value": "http://db.data.svc.cluster.local:5432"}]}]}},
        {"kind": "Service", "metadata": {"namespace": "shop", "name": "cart"}, "spec": {"selector": {"app": "cart"}}},
        {"kind": "HorizontalPodAutoscaler", "metadata": {"namespace": "shop", "name": "scaler"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}}},
        {"kind": "Service", "metadata": {"namespace": "data", "name": "db"}, "spec": {"selector": {"app": "db"}, "ports": [{"port": 5432}]}},
        {"kind": "StatefulSet", "metadata": {"namespace": "data", "name": "db"}, "spec": {"template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"name": "db", "envFrom": [{"secretRef": {"name": "db-credentials"}}]}]}}}},
    ]);
    let Value::Array(objects) = objects else { panic!() };
    Scene::of(objects, &[], Vec::new(), at("12:30:00"))
}

#[test]
fn what_is_needed_called_and_delivered_is_near_and_the_rest_is_not() {
    let near = Near::of(&shop(), &ObjectRef::namespaced("Pod", "shop", "cart-1-a"));
    let nearness = |kind: &str, namespace: &str, name: &str| match near.nearness(&change(
        kind,
        namespace,
        name,
        "12:00:00",
        ("a", "", ""),
    )) {
        Nearness::Itself => "itself",
        Nearness::Needed(_) => "needed",
        Nearness::Beside => "beside",
        Nearness::Elsewhere => "elsewhere",
    };
    for (kind, namespace, name, wanted) in [
        ("Deployment", "shop", "cart", "itself"),
        ("HelmRelease", "shop", "cart", "itself"),
        ("ConfigMap", "shop", "settings", "needed"),
        ("Service", "shop", "cart", "needed"),
        ("HorizontalPodAutoscaler", "shop", "scaler", "needed"),
        ("Service", "data", "db", "needed"),
        ("StatefulSet", "data", "db", "needed"),
        ("Secret", "data", "db-credentials", "needed"),
        ("Node", "", "worker", "needed"),
        ("ResourceQuota", "shop", "team", "needed"),
        ("Namespace", "", "shop", "needed"),
        ("ConfigMap", "shop", "other", "beside"),
        ("ConfigMap", "data", "other", "elsewhere"),
        ("Node", "", "other", "elsewhere"),
    ] {
        assert_eq!(nearness(kind, namespace, name), wanted, "{kind} {namespace}/{name}");
    }
    assert_eq!(near.namespaces, ["data".to_owned(), "shop".to_owned()].into());
}

/// A pod that is gone, and its Deployment as it was told of.
struct Told;

#[async_trait]
impl crate::topology::Topology for Told {
    async fn remembered(
        &self,
        object: &ObjectRef,
    ) -> Result<Option<crate::topology::Remembered>, crate::topology::TopologyError> {
        let of = |kind: &str, name: &str| ObjectRef::namespaced(kind, "shop", name);
        let pod = object.is("Pod");
        let needs = (!pod).then(|| marple_core::Need::new("ConfigMap", "settings"));
        let one = crate::topology::Remembered {
            object: object.clone(),
            gone_at: pod.then(|| at("12:10:00")),
            links: marple_core::Links {
                node: pod.then(|| "worker".to_owned()),
                needs: needs.into_iter().collect(),
                ..marple_core::Links::default()
            },
            owners: if pod { vec![of("ReplicaSet", "cart-1"), of("Deployment", "cart")] } else { vec![] },
            dependents: vec![],
            selected_by: if pod { vec![of("Service", "cart")] } else { vec![] },
        };
        Ok([of("Pod", "cart-1-a"), of("Deployment", "cart")].contains(object).then_some(one))
    }
}

#[tokio::test]
async fn of_a_pod_that_is_gone_it_is_known_what_it_depended_on() {
    let held = Held::of(vec![
        change("Service", "shop", "cart", "11:59:00", ("selector.app", "cart", "kart")),
        change("ConfigMap", "shop", "settings", "11:57:00", ("data.timeout", "5s", "50ms")),
        change("Deployment", "shop", "cart", "11:55:00", ("replicas", "1", "2")),
        change("ConfigMap", "shop", "other", "11:54:00", ("data.a", "1", "2")),
        change("Node", "", "worker", "11:50:00", ("unschedulable", "false", "true")),
    ]);
    let tool = RecentChanges::new(Recorded { topology: Some(std::sync::Arc::new(Told)), ..recorded(held) });
    let pod = json!({"kind": "Pod", "name": "cart-1-a", "namespace": "shop"});
    let text = tool.call(pod, &look()).await.unwrap().content;
    let order = [
        "itself:",
        "Deployment shop/cart",
        "needs",
        "Service shop/cart",
        "ConfigMap shop/settings",
        "Node worker",
        "others in its namespace",
        "ConfigMap shop/other",
    ];
    let places: Vec<usize> =
        order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"))).collect();
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn of_what_was_made_little_is_shown_and_other_namespaces_are_counted() {
    let mut made = change("Deployment", "shop", "cart", "11:50:00", ("containers[app].image", "", "cart:1"));
    made.kind = ChangeKind::Created;
    let more =
        (0..6).map(|number| FieldChange { path: format!("f{number}"), before: None, after: Some("v".to_owned()) });
    made.fields.extend(more);
    let namespace = |name: &str| change("Namespace", "", name, "11:40:00", ("labels.a", "1", "2"));
    let held = Held::of(vec![made, namespace("shop"), namespace("till"), namespace("bank")]);
    let output = RecentChanges::new(recorded(held)).call(cart(), &look()).await.unwrap();
    assert!(output.content.contains("Namespace till") && output.content.contains("f5: set to v"), "{}", output.content);
    let text = output.view.unwrap();
    assert!(text.contains("    with containers[app].image cart:1; f0 v; f1 v; f2 v; 3 more fields\n"), "{text}");
    assert!(text.contains("Namespace shop") && !text.contains("Namespace till"), "{text}");
    assert!(text.contains("… 2 changes of other namespaces themselves are left out …"), "{text}");
}

#[test]
fn of_a_namespace_all_that_is_in_it_is_beside_and_what_that_needs_is_near() {
    let near = Near::of(&shop(), &ObjectRef::cluster("Namespace", "shop"));
    let nearness = |kind: &str, namespace: &str, name: &str| {
        near.nearness(&change(kind, namespace, name, "11:00:00", ("a", "1", "2")))
    };
    assert_eq!(nearness("Deployment", "shop", "cart"), Nearness::Beside);
    assert!(matches!(nearness("Service", "data", "db"), Nearness::Needed(_)));
    assert_eq!(near.namespaces, ["data".to_owned(), "shop".to_owned()].into());
}

#[tokio::test]
async fn what_an_installation_made_beside_the_subject_is_told_together_and_what_bears_upon_it_by_itself() {
    let made = |kind: &str, namespace: &str, name: &str, when: &str| {
        let mut made = change(kind, namespace, name, when, ("image", "", "a"));
        (made.kind, made.by.manager) = (ChangeKind::Created, Some("helm".to_owned()));
        made
    };
    let held = Held::of(vec![
        made("ClusterRole", "", "mesh-a", "11:50:00"),
        made("ClusterRole", "", "mesh-b", "11:50:01"),
        made("ClusterRoleBinding", "", "mesh-a", "11:50:02"),
        made("ClusterRoleBinding", "", "mesh-b", "11:50:03"),
        made("ValidatingWebhookConfiguration", "", "mesh", "11:50:04"),
        made("ConfigMap", "shop", "mesh-ca", "11:50:05"),
    ]);
    let told = RecentChanges::new(recorded(held)).call(cart(), &look()).await.unwrap();
    let shown = told.view.unwrap();
    let (_, elsewhere) = shown.split_once("elsewhere:\n").unwrap();
    assert_eq!(
        elsewhere,
        "  39m ago (T-9m56s) (2026-01-02T11:50:04Z) ValidatingWebhookConfiguration mesh created by helm\n    with image a\n  \
         39m ago (T-9m57s) (2026-01-02T11:50:00Z to 2026-01-02T11:50:03Z) 4 objects without a namespace created by helm: ClusterRoleBinding (2), ClusterRole (2)\n"
    );
    assert!(shown.contains("ConfigMap shop/mesh-ca created by helm"));
    assert!(told.content.contains("ClusterRole mesh-b created"), "all is kept");
}
