//! Usage, as the metrics API told it when it was recorded.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use jiff::Timestamp;
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::stage::Fault;
use regex::Regex;
use serde_json::Value;

use crate::kubectl::{Kubectl, differing, words};
use crate::replaying::{Replaying, record};

const ROLLED_OUT_WITHIN: Duration = Duration::from_secs(90);

/// The cluster's metrics-server scrapes every half minute, and tells of a pod from its second scrape on at the latest.
const SCRAPED_WITHIN: Duration = Duration::from_mins(2);

/// How often it is recorded, until no scrape falls between two answers of the cluster.
const TRIES: usize = 4;

/// When it was asked: metrics-server makes its objects as it answers.
static ASKED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""creationTimestamp":"[^"]*""#).unwrap());

fn questions(namespace: &str) -> Vec<Vec<String>> {
    let lines = [
        "top pods -n NS",
        "top pods -n NS --containers",
        "top pods -n NS --sum --sort-by=memory",
        "top pods -n NS -l app=nothing",
        "top nodes",
        "top nodes --no-headers",
        "get podmetrics -n NS",
        "get nodemetrics",
        "get podmetrics -n NS -l app=cart -o jsonpath={.items[*].containers[*].usage}",
        "get --raw /apis/metrics.k8s.io/v1beta1",
        "get --raw /apis/metrics.k8s.io/v1beta1/nodes",
        "get --raw /apis/metrics.k8s.io/v1beta1/namespaces/NS/pods",
        "api-resources --api-group=metrics.k8s.io",
    ];
    lines.into_iter().map(|line| words(line, namespace)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
async fn kubectl_top_is_answered_as_it_was_when_it_was_recorded() -> Result<()> {
    let cluster = cluster_or_return!();
    let groups = cluster.client().list_api_groups().await?;
    if !groups.groups.iter().any(|group| group.name == "metrics.k8s.io") {
        eprintln!("left out: it needs a metrics API, and the cluster serves none");
        return Ok(());
    }
    let namespace = cluster.namespace("evals-usage").await?;
    namespace.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(namespace.name(), ROLLED_OUT_WITHIN).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("usage.bundle");
    let (live, cache) = (Kubectl::live(&cluster), folder.path().join("cache"));
    let questions = questions(namespace.name());
    let all = async |kubectl: &Kubectl, cache| -> Result<Vec<String>> {
        let answers = kubectl.all(&questions, cache).await?;
        Ok(answers.iter().map(|answer| ASKED.replace_all(answer, "<asked>").into_owned()).collect())
    };

    for _ in 0..TRIES {
        scraped(&cluster, namespace.name()).await?;
        let before = all(&live, &cache).await?;
        record(&cluster, namespace.name(), &file).await?;
        if before != all(&live, &cache).await? {
            continue;
        }
        ensure!(before[0].contains("cart-") && before[0].contains("CPU(cores)"), "{}", before[0]);
        let replay = Replaying::start(&file, folder.path()).await?;
        let replayed = all(&Kubectl::with(&replay.kubeconfig), &folder.path().join("other-cache")).await?;
        let differing = differing(&questions, &before, &replayed);
        ensure!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
        return Ok(());
    }
    bail!("the cluster was scraped between two answers, {TRIES} times")
}

/// Waits until every pod of the namespace was scraped anew.
async fn scraped(cluster: &TestCluster, namespace: &str) -> Result<()> {
    let pods = async || -> Result<(Vec<Timestamp>, usize)> {
        let count = async |path: String| -> Result<Vec<Value>> {
            let request = http::Request::get(path).body(Vec::new())?;
            let list: Value = cluster.client().request(request).await?;
            Ok(list["items"].as_array().cloned().unwrap_or_default())
        };
        let told = count(format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods")).await?;
        let there = count(format!("/api/v1/namespaces/{namespace}/pods")).await?.len();
        Ok((told.iter().filter_map(|pod| pod["timestamp"].as_str()?.parse().ok()).collect(), there))
    };
    let seen = pods().await?.0.into_iter().max().unwrap_or(Timestamp::UNIX_EPOCH);
    wait_for("a scrape of every pod", SCRAPED_WITHIN, || async {
        let (scrapes, there) = pods().await.map_err(|error| error.to_string())?;
        if scrapes.len() == there && scrapes.iter().all(|at| *at > seen) {
            Ok(())
        } else {
            Err(format!("{scrapes:?} of {there} pods, after {seen}"))
        }
    })
    .await
}
