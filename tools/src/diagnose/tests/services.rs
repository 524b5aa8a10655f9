use super::*;

#[test]
fn a_selector_that_fits_nothing_names_the_label_and_the_nearest_workload() {
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.push(with(service("shop", "web", 80), &json!({"spec": {"selector": {"app": "cart", "tier": "web"}}})));
    let scene_of = |objects| scene(objects, &[], vec![]);
    let scene = scene_of(objects.clone());
    assert_eq!(found(&scene), one("service-selects-nothing", "Service shop/web"));
    assert_eq!(
        statement(&scene, "service-selects-nothing"),
        "Service shop/web selects no pod (app=cart, tier=web); Deployment shop/cart is nearest, but on its pods there is no label tier"
    );
    objects[3] = service("shop", "cart", 80);
    assert_eq!(found(&scene_of(objects.clone())), [], "it selects");
    objects[3] = with(service("shop", "db", 80), &json!({"spec": {"selector": null}}));
    assert_eq!(found(&scene_of(objects)), [], "endpoints by hand");
}

#[test]
fn a_target_port_that_no_container_has_blames_the_service() {
    let mut objects = workload(
        "shop",
        "cart",
        with_container(pod("shop", "cart"), &json!({"ports": [{"name": "http", "containerPort": 8080}]}), &json!({})),
    );
    let scene_of = |port: Value| {
        let mut objects = objects.clone();
        objects
            .push(with(service("shop", "cart", 80), &json!({"spec": {"ports": [{"port": 80, "targetPort": port}]}})));
        found(&scene(objects, &[], vec![]))
    };
    assert_eq!(scene_of(json!("web")), one("service-target-port-unknown", "Service shop/cart"));
    assert_eq!(scene_of(json!(9090)), one("service-target-port-undeclared", "Service shop/cart"));
    assert_eq!(scene_of(json!("http")), []);
    assert_eq!(scene_of(json!(8080)), []);
    merge(&mut objects[2]["spec"]["containers"][0], &json!({"ports": null}));
    objects.push(with(service("shop", "cart", 80), &json!({"spec": {"ports": [{"port": 80, "targetPort": 9090}]}})));
    assert_eq!(found(&scene(objects, &[], vec![])), [], "nothing is declared, so that nothing can be told");
}

#[test]
fn a_service_whose_pods_are_not_ready_is_a_symptom() {
    let pod = with_container(pod("shop", "cart"), &json!({}), &json!({"ready": false}));
    let mut objects = broken_workload("shop", "cart", pod.clone());
    objects.push(service("shop", "cart", 80));
    assert_eq!(found(&scene(objects, &[], vec![])), one("service-without-ready-endpoints", ""));
    let mut objects = workload("shop", "cart", pod);
    objects.push(service("shop", "cart", 80));
    assert_eq!(found(&scene(objects, &[], vec![])), [], "a pod that is ready by its condition serves");
}

#[test]
fn an_ingress_to_what_is_missing_is_told() {
    let ingress = object(
        "Ingress",
        "shop",
        "web",
        &json!({"spec": {"tls": [{"secretName": "web-tls"}],
            "rules": [{"host": "shop.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "cart", "port": {"number": 80}}}}]}}]}}),
    );
    let mut objects = workload("shop", "cart", pod("shop", "cart"));
    objects.push(ingress);
    let mut without = scene(objects.clone(), &[], vec![]);
    assert_eq!(found(&without), [], "what was not looked for is not missing");
    without.missing.insert(ObjectRef::namespaced("Service", "shop", "cart"));
    without.missing.insert(ObjectRef::namespaced("Secret", "shop", "web-tls"));
    assert_eq!(
        found(&without),
        [
            one("ingress-certificate-missing", "Secret shop/web-tls"),
            one("ingress-service-missing", "Service shop/cart")
        ]
        .concat()
    );
    objects.push(service("shop", "cart", 8080));
    objects.push(object("Secret", "shop", "web-tls", &json!({"data": {"tls.crt": "eA=="}})));
    assert_eq!(found(&scene(objects.clone(), &[], vec![])), one("ingress-port-unknown", "Ingress shop/web"));
    objects[4] = service("shop", "cart", 80);
    assert_eq!(found(&scene(objects, &[], vec![])), []);
}

#[test]
fn pods_that_were_not_all_seen_may_be_selected() {
    let mut scene = scene(vec![service("shop", "cart", 80)], &[], vec![]);
    assert_eq!(found(&scene), one("service-selects-nothing", "Service shop/cart"));
    scene.listed = Some(std::collections::BTreeSet::new());
    assert_eq!(found(&scene), []);
}
