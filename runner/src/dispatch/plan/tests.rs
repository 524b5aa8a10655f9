use std::collections::BTreeSet;

use marple_core::{IncidentId, ObjectRef, Period};

use super::*;
use crate::dispatch::asking;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn incident(objects: usize, revision: u64) -> Incident {
    let objects: BTreeSet<ObjectRef> =
        (0..objects).map(|index| ObjectRef::namespaced("Deployment", "shop", format!("app-{index}"))).collect();
    Incident {
        id: IncidentId::new(),
        status: IncidentStatus::Open,
        title: "Deployment shop/app-0: KubePodCrashLooping".to_owned(),
        severity: Severity::Warning,
        subject: objects.first().cloned(),
        objects,
        signals: 1,
        firing: 1,
        starts_at: at(0),
        opened_at: at(0),
        updated_at: at(0),
        resolved_at: None,
        resolution: None,
        merged_into: None,
        revision,
    }
}

fn config() -> InvestigationConfig {
    InvestigationConfig { group_wait: Period::seconds(10), ..InvestigationConfig::default() }
}

fn captured(objects: usize, told_revision: u64) -> Work {
    Work { captured_at: Some(at(1)), captured_objects: objects, captures: 1, told_revision, ..Work::default() }
}

#[test]
fn a_new_incident_is_captured_at_once_and_told_after_the_group_wait() {
    assert_eq!(Work::default().next(&incident(1, 1), &config(), false, at(0)), Action::Capture);
    assert_eq!(captured(1, 0).next(&incident(1, 1), &config(), false, at(2)), Action::WaitUntil(at(10)));
    assert_eq!(captured(1, 0).next(&incident(1, 1), &config(), false, at(10)), Action::Tell);
    assert_eq!(captured(1, 1).next(&incident(1, 1), &config(), false, at(11)), Action::Rest);
}

#[test]
fn objects_that_joined_in_the_group_wait_are_captured_before_the_first_message() {
    assert_eq!(captured(1, 0).next(&incident(3, 2), &config(), false, at(5)), Action::WaitUntil(at(10)));
    assert_eq!(captured(1, 0).next(&incident(3, 2), &config(), false, at(10)), Action::Capture);
    let again = Work { captures: 2, ..captured(2, 0) };
    assert_eq!(again.next(&incident(3, 2), &config(), false, at(10)), Action::Capture);
    assert_eq!(again.next(&incident(2, 2), &config(), false, at(10)), Action::Tell);
}

#[test]
fn the_first_message_waits_for_those_that_are_looked_at_for_the_first_time_but_not_for_ever() {
    let next = |told, seconds| captured(1, told).next(&incident(1, 2), &config(), true, at(seconds));
    assert_eq!(next(0, 5), Action::WaitUntil(at(10)));
    assert_eq!(next(0, 10), Action::WaitUntil(at(11)));
    assert_eq!(next(0, 20), Action::Tell);
    assert_eq!(next(1, 10), Action::Tell, "what was told is kept up to date");
    assert_eq!(Work::default().next(&incident(1, 1), &config(), true, at(10)), Action::Capture);
}

#[test]
fn objects_that_join_later_are_told_at_once_and_captured_when_they_have_gathered() {
    assert_eq!(captured(1, 1).next(&incident(2, 2), &config(), false, at(12)), Action::Tell);
    assert_eq!(captured(1, 2).next(&incident(2, 2), &config(), false, at(12)), Action::WaitUntil(at(31)));
    assert_eq!(captured(1, 2).next(&incident(2, 2), &config(), false, at(31)), Action::Capture);
    assert_eq!(
        Work { captures: CAPTURES, ..captured(1, 2) }.next(&incident(2, 2), &config(), false, at(31)),
        Action::Rest
    );
}

#[test]
fn an_incident_that_the_rules_can_t_explain_is_looked_at_again_with_growing_pauses() {
    let unexplained = |told, captures| Work { unexplained: true, captures, ..captured(1, told) };
    assert_eq!(unexplained(0, 1).next(&incident(1, 1), &config(), false, at(5)), Action::WaitUntil(at(10)));
    assert_eq!(unexplained(0, 1).next(&incident(1, 1), &config(), false, at(10)), Action::Capture);
    assert_eq!(unexplained(0, 2).next(&incident(1, 1), &config(), false, at(10)), Action::Tell);
    assert_eq!(unexplained(1, 2).next(&incident(1, 1), &config(), false, at(11)), Action::WaitUntil(at(61)));
    assert_eq!(unexplained(1, 2).next(&incident(1, 1), &config(), false, at(61)), Action::Capture);
    assert_eq!(unexplained(1, CAPTURES).next(&incident(1, 1), &config(), false, at(900)), Action::Rest);
    let resolved = Incident { status: IncidentStatus::Resolved, ..incident(1, 1) };
    assert_eq!(unexplained(1, 1).next(&resolved, &config(), false, at(900)), Action::Rest);
}

#[test]
fn while_the_cluster_is_away_it_is_looked_for_as_long_as_the_incident_is_open() {
    let blind = |told, blind| Work { unexplained: true, captures: 0, blind, ..captured(1, told) };
    assert_eq!(blind(0, 1).next(&incident(1, 1), &config(), false, at(5)), Action::WaitUntil(at(10)));
    assert_eq!(blind(0, 1).next(&incident(1, 1), &config(), false, at(10)), Action::Tell);
    assert_eq!(blind(1, 1).next(&incident(1, 1), &config(), false, at(10)), Action::WaitUntil(at(11)));
    assert_eq!(blind(1, 1).next(&incident(1, 1), &config(), false, at(11)), Action::Capture);
    assert_eq!(blind(1, 2).next(&incident(1, 1), &config(), false, at(12)), Action::WaitUntil(at(21)));
    assert_eq!(blind(1, 900).next(&incident(1, 1), &config(), false, at(12)), Action::WaitUntil(at(61)));
    assert!(!blind(1, 1).wants_model(&incident(1, 1), Asking::OnChange));
    assert!(blind(1, BLIND_LOOKS).wants_model(&incident(1, 1), Asking::OnChange));
    let resolved = Incident { status: IncidentStatus::Resolved, ..incident(1, 1) };
    assert_eq!(blind(1, 1).next(&resolved, &config(), false, at(900)), Action::Rest);
}

#[test]
fn a_merged_incident_is_told_only_where_it_had_been_told_before() {
    let merged = Incident { status: IncidentStatus::Merged, ..incident(1, 5) };
    assert_eq!(captured(1, 0).next(&merged, &config(), false, at(20)), Action::Rest);
    assert_eq!(captured(1, 3).next(&merged, &config(), false, at(20)), Action::Tell);
    assert_eq!(captured(1, 5).next(&merged, &config(), false, at(20)), Action::Rest);
}

#[test]
fn a_model_is_asked_once_and_again_where_objects_joined_or_it_became_worse() {
    let severity = Severity::Warning;
    let work = Work { investigations: 1, investigated_objects: 1, investigated_severity: severity, ..captured(1, 1) };
    let worse = Incident { severity: Severity::Critical, ..incident(1, 1) };
    assert!(Work::default().wants_model(&incident(1, 1), Asking::OnChange));
    assert!(!work.wants_model(&incident(1, 1), Asking::OnChange));
    assert!(work.wants_model(&incident(2, 1), Asking::OnChange));
    assert!(work.wants_model(&worse, Asking::OnChange));
    assert!(!Work { investigations: INVESTIGATIONS, ..work }.wants_model(&incident(2, 1), Asking::OnChange));
    let resolved = Incident { status: IncidentStatus::Resolved, ..incident(1, 1) };
    assert!(!Work::default().wants_model(&resolved, Asking::OnChange));
}

#[test]
fn where_the_policy_says_so_a_model_is_asked_once_or_not_by_itself() {
    let work = Work { investigations: 1, investigated_objects: 1, ..captured(1, 1) };
    assert!(Work::default().wants_model(&incident(1, 1), Asking::Once));
    assert!(!work.wants_model(&incident(2, 1), Asking::Once));
    for asking in [Asking::Never, Asking::OnDemand] {
        assert!(!Work::default().wants_model(&incident(1, 1), asking), "{asking:?}");
    }
}

#[test]
fn the_first_rule_that_fits_decides_and_mild_incidents_are_left_to_people() {
    let policy = r#"[
        {"matchers": ["namespace=\"vault\""], "ask": "never"},
        {"matchers": ["namespace=\"shop\""], "hours": {"from": "22:00", "until": "06:00"}, "ask": "on_demand"},
        {"matchers": ["object_name=~\"app-.*\""], "ask": "once"}
    ]"#;
    let config = InvestigationConfig { policy: serde_json::from_str(policy).unwrap(), ..config() };
    let at = |hour: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
    let vault = Incident { subject: Some(ObjectRef::namespaced("Deployment", "vault", "v")), ..incident(1, 1) };
    assert_eq!(asking(&config, "prod", &vault, &[], at(12)), Asking::Never);
    assert_eq!(asking(&config, "prod", &incident(1, 1), &[], at(23)), Asking::OnDemand);
    assert_eq!(asking(&config, "prod", &incident(1, 1), &[], at(12)), Asking::Once);
    let other = Incident { subject: Some(ObjectRef::cluster("Node", "worker-1")), ..incident(1, 1) };
    assert_eq!(asking(&config, "prod", &other, &[], at(12)), Asking::OnChange);
    let mild = Incident { severity: Severity::Info, ..other };
    assert_eq!(asking(&config, "prod", &mild, &[], at(12)), Asking::OnDemand);
}
