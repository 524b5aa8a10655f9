use marple_core::{Category, Cause};

use super::*;
use crate::store::{Feedback, Judgement, Memory, Scope, Spending};

fn because_of(object: &ObjectRef) -> Conclusion {
    Conclusion {
        verdict: Verdict::Fault,
        cause: Some(Cause {
            object: object.clone(),
            category: Category::Configuration,
            statement: "It was changed.".to_owned(),
            citations: vec![],
        }),
        ..nothing_known()
    }
}

async fn opened(store: &SqliteStore, number: u64, object: &ObjectRef) -> Incident {
    let incident = incident(object);
    let signal = signal("a", SignalStatus::Firing);
    let changes = vec![put(&incident, true), join(&incident, &signal, JoinReason::First)];
    apply(store, number, i64::try_from(number).unwrap(), changes).await;
    incident
}

#[tokio::test]
async fn earlier_incidents_are_found_by_their_objects_and_by_their_cause_with_what_was_said_of_them() {
    let (_folder, store) = store().await;
    let settings = ObjectRef::namespaced("ConfigMap", "shop", "settings");
    let same = opened(&store, 1, &cart()).await;
    let caused = opened(&store, 2, &ObjectRef::namespaced("Deployment", "shop", "till")).await;
    let other = opened(&store, 3, &ObjectRef::namespaced("Deployment", "shop", "mail")).await;
    store.set_conclusion(caused.id, &because_of(&settings), ConcludedBy::Agent, at(5)).await.unwrap();
    let said =
        |verdict, was: Option<&str>| Feedback { verdict, was: was.map(str::to_owned), by: "ann".to_owned(), at: at(6) };
    store.feedback_keep(caused.id, &said(Judgement::Right, None)).await.unwrap();
    let wrong = said(Judgement::Wrong, Some("the node"));
    store.feedback_keep(caused.id, &wrong).await.unwrap();
    let now = opened(&store, 4, &cart()).await;

    let alike = store.alike(now.id, Some(&settings), 10).await.unwrap();
    let ids: Vec<IncidentId> = alike.iter().map(|one| one.incident.id).collect();
    assert_eq!(ids, [caused.id, same.id], "the latest first, and never itself or {}", other.id);
    assert_eq!(alike[0].alerts, ["KubePodCrashLooping"]);
    assert_eq!(alike[0].concluded.as_ref().unwrap().conclusion, because_of(&settings));
    assert_eq!(alike[0].feedback, Some(wrong), "the last word");
    assert_eq!((&alike[1].concluded, &alike[1].feedback), (&None, &None));
    assert_eq!(store.alike(now.id, None, 10).await.unwrap().len(), 1);
    assert_eq!(store.alike(now.id, Some(&settings), 1).await.unwrap().len(), 1);
    assert_eq!(store.alike(same.id, Some(&settings), 10).await.unwrap(), [], "what came later is no memory");
    assert_eq!(store.feedback(caused.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_the_model_used_is_added_up_by_day_and_incident_and_goes_with_retention() {
    let (_folder, store) = store().await;
    let (one, two) = (Scope::Incident(IncidentId::new()), Scope::Incident(IncidentId::new()));
    let day = Scope::Day("2027-01-15".parse().unwrap());
    let used = marple_agent::Usage { prompt: 100, cached: 40, completion: 7, cost: 9 };
    store.spend(&[day, one], used, at(1)).await.unwrap();
    store.spend(&[day, two], used, at(2)).await.unwrap();
    let twice = marple_agent::Usage { prompt: 200, cached: 80, completion: 14, cost: 18 };
    assert_eq!(store.spent(day).await.unwrap(), twice);
    assert_eq!(store.spent(one).await.unwrap(), used);
    store.retention(at(2)).await.unwrap();
    assert_eq!(store.spent(one).await.unwrap(), marple_agent::Usage::default());
    assert_eq!(store.spent(day).await.unwrap(), twice);
}
