//! One of several forwarders leads: a Lease says which.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use metrics::gauge;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metric;

/// After how long without a sign of who leads another takes over, in seconds.
const LEASE: i32 = 15;

/// How long who leads tries to say so, before it takes itself to be no longer the one: well before another can be.
const GIVE_UP: Duration = Duration::from_secs(10);

/// How often it says so, and how often the others look.
const EVERY: Duration = Duration::from_secs(2);

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(4);

/// Takes part in the election of who leads.
pub struct Election {
    leases: Api<Lease>,
    name: String,
    identity: String,
    /// What the Lease said last, and since when it says so by this machine's clock: the clocks of others aren't trusted.
    seen: Option<(LeaseSpec, Instant)>,
}

/// How a try to lead ended.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Leads,
    Follows(String),
}

impl Election {
    /// An election by the Lease of this name, as somebody whom no other is called.
    pub fn new(client: Client, namespace: &str, name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self { leases: Api::namespaced(client, namespace), name: name.into(), identity: identity.into(), seen: None }
    }

    /// Waits until it leads. False where it is cancelled before.
    pub async fn win(&mut self, cancel: &CancellationToken) -> bool {
        metric::describe();
        gauge!(metric::LEADS).set(0.0);
        let mut told = None;
        while !cancel.is_cancelled() {
            match self.attempt().await {
                Ok(Attempt::Leads) => {
                    tracing::info!(lease = self.name, "this forwarder leads");
                    gauge!(metric::LEADS).set(1.0);
                    return true;
                }
                Ok(Attempt::Follows(leader)) => {
                    if told.as_ref() != Some(&leader) {
                        tracing::info!(lease = self.name, leader, "another forwarder leads; this one stands by");
                        told = Some(leader);
                    }
                }
                Err(error) => {
                    tracing::warn!(lease = self.name, %error, "who leads can't be told; it is tried again");
                }
            }
            cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        }
        false
    }

    /// Leads until cancelled, or until it can't be sure any more that it does.
    pub async fn hold(&mut self, cancel: &CancellationToken) {
        let mut sure = Instant::now();
        while cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let began = Instant::now();
            match self.attempt().await {
                Ok(Attempt::Leads) => sure = began,
                Ok(Attempt::Follows(leader)) => {
                    tracing::warn!(lease = self.name, leader, "another forwarder leads now");
                    break;
                }
                Err(error) => {
                    tracing::warn!(lease = self.name, %error, "the Lease can't be renewed");
                    if sure.elapsed() > GIVE_UP {
                        break;
                    }
                }
            }
        }
        gauge!(metric::LEADS).set(0.0);
    }

    /// Lets another lead at once.
    pub async fn resign(&mut self) {
        let Some((spec, _)) = self.seen.take().filter(|(spec, _)| self.is_mine(spec)) else { return };
        let spec = LeaseSpec { holder_identity: None, lease_duration_seconds: Some(1), ..spec };
        let resigned = async {
            let lease = self.leases.get(&self.name).await?;
            if lease.spec.as_ref().is_some_and(|spec| self.is_mine(spec)) {
                self.replace(lease, spec).await?;
            }
            Ok::<(), kube::Error>(())
        };
        match tokio::time::timeout(REQUEST, resigned).await {
            Ok(Ok(())) => tracing::info!(lease = self.name, "this forwarder leads no longer"),
            Ok(Err(error)) => tracing::warn!(%error, "another takes over only once the Lease has run out"),
            Err(_) => tracing::warn!("another takes over only once the Lease has run out: no answer in time"),
        }
    }

    /// Tries to lead, or to go on leading.
    async fn attempt(&mut self) -> Result<Attempt, String> {
        match tokio::time::timeout(REQUEST, self.vote()).await {
            Ok(Ok(attempt)) => Ok(attempt),
            // Somebody else was quicker.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Ok(Attempt::Follows("another".to_owned())),
            Ok(Err(kube::Error::Api(status))) if status.code == 403 => Err(format!(
                "{}; grant `get`, `create` and `update` of leases.coordination.k8s.io in its namespace",
                status.message
            )),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer in {} s", REQUEST.as_secs())),
        }
    }

    async fn vote(&mut self) -> kube::Result<Attempt> {
        let Some(lease) = self.leases.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let spec = self.claim(&LeaseSpec::default());
            let lease = Lease { metadata, spec: Some(spec.clone()) };
            self.leases.create(&PostParams::default(), &lease).await?;
            self.seen = Some((spec, Instant::now()));
            return Ok(Attempt::Leads);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == spec => *since,
            _ => Instant::now(),
        };
        self.seen = Some((spec.clone(), since));
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let lasts =
            Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(LEASE)).unwrap_or_default());
        if !holder.is_empty() && !self.is_mine(&spec) && since.elapsed() < lasts {
            return Ok(Attempt::Follows(holder));
        }
        let claim = self.claim(&spec);
        self.replace(lease, claim.clone()).await?;
        self.seen = Some((claim, Instant::now()));
        Ok(Attempt::Leads)
    }

    /// Writes a Lease as it was read, so that of two who write at once one is refused.
    async fn replace(&self, lease: Lease, spec: LeaseSpec) -> kube::Result<()> {
        let lease = Lease { spec: Some(spec), ..lease };
        self.leases.replace(&self.name, &PostParams::default(), &lease).await.map(|_| ())
    }

    fn is_mine(&self, spec: &LeaseSpec) -> bool {
        spec.holder_identity.as_deref() == Some(self.identity.as_str())
    }

    /// The Lease as it says that this one leads.
    fn claim(&self, before: &LeaseSpec) -> LeaseSpec {
        // The API server keeps microseconds: with more, what comes back would look as if somebody else had written it.
        let now = Timestamp::now();
        let now = MicroTime(Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now));
        let kept = self.is_mine(before);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(LEASE),
            acquire_time: if kept { before.acquire_time.clone() } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(if kept { transitions } else { transitions.saturating_add(1) }),
            ..before.clone()
        }
    }
}
