//! OpenAI's own client for Python, as people's tools use it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use marple_tests::cluster_or_return;
use marple_tests::model::ModelDouble;
use marple_tests::program::TOKEN;
use serde_json::Value;
use tokio::process::Command;

use super::{ANSWER, looking, program};

/// To make an environment of Python and fetch the client.
const INSTALLED_WITHIN: Duration = Duration::from_mins(3);

/// To ask.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// Streams an answer, and asks once more for a whole one; prints what came.
const SCRIPT: &str = r#"
import json, sys
from openai import OpenAI, BadRequestError

client = OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])
models = [model.id for model in client.models.list()]
history = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Is kube-system well?"}]
content, reasoning, usage, finish = "", "", None, None
for chunk in client.chat.completions.create(
    model=models[0], messages=history, stream=True, stream_options={"include_usage": True}
):
    if chunk.usage:
        usage = chunk.usage.model_dump()
    for choice in chunk.choices:
        content += choice.delta.content or ""
        reasoning += (choice.delta.model_extra or {}).get("reasoning_content") or ""
        finish = choice.finish_reason or finish
history += [{"role": "assistant", "content": content}, {"role": "user", "content": "And since when?"}]
whole = client.chat.completions.create(model=models[0], messages=history)
try:
    client.chat.completions.create(model=models[0], messages=[{"role": "system", "content": "x"}])
    refused = None
except BadRequestError as error:
    refused = error.message
print(json.dumps({
    "models": models, "content": content, "reasoning": reasoning, "usage": usage, "finish": finish,
    "whole": whole.choices[0].message.content, "refused": refused,
}))
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openais_own_client_streams_an_answer_with_the_looks_before_it() -> Result<()> {
    let cluster = cluster_or_return!();
    let Some(python) = client().await? else { return Ok(()) };
    let model = ModelDouble::start(looking().into_iter().chain(looking())).await?;
    let mut program = program(&cluster, &model).await?;
    let asked = Command::new(&python).args(["-c", SCRIPT, &program.url("/v1"), TOKEN]).output();
    let ended = tokio::time::timeout(ANSWERED_WITHIN, asked).await??;
    ensure!(ended.status.success(), "{}\n{}", String::from_utf8_lossy(&ended.stderr), program.log());
    let said: Value = serde_json::from_slice(&ended.stdout)?;
    assert_eq!(said["models"][0], "marple");
    assert_eq!((&said["content"], &said["finish"], &said["whole"]), (&ANSWER.into(), &"stop".into(), &ANSWER.into()));
    let reasoning = said["reasoning"].as_str().context("reasoning")?;
    assert!(reasoning.contains("→ kubernetes_describe {\"kind\":\"Namespace\""), "{reasoning}");
    assert!(reasoning.contains("← "), "{reasoning}");
    assert!(said["usage"]["prompt_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{said}");
    assert!(said["refused"].as_str().is_some_and(|why| why.contains("`messages` holds none of the user")), "{said}");
    model.assert_clean();
    let second = model.requests()[2]["messages"][1]["content"].as_str().context("the second case")?.to_owned();
    assert!(second.contains("And since when?") && second.contains("Be kind."), "{second}");
    assert!(second.contains("- asked: Is kube-system well?") && second.contains("answered: The namespace"), "{second}");
    program.stop().await
}

/// A Python that has the client, of an environment beside the built programs; none where the machine has no Python, or no
/// way to where the client is.
async fn client() -> Result<Option<PathBuf>> {
    if Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .await
        .map_or(true, |it| !it.status.success())
    {
        eprintln!("no python3 with venv: left out");
        return Ok(None);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openai-client");
    let python = folder.join("bin/python");
    let has = async || {
        let tried = Command::new(&python).args(["-c", "import openai"]).output().await;
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !has().await {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status();
        ensure!(tokio::time::timeout(INSTALLED_WITHIN, made).await??.success(), "python3 -m venv {}", folder.display());
        let fetched = Command::new(&python).args(["-m", "pip", "install", "--quiet", "openai"]).status();
        if !tokio::time::timeout(INSTALLED_WITHIN, fetched).await??.success() {
            eprintln!("the client can't be fetched from here: left out");
            return Ok(None);
        }
        ensure!(has().await, "the client was fetched and can't be used");
    }
    Ok(Some(python))
}
