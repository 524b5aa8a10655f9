//! One tool of a server.

use async_trait::async_trait;
use rmcp::model::{CallToolRequestParams, Tool as Listed};
use serde_json::{Map, Value};

use super::content::text;
use super::schema;
use super::server::Server;
use crate::view::{self, Limits};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// One tool of a server.
pub(super) struct McpTool {
    server: Server,
    /// Its name on the server.
    name: String,
    spec: ToolSpec,
    asks: bool,
}

impl McpTool {
    /// As the server tells it. Its word that it only looks counts where the server is trusted.
    pub(super) fn new(server: Server, tool: &Listed, trusted: bool, asks: bool) -> Self {
        let looks = tool.annotations.as_ref().and_then(|hints| hints.read_only_hint).unwrap_or_default();
        let spec = ToolSpec {
            name: schema::name(server.name(), &tool.name).into(),
            description: schema::description(tool).into(),
            parameters: schema::parameters(tool),
            effect: if trusted && looks { Effect::Read } else { Effect::Exec },
        };
        Self { server, name: tool.name.to_string(), spec, asks }
    }

    /// The arguments as the schema wants them; those of a schema that refers elsewhere as they come.
    fn arguments(&self, sent: Value) -> Result<Map<String, Value>, ToolError> {
        if schema::is_plain(&self.spec.parameters) {
            return arguments::parse_by(&self.spec.name, &self.spec.parameters, sent);
        }
        match sent {
            Value::Object(object) => Ok(object),
            Value::Null => Ok(Map::new()),
            _ => Err(ToolError::Arguments(format!("{}: the arguments are no JSON object", self.spec.name))),
        }
    }
}

#[async_trait]
impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn asks(&self) -> bool {
        self.asks
    }

    async fn call(&self, sent: Value, _look: &Look) -> Result<Output, ToolError> {
        let arguments = self.arguments(sent)?;
        let told = if arguments.is_empty() { String::new() } else { format!(" {}", Value::Object(arguments.clone())) };
        let title = format!("{}{told}", self.spec.name);
        let request = CallToolRequestParams::new(self.name.clone()).with_arguments(arguments);
        let result = self.server.call(request).await?;
        let content = text(&result);
        if result.is_error == Some(true) {
            let why = view::bounded(&content, Limits { characters: 2_000, ..Limits::default() });
            return Err(ToolError::Backend(format!("{} failed:\n{}", self.spec.name, why.trim_end())));
        }
        if content.trim().is_empty() {
            return Ok(Output { title, content: "no data\n".to_owned(), ..Output::default() });
        }
        let view = view::bounded(&content, Limits::default());
        Ok(Output { title, view: (view != content).then_some(view), content, ..Output::default() })
    }
}
