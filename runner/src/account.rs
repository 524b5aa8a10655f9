//! Keeps account of what the language model costs: for each incident and for the day, whoever asks it.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use marple_agent::{Left, Purse, Stopped, Usage};
use marple_core::IncidentId;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::SpendingConfig;
use crate::store::{Scope, Spending, Stop, StoreError};

/// What the language model may cost and costs. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Account {
    store: Arc<dyn Spending>,
    config: SpendingConfig,
    clock: Clock,
    /// Breaks off requests under way; whether one may be made, the store tells.
    stopped: watch::Sender<bool>,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The day, in UTC.
    pub day: Date,
    /// What was used in it.
    pub used: Usage,
    /// Prompt tokens that may be used in it.
    pub prompt_tokens: u64,
    /// US dollars that it may cost.
    pub cost: f64,
    /// Who has stopped the model, where somebody has.
    pub stopped: Option<Stop>,
}

impl Account {
    /// An account within these bounds.
    pub fn new(store: Arc<dyn Spending>, config: SpendingConfig, clock: Clock) -> Self {
        Self { store, config, clock, stopped: watch::Sender::new(false) }
    }

    /// How it stands now.
    pub async fn balance(&self) -> Result<Balance, StoreError> {
        let day = today(self.clock.now());
        Ok(Balance {
            day,
            used: self.store.spent(Scope::Day(day)).await?,
            prompt_tokens: self.config.day.prompt_tokens,
            cost: self.config.day.cost,
            stopped: self.store.stop().await?,
        })
    }

    /// Stops the model: requests under way are broken off and none is made until it may go on, over restarts too.
    pub async fn stop(&self, by: &str, why: Option<String>) -> Result<(), StoreError> {
        let at = self.clock.now();
        self.store.set_stop(Some(Stop { at, by: by.to_owned(), why }), by, at).await?;
        self.stopped.send_replace(true);
        tracing::warn!(by, "the language model is stopped");
        Ok(())
    }

    /// Lets it be asked again.
    pub async fn resume(&self, by: &str) -> Result<(), StoreError> {
        self.store.set_stop(None, by, self.clock.now()).await?;
        self.stopped.send_replace(false);
        tracing::warn!(by, "the language model may be asked again");
        Ok(())
    }

    /// What questions about no incident spend from.
    pub fn of_nothing(&self) -> Arc<dyn Purse> {
        Arc::new(Share { account: self.clone(), incident: None })
    }

    /// What is asked about an incident spends from this.
    pub fn of(&self, incident: IncidentId) -> Arc<dyn Purse> {
        Arc::new(Share { account: self.clone(), incident: Some(incident) })
    }
}

/// What is asked about one incident, or about none.
struct Share {
    account: Account,
    incident: Option<IncidentId>,
}

#[async_trait]
impl Purse for Share {
    async fn left(&self) -> Result<Left, Stopped> {
        let Account { store, config, clock, .. } = &self.account;
        // Who can't know what was spent may not spend.
        let unknown = |error: StoreError| Stopped(format!("what it has cost so far is not known: {error}"));
        if let Some(stop) = store.stop().await.map_err(unknown)? {
            return Err(told(&stop));
        }
        let day = store.spent(Scope::Day(today(clock.now()))).await.map_err(unknown)?;
        let of_day = left(day, config.day.prompt_tokens, config.day.cost, "of the day", "spending.day")?;
        let Some(incident) = self.incident else { return Ok(of_day) };
        let used = store.spent(Scope::Incident(incident)).await.map_err(unknown)?;
        let bound = &config.incident;
        let of_incident = left(used, bound.prompt_tokens, bound.cost, "of this incident", "spending.incident")?;
        Ok(of_day.and(of_incident))
    }

    async fn spend(&self, usage: Usage) {
        let now = self.account.clock.now();
        let scopes: Vec<Scope> =
            [Scope::Day(today(now))].into_iter().chain(self.incident.map(Scope::Incident)).collect();
        if let Err(error) = self.account.store.spend(&scopes, usage, now).await {
            tracing::error!(%error, prompt = usage.prompt, cost = usage.cost, "what the model used is missing from the account");
            metrics::counter!("marple_model_unaccounted_total").increment(1);
        }
    }

    async fn stopped(&self) -> Stopped {
        let mut stopped = self.account.stopped.subscribe();
        // The sender lives as long as this does.
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            return std::future::pending().await;
        }
        match self.account.store.stop().await {
            Ok(Some(stop)) => told(&stop),
            _ => Stopped("a person has stopped it".to_owned()),
        }
    }
}

fn told(Stop { at, by, why }: &Stop) -> Stopped {
    let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    Stopped(format!("{by} stopped it at {at:.0}{why}; `marple spending resume` lets it go on"))
}

/// What is left of a bound; `setting` is where it is set.
fn left(used: Usage, prompt_tokens: u64, cost: f64, of: &str, setting: &str) -> Result<Left, Stopped> {
    let spent = |what: String, name: &str| {
        Err(Stopped(format!("the budget {of} is spent, {what}; raise {setting}.{name} or wait for what comes next")))
    };
    if used.prompt >= prompt_tokens {
        return spent(format!("{prompt_tokens} prompt tokens"), "prompt_tokens");
    }
    let dollars = used.dollars();
    if used.cost > 0 && dollars >= cost {
        return spent(format!("{cost:.2} dollars"), "cost");
    }
    Ok(Left { prompt_tokens: Some(prompt_tokens - used.prompt), cost: Some((cost - dollars).max(0.0)) })
}

fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
