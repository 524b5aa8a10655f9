//! What a forwarder apart sees reaches the runner whatever fails between: each change once, and in the end the picture of
//! the cluster as it is.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use marple_core::{Change, ChangeKind};
use marple_tests::api_server::{ApiServer, compact_etcd};
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::forwarding::Forwarding;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use serde_json::json;

/// The longest that all may take to arrive once nothing fails any more.
const ARRIVED_WITHIN: Duration = Duration::from_mins(2);

/// How many objects are altered without pause, and how often each.
const MAPS: usize = 6;
const WRITES: usize = 60;

/// The pods that break and are mended.
const PODS: usize = 4;

/// A runner that watches nothing itself.
const RUNNER: &str = "cluster: { name: test, enabled: false }\nforwarder: { enabled: false }";

/// What the forwarder watches: one namespace, with a resync that mends nothing within the test.
fn configuration(kubeconfig: &str, namespace: &Namespace) -> String {
    format!(
        "cluster: {{ name: test, kubeconfig: {kubeconfig} }}\n\
         forwarder: {{ namespaces: {{ include: [{}] }}, resync: 1h, conditions: {{ crash_loop: {{ rate_limit: 0s }} }} }}",
        namespace.name()
    )
}

/// A namespace with objects to alter.
struct Stage {
    namespace: Namespace,
    maps: Api<ConfigMap>,
    pods: Api<Pod>,
}

impl Stage {
    async fn open(cluster: &TestCluster, name: &str) -> Result<Self> {
        let namespace = cluster.namespace(name).await?;
        let map = |at| {
            format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: map-{at} }}\ndata: {{ count: \"0\" }}\n")
        };
        // No scheduler takes these pods, so that nothing but the test writes what their containers do.
        let pod = |at| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: pod-{at} }}\n\
                 spec: {{ schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{{ name: app, image: \"localhost/pause:1\" }}] }}\n"
            )
        };
        let objects = (0..MAPS).map(map).chain((0..PODS).map(pod)).collect::<String>();
        namespace.apply(&objects).await?;
        let (maps, pods) = (namespace.api(), namespace.api());
        Ok(Self { namespace, maps, pods })
    }

    async fn write(&self, map: usize, count: usize) -> Result<()> {
        let patch = json!({"data": {"count": count.to_string()}});
        self.maps.patch(&format!("map-{map}"), &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Writes of a pod's container that it crashes again and again, or that it runs.
    async fn set_broken(&self, pod: usize, broken: bool) -> Result<()> {
        let now = jiff::Timestamp::now();
        let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}});
        let state = if broken {
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}})
        } else {
            json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})
        };
        let ready = if broken { "False" } else { "True" };
        let status = json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": now}],
            "containerStatuses": [{"name": "app", "image": "i", "imageID": "", "ready": !broken, "restartCount": 7,
                "state": state, "lastState": last}]}});
        let name = format!("pod-{pod}");
        self.pods.patch_status(&name, &PatchParams::default(), &Patch::Strategic(status)).await?;
        Ok(())
    }

    /// The changes that the runner has, oldest first.
    async fn changes(&self, program: &Program) -> Result<Vec<Change>> {
        let mut all: Vec<Change> = Vec::new();
        let mut until = jiff::Timestamp::now();
        loop {
            let path = format!("/api/changes?namespace={}&limit=500&until={until}", self.namespace.name());
            let page = program.get(&path).await?;
            let changes: Vec<Change> = serde_json::from_value(page["changes"].clone())?;
            let last = changes.last().map(|change| change.at);
            for change in changes {
                if !all.contains(&change) {
                    all.push(change);
                }
            }
            match last {
                Some(last) if page["more"] == json!(true) && last < until => until = last,
                _ => break,
            }
        }
        all.reverse();
        all.retain(|change| change.object.namespace.as_deref() == Some(self.namespace.name()));
        Ok(all)
    }

    /// Waits until the runner knows the objects, from when on what differs is a change.
    async fn known(&self, program: &Program) -> Result<()> {
        wait_for("the list of ConfigMaps", ARRIVED_WITHIN, || async {
            let kept = program
                .get("/api/changes/kept?cluster=test&kind=ConfigMap")
                .await
                .map_err(|error| error.to_string())?;
            (kept["reached"].as_array().is_some_and(|reached| !reached.is_empty()))
                .then_some(())
                .ok_or(format!("{kept}"))
        })
        .await
    }

    /// Whether the runner has every count of every map, each once and in order.
    async fn has_all(&self, program: &Program, counts: &BTreeMap<usize, usize>) -> Result<(), String> {
        let changes = self.changes(program).await.map_err(|error| format!("{error:#}"))?;
        for (map, last) in counts {
            let name = format!("map-{map}");
            let of_map =
                changes.iter().filter(|change| change.object.name == name && change.kind == ChangeKind::Altered);
            let mut told: Vec<(usize, usize)> =
                of_map.map(|change| step(change).ok_or_else(|| format!("{change:#?}"))).collect::<Result<_, _>>()?;
            told.sort_unstable();
            let wanted: Vec<(usize, usize)> = (0..*last).map(|count| (count, count + 1)).collect();
            if told != wanted {
                let missing: Vec<_> = wanted.iter().filter(|step| !told.contains(step)).collect();
                let more: Vec<_> = told.iter().filter(|step| !wanted.contains(step)).collect();
                return Err(format!(
                    "of {name}, {} of {last} are told; missing {missing:?}, too many {more:?}",
                    told.len()
                ));
            }
        }
        Ok(())
    }

    /// Which pods the runner holds as crashing.
    async fn crashing(&self, program: &Program) -> Result<BTreeSet<String>, String> {
        let held = program.get("/api/signals").await.map_err(|error| error.to_string())?;
        let crashing = held.as_array().into_iter().flatten().filter(|signal| {
            signal["name"] == "PodCrashLooping" && signal["subject"]["namespace"] == self.namespace.name()
        });
        Ok(crashing.filter_map(|signal| signal["subject"]["name"].as_str().map(str::to_owned)).collect())
    }
}

/// The counts before and after a change.
fn step(change: &Change) -> Option<(usize, usize)> {
    let field = change.fields.iter().find(|field| field.path == "data.count")?;
    Some((field.before.as_deref()?.parse().ok()?, field.after.as_deref()?.parse().ok()?))
}

/// Writes counts into all maps until each has so many, and gives up to which.
async fn churn(stage: &Stage, pause: Duration) -> Result<BTreeMap<usize, usize>> {
    for count in 1..=WRITES {
        for map in 0..MAPS {
            stage.write(map, count).await?;
            tokio::time::sleep(pause).await;
        }
        let pod = count % PODS;
        stage.set_broken(pod, count % (2 * PODS) < PODS).await?;
    }
    Ok((0..MAPS).map(|map| (map, WRITES)).collect())
}

/// What fails, one after the other, while objects change.
async fn fail(program: &mut Program, forwarding: &mut Forwarding, api: &mut Proxy, runner: &mut Proxy) -> Result<()> {
    let moment = |millis| tokio::time::sleep(Duration::from_millis(millis));
    for round in 0..3_u64 {
        moment(300 + 170 * round).await;
        forwarding.kill().await?;
        forwarding.begin().await?;
        moment(700).await;
        runner.cut().await?;
        moment(900).await;
        // Killed while the runner is away: what it saw is on the disk.
        forwarding.kill().await?;
        forwarding.begin().await?;
        moment(400).await;
        runner.mend().await?;
        moment(500).await;
        api.cut().await?;
        moment(300 * (1 + round)).await;
        api.mend().await?;
        moment(300).await;
        program.kill().await?;
        moment(500).await;
        program.start().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_arrives_once_and_the_picture_is_right_whatever_is_cut_and_killed() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-faults").await?;
    let mut program = Program::serve(RUNNER, &[]).await?;
    let mut api = Proxy::to(&address(&cluster)?).await?;
    let mut runner = Proxy::to(program.url("").trim_start_matches("http://")).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, &format!("http://{}", runner.address()), &[]).await?;
    stage.known(&program).await?;

    let failing = fail(&mut program, &mut forwarding, &mut api, &mut runner);
    let (counts, failed) = tokio::join!(churn(&stage, Duration::from_millis(25)), failing);
    failed?;
    let counts = counts?;
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    let broken: BTreeSet<String> =
        (0..PODS).filter(|pod| is_broken_at_end(*pod)).map(|pod| format!("pod-{pod}")).collect();
    wait_for("the pods that crash", ARRIVED_WITHIN, || async {
        let held = stage.crashing(&program).await?;
        if held == broken { Ok(()) } else { Err(format!("{held:?} instead of {broken:?}")) }
    })
    .await?;
    assert!(forwarding.metric("marple_forwarder_dropped_total").await? == 0.0, "nothing is dropped");
    forwarding.stop().await
}

/// What the last writing of a pod says.
fn is_broken_at_end(pod: usize) -> bool {
    let last = (1..=WRITES).rev().find(|count| count % PODS == pod).unwrap();
    last % (2 * PODS) < PODS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_runner_is_away_for_long_what_happens_waits_on_the_disk_and_comes_in_order() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-away").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let mut runner = Proxy::to(program.url("").trim_start_matches("http://")).await?;
    let api = Proxy::to(&address(&cluster)?).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, &format!("http://{}", runner.address()), &[]).await?;
    stage.known(&program).await?;

    // A condition that begins and ends while the runner is away is told too, and its incident is over.
    runner.cut().await?;
    stage.set_broken(1, true).await?;
    wait_for("the spool", ARRIVED_WITHIN, || async {
        let bytes = forwarding.metric("marple_forwarder_spool_bytes").await.map_err(|error| error.to_string())?;
        if bytes > 0.0 { Ok(()) } else { Err(format!("{bytes} bytes")) }
    })
    .await?;
    stage.set_broken(1, false).await?;
    let outage = std::env::var("MARPLE_TEST_OUTAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(8);
    let pause = Duration::from_secs(outage) / u32::try_from(MAPS * WRITES)?;
    let counts = churn(&stage, pause).await?;
    assert_eq!(stage.changes(&program).await?.len(), 0, "nothing arrives while it is away");
    runner.mend().await?;
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    wait_for("an incident that is over", ARRIVED_WITHIN, || async {
        let incidents = program.get("/api/incidents?limit=100").await.map_err(|error| error.to_string())?;
        let of_pod = incidents.as_array().into_iter().flatten().any(|one| one.to_string().contains("pod-1"));
        if of_pod { Ok(()) } else { Err(format!("{incidents:#}")) }
    })
    .await?;
    wait_for("an empty spool", ARRIVED_WITHIN, || async {
        let bytes = forwarding.metric("marple_forwarder_spool_bytes").await.map_err(|error| error.to_string())?;
        if bytes == 0.0 { Ok(()) } else { Err(format!("{bytes} bytes")) }
    })
    .await?;
    forwarding.stop().await
}

fn address(cluster: &TestCluster) -> Result<String> {
    let url = &cluster.config().cluster_url;
    Ok(format!("{}:{}", url.host().context("a host")?, url.port_u16().unwrap_or(443)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_before_a_version_that_is_gone_is_found_by_a_list() -> Result<()> {
    let cluster = cluster_or_return!();
    let Some(mut server) = ApiServer::start(&cluster).await? else { return Ok(()) };
    let stage = Stage::open(&cluster, "delivery-gone").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let kubeconfig = server.kubeconfig().display().to_string();
    let configuration = configuration(&kubeconfig, &stage.namespace);
    let mut forwarding = Forwarding::start(&configuration, program.url("").as_str(), &[]).await?;
    stage.known(&program).await?;
    stage.write(0, 1).await?;
    let first: BTreeMap<usize, usize> = [(0, 1)].into();
    wait_for("the first change", ARRIVED_WITHIN, || stage.has_all(&program, &first)).await?;

    forwarding.kill().await?;
    for count in [2, 3] {
        stage.write(0, count).await?;
    }
    stage.maps.delete("map-1", &DeleteParams::default()).await?;
    // A server that has just begun remembers nothing from before, and etcd has forgotten it.
    server.kill().await?;
    compact_etcd().await?;
    server.begin().await?;
    forwarding.begin().await?;
    let found = wait_for("what changed meanwhile", ARRIVED_WITHIN, || async {
        let changes = stage.changes(&program).await.map_err(|error| format!("{error:#}"))?;
        let late: Vec<Change> = changes.into_iter().filter(|change| change.found_late).collect();
        let gone = late.iter().any(|change| change.object.name == "map-1" && change.kind == ChangeKind::Deleted);
        let altered =
            late.iter().any(|change| change.object.name == "map-0" && step(change).is_some_and(|(_, to)| to == 3));
        if gone && altered { Ok(late) } else { Err(format!("{late:#?}")) }
    })
    .await?;
    assert!(found.len() <= 3, "{found:#?}");
    // The watches go on behind the list.
    stage.write(2, 1).await?;
    let next: BTreeMap<usize, usize> = [(2, 1)].into();
    wait_for("the next change", ARRIVED_WITHIN, || stage.has_all(&program, &next)).await?;
    forwarding.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_forwarders_one_leads_and_the_other_takes_over_and_nothing_is_told_twice() -> Result<()> {
    let cluster = cluster_or_return!();
    let stage = Stage::open(&cluster, "delivery-leads").await?;
    let program = Program::serve(RUNNER, &[]).await?;
    let api = Proxy::to(&address(&cluster)?).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &api)?;
    let configuration = configuration(&kubeconfig.path(), &stage.namespace);
    let lease = ["--lease", "marple-forward", "--lease-namespace", stage.namespace.name()];
    let url = program.url("");
    let mut first = Forwarding::start(&configuration, &url, &lease).await?;
    leads(&first).await?;
    stage.known(&program).await?;
    let mut second = Forwarding::start(&configuration, &url, &lease).await?;
    stage.write(0, 1).await?;
    stage.set_broken(0, true).await?;
    let crashing: BTreeSet<String> = ["pod-0".to_owned()].into();
    wait_for("the crash", ARRIVED_WITHIN, || async {
        let held = stage.crashing(&program).await?;
        if held == crashing { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await?;
    assert!(second.metric("marple_forwarder_leads").await? == 0.0);
    assert!(second.metric("marple_forwarder_observations_total").await? == 0.0, "who stands by asks for nothing");

    first.kill().await?;
    stage.write(0, 2).await?;
    stage.set_broken(0, false).await?;
    leads(&second).await?;
    stage.write(0, 3).await?;
    let counts: BTreeMap<usize, usize> = [(0, 3)].into();
    wait_for("every change once", ARRIVED_WITHIN, || stage.has_all(&program, &counts)).await?;
    wait_for("the end of the crash", ARRIVED_WITHIN, || async {
        let held = stage.crashing(&program).await?;
        if held.is_empty() { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await?;
    // One that is asked to stop lets the other lead at once.
    first.begin().await?;
    let asked = tokio::time::Instant::now();
    second.stop().await?;
    leads(&first).await?;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    first.stop().await
}

async fn leads(forwarding: &Forwarding) -> Result<()> {
    wait_for("a leader", ARRIVED_WITHIN, || async {
        let leads = forwarding.metric("marple_forwarder_leads").await.map_err(|error| error.to_string())?;
        if leads > 0.5 { Ok(()) } else { Err(forwarding.log()) }
    })
    .await
}
