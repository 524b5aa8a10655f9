//! Programs that know nothing of marple, over recordings.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::process::Command;

use crate::ground::{Ground, MISSING, classes, code, missing_config_map, said, script};

/// Asks the API server as anybody would, and answers in words.
const PEER: &str = r#"#!/bin/sh
set -eu
test -n "$QUESTION" && test -n "$RECORDED_AT" && test -n "$ALERTMANAGER_URL" && test -z "${PROMETHEUS_URL:-}"
why=$(kubectl get pods --namespace shop --output jsonpath='{.items[*].status.containerStatuses[*].state.waiting.message}')
kubectl describe deployment web --namespace shop >&2
kubectl get configmap settings --namespace shop >/dev/null 2>&1 && exit 3
echo "The root cause: web can't start, because of the ConfigMap shop/settings. The kubelet says: $why"
"#;

fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.case("coral-reed", MISSING, &missing_config_map())?;
    Ok(ground)
}

#[tokio::test]
async fn a_peer_investigates_with_kubectl_and_answers_in_words() -> Result<()> {
    if Command::new("kubectl").args(["version", "--client"]).output().await.is_err() {
        eprintln!("skipped: kubectl is not on the PATH");
        return Ok(());
    }
    let ground = ground()?;
    let peer = ground.path("peer.sh");
    script(&peer, PEER)?;
    let ran = ground.eval(&["--command", &peer.display().to_string()], &[]).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    let results = ground.results()?;
    assert_eq!(results.measured[0].investigator.name, "command peer.sh");
    assert_eq!(classes(&results.measured[0]), [("coral-reed", "passed", String::new())], "{}", said(&ran));
    assert_eq!(classes(&results.measured[1])[0].1, "passed", "the rules stand beside it");
    let page = ground.report("report.html")?;
    assert!(page.contains("standard error") && page.contains("StrategyType"), "what kubectl told is in the transcript");
    Ok(())
}

#[tokio::test]
async fn the_question_stands_in_an_argument_whole_and_a_conclusion_is_read_as_one() -> Result<()> {
    let ground = ground()?;
    let peer = ground.path("peer");
    script(
        &peer,
        "#!/bin/sh\ntest $# = 2 || exit 4\ncase $2 in *KubePodNotReady*) ;; *) exit 5 ;; esac\n\
         echo '{\"verdict\": \"fault\", \"summary\": \"settings is missing\", \"confidence\": \"high\", \"cause\": {\"object\": \
         {\"kind\": \"ConfigMap\", \"namespace\": \"shop\", \"name\": \"settings\"}, \"category\": \"configuration\", \
         \"statement\": \"it is missing\", \"citations\": [{\"evidence\": \"e1\", \"quote\": \"q\", \"verified\": true}]}}'\n",
    )?;
    let line = format!("{} --ask '{{question}}'", peer.display());
    let ran = ground.eval(&["--command", &line], &[]).await?;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    let results = ground.results()?;
    let trial = &results.measured[0].cases[0].trials[0];
    assert!(trial.passed(), "{}", said(&ran));
    let citations = trial.score.as_ref().unwrap().citations.unwrap();
    assert_eq!(
        (citations.statements, citations.cited, citations.verified),
        (1, 1, None),
        "nobody looked its quotes up"
    );
    Ok(())
}

#[tokio::test]
async fn a_program_that_fails_says_nothing_or_is_not_there_is_no_answer() -> Result<()> {
    let ground = ground()?;
    for (line, wanted) in [
        ("sh -c 'echo away >&2; exit 7'", "sh ended with exit status: 7: away"),
        ("true", "true wrote no answer to its standard output"),
        ("no-such-peer", "start no-such-peer: No such file or directory (os error 2): it is not on the PATH"),
    ] {
        let ran = ground.eval(&["--command", line], &[]).await?;
        assert_eq!(code(&ran), 1, "{}", said(&ran));
        assert!(said(&ran).contains(wanted), "{wanted:?} is not in {}", said(&ran));
    }
    let unfinished = ground.eval(&["--command", "peer 'ask"], &[]).await?;
    assert_eq!(code(&unfinished), 2, "{}", said(&unfinished));
    Ok(())
}

#[tokio::test]
async fn a_program_that_never_ends_is_killed_with_all_that_it_started() -> Result<()> {
    let ground = ground()?;
    let peer = ground.path("peer");
    let child = ground.path("child");
    script(&peer, &format!("#!/bin/sh\nsleep 600 &\necho $! > {}\necho The root cause\nwait\n", child.display()))?;
    let began = Instant::now();
    let ran = ground.eval(&["--command", &peer.display().to_string(), "--timeout", "2s"], &[]).await?;
    assert_eq!(code(&ran), 1, "{}", said(&ran));
    assert!(said(&ran).contains("was ended: it gave no answer in 2 s"), "{}", said(&ran));
    assert!(began.elapsed() < Duration::from_mins(2), "{:?}", began.elapsed());
    let id = std::fs::read_to_string(child)?;
    let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    let gone = state.is_empty() || state.contains(") Z ");
    assert!(gone, "what it started still runs: {state}");
    Ok(())
}
