use super::*;

#[test]
fn an_incident_is_resolved_when_the_last_of_its_signals_is_and_opened_again_by_its_own_alert() {
    let mut kept = Kept::new();
    let (a, b) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-1")));
    let related = owned(deployment("cart"));
    kept.fold(&a, &related, 0);
    kept.fold(&b, &related, 1);
    kept.fold(&resolved(&a, 90), &related, 100);
    assert_eq!((kept.only().status, kept.only().firing), (IncidentStatus::Open, 1));
    kept.fold(&resolved(&b, 80), &related, 110);
    let incident = kept.only().clone();
    assert_eq!((incident.status, incident.resolved_at), (IncidentStatus::Resolved, Some(at(90))));
    let again = Signal { starts_at: at(400), ..a.clone() };
    kept.fold(&again, &related, 500);
    let reopened = kept.only();
    assert_eq!((reopened.id, reopened.status, reopened.resolved_at), (incident.id, IncidentStatus::Open, None));
    assert_eq!((reopened.revision, reopened.firing), (incident.revision + 1, 1));
}

#[test]
fn an_alert_of_a_replaced_pod_opens_the_incident_again_and_another_alert_does_not() {
    let mut kept = Kept::new();
    let first = firing("X", &pod("cart-1"));
    let related = owned(deployment("cart"));
    kept.fold(&first, &related, 0);
    kept.fold(&resolved(&first, 90), &related, 100);
    kept.fold(&firing("Other", &pod("cart-2")), &related, 200);
    assert_eq!(kept.live().len(), 2);
    let mut kept = Kept::new();
    kept.fold(&first, &related, 0);
    kept.fold(&resolved(&first, 90), &related, 100);
    kept.fold(&firing("X", &pod("cart-2")), &related, 200);
    assert_eq!((kept.only().status, kept.only().signals), (IncidentStatus::Open, 2));
}

#[test]
fn after_the_time_for_it_nothing_is_opened_again() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    let related = owned(deployment("cart"));
    kept.fold(&signal, &related, 0);
    kept.fold(&resolved(&signal, 90), &related, 100);
    kept.tick(701);
    assert!(kept.book.is_empty());
    kept.fold(&Signal { starts_at: at(690), ..signal }, &related, 702);
    assert_eq!(kept.live().len(), 2);
}

#[test]
fn outside_the_window_another_alert_of_the_object_is_another_incident_but_its_own_stays() {
    let mut kept = Kept::new();
    let (old, new) = (firing("X", &pod("cart-1")), firing("Y", &pod("cart-1")));
    let related = owned(deployment("cart"));
    kept.fold(&old, &related, 0);
    kept.fold(&new, &related, 3_601);
    assert_eq!(kept.live().len(), 2);
    kept.fold(&resolved(&old, 4_000), &related, 4_000);
    let states: Vec<_> = kept.live().iter().map(|one| (one.title.as_str(), one.status)).collect();
    let expected =
        [("Deployment shop/cart: X", IncidentStatus::Resolved), ("Deployment shop/cart: Y", IncidentStatus::Open)];
    assert_eq!(states, expected);
}

#[test]
fn a_signal_ends_at_the_time_that_it_named() {
    let mut kept = Kept::new();
    let signal = Signal { ends_at: Some(at(300)), ..firing("X", &pod("cart-1")) };
    kept.fold(&signal, &owned(deployment("cart")), 0);
    assert_eq!(kept.book.next_tick(), Some(at(300)));
    kept.tick(299);
    assert_eq!(kept.only().status, IncidentStatus::Open);
    // Told again, it holds longer.
    kept.fold(&Signal { ends_at: Some(at(600)), ..signal }, &owned(deployment("cart")), 299);
    kept.tick(301);
    assert_eq!(kept.only().status, IncidentStatus::Open);
    kept.tick(600);
    assert_eq!((kept.only().status, kept.only().resolved_at), (IncidentStatus::Resolved, Some(at(600))));
    assert_eq!(kept.book.next_tick(), None);
}

#[test]
fn an_end_that_was_overtaken_by_the_next_beginning_ends_nothing() {
    let mut kept = Kept::new();
    let first = firing("X", &pod("cart-1"));
    let second = Signal { starts_at: at(50), ..first.clone() };
    let related = owned(deployment("cart"));
    kept.fold(&first, &related, 0);
    kept.fold(&second, &related, 60);
    kept.fold(&resolved(&first, 40), &related, 61);
    assert_eq!((kept.only().status, kept.only().firing), (IncidentStatus::Open, 1));
}

#[test]
fn a_beginning_that_comes_after_its_end_opens_nothing() {
    let mut kept = Kept::new();
    let signal = firing("X", &pod("cart-1"));
    kept.fold(&resolved(&signal, 40), &owned(deployment("cart")), 50);
    kept.fold(&signal, &owned(deployment("cart")), 51);
    assert_eq!(kept.live(), Vec::<&Incident>::new());
    kept.fold(&Signal { starts_at: at(52), ..signal }, &owned(deployment("cart")), 53);
    assert_eq!(kept.only().status, IncidentStatus::Open);
}
