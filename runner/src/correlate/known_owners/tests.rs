#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use marple_core::links::Owner;
use marple_core::{Links, Need};
use marple_forwarder::topology::{Batch, Entry, Listing};
use tempfile::TempDir;

use super::*;
use crate::store::SqliteStore;

/// Whoever is asked for the rest: what it was asked, and what it says of everything.
#[derive(Default)]
struct Asked {
    asked: Mutex<Vec<String>>,
    says: Option<Related>,
}

#[async_trait]
impl Owners for Asked {
    async fn related(&self, objects: &[ObjectRef]) -> Vec<Option<Related>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(objects.iter().map(ToString::to_string));
        objects.iter().map(|_| self.says.clone()).collect()
    }
}

fn object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, "shop", name)
}

fn entry(kind: &str, name: &str, owner: Option<(&str, &str, &str)>, node: Option<&str>) -> Entry {
    let owner = owner.map(|(api_version, kind, name)| Owner {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    });
    let links = Links { owner, node: node.map(str::to_owned), ..Links::default() };
    Entry { object: object(kind, name), listing: Listing(1), links: Some(links), gone_at: None }
}

fn with(kind: &str, name: &str, set: impl FnMut(&mut Links)) -> Entry {
    let mut entry = entry(kind, name, None, None);
    entry.links.as_mut().into_iter().for_each(set);
    entry
}

/// A cluster that was told of at this time.
async fn charted(at: Timestamp, asked: &Arc<Asked>) -> (TempDir, KnownOwners) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let entries = vec![
        entry("Pod", "cart-1-a", Some(("apps/v1", "ReplicaSet", "cart-1")), Some("worker")),
        entry("ReplicaSet", "cart-1", Some(("apps/v1", "Deployment", "cart")), None),
        entry("Deployment", "cart", None, None),
        entry("Pod", "static", Some(("v1", "Node", "worker")), Some("worker")),
        entry("Pod", "custom", Some(("example.com/v1", "Widget", "w")), None),
        with("HorizontalPodAutoscaler", "scaler", |links| links.scales = Some(Need::new("Deployment", "cart"))),
        with("Deployment", "web", |links| links.release = Some(object("HelmRelease", "shop"))),
        with("Service", "web", |links| links.release = Some(object("HelmRelease", "shop"))),
        entry("ReplicaSet", "ring", Some(("apps/v1", "ReplicaSet", "ring")), None),
    ];
    store.chart(None, &Batch { cluster: "test".to_owned(), entries, listed: vec![] }, at).await.unwrap();
    let owners = KnownOwners::new(Arc::new(store), "test", asked.clone(), Clock::system());
    (folder, owners)
}

fn owned_by(owner: ObjectRef, node: Option<&str>) -> Related {
    Related { owner: Some(owner), node: node.map(|name| ObjectRef::cluster("Node", name)), known: Known::Owners }
}

fn asked(asked: &Asked) -> Vec<String> {
    std::mem::take(&mut *asked.asked.lock().unwrap_or_else(PoisonError::into_inner))
}

#[tokio::test]
async fn what_was_told_is_known_without_asking() {
    let nobody = Arc::new(Asked::default());
    let (_folder, owners) = charted(Timestamp::now(), &nobody).await;
    let node = ObjectRef::cluster("Node", "worker");
    let objects = [object("Pod", "cart-1-a"), node.clone(), object("Pod", "static"), object("ReplicaSet", "ring")];
    let wanted = [
        owned_by(object("Deployment", "cart"), Some("worker")),
        Related::alone(node),
        owned_by(object("Pod", "static"), Some("worker")),
        owned_by(object("ReplicaSet", "ring"), None),
    ]
    .map(Some);
    assert_eq!(owners.related(&objects).await, wanted);
    assert_eq!(asked(&nobody), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_not_told_is_asked_and_an_owner_of_another_kind_by_its_api() {
    let above = object("Application", "shop");
    let says = owned_by(above.clone(), Some("elsewhere"));
    let cluster = Arc::new(Asked { says: Some(says.clone()), ..Asked::default() });
    let (_folder, owners) = charted(Timestamp::now(), &cluster).await;
    let related = owners.related(&[object("Pod", "custom"), object("Pod", "cart-1-a"), object("Pod", "new")]).await;
    let wanted = [owned_by(above, None), owned_by(object("Deployment", "cart"), Some("worker")), says];
    assert_eq!(related, wanted.map(Some));
    assert_eq!(asked(&cluster), ["example.com/v1/Widget shop/w", "Pod shop/new"]);
}

#[tokio::test]
async fn an_owner_that_nothing_owns_or_that_is_gone_is_the_top_and_one_that_can_not_be_asked_is_unknown() {
    let itself = object("example.com/v1/Widget", "w");
    let gone = Related { owner: None, node: None, known: Known::Gone };
    for (says, wanted) in [
        (Some(owned_by(itself, None)), Some(owned_by(object("Widget", "w"), None))),
        (Some(gone), Some(owned_by(object("Widget", "w"), None))),
        (None, None),
    ] {
        let cluster = Arc::new(Asked { says, ..Asked::default() });
        let (_folder, owners) = charted(Timestamp::now(), &cluster).await;
        assert_eq!(owners.related(&[object("Pod", "custom")]).await, [wanted]);
    }
}

#[tokio::test]
async fn a_forwarder_that_is_not_heard_is_not_believed() {
    let cluster = Arc::new(Asked::default());
    let long_ago = Timestamp::now().checked_sub(STALE * 2).unwrap();
    let (_folder, owners) = charted(long_ago, &cluster).await;
    assert_eq!(owners.related(&[object("Pod", "cart-1-a")]).await, [None]);
    assert_eq!(asked(&cluster), ["Pod shop/cart-1-a"]);
}

#[tokio::test]
async fn another_cluster_is_another() {
    let cluster = Arc::new(Asked::default());
    let (_folder, owners) = charted(Timestamp::now(), &cluster).await;
    let owners = KnownOwners { cluster: "another".to_owned(), ..owners };
    assert_eq!(owners.related(&[object("Pod", "cart-1-a")]).await, [None]);
    assert_eq!(asked(&cluster), ["Pod shop/cart-1-a"]);
}

#[tokio::test]
async fn an_autoscaler_depends_on_what_it_scales_and_a_release_on_the_workloads_that_it_made() {
    let (_folder, owners) = charted(Timestamp::now(), &Arc::new(Asked::default())).await;
    let objects =
        [object("HorizontalPodAutoscaler", "scaler"), object("HelmRelease", "shop"), object("HelmRelease", "x")];
    let told: Vec<String> = owners
        .dependencies(&objects)
        .await
        .into_iter()
        .map(|one| format!("{} on {}: {}", one.from, one.to, one.how))
        .collect();
    assert_eq!(
        told,
        [
            "HorizontalPodAutoscaler shop/scaler on Deployment shop/cart: it scales that",
            "HelmRelease shop/shop on Deployment shop/web: the release made it"
        ]
    );
}

#[tokio::test]
async fn what_changed_is_told_with_all_that_need_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("marple.db")).await.unwrap());
    let needs = |names: &[&str]| names.iter().map(|name| Need::new("ConfigMap", *name)).collect::<BTreeSet<_>>();
    let entries = vec![
        with("Deployment", "cart", |links| links.needs = needs(&["settings"])),
        with("StatefulSet", "till", |links| links.needs = needs(&["settings", "other"])),
        with("Deployment", "web", |links| links.needs = needs(&["other"])),
    ];
    store.chart(None, &Batch { cluster: "test".to_owned(), entries, listed: vec![] }, Timestamp::now()).await.unwrap();
    let at = Timestamp::from_second(Timestamp::now().as_second() - 60).unwrap();
    let change = |kind: &str, name: &str, version: &str| {
        let change = serde_json::json!({"cluster": "test", "object": object(kind, name), "uid": name, "version": version, "at": at,
            "kind": "altered", "fields": [{"path": "data.timeout", "before": "5s", "after": "50ms"}]});
        (i64::from(version.parse::<u8>().unwrap()), serde_json::from_value::<marple_core::Change>(change).unwrap())
    };
    let changes =
        [change("ConfigMap", "settings", "1"), change("ConfigMap", "unneeded", "2"), change("Deployment", "cart", "3")];
    let batch = marple_forwarder::change::Batch { cluster: "test".to_owned(), ..Default::default() };
    Changes::record(&*store, None, &batch, &changes).await.unwrap();
    let asked: Arc<Asked> = Arc::default();
    let owners = KnownOwners::new(store.clone(), "test", asked, Clock::system()).with_history(store);
    let hour = SignedDuration::from_hours(1);
    let found = owners.changes(&[object("Deployment", "cart")], at.checked_sub(hour).unwrap()).await;
    let expected = SharedChange {
        object: object("ConfigMap", "settings"),
        at,
        what: "data.timeout: 5s → 50ms".to_owned(),
        needed_by: [object("Deployment", "cart"), object("StatefulSet", "till")].into(),
    };
    assert_eq!(found, [expected]);
    assert_eq!(owners.changes(&[object("Deployment", "web")], at.checked_sub(hour).unwrap()).await, []);
    assert_eq!(owners.changes(&[object("Deployment", "cart")], at.checked_add(hour).unwrap()).await, []);
}
