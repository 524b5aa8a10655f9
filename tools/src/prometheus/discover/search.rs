//! Asks the API server for Services, and those that may be a Prometheus whether they are one.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ListParams};
use marple_core::Period;
use tokio::time::timeout;

use super::known::{Candidate, candidates};
use super::{Found, Reach};
use crate::endpoint::{Endpoint, EndpointConfig, ServicePath};
use crate::prometheus::Prometheus;

/// How long the whole search may take, and each of those that are asked.
const LONGEST: Duration = Duration::from_secs(15);
const EACH: Period = Period::seconds(4);

/// Services that are asked for in a request, and in all.
const PAGE: u32 = 500;
const PAGES: usize = 20;

/// The most candidates that are tried.
const TRIED: usize = 8;

/// What kube-state-metrics knows of each pod: the Prometheus that has it is the one that watches this cluster.
const OF_THE_CLUSTER: &str = "count(kube_pod_info)";

/// The Prometheus of the cluster, or why none is there.
pub(super) fn search(client: &kube::Client, reach: Reach) -> BoxFuture<'_, Result<Found, String>> {
    let late =
        || Err(format!("the search in the cluster took more than {} s; set `prometheus.url`", LONGEST.as_secs()));
    async move { timeout(LONGEST, look(client, reach)).await.unwrap_or_else(|_| late()) }.boxed()
}

async fn look(client: &kube::Client, reach: Reach) -> Result<Found, String> {
    let candidates = candidates(&services(client).await?);
    if candidates.is_empty() {
        return Err(
            "no Service of the cluster looks like a Prometheus or what speaks its API; set `prometheus.url`".to_owned()
        );
    }
    let asked: Vec<_> = candidates.iter().take(TRIED).map(|candidate| attempt(candidate, client, reach)).collect();
    let tried: Vec<_> = candidates.iter().zip(join_all(asked).await).collect();
    let answers = || tried.iter().filter_map(|(candidate, outcome)| Some((candidate, outcome.as_ref().ok()?)));
    let of_the_cluster = answers().find(|(_, (_, knows_pods))| *knows_pods);
    let Some((chosen, (endpoint, knows_pods))) = of_the_cluster.or_else(|| answers().next()) else {
        let why = tried.iter().find_map(|(candidate, outcome)| Some((candidate, outcome.as_ref().err()?)));
        return Err(why.map_or_else(String::new, |(candidate, why)| {
            format!("{} may be one, but gives no answer: {why}", told(candidate))
        }));
    };
    let mut note = format!("found in the cluster: {}", told(chosen));
    if !knows_pods {
        note += "; it has no metrics of kube-state-metrics (kube_pod_info)";
    }
    let others: Vec<String> = answers().filter(|(other, _)| other != &chosen).map(|(other, _)| told(other)).collect();
    if !others.is_empty() {
        note += &format!("; others that answer: {}; `prometheus.url` chooses", others.join(", "));
    }
    Ok(Found { endpoint: endpoint.clone(), note })
}

async fn services(client: &kube::Client) -> Result<Vec<Service>, String> {
    let api: Api<Service> = Api::all(client.clone());
    let (mut services, mut next) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let page = ListParams { limit: Some(PAGE), continue_token: next, ..ListParams::default() };
        let list = api.list(&page).await.map_err(|error| match error {
            kube::Error::Api(status) => {
                format!("Services of the cluster can't be listed: {}; set `prometheus.url`", status.message)
            }
            other => format!("Services of the cluster can't be listed: {other}"),
        })?;
        services.extend(list.items);
        next = list.metadata.continue_.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    Ok(services)
}

/// The Service's endpoint, and whether it knows the cluster's pods.
async fn attempt(candidate: &Candidate, client: &kube::Client, reach: Reach) -> Result<(Endpoint, bool), String> {
    let endpoint = endpoint(candidate, client, reach, EACH)?;
    let asked = Prometheus::asking(endpoint).instant(OF_THE_CLUSTER, None).await;
    let knows_pods = !asked.map_err(|error| error.to_string())?.answer.into_series().is_empty();
    let whole = EndpointConfig::at(url(candidate)?).timeout;
    Ok((self::endpoint(candidate, client, reach, whole)?, knows_pods))
}

fn endpoint(candidate: &Candidate, client: &kube::Client, reach: Reach, timeout: Period) -> Result<Endpoint, String> {
    match reach {
        Reach::Direct => {
            let config = EndpointConfig { timeout, ..EndpointConfig::at(url(candidate)?) };
            Endpoint::new("Prometheus", "prometheus", &config).map_err(|error| error.to_string())
        }
        Reach::ApiServer => {
            let path = ServicePath {
                namespace: &candidate.namespace,
                service: &candidate.service,
                port: candidate.port,
                tls: candidate.tls,
                prefix: candidate.prefix,
            };
            Ok(Endpoint::proxied("Prometheus", "prometheus", client.clone(), path, timeout.duration()))
        }
    }
}

fn url(candidate: &Candidate) -> Result<reqwest::Url, String> {
    let Candidate { namespace, service, port, tls, prefix, .. } = candidate;
    let scheme = if *tls { "https" } else { "http" };
    let url = format!("{scheme}://{service}.{namespace}.svc:{port}/{prefix}");
    url.parse().map_err(|error| format!("{url} is no address: {error}"))
}

fn told(candidate: &Candidate) -> String {
    let Candidate { namespace, service, port, product, .. } = candidate;
    format!("{product} at Service {namespace}/{service}, port {port}")
}
