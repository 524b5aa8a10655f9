use super::*;

#[test]
fn a_native_crash_loop_and_the_alert_of_the_same_pod_are_one_incident() {
    let mut kept = Kept::new();
    let native = Signal { source: SignalSource::Forwarder, ..firing("PodCrashLooping", &pod("cart-1")) };
    let alert = firing("KubePodCrashLooping", &pod("cart-1"));
    kept.fold(&native, &owned(deployment("cart")), 0);
    kept.fold(&alert, &owned(deployment("cart")), 60);
    let incident = kept.only();
    assert_eq!(incident.title, "Deployment shop/cart: PodCrashLooping and 1 more alert");
    assert_eq!((incident.signals, incident.firing, incident.revision), (2, 2, 2));
    assert_eq!(kept.reason(&native), JoinReason::First);
    assert_eq!(kept.reason(&alert), JoinReason::SameObject);
}

#[test]
fn pods_of_one_workload_are_one_incident_and_of_another_another() {
    let mut kept = Kept::new();
    let (a, b, other) = (firing("X", &pod("cart-1")), firing("X", &pod("cart-2")), firing("X", &pod("cart-api-1")));
    kept.fold(&a, &owned(deployment("cart")), 0);
    kept.fold(&b, &owned(deployment("cart")), 1);
    kept.fold(&other, &owned(deployment("cart-api")), 2);
    assert_eq!(kept.live().len(), 2);
    assert_eq!(kept.reason(&b), JoinReason::SameOwner { owner: deployment("cart") });
    assert_eq!(kept.reason(&other), JoinReason::First);
}

#[test]
fn a_repeat_changes_nothing() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    kept.fold(&signal, &owned(deployment("cart")), 0);
    let before = kept.only().clone();
    kept.fold(&signal, &owned(deployment("cart")), 3_600 * 4);
    assert_eq!(*kept.only(), before);
}

#[test]
fn people_see_a_new_alert_and_a_worse_severity_but_not_another_pod_of_the_same() {
    let mut kept = Kept::new();
    kept.fold(&firing("X", &pod("cart-1")), &owned(deployment("cart")), 0);
    kept.fold(&firing("X", &pod("cart-2")), &owned(deployment("cart")), 1);
    assert_eq!(kept.only().revision, 1);
    kept.fold(&firing("Y", &pod("cart-1")), &owned(deployment("cart")), 2);
    assert_eq!(kept.only().revision, 2);
    let worse = Signal { severity: Severity::Critical, ..firing("X", &pod("cart-3")) };
    kept.fold(&worse, &owned(deployment("cart")), 3);
    assert_eq!((kept.only().revision, kept.only().severity), (3, Severity::Critical));
    let id = kept.only().id;
    let told: Vec<_> = kept.moments.iter().map(|(incident, moment)| (*incident == id, moment.clone())).collect();
    let joined = Moment::Joined { name: "Y".into(), object: Some(pod("cart-1")), reason: "same object".into() };
    let opened = Moment::Opened { name: "X".into() };
    assert_eq!(told, [(true, opened), (true, joined), (true, Moment::Worsened { severity: Severity::Critical })]);
}

#[test]
fn alerts_about_no_object_are_grouped_by_name_namespace_and_job() {
    let mut kept = Kept::new();
    let about = |name: &str, job: &str, instance: &str| {
        let labels: Labels = [("alertname", name), ("job", job), ("instance", instance)].into_iter().collect();
        Signal { fingerprint: Fingerprint::of(&labels), labels, subject: None, ..firing(name, &pod("none")) }
    };
    let none = Related::default();
    kept.fold(&about("TargetDown", "api", "1"), &none, 0);
    kept.fold(&about("TargetDown", "api", "2"), &none, 1);
    kept.fold(&about("TargetDown", "db", "1"), &none, 2);
    kept.fold(&about("Slow", "api", "1"), &none, 3);
    let titles: Vec<_> = kept.live().iter().map(|one| (one.title.as_str(), one.signals)).collect();
    assert_eq!(titles, [("TargetDown (job api)", 2), ("TargetDown (job db)", 1), ("Slow (job api)", 1)]);
    assert_eq!(kept.reason(&about("TargetDown", "api", "2")), JoinReason::SameAlert);
}

#[test]
fn different_alerts_that_name_only_a_namespace_are_kept_apart() {
    let mut kept = Kept::new();
    let namespace = ObjectRef::cluster("Namespace", "shop");
    kept.fold(&firing("KubeQuotaExceeded", &namespace), &Related::alone(namespace.clone()), 0);
    kept.fold(&firing("HighErrorRate", &namespace), &Related::alone(namespace.clone()), 1);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn alerts_that_fire_by_design_open_nothing_and_move_the_cursor() {
    let mut book = Book::new(CorrelateConfig::default(), Snapshot::default());
    book.fold(SignalSeq(5), &firing("Watchdog", &pod("a")), &Related::default(), at(0));
    let batch = book.drain(at(0)).unwrap();
    assert_eq!((batch.number, batch.cursor, batch.changes), (1, SignalSeq(5), vec![]));
    assert_eq!(book.drain(at(0)), None);
}

#[test]
fn a_storm_is_told_each_time_its_objects_have_doubled() {
    let mut kept = Kept::new();
    kept.fold(&firing("KubeNodeNotReady", &node("n1")), &Related::alone(node("n1")), 0);
    for index in 0..1_000 {
        let name = format!("d{index}");
        kept.fold(&firing("X", &pod(&name)), &on(deployment(&name), "n1"), 1);
    }
    let incident = kept.only();
    assert_eq!(incident.title, "Node n1 and 1000 more: KubeNodeNotReady and 1 more alert");
    assert_eq!((incident.signals, incident.revision), (1_001, 10));
}
