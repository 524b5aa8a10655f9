//! A replay answers as the cluster and its monitoring did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::program::binary;
use marple_tests::stage::Fault;
use regex::Regex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const RECORDED_WITHIN: Duration = Duration::from_mins(2);
const REPLAYED_WITHIN: Duration = Duration::from_secs(20);
const ASKED_WITHIN: Duration = Duration::from_secs(20);

/// Columns that hold ages, by which the same answer differs from one second to the next.
const AGES: [&str; 5] = ["AGE", "LAST SEEN", "LAST SCHEDULE", "DURATION", "Age"];

/// How long ago something was, within a line.
static AGO: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\d+(y|d|h|m|s))+ ago\b|<invalid> ago").unwrap());

/// The cells of a table's head.
static CELL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\S+( \S+)*").unwrap());

/// What was said, without ages: those of columns that are named so, as far as their tables go, and how long ago something
/// was. Tables are as wide as their widest age, so that how far apart their cells stand doesn't count either. Other
/// lengths of time and quantities, as `100m` of a processor, stay.
fn ageless(said: &str) -> String {
    let mut columns: Vec<(usize, usize)> = Vec::new();
    let mut out = Vec::new();
    for line in said.lines() {
        let cells: Vec<_> = CELL.find_iter(line).collect();
        let starts = |index: usize| cells.get(index).map_or(usize::MAX, |cell| line[..cell.start()].chars().count());
        let ages = cells.iter().enumerate().filter(|(_, cell)| AGES.contains(&cell.as_str()));
        let found: Vec<(usize, usize)> = ages.map(|(index, _)| (starts(index), starts(index + 1))).collect();
        if !found.is_empty() && cells.len() > 1 {
            columns.clone_from(&found);
        } else if line.trim().is_empty() {
            columns.clear();
        }
        let of_age = |at: usize| found.is_empty() && columns.iter().any(|(from, to)| (*from..*to).contains(&at));
        let kept: String = line.chars().enumerate().filter(|(at, _)| !of_age(*at)).map(|(_, letter)| letter).collect();
        let kept = AGO.replace_all(&kept, "<ago>").into_owned();
        let in_table = !columns.is_empty();
        out.push(if in_table { kept.split_whitespace().collect::<Vec<_>>().join(" ") } else { kept });
    }
    out.join("\n")
}

#[test]
fn ages_are_left_out_and_quantities_are_compared() {
    let pods = |cpu: &str, age: &str, ago: &str| {
        format!("NAME   CPU    RESTARTS      AGE    NODE\ncart   {cpu}   3 ({ago} ago)   {age}   n1\n\nlimit: {cpu}\n")
    };
    assert_eq!(ageless(&pods("100m", "5m3s", "10s")), ageless(&pods("100m", "5m9s", "16s")));
    assert_ne!(ageless(&pods("100m", "5m3s", "10s")), ageless(&pods("200m", "5m3s", "10s")));
    let events = |age: &str| {
        format!(
            "Liveness:  exec delay=5s period=10s\nEvents:\n  Type    Reason  Age               From     Message\n  ----    ------  ----              ----     -------\n  Normal  Pulled  {age} (x3 over 10m)  kubelet  after 30s\n"
        )
    };
    assert_eq!(ageless(&events("3m")), ageless(&events("4m")));
    assert!(ageless(&events("3m")).contains("delay=5s period=10s") && ageless(&events("3m")).contains("after 30s"));
}

/// What people ask first, and programs through `kubectl`.
fn questions(namespace: &str) -> Vec<Vec<String>> {
    let account = format!("--as=system:serviceaccount:{namespace}:watcher");
    let lines = [
        "get pods -n NS",
        "get pods -n NS -o wide --show-labels",
        "get pods -n NS -o yaml",
        "get pods -n NS -o json --field-selector=status.phase=Running",
        "get pods -n NS -l app=cart -o name",
        "get pods -n NS -l app!=cart -o name",
        "get pods -n NS -l app=cart --limit=1 -o name",
        "get pods -n NS --sort-by=.metadata.name",
        "get pods,rs,deploy,cm -n NS -o name",
        "get deploy cart -n NS -o jsonpath={.spec.template.spec.containers[*].image}",
        "get deploy cart -n NS -o yaml --show-managed-fields",
        "get deploy nothing -n NS",
        "get all -n NS -o name",
        "get rs -n NS -o wide",
        "get cm,sa,role,rolebinding -n NS",
        "get nodes -o name",
        "get nodes",
        "get ns NS -o yaml",
        "get sc,pv,priorityclass",
        "get events -n NS -o custom-columns=R:.reason,O:.involvedObject.name,M:.message",
        "events -n NS --types=Normal",
        "describe pods -n NS",
        "describe deploy cart -n NS",
        "describe rs -n NS",
        "describe cm -n NS",
        "describe role,rolebinding -n NS",
        "rollout history deploy/cart -n NS",
        "rollout status deploy/cart -n NS --watch=false",
        "logs -n NS deploy/cart --tail=20 --timestamps",
        "logs -n NS deploy/cart --all-containers --limit-bytes=200",
        "logs -n NS deploy/cart --previous",
        "logs -n NS deploy/cart -c nothing",
        "api-resources --sort-by=name",
        "api-resources --namespaced=false --verbs=list -o name",
        "api-versions",
        "version -o yaml",
        "explain pods",
        "explain deployment.spec.strategy",
        "explain configmap --recursive",
        "auth can-i get pods -n NS",
        "auth can-i list deployments.apps",
        "auth can-i get pods -n NS ACCOUNT",
        "auth can-i delete pods -n NS ACCOUNT",
        "auth can-i get pods -n kube-system ACCOUNT",
        "top pods -n NS",
    ];
    let words =
        |line: &str| line.split(' ').map(|word| word.replace("NS", namespace).replace("ACCOUNT", &account)).collect();
    lines.into_iter().map(words).collect()
}

const ACCOUNT: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: watcher}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: watch-pods}
rules: [{apiGroups: [''], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: watch-pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: watch-pods}
subjects: [{kind: ServiceAccount, name: watcher}]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_answers_kubectl_and_prometheus_as_they_were_answered_when_it_was_recorded() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("evals-replay").await?;
    namespace.apply(ACCOUNT).await?;
    Fault::MissingConfiguration.stage(&cluster, &namespace).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("incident.bundle");
    let live = Kubectl { arguments: vec![format!("--context={}", cluster.context())], kubeconfig: None };
    let questions = questions(namespace.name());
    let cache = folder.path().join("cache");

    let before = live.all(&questions, &cache).await?;
    record(&cluster, namespace.name(), &file).await?;
    let after = live.all(&questions, &cache).await?;

    let replay = Replaying::start(&file, folder.path()).await?;
    let kubectl = Kubectl { arguments: vec![], kubeconfig: Some(replay.kubeconfig.clone()) };
    let replayed = kubectl.all(&questions, &folder.path().join("other-cache")).await?;
    let mut differing = Vec::new();
    let mut compared = 0;
    for (number, question) in questions.iter().enumerate() {
        // What changed while it was recorded can't be compared.
        if before[number] != after[number] {
            continue;
        }
        compared += 1;
        // `kubectl events` sorts by when they were last seen, and leaves open how those of one second follow each other.
        let sorted = question.iter().any(|word| word == "events");
        let lines = |said: &str| -> Vec<String> {
            let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
            if sorted {
                lines.sort_unstable();
            }
            lines
        };
        if lines(&replayed[number]) != lines(&after[number]) {
            differing.push(format!(
                "kubectl {}\n--- live\n{}\n--- replay\n{}",
                question.join(" "),
                after[number],
                replayed[number]
            ));
        }
    }
    ensure!(differing.is_empty(), "{} of {compared} differ:\n{}", differing.len(), differing.join("\n"));
    ensure!(compared * 5 >= questions.len() * 4, "only {compared} of {} held still", questions.len());

    let refused = kubectl
        .ask(&["delete".into(), "pods".into(), "--all".into(), "-n".into(), namespace.name().into()], &cache)
        .await?;
    ensure!(refused.contains("a recorded incident can't be changed"), "{refused}");
    compare_queries(&cluster, namespace.name(), &replay).await
}

/// Asks Prometheus and the replay the queries of all rules and those that investigations ask, and compares.
async fn compare_queries(cluster: &TestCluster, namespace: &str, replay: &Replaying) -> Result<()> {
    let rules: Value = reqwest::get(format!("{}/api/v1/rules", cluster.prometheus_url())).await?.json().await?;
    let groups = rules["data"]["groups"].as_array().context("rules")?.clone();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
    let mut queries: Vec<String> = rules.filter_map(|rule| Some(rule["query"].as_str()?.to_owned())).collect();
    ensure!(queries.len() >= 10, "{queries:?}");
    queries.extend(
        [
            r#"kube_pod_container_status_restarts_total{namespace="NS"}"#,
            r#"sum by (pod) (rate(container_cpu_usage_seconds_total{namespace="NS"}[1m]))"#,
            r#"container_memory_working_set_bytes{namespace="NS",container!=""} / 1024"#,
            r#"max_over_time(kube_pod_container_status_ready{namespace="NS"}[5m])"#,
            r#"count by (phase) (kube_pod_status_phase{namespace="NS"} == 1)"#,
            r#"changes(kube_deployment_status_observed_generation{namespace="NS"}[10m])"#,
            r#"topk(2, kube_pod_created{namespace="NS"})"#,
            r#"sum(increase(http_requests_total{namespace="NS"}[2m])) by (pod) or vector(0)"#,
            r#"label_replace(up{namespace="NS"}, "x", "$1", "pod", "(.*)-.*")"#,
            r#"absent(kube_deployment_labels{namespace="NS",deployment="nothing"})"#,
            r#"kube_deployment_spec_replicas{namespace="NS"} - on (deployment) kube_deployment_status_replicas_available{namespace="NS"}"#,
            r#"quantile_over_time(0.9, kube_deployment_status_replicas_unavailable{namespace="NS"}[3m:10s])"#,
            r#"avg_over_time(up{namespace="NS"}[1m] offset 30s)"#,
        ]
        .map(|query| query.replace("NS", namespace)),
    );
    // The last scrape may have come after the recording had read it.
    let end = replay.recorded_at - 10;
    let mut answered = 0;
    for query in queries {
        let instant = [("query", query.clone()), ("time", end.to_string())];
        let range = [
            ("query", query.clone()),
            ("start", (end - 120).to_string()),
            ("end", end.to_string()),
            ("step", "10".to_owned()),
        ];
        for (path, parameters) in [("query", instant.to_vec()), ("query_range", range.to_vec())] {
            let live = asked(cluster.prometheus_url(), path, &parameters, namespace).await?;
            let replayed = asked(&replay.prometheus, path, &parameters, namespace).await?;
            answered += usize::from(!live.is_empty());
            ensure!(alike(&live, &replayed), "{path} {query}\n--- live\n{live:#?}\n--- replay\n{replayed:#?}");
        }
    }
    ensure!(answered > 14, "only {answered} queries found anything");
    Ok(())
}

/// The rows of an answer by their labels: those of the namespace, and those of none.
async fn asked(
    url: &str,
    path: &str,
    parameters: &[(&str, String)],
    namespace: &str,
) -> Result<BTreeMap<String, Vec<(f64, f64)>>> {
    let mut url = reqwest::Url::parse(&format!("{url}/api/v1/{path}"))?;
    url.query_pairs_mut().extend_pairs(parameters);
    let answer: Value = reqwest::get(url).await?.json().await?;
    ensure!(answer["status"] == json!("success"), "{answer}");
    let rows = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    let sample = |pair: &Value| {
        let value = pair[1].as_str().and_then(|text| text.replace("Inf", "inf").parse().ok()).unwrap_or(f64::NAN);
        (pair[0].as_f64().unwrap_or_default(), value)
    };
    let row = |row: Value| {
        let samples = match row.get("values").and_then(Value::as_array) {
            Some(values) => values.iter().map(sample).collect(),
            None => vec![sample(&row["value"])],
        };
        (row["metric"].to_string(), samples)
    };
    let ours = |row: &Value| row["metric"].get("namespace").is_none_or(|of| of == namespace);
    Ok(rows.into_iter().filter(ours).map(row).collect())
}

fn alike(live: &BTreeMap<String, Vec<(f64, f64)>>, replayed: &BTreeMap<String, Vec<(f64, f64)>>) -> bool {
    // Sums over series are added up in any order.
    let same = |a: f64, b: f64| {
        a.total_cmp(&b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    };
    live.len() == replayed.len()
        && live.iter().zip(replayed).all(|((labels, samples), (other, others))| {
            labels == other
                && samples.len() == others.len()
                && samples.iter().zip(others).all(|(one, other)| same(one.0, other.0) && same(one.1, other.1))
        })
}

async fn record(cluster: &TestCluster, namespace: &str, file: &Path) -> Result<()> {
    let record = Command::new(binary()?)
        .args(["record", "--namespace", namespace, "--since", "15m", "--context", cluster.context()])
        .args(["--prometheus", cluster.prometheus_url(), "--alertmanager", cluster.alertmanager_url()])
        .arg("--out")
        .arg(file)
        .output();
    let ended = tokio::time::timeout(RECORDED_WITHIN, record).await??;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// `kubectl` with one cluster.
struct Kubectl {
    arguments: Vec<String>,
    kubeconfig: Option<PathBuf>,
}

impl Kubectl {
    async fn all(&self, questions: &[Vec<String>], cache: &Path) -> Result<Vec<String>> {
        let mut answers = Vec::new();
        for question in questions {
            answers.push(self.ask(question, cache).await?);
        }
        Ok(answers)
    }

    /// What it prints and how it ends, without ages.
    async fn ask(&self, question: &[String], cache: &Path) -> Result<String> {
        let mut command = Command::new("kubectl");
        command.args(&self.arguments).arg(format!("--cache-dir={}", cache.display())).args(question);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        let ended = tokio::time::timeout(ASKED_WITHIN, command.output()).await.context(question.join(" "))??;
        let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        Ok(format!("{}{}", ended.status, ageless(&said.join("\n"))))
    }
}

/// `marple replay`, until it is dropped.
struct Replaying {
    _process: Child,
    kubeconfig: PathBuf,
    prometheus: String,
    /// In seconds since 1970.
    recorded_at: i64,
}

impl Replaying {
    async fn start(file: &Path, folder: &Path) -> Result<Self> {
        let kubeconfig = folder.join("replay.kubeconfig");
        let mut process = Command::new(binary()?)
            .arg("replay")
            .arg(file)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("its output")?).lines();
        let (mut recorded_at, mut prometheus) = (None, None);
        let read = async {
            while prometheus.is_none() {
                let line = lines.next_line().await?.context("it ended")?;
                if let Some(at) = line.strip_prefix("Recorded at ") {
                    recorded_at = Some(at.trim_end_matches('.').parse::<jiff::Timestamp>()?.as_second());
                }
                prometheus = line.trim().strip_prefix("Prometheus").map(|url| url.trim().to_owned());
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(REPLAYED_WITHIN, read).await.context("a replay starts at once")??;
        // It is read to its end, for it would end where nobody hears it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        wait_for("the kubeconfig of the replay", REPLAYED_WITHIN, || async {
            if kubeconfig.exists() { Ok(()) } else { Err("it is not there") }
        })
        .await?;
        Ok(Self {
            _process: process,
            kubeconfig,
            prometheus: prometheus.context("no Prometheus")?,
            recorded_at: recorded_at.context("no time")?,
        })
    }
}
