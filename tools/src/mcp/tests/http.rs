//! Against a server of the official SDK, over streamable HTTP.

use std::sync::Mutex;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as Listed, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

#[derive(Clone)]
struct Orders;

impl ServerHandler for Orders {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Find", "type": "object",
            "properties": {"state": {"title": "State", "type": ["string", "null"], "default": null, "description": "Which."},
                "limit": {"type": "integer", "minimum": 1, "default": 10}},
            "required": ["state"], "additionalProperties": false
        });
        let find = Listed::new("find", "Finds\n  orders.", schema.as_object().unwrap().clone())
            .annotate(ToolAnnotations::new().read_only(true));
        let cancel = Listed::new("cancel", "Cancels an order.", json!({"type": "object"}).as_object().unwrap().clone());
        Ok(ListToolsResult::with_all_items(vec![find, cancel]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        match request.name.as_ref() {
            "find" if arguments["state"] == "slow" => std::future::pending().await,
            "find" if arguments["state"] == "none" => Ok(CallToolResult::success(Vec::new()).into()),
            "find" => Ok(CallToolResult::success(vec![
                ContentBlock::text(format!("found by {arguments}")),
                ContentBlock::image("AAAA", "image/png"),
            ])
            .into()),
            _ => Ok(CallToolResult::error(vec![ContentBlock::text("the order was shipped")]).into()),
        }
    }
}

struct Double {
    url: String,
    server: JoinHandle<()>,
    /// Method and team of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Double {
    async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    async fn at(address: &str) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&asked);
        let service: StreamableHttpService<Orders, LocalSessionManager> = StreamableHttpService::new(
            || Ok(Orders),
            Arc::new(LocalSessionManager::default()),
            StreamableHttpServerConfig::default(),
        );
        let note = from_fn(move |request: Request, next: Next| {
            let team = request.headers().get("x-team").and_then(|team| team.to_str().ok()).unwrap_or("nobody");
            notes.lock().unwrap().push(format!("{} {} {team}", request.method(), request.uri().path()));
            async move { next.run(request).await as Response }
        });
        let router = axum::Router::new().nest_service("/mcp", service).layer(note);
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, server, asked }
    }

    fn settings(&self) -> Settings {
        settings(Reach::Http(address(&self.url)))
    }
}

#[tokio::test]
async fn tools_are_listed_with_lean_schemas_and_called() {
    let double = Double::start().await;
    let tools = toolsets(double.settings()).offered().await.tools;
    let told: Vec<(&str, &str)> =
        tools.iter().map(|tool| (tool.spec().name.as_ref(), tool.spec().description.as_ref())).collect();
    assert_eq!(told, [("orders_find", "Finds orders."), ("orders_cancel", "Cancels an order.")]);
    assert_eq!(
        tools[0].spec().parameters,
        json!({
            "type": "object",
            "properties": {"state": {"type": "string", "description": "Which."}, "limit": {"type": "integer"}},
            "required": ["state"]
        })
    );
    let output = call(&tools[0], json!({"state": "open", "limit": "3"})).await.unwrap();
    assert_eq!(output.content, "found by {\"state\":\"open\",\"limit\":3}\n[a picture, image/png]\n");
    assert_eq!(output.title, "orders_find {\"state\":\"open\",\"limit\":3}");
    assert_eq!(call(&tools[0], json!({"state": "none"})).await.unwrap().content, "no data\n");
    let missing = call(&tools[0], json!({})).await.unwrap_err().to_string();
    assert_eq!(missing, "orders_find: argument `state` is missing: Which.");
    let failed = call(&tools[1], json!({"id": 5})).await.unwrap_err().to_string();
    assert_eq!(failed, "orders_cancel failed:\nthe order was shipped");
    let asked = double.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|request| request.ends_with(" /mcp shop")), "{asked:?}");
}

#[tokio::test]
async fn that_a_tool_only_looks_is_believed_of_a_trusted_server() {
    let double = Double::start().await;
    let effects = |settings: Settings| async move {
        let tools = toolsets(settings).offered().await.tools;
        tools.iter().map(|tool| (tool.spec().effect, tool.asks())).collect::<Vec<_>>()
    };
    assert_eq!(effects(double.settings()).await, [(Effect::Exec, false), (Effect::Exec, false)]);
    let trusted = Settings { trusted: true, asks: vec!["can*".to_owned()], ..double.settings() };
    assert_eq!(effects(trusted).await, [(Effect::Read, false), (Effect::Exec, true)]);
}

#[tokio::test]
async fn a_server_that_restarts_is_connected_to_again() {
    let double = Double::start().await;
    let tools = toolsets(double.settings()).offered().await.tools;
    let place = double.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    assert!(call(&tools[0], json!({"state": "open"})).await.is_ok());
    drop(double);
    let away = call(&tools[0], json!({"state": "open"})).await.unwrap_err().to_string();
    assert!(away.starts_with("the MCP server orders: "), "{away}");
    let again = async {
        let _double = Double::at(&place).await;
        while call(&tools[0], json!({"state": "open"})).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_connection_usable() {
    let double = Double::start().await;
    let tools = toolsets(double.settings()).offered().await.tools;
    let slow = tokio::time::timeout(Duration::from_millis(200), call(&tools[0], json!({"state": "slow"}))).await;
    assert!(slow.is_err());
    assert!(call(&tools[0], json!({"state": "open"})).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_not_there_says_so() {
    let why = reason(settings(Reach::Http(address("http://127.0.0.1:9/mcp")))).await;
    assert!(why.starts_with("the MCP server can't be used: ") && why.contains("onnect"), "{why}");
}
