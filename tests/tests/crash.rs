//! `kill -9` at any point between intake and delivery: nothing acknowledged is lost, nothing is said twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use marple_tests::chance::Chance;
use marple_tests::program::{Program, TOKEN, client};
use marple_tests::slack::SlackDouble;
use marple_tests::webhook::{firing, webhook};

/// How often the program is killed.
const KILLS: u32 = 20;

/// How long everything may take to be said after the last kill.
const SAID_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_twenty_random_points_under_load_it_loses_nothing_and_says_nothing_twice() -> Result<()> {
    let slack = SlackDouble::start().await;
    let mut program = Program::serve(
        &format!(
            "cluster: {{ enabled: false }}\ninvestigation: {{ group_wait: 100ms }}\n\
             receivers: {{ oncall: {{ slack: {{ api_url: \"{}\", token: \"{}\", channel: {}, interval: 2ms }} }} }}\n",
            slack.url, slack.token, slack.channel
        ),
        &[],
    )
    .await?;

    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(AtomicU32::new(0));
    let load = tokio::spawn(load(program.url("/api/alerts"), Arc::clone(&stop), Arc::clone(&acknowledged)));
    let mut chance = Chance::default();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(chance.between(20, 600))).await;
        program.kill().await?;
        program.start().await?;
    }
    stop.store(true, Ordering::Relaxed);
    load.await?;
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    assert!(acknowledged >= KILLS, "only {acknowledged} alerts were taken: there was no load");

    let wanted = usize::try_from(acknowledged)?;
    let messages = slack
        .until(SAID_WITHIN, |messages| messages.iter().filter(|message| message.thread_ts.is_none()).count() >= wanted)
        .await;
    let mut told: BTreeMap<u32, u32> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.thread_ts.is_none()) {
        let number =
            message.text.split("workload-").nth(1).unwrap_or_else(|| panic!("of no workload: {}", message.text));
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        *told.entry(digits.parse()?).or_default() += 1;
    }
    let once: BTreeMap<u32, u32> = (0..acknowledged).map(|number| (number, 1)).collect();
    assert_eq!(told, once, "seed {}", chance.seed());
    slack.assert_clean();
    program.stop().await
}

/// Posts an alert of a new workload each time, and again until it is acknowledged, as Alertmanager does.
async fn load(url: String, stop: Arc<AtomicBool>, acknowledged: Arc<AtomicU32>) {
    let client = client();
    while !stop.load(Ordering::Relaxed) {
        let number = acknowledged.load(Ordering::Relaxed);
        let body = webhook(&[firing("KubeDeploymentReplicasMismatch", "shop", &format!("workload-{number}"))]);
        loop {
            let answer = client.post(&url).bearer_auth(TOKEN).json(&body).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acknowledged.store(number + 1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
