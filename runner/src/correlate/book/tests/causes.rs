use super::*;

#[test]
fn what_runs_on_a_node_that_went_down_joins_it() {
    let mut kept = Kept::new();
    let down = firing("KubeNodeNotReady", &node("n1"));
    let (here, there) = (firing("X", &pod("cart-1")), firing("X", &pod("db-1")));
    kept.fold(&down, &Related::alone(node("n1")), 0);
    kept.fold(&here, &on(deployment("cart"), "n1"), 1);
    kept.fold(&there, &on(deployment("db"), "n2"), 2);
    let titles: Vec<_> = kept.live().iter().map(|one| one.title.as_str()).collect();
    let expected = ["Node n1 and 1 more: KubeNodeNotReady and 1 more alert", "Deployment shop/db: X"];
    assert_eq!(titles, expected);
    assert_eq!(kept.reason(&here), JoinReason::SameNode { node: node("n1") });
}

#[test]
fn a_full_disk_does_not_take_the_pods_of_its_node_in() {
    let mut kept = Kept::new();
    kept.fold(&firing("NodeFilesystemAlmostOutOfSpace", &node("n1")), &Related::alone(node("n1")), 0);
    kept.fold(&firing("X", &pod("cart-1")), &on(deployment("cart"), "n1"), 1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn a_node_told_late_takes_its_pods_in_and_leaves_those_that_also_fail_elsewhere() {
    let mut kept = Kept::new();
    let here = firing("X", &pod("cart-1"));
    kept.fold(&here, &on(deployment("cart"), "n1"), 0);
    kept.fold(&firing("X", &pod("db-1")), &on(deployment("db"), "n1"), 1);
    kept.fold(&firing("X", &pod("db-2")), &on(deployment("db"), "n2"), 2);
    let down = Signal { starts_at: at(900), ..firing("KubeNodeNotReady", &node("n1")) };
    kept.fold(&down, &Related::alone(node("n1")), 901);
    let titles: Vec<_> = kept.live().iter().map(|one| one.title.as_str()).collect();
    assert_eq!(titles, ["Node n1 and 1 more: X and 1 more alert", "Deployment shop/db: X"]);
    assert_eq!(kept.reason(&down), JoinReason::SameNode { node: node("n1") });
}

#[test]
fn an_owner_told_late_merges_the_younger_incident_into_the_older() {
    let mut kept = Kept::new();
    let (a, b) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-2")));
    let guess = |object: &ObjectRef| Related::from_labels(object, &Labels::new());
    kept.fold(&a, &guess(&pod("cart-1")), 0);
    kept.fold(&b, &guess(&pod("cart-2")), 1);
    assert_eq!(kept.live().len(), 2);
    assert_eq!(kept.book.unresolved(10), [pod("cart-1"), pod("cart-2")]);
    let older = kept.live()[0].id;
    for name in ["cart-1", "cart-2"] {
        kept.book.relate(&pod(name), &owned(deployment("cart")), at(10));
        kept.keep(10);
    }
    let incident = kept.only();
    assert_eq!((incident.id, incident.signals, incident.firing), (older, 2, 2));
    assert_eq!(incident.title, "Deployment shop/cart: X and 1 more alert");
    assert_eq!(incident.objects, BTreeSet::from([deployment("cart")]));
    assert_eq!(kept.reason(&b), JoinReason::SameOwner { owner: deployment("cart") });
    let younger = kept.incidents.values().find(|one| one.id != older).unwrap();
    assert_eq!((younger.status, younger.merged_into), (IncidentStatus::Merged, Some(older)));
    assert_eq!(kept.book.unresolved(10), []);
    // What ends now ends in the older.
    kept.fold(&resolved(&b, 20), &owned(deployment("cart")), 20);
    assert_eq!(kept.only().firing, 1);
}

#[test]
fn of_an_object_that_is_gone_its_labels_are_believed() {
    let mut kept = Kept::new();
    let labels: Labels = [("deployment", "cart")].into_iter().collect();
    let guess = Related::from_labels(&pod("cart-1"), &labels);
    kept.fold(&firing("X", &pod("cart-1")), &guess, 0);
    kept.book.relate(&pod("cart-1"), &Related { owner: None, node: None, known: Known::Gone }, at(5));
    kept.keep(5);
    assert_eq!(kept.only().objects, BTreeSet::from([deployment("cart")]));
    assert_eq!(kept.book.unresolved(10), []);
}

fn depends(from: ObjectRef, to: ObjectRef, how: &str) -> Dependency {
    Dependency { from, to, how: how.to_owned() }
}

#[test]
fn what_fails_behind_a_service_that_is_called_joins_who_calls_it() {
    let mut kept = Kept::new();
    let service = ObjectRef::namespaced("Service", "payments", "db");
    let database = ObjectRef::namespaced("StatefulSet", "payments", "db");
    let caller = firing("X", &pod("cart-1"));
    kept.fold(&caller, &owned(deployment("cart")), 0);
    let id = kept.only().id;
    let ways = vec![
        depends(deployment("cart"), service.clone(), "env DATABASE names Service payments/db"),
        depends(service, database.clone(), "it selects StatefulSet payments/db"),
    ];
    kept.book.learn(id, ways, at(5));
    kept.keep(5);
    let failing = firing("Y", &ObjectRef::namespaced("Pod", "payments", "db-0"));
    kept.fold(&failing, &owned(database.clone()), 10);
    assert_eq!(kept.only().title, "Deployment shop/cart and 1 more: X and 1 more alert");
    let how = "env DATABASE names Service payments/db, it selects StatefulSet payments/db";
    let reason = JoinReason::Dependency { from: deployment("cart"), to: database, how: how.to_owned() };
    assert_eq!(kept.reason(&failing), reason);
}

#[test]
fn a_dependency_told_late_merges_all_that_it_joins() {
    let mut kept = Kept::new();
    for (second, name) in ["web", "cart", "db"].into_iter().enumerate() {
        kept.fold(&firing("X", &pod(name)), &owned(deployment(name)), i64::try_from(second).unwrap());
    }
    let ids: Vec<_> = kept.live().iter().map(|one| one.id).collect();
    kept.book.learn(ids[1], vec![depends(deployment("cart"), deployment("db"), "env")], at(5));
    kept.book.learn(ids[0], vec![depends(deployment("web"), deployment("cart"), "env")], at(6));
    kept.keep(6);
    assert_eq!((kept.only().id, kept.only().firing), (ids[0], 3));
    // Of an incident that is part of another by now, things may still be learned.
    kept.fold(&firing("X", &pod("mail")), &owned(deployment("mail")), 7);
    kept.book.learn(ids[1], vec![depends(deployment("cart"), deployment("mail"), "env")], at(8));
    kept.keep(8);
    assert_eq!(kept.only().firing, 4);
}

#[test]
fn sharing_a_node_or_a_configuration_joins_nothing() {
    let mut kept = Kept::new();
    for name in ["web", "cart"] {
        kept.fold(&firing("X", &pod(name)), &owned(deployment(name)), 0);
    }
    let ids: Vec<_> = kept.live().iter().map(|one| one.id).collect();
    let shared = ObjectRef::namespaced("ConfigMap", "shop", "settings");
    for (id, name) in ids.iter().zip(["web", "cart"]) {
        let ways = vec![
            depends(deployment(name), node("n1"), "runs there"),
            depends(deployment(name), shared.clone(), "mounts it"),
            depends(node("n1"), deployment("cart"), "runs it"),
        ];
        kept.book.learn(*id, ways, at(1));
    }
    kept.keep(1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn what_scales_a_workload_is_part_of_its_incident_once_that_is_known() {
    let mut kept = Kept::new();
    let scaler = ObjectRef::namespaced("HorizontalPodAutoscaler", "shop", "cart");
    let limit = firing("AutoscalerAtLimit", &scaler);
    kept.fold(&firing("X", &pod("cart-1")), &owned(deployment("cart")), 0);
    kept.fold(&limit, &Related::alone(scaler.clone()), 1);
    assert_eq!(kept.live().len(), 2);
    let dependency = Dependency { from: scaler.clone(), to: deployment("cart"), how: "it scales that".to_owned() };
    kept.book.learn_of(&scaler, vec![dependency], at(2));
    kept.keep(2);
    kept.only();
    let how = "it scales that".to_owned();
    assert_eq!(kept.reason(&limit), JoinReason::Dependency { from: scaler, to: deployment("cart"), how });
}
