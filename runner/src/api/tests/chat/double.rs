//! A model and tools that do what a test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use marple_agent::{Delta, Message, Model, ModelAnswer, ModelError, ModelLimits, ModelRequest, model::WrittenCall};
use marple_tools::toolset::Toolset;
use marple_tools::{Effect, Look, Output, Plan, Preview, Tool, ToolError, ToolSpec};
use tokio::sync::{mpsc, watch};

use super::*;

/// What a model does when it is asked.
#[derive(Debug)]
pub(super) enum Deed {
    Say(&'static str),
    Call(&'static str, Value),
    /// Says it once the test lets it.
    Later(&'static str),
    Fail(ModelError),
}

/// A model that does these deeds, one a request.
pub(super) struct ModelDouble {
    name: &'static str,
    script: Mutex<VecDeque<Deed>>,
    requests: Mutex<Vec<Vec<Message>>>,
    /// Requests that wait for the test.
    waiting: watch::Sender<usize>,
    released: watch::Sender<usize>,
}

/// While it lives a request waits.
struct Waits<'a>(&'a ModelDouble);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

impl ModelDouble {
    pub(super) fn new(name: &'static str, script: impl IntoIterator<Item = Deed>) -> Arc<Self> {
        Arc::new(Self {
            name,
            script: Mutex::new(script.into_iter().collect()),
            requests: Mutex::default(),
            waiting: watch::Sender::new(0),
            released: watch::Sender::new(0),
        })
    }

    /// Lets the next request that waits go on.
    pub(super) fn release(&self) {
        self.released.send_modify(|released| *released += 1);
    }

    /// Ends once so many requests wait.
    pub(super) async fn waits(&self, wanted: usize) {
        let mut waiting = self.waiting.subscribe();
        let waits = tokio::time::timeout(Duration::from_secs(20), waiting.wait_for(|waiting| *waiting == wanted));
        assert!(waits.await.is_ok(), "{} requests wait, not {wanted}", *self.waiting.borrow());
    }

    /// All that it was told by a request, as one text.
    pub(super) fn told(&self, request: usize) -> String {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:#?}", requests[request])
    }

    /// The case of a request.
    pub(super) fn case(&self, request: usize) -> String {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match &requests[request][1] {
            Message::User { content } => content.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn asked(&self) -> usize {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn says(text: &str) -> ModelAnswer {
    ModelAnswer { content: text.to_owned(), ..ModelAnswer::default() }
}

#[async_trait]
impl Model for ModelDouble {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> ModelLimits {
        ModelLimits { context_window: 32_000, max_output: 4_000, ..ModelLimits::default() }
    }

    async fn complete(&self, request: ModelRequest, _deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        let number = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.push(request.messages);
            requests.len()
        };
        let deed = self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match deed {
            None => Err(ModelError::Unavailable("the script is at its end".to_owned())),
            Some(Deed::Say(text)) => Ok(says(text)),
            Some(Deed::Fail(error)) => Err(error),
            Some(Deed::Later(text)) => {
                let mut released = self.released.subscribe();
                let before = *released.borrow_and_update();
                self.waiting.send_modify(|waiting| *waiting += 1);
                let _waits = Waits(self);
                released.wait_for(|released| *released > before).await.ok();
                Ok(says(text))
            }
            Some(Deed::Call(name, arguments)) => {
                let call = WrittenCall {
                    id: Some(format!("call_{number}")),
                    name: name.to_owned(),
                    arguments: arguments.to_string(),
                    ..WrittenCall::default()
                };
                Ok(ModelAnswer { calls: vec![call], ..ModelAnswer::default() })
            }
        }
    }
}

fn spec(name: &'static str, effect: Effect) -> ToolSpec {
    let parameters = json!({"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]});
    ToolSpec { name: name.into(), description: "A tool of a test.".into(), parameters, effect }
}

fn what(arguments: &Value) -> String {
    arguments["what"].as_str().unwrap_or_default().to_owned()
}

/// Looks at what is named; at `nothing` there is nothing to be seen.
pub(super) struct LookTool(ToolSpec);

#[async_trait]
impl Tool for LookTool {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let what = what(&arguments);
        let content = if what == "nothing" { String::new() } else { format!("{what} is green\n") };
        Ok(Output { title: format!("a look at {what}"), content, ..Output::default() })
    }
}

/// Changes what is named, and counts that.
pub(super) struct ChangeTool(ToolSpec, Arc<AtomicUsize>);

struct Change(Preview, Arc<AtomicUsize>);

#[async_trait]
impl Plan for Change {
    fn preview(&self) -> &Preview {
        &self.0
    }

    async fn carry_out(&self, by: &str, _look: &Look) -> Result<Output, ToolError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(Output { title: format!("changed, approved by {by}"), content: "Done.\n".to_owned(), ..Output::default() })
    }
}

#[async_trait]
impl Tool for ChangeTool {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn plan(&self, arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let what = what(&arguments);
        let preview = Preview { title: format!("change {what}"), diff: format!("+ {what}\n"), ..Preview::default() };
        Ok(Some(Box::new(Change(preview, Arc::clone(&self.1)))))
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(ToolError::Arguments("only by its plan".to_owned()))
    }
}

/// The tools, and how many changes were made.
pub(super) fn toolset() -> (Toolset, Arc<AtomicUsize>) {
    let changes = Arc::new(AtomicUsize::new(0));
    let tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(LookTool(spec("look", Effect::Read))),
        Arc::new(ChangeTool(spec("change", Effect::Write), Arc::clone(&changes))),
    ];
    (Toolset::of("test", "Tools of a test.", tools), changes)
}
