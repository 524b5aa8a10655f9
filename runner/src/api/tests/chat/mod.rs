//! Questions over the wires, answered by a model that does what a test says.

mod approvals;
mod conversations;
mod double;
mod holmes;
mod leaving;
mod openai;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use marple_agent::{Budget, Investigator, Model, Prompts};
use marple_tools::Toolsets;
use marple_tools::gate::{Caller, Decision, Gate, GateConfig};

use super::*;
use crate::account::Account;
use crate::approve::People;
use crate::chat::{Answerer, Answerers, Chat};
use crate::config::SpendingConfig;
use crate::dispatch::{Lookout, Once, Tooling};
use double::{Deed, ModelDouble, toolset};

const APPROVER: &str = "appr0ver";

/// A secret that people tell.
const PASSWORD: &str = "hunter22-hunter22";

/// A server whose questions are answered.
struct Bench {
    server: Server,
    state: ApiState,
    changes: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Bench {
    /// Answered by these models, the first where none is named.
    async fn start(models: &[(&str, &Arc<ModelDouble>)]) -> Self {
        let (server, state) = server_and_state().await;
        let mut bench = Self { server, state, changes: Arc::default(), stop: CancellationToken::new() };
        bench.restart(models);
        bench
    }

    /// The same with one model.
    async fn of(model: &Arc<ModelDouble>) -> Self {
        Self::start(&[("double", model)]).await
    }

    /// As after a restart with the same store: what was under way is gone.
    fn restart(&mut self, models: &[(&str, &Arc<ModelDouble>)]) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        let (once, changes) = once();
        self.changes = changes;
        let store: Arc<dyn crate::store::Store> = Arc::new(self.server.store.clone());
        let secret = Secret::new(APPROVER);
        let people = People::new(
            Arc::new(self.server.store.clone()),
            redact(),
            Duration::from_mins(1),
            &secret,
            Clock::system(),
        );
        let people = Arc::new(people);
        self.state.ask(Some((Arc::clone(&people), &secret)));
        let answerers = models.iter().map(|(name, model)| Answerer {
            name: (*name).to_owned(),
            key: (*name).to_owned(),
            investigator: investigator(model),
        });
        let account = Account::new(store.clone(), SpendingConfig::default(), Clock::system());
        let answerers = Answerers::new(answerers);
        self.state.talk(Chat::new(once, answerers, account, Some(people), store, Clock::system(), self.stop.clone()));
    }

    /// Sends a request by HTTP/1.0, whose answers end with the connection.
    async fn send(&self, token: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        raw(self.server.address, &request(token, method, path, headers, body)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(TOKEN, "POST", path, "", &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(TOKEN, "GET", path, "", "").await
    }

    /// What `/api/chat` answers to a question that is answered.
    async fn chat(&self, body: &Value) -> Value {
        let answer = self.post("/api/chat", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }
}

/// What investigates with tools of a test, and how many changes these made.
fn once() -> (Once, Arc<AtomicUsize>) {
    let (toolset, changes) = toolset();
    let once = Once {
        lookout: Lookout {
            cluster: None,
            prometheus: None,
            logs: None,
            changes: None,
            redact: redact(),
            timeout: Duration::from_secs(5),
        },
        tooling: Tooling {
            toolsets: Toolsets::new([toolset], redact()),
            redact: redact(),
            gate: Gate::new(GateConfig { write: Decision::Ask, ..GateConfig::default() }),
            caller: Caller::Chat,
            actor: None,
            audit: None,
            approve: None,
            patience: Duration::from_mins(1),
            tool_timeout: Duration::from_secs(5),
        },
        investigator: None,
        cluster_name: String::new(),
    };
    (once, changes)
}

/// Asks this model, for hours if need be.
fn investigator(model: &Arc<ModelDouble>) -> Investigator {
    let budget = Budget { duration: marple_core::Period::hours(2), ..Budget::default() };
    Investigator::new(Arc::clone(model) as Arc<dyn Model>, Prompts::embedded(), budget)
}

fn request(token: &str, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.0\r\nHost: marple\r\nAuthorization: Bearer {token}\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The events of a stream: name, id and data.
fn events(stream: &str) -> Vec<(String, Option<usize>, Value)> {
    let blocks = stream.split("\n\n").filter(|block| block.contains("data:"));
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let id = field("id:").map(|id| id.parse().unwrap());
        let data = field("data:").unwrap();
        let data = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
        (field("event:").unwrap_or_default().to_owned(), id, data)
    };
    blocks.map(event).collect()
}

/// The names of events, without the counting.
fn names(events: &[(String, Option<usize>, Value)]) -> Vec<&str> {
    events.iter().map(|(name, ..)| name.as_str()).filter(|name| *name != "token_count").collect()
}

/// A header of an answer.
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}
