#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use marple_core::links::Owner;
use marple_core::{Links, Need, Selector, Tie};
use marple_forwarder::topology::{Batch, Entry, Listed, Listing};
use proptest::prelude::*;

use super::*;
use crate::store::sqlite::tests::{at, store};

fn owned(kind: &str, name: &str) -> Links {
    let owner = Owner { api_version: "apps/v1".to_owned(), kind: kind.to_owned(), name: name.to_owned() };
    Links { owner: Some(owner), ..Links::default() }
}

fn object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, "shop", name)
}

fn entry(kind: &str, name: &str, links: Links) -> Entry {
    Entry { object: object(kind, name), listing: Listing(1), links: Some(links), gone_at: None }
}

fn gone(kind: &str, name: &str, second: i64) -> Entry {
    Entry { links: None, gone_at: Some(at(second)), ..entry(kind, name, Links::default()) }
}

fn listed(kind: &str, listing: i64, second: i64) -> Listed {
    let (namespace, namespaces) = (String::new(), marple_forwarder::Namespaces::default());
    Listed { kind: kind.to_owned(), namespace, namespaces, listing: Listing(listing), at: at(second) }
}

fn batch(entries: Vec<Entry>, listed: Vec<Listed>) -> Batch {
    Batch { cluster: "test".to_owned(), entries, listed }
}

async fn chart(store: &SqliteStore, entries: Vec<Entry>) {
    store.chart(None, &batch(entries, vec![]), at(0)).await.unwrap();
}

/// The names of a chain of owners.
async fn chain(store: &SqliteStore, cluster: &str, kind: &str, name: &str) -> Vec<String> {
    let chains = store.chains(cluster, &[object(kind, name)]).await.unwrap();
    chains[0].iter().map(|step| step.object.name.clone()).collect()
}

fn cart() -> Vec<Entry> {
    let node = Some("worker".to_owned());
    let needs: BTreeSet<Need> = [Need::new("ConfigMap", "settings"), Need::new("Secret", "db")].into();
    let labels: Labels = [("app", "cart"), ("tier", "web")].into_iter().collect();
    vec![
        entry("Pod", "cart-1-a", Links { node, labels: labels.clone(), ..owned("ReplicaSet", "cart-1") }),
        entry("ReplicaSet", "cart-1", owned("Deployment", "cart")),
        entry("Deployment", "cart", Links { needs, labels, ..Links::default() }),
    ]
}

#[tokio::test]
async fn a_chain_of_owners_is_known_to_the_top_also_of_what_is_gone() {
    let (_folder, store) = store().await;
    chart(&store, cart()).await;
    assert_eq!(chain(&store, "test", "Pod", "cart-1-a").await, ["cart-1-a", "cart-1", "cart"]);
    chart(&store, vec![gone("Pod", "cart-1-a", 5), gone("ReplicaSet", "cart-1", 6)]).await;
    assert_eq!(chain(&store, "test", "Pod", "cart-1-a").await, ["cart-1-a", "cart-1", "cart"]);
    let remembered = store.remembered("test", &object("Pod", "cart-1-a")).await.unwrap().unwrap();
    assert_eq!(remembered.gone_at, Some(at(5)));
    assert_eq!(remembered.owners, [object("ReplicaSet", "cart-1"), object("Deployment", "cart")]);
    assert_eq!(remembered.links.node.as_deref(), Some("worker"));
    assert_eq!(chain(&store, "another", "Pod", "cart-1-a").await, Vec::<String>::new(), "clusters are kept apart");
    // What comes back is there again.
    chart(&store, cart()).await;
    assert_eq!(store.placed("test", &object("Pod", "cart-1-a")).await.unwrap().unwrap().gone_at, None);
}

#[tokio::test]
async fn many_are_asked_for_at_once_and_answered_in_order() {
    let (_folder, store) = store().await;
    chart(&store, cart()).await;
    let asked = [
        object("Deployment", "cart"),
        object("Pod", "unknown"),
        object("Pod", "cart-1-a"),
        object("Deployment", "cart"),
    ];
    let chains = store.chains("test", &asked).await.unwrap();
    assert_eq!(chains.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 3, 1]);
    assert_eq!(chains[2][0].node.as_deref(), Some("worker"));
    assert_eq!(chains[2][1].owner, Some(("apps/v1".to_owned(), object("Deployment", "cart"))));
}

#[tokio::test]
async fn a_ring_of_owners_and_one_that_owns_itself_end() {
    let (_folder, store) = store().await;
    let entries = vec![
        entry("ReplicaSet", "a", owned("ReplicaSet", "b")),
        entry("ReplicaSet", "b", owned("ReplicaSet", "a")),
        entry("ReplicaSet", "self", owned("ReplicaSet", "self")),
    ];
    chart(&store, entries).await;
    for name in ["a", "self"] {
        assert_eq!(chain(&store, "test", "ReplicaSet", name).await.len(), 9, "{name}");
    }
}

#[tokio::test]
async fn what_hangs_on_an_object_is_found_by_it_and_no_more_once_it_does_not() {
    let (_folder, store) = store().await;
    chart(&store, cart()).await;
    let found = async |wanted: ObjectRef| {
        let dependents = store.dependents("test", &wanted, 10).await.unwrap();
        dependents.iter().map(|one| format!("{} {}", one.tie, one.object)).collect::<Vec<_>>()
    };
    assert_eq!(found(object("ConfigMap", "settings")).await, ["needs Deployment shop/cart"]);
    assert_eq!(found(ObjectRef::cluster("Node", "worker")).await, ["runs on Pod shop/cart-1-a"]);
    assert_eq!(found(object("Deployment", "cart")).await, ["is owned by ReplicaSet shop/cart-1"]);
    chart(
        &store,
        vec![entry(
            "Deployment",
            "cart",
            Links { needs: [Need::new("ConfigMap", "other")].into(), ..Links::default() },
        )],
    )
    .await;
    assert_eq!(found(object("ConfigMap", "settings")).await, Vec::<String>::new());
    assert_eq!(found(object("ConfigMap", "other")).await, ["needs Deployment shop/cart"]);
}

#[tokio::test]
async fn what_selects_pods_is_found_by_their_labels() {
    let (_folder, store) = store().await;
    let selecting = |text: &str| Links { selector: serde_json::from_str(text).unwrap(), ..Links::default() };
    let entries = vec![
        entry("Service", "cart", selecting(r#"{"labels": {"app": "cart"}}"#)),
        entry("Service", "narrow", selecting(r#"{"labels": {"app": "cart", "tier": "db"}}"#)),
        entry("Service", "none", Links::default()),
        entry("NetworkPolicy", "all", selecting("{}")),
        entry(
            "PodDisruptionBudget",
            "web",
            selecting(r#"{"expressions": [{"key": "tier", "operator": "In", "values": ["web"]}]}"#),
        ),
        entry(
            "PodDisruptionBudget",
            "db",
            selecting(r#"{"expressions": [{"key": "tier", "operator": "In", "values": ["db"]}]}"#),
        ),
    ];
    chart(&store, entries).await;
    chart(&store, vec![gone("NetworkPolicy", "never-seen", 1)]).await;
    let labels: Labels = [("app", "cart"), ("tier", "web")].into_iter().collect();
    let found = store.selecting("test", "shop", &labels).await.unwrap();
    assert_eq!(
        found,
        [object("NetworkPolicy", "all"), object("PodDisruptionBudget", "web"), object("Service", "cart")]
    );
    assert_eq!(store.selecting("test", "other", &labels).await.unwrap(), []);
}

#[tokio::test]
async fn what_a_list_does_not_show_is_gone_but_not_what_another_forwarder_watches() {
    let (_folder, store) = store().await;
    chart(
        &store,
        vec![
            entry("Pod", "a", Links::default()),
            entry("Pod", "b", Links::default()),
            entry("Job", "a", Links::default()),
        ],
    )
    .await;
    let other = ObjectRef::namespaced("Pod", "kube-system", "a");
    chart(&store, vec![Entry { object: other.clone(), ..entry("Pod", "a", Links::default()) }]).await;
    let again = Entry { listing: Listing(2), ..entry("Pod", "b", Links::default()) };
    let namespaces = serde_json::from_str(r#"{"exclude": ["kube-*"]}"#).unwrap();
    let listed = Listed { namespaces, ..listed("Pod", 2, 7) };
    store.chart(None, &batch(vec![again], vec![listed]), at(0)).await.unwrap();
    let is_gone = async |object: ObjectRef| store.placed("test", &object).await.unwrap().unwrap().gone_at;
    assert_eq!(is_gone(object("Pod", "a")).await, Some(at(7)));
    assert_eq!(is_gone(object("Pod", "b")).await, None);
    assert_eq!(is_gone(object("Job", "a")).await, None);
    assert_eq!(is_gone(other).await, None);
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_dropped() {
    let (_folder, store) = store().await;
    let sequence = |number: u64| Some(format!("0190a6d4-7f0e-7a6b-8a58-0123456789ab/{number}").parse().unwrap());
    let on =
        |node: &str| batch(vec![entry("Pod", "a", Links { node: Some(node.to_owned()), ..Links::default() })], vec![]);
    store.chart(sequence(2), &on("new"), at(0)).await.unwrap();
    store.chart(sequence(1), &on("old"), at(0)).await.unwrap();
    assert_eq!(store.placed("test", &object("Pod", "a")).await.unwrap().unwrap().links.node.as_deref(), Some("new"));
}

#[tokio::test]
async fn beyond_the_bound_only_what_is_known_is_kept() {
    let (_folder, store) = store().await;
    let pods = |from: usize, to: usize| {
        (from..to).map(|number| entry("Pod", &number.to_string(), owned("Job", "a"))).collect()
    };
    for (from, to) in [(0, 3), (3, 6), (5, 7)] {
        charting::chart(&store, None, &batch(pods(from, to), vec![]), at(0), 5).await.unwrap();
    }
    let dependents = store.dependents("test", &object("Job", "a"), 100).await.unwrap();
    assert_eq!(dependents.len(), 6, "the bound is looked at once a batch");
    chart(&store, vec![gone("Pod", "0", 1)]).await;
    assert_eq!(store.retire_topology(at(2)).await.unwrap(), 6, "nothing was heard of it since");
}

#[tokio::test]
async fn what_is_long_gone_and_clusters_that_are_not_heard_of_are_forgotten() {
    let (_folder, store) = store().await;
    store.chart(None, &batch(cart(), vec![]), at(10)).await.unwrap();
    store.chart(None, &Batch { cluster: "silent".to_owned(), ..batch(cart(), vec![]) }, at(0)).await.unwrap();
    store.chart(None, &batch(vec![gone("Pod", "cart-1-a", 3)], vec![]), at(10)).await.unwrap();
    assert_eq!(store.retire_topology(at(3)).await.unwrap(), 3, "the silent one");
    assert_eq!(store.charted_at("silent").await.unwrap(), None);
    assert_eq!(store.retire_topology(at(4)).await.unwrap(), 1, "the pod");
    assert_eq!(chain(&store, "test", "Pod", "cart-1-a").await, Vec::<String>::new());
    assert_eq!(store.dependents("test", &ObjectRef::cluster("Node", "worker"), 9).await.unwrap(), []);
    assert_eq!(chain(&store, "test", "ReplicaSet", "cart-1").await, ["cart-1", "cart"]);
}

/// What happens to the pods of a cluster.
#[derive(Clone, Debug)]
enum Step {
    Seen(u8, u8),
    Gone(u8),
    /// A list shows these, each with what it is.
    Listed(BTreeMap<u8, u8>),
    /// The same is delivered again.
    Again,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..6_u8, 0..4_u8).prop_map(|(pod, links)| Step::Seen(pod, links)),
        2 => (0..6_u8).prop_map(Step::Gone),
        1 => proptest::collection::btree_map(0..6_u8, 0..4_u8, 0..6).prop_map(Step::Listed),
        1 => Just(Step::Again),
    ];
    proptest::collection::vec(step, 1..25)
}

/// Links of a pod, of some that there are.
fn links(variant: u8) -> Links {
    let labels = |value: &str| [("app", value)].into_iter().collect();
    match variant {
        0 => Links::default(),
        1 => Links { node: Some("n1".to_owned()), labels: labels("a"), ..owned("ReplicaSet", "x") },
        2 => Links { node: Some("n2".to_owned()), needs: [Need::new("ConfigMap", "m")].into(), ..Links::default() },
        _ => Links { selector: Some(Selector { labels: labels("a"), ..Selector::default() }), ..Links::default() },
    }
}

/// What is to be known after these steps: the last links of each pod, and whether it is there.
type Model = BTreeMap<u8, (u8, bool)>;

async fn compare(store: &SqliteStore, model: &Model) -> Result<(), TestCaseError> {
    for pod in 0..6 {
        let placed = store.placed("test", &object("Pod", &pod.to_string())).await.unwrap();
        let told = placed.map(|placed| (placed.links, placed.gone_at.is_none()));
        prop_assert_eq!(told, model.get(&pod).map(|(variant, there)| (links(*variant), *there)), "pod {}", pod);
    }
    let targets = [
        (ObjectRef::cluster("Node", "n1"), 1, Tie::RunsOn),
        (object("ReplicaSet", "x"), 1, Tie::Owned),
        (object("ConfigMap", "m"), 2, Tie::Needs),
    ];
    for (target, variant, tie) in targets {
        let dependents = store.dependents("test", &target, 100).await.unwrap();
        let told: BTreeSet<_> =
            dependents.iter().map(|one| (one.object.name.clone(), one.tie, one.gone_at.is_none())).collect();
        let of = model.iter().filter(|(_, (one, _))| *one == variant);
        let wanted: BTreeSet<_> = of.map(|(pod, (_, there))| (pod.to_string(), tie, *there)).collect();
        prop_assert_eq!(told, wanted, "{}", target);
    }
    let labels: Labels = [("app", "a")].into_iter().collect();
    let told: BTreeSet<_> =
        store.selecting("test", "shop", &labels).await.unwrap().into_iter().map(|object| object.name).collect();
    let selecting = model.iter().filter(|(_, (variant, there))| *variant == 3 && *there);
    prop_assert_eq!(told, selecting.map(|(pod, _)| pod.to_string()).collect());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_whatever_order_the_picture_is_that_of_a_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, store) = store().await;
            let (mut model, mut listing, mut last) = (Model::new(), 1, Batch::default());
            for step in steps {
                let seen = |pod: u8, variant: u8, listing: i64| {
                    Entry { listing: Listing(listing), ..entry("Pod", &pod.to_string(), links(variant)) }
                };
                match step {
                    Step::Seen(pod, variant) => {
                        model.insert(pod, (variant, true));
                        last = batch(vec![seen(pod, variant, listing)], vec![]);
                    }
                    Step::Gone(pod) => {
                        model.entry(pod).and_modify(|(_, there)| *there = false);
                        last = batch(vec![gone("Pod", &pod.to_string(), 1)], vec![]);
                    }
                    Step::Listed(shown) => {
                        listing += 1;
                        for (_, there) in model.values_mut() {
                            *there = false;
                        }
                        model.extend(shown.iter().map(|(pod, variant)| (*pod, (*variant, true))));
                        let entries = shown.into_iter().map(|(pod, variant)| seen(pod, variant, listing)).collect();
                        last = batch(entries, vec![listed("Pod", listing, 1)]);
                    }
                    Step::Again if last.cluster.is_empty() => continue,
                    Step::Again => {}
                }
                store.chart(None, &last, at(0)).await.unwrap();
                compare(&store, &model).await?;
            }
            store.close().await;
            Ok::<(), TestCaseError>(())
        })?;
    }
}
