//! One listening socket with its server.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ReplayError;

/// A server at a port.
#[derive(Debug)]
pub(super) struct Listener {
    url: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl Listener {
    /// Takes the port and serves `router` there until `cancel`.
    pub(super) async fn open(
        api: &'static str,
        address: SocketAddr,
        router: Router,
        cancel: &CancellationToken,
    ) -> Result<Self, ReplayError> {
        let failed = |source| ReplayError::Listen { api, address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        let cancel = cancel.clone();
        let server =
            tokio::spawn(
                async move { axum::serve(socket, router).with_graceful_shutdown(cancel.cancelled_owned()).await },
            );
        Ok(Self { url: format!("http://{bound}"), server })
    }

    /// Its URL, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the server has ended.
    pub(super) async fn ended(self) -> std::io::Result<()> {
        self.server.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}
