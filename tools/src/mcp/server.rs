//! A server: the connection that is held to it, and the tools that it tells.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rmcp::model::{CallToolRequestParams, CallToolResult, Tool};
use rmcp::service::ServiceError;
use tokio::sync::Mutex;

use super::connection::{ConnectError, Connection};
use super::settings::Settings;
use super::tool::McpTool;
use crate::endpoint::chain;
use crate::toolset::{Off, Offer, Probe};
use crate::{ToolError, gate::glob};

/// How long a server may take to tell its tools.
const LISTING: Duration = Duration::from_secs(8);

/// Tools of a server that are offered: each costs tokens at every call.
const TOOLS: usize = 40;

/// A server. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub(super) struct Server(Arc<Shared>);

struct Shared {
    name: String,
    settings: Settings,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl Server {
    /// A server; it is connected to when it is first asked.
    pub(super) fn new(name: &str, settings: Settings) -> Self {
        Self(Arc::new(Shared { name: name.to_owned(), settings, connection: Mutex::default() }))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// The connection that is held; a new one where there is none, or where the other side is gone.
    ///
    /// Those who ask at one time wait for one connection, which takes no longer than its deadline.
    async fn connection(&self) -> Result<Arc<Connection>, ConnectError> {
        let mut held = self.0.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        *held = None;
        let connection = Arc::new(Connection::open(&self.0.settings.reach).await?);
        *held = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Lets go of the connection, so that the next who asks connects anew.
    async fn forget(&self) {
        self.0.connection.lock().await.take();
    }

    async fn tools(&self) -> Result<Vec<Tool>, String> {
        let connection = self.connection().await.map_err(|error| error.to_string())?;
        match tokio::time::timeout(LISTING, connection.peer().list_all_tools()).await {
            Ok(Ok(tools)) => Ok(tools),
            Ok(Err(error)) => Err(format!("it did not tell its tools: {}", told(&error))),
            Err(_) => Err(format!("it did not tell its tools in {} s", LISTING.as_secs())),
        }
    }

    /// Calls a tool. A connection that broke is made again for the next call: this one may have been carried out.
    pub(super) async fn call(&self, request: CallToolRequestParams) -> Result<CallToolResult, ToolError> {
        let away = |why: String| ToolError::Backend(format!("the MCP server {}: {why}", self.0.name));
        let connection = self.connection().await.map_err(|error| away(error.to_string()))?;
        match connection.peer().call_tool(request).await {
            Ok(result) => Ok(result),
            // The server understood the call, and refuses it.
            Err(ServiceError::McpError(error)) => Err(ToolError::Arguments(error.message.to_string())),
            Err(error) => {
                self.forget().await;
                Err(away(format!("{}; it is connected to again at the next call", told(&error))))
            }
        }
    }
}

/// Why a request failed; the names of a transport's types say nothing to people.
fn told(error: &ServiceError) -> String {
    match error {
        ServiceError::TransportSend(error) => chain(error.error.as_ref()),
        other => chain(other),
    }
}

#[async_trait]
impl Probe for Server {
    async fn probe(&self) -> Result<Offer, Off> {
        let listed = match self.tools().await {
            Ok(listed) => listed,
            Err(why) => {
                self.forget().await;
                return Err(Off(format!("the MCP server can't be used: {why}")));
            }
        };
        let Settings { instructions, trusted, asks, .. } = &self.0.settings;
        let mut offer = Offer { instructions: instructions.clone(), ..Offer::default() };
        if listed.len() > TOOLS {
            offer
                .notes
                .push(format!("{} tools are left out: at most {TOOLS} of a server are offered", listed.len() - TOOLS));
        }
        for tool in listed.iter().take(TOOLS) {
            let asked = asks.iter().any(|pattern| glob::fits(pattern, &tool.name));
            offer.tools.push(Arc::new(McpTool::new(self.clone(), tool, *trusted, asked)));
        }
        Ok(offer)
    }
}
