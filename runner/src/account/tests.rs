#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::config::{DayAllowance, IncidentAllowance};
use crate::store::{SqliteStore, Upkeep as _};

fn used(prompt: u64, cost: u64) -> Usage {
    Usage { prompt, completion: 10, cost, ..Usage::default() }
}

async fn account() -> (tempfile::TempDir, SqliteStore, Account) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let config = SpendingConfig {
        incident: IncidentAllowance { prompt_tokens: 1_000, cost: 1.0 },
        day: DayAllowance { prompt_tokens: 1_500, cost: 1.5 },
    };
    let account = Account::new(Arc::new(store.clone()), config, Clock::system());
    (folder, store, account)
}

#[tokio::test]
async fn what_one_incident_and_all_of_a_day_may_cost_ends_it() {
    let (_folder, _store, account) = account().await;
    let (one, two) = (account.of(IncidentId::new()), account.of(IncidentId::new()));
    assert_eq!(one.left().await.unwrap(), Left { prompt_tokens: Some(1_000), cost: Some(1.0) });
    one.spend(used(900, 250_000)).await;
    assert_eq!(one.left().await.unwrap(), Left { prompt_tokens: Some(100), cost: Some(0.75) });
    assert_eq!(two.left().await.unwrap(), Left { prompt_tokens: Some(600), cost: Some(1.0) });
    one.spend(used(100, 0)).await;
    assert_eq!(
        one.left().await.unwrap_err().to_string(),
        "the budget of this incident is spent, 1000 prompt tokens; raise spending.incident.prompt_tokens or wait for what \
         comes next"
    );
    two.spend(used(10, 1_250_000)).await;
    let of_day = account.of_nothing().left().await.unwrap_err().to_string();
    assert_eq!(
        of_day,
        "the budget of the day is spent, 1.50 dollars; raise spending.day.cost or wait for what comes next"
    );
}

#[tokio::test]
async fn where_prices_are_not_known_money_stops_nobody() {
    let (_folder, store, _) = account().await;
    let free = SpendingConfig { day: DayAllowance { prompt_tokens: 10, cost: 0.0 }, ..SpendingConfig::default() };
    let purse = Account::new(Arc::new(store), free, Clock::system()).of_nothing();
    purse.spend(used(5, 0)).await;
    assert_eq!(purse.left().await.unwrap(), Left { prompt_tokens: Some(5), cost: Some(0.0) });
}

#[tokio::test]
async fn a_person_stops_it_at_once_and_over_restarts_and_lets_it_go_on() {
    let (_folder, store, account) = account().await;
    let purse = account.of_nothing();
    let waits = Arc::clone(&purse);
    let waiting = tokio::spawn(async move { waits.stopped().await });
    account.stop("ann", Some("it runs wild".to_owned())).await.unwrap();
    let why = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert!(why.0.starts_with("ann stopped it at ") && why.0.contains("(it runs wild)"), "{why}");

    let restarted = Account::new(Arc::new(store.clone()), SpendingConfig::default(), Clock::system());
    assert_eq!(restarted.of_nothing().left().await.unwrap_err(), why);
    assert_eq!(restarted.balance().await.unwrap().stopped.unwrap().by, "ann");
    restarted.resume("bob").await.unwrap();
    assert!(restarted.of_nothing().left().await.is_ok());
    let audit = store.audit_records(9).await.unwrap();
    let told: Vec<_> = audit.iter().map(|record| (record.actor.as_str(), record.action.as_str())).collect();
    assert_eq!(told, [("bob", "model let go on"), ("ann", "model stopped")]);
}
