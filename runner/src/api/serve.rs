//! Serves connections.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{ApiState, router};

/// Connections at a time; others wait in the kernel's queue. Half of the usual limit of open files.
const CONNECTIONS: usize = 512;

/// How long the head of a request may take, and how long a connection may be idle: longer than the interval of probes
/// and scrapes.
const HEAD: Duration = Duration::from_mins(1);

/// How long requests under way may take to end once the server has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait when no more connections can be taken, as without free file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Why serving has ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is broken. Trying again doesn't help.
    #[error("the listener: {0}")]
    Listener(#[source] io::Error),
}

/// Serves until cancelled, then lets requests that are under way end.
pub async fn serve(listener: TcpListener, state: ApiState, cancel: CancellationToken) -> Result<(), ServeError> {
    let telemetry = state.telemetry.clone();
    let service = TowerToHyperService::new(router(state));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
            match listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, service.clone(), permit, cancel.clone()));
                    while connections.try_join_next().is_some() {}
                }
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
                Err(error) => return Err(ServeError::Listener(error)),
            }
        }
    };
    let ended = tokio::select! {
        () = cancel.cancelled() => Ok(()),
        ended = accepting => ended,
        () = telemetry.keep_up(&cancel) => Ok(()),
    };
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off at the end");
    }
    ended
}

async fn connection(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    _permit: OwnedSemaphorePermit,
    cancel: CancellationToken,
) {
    metrics::counter!("marple_http_connections_total").increment(1);
    metrics::gauge!("marple_http_connections").increment(1.0);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
    metrics::gauge!("marple_http_connections").decrement(1.0);
}

/// Whether accepting may succeed later: the client has gone, or there are no resources now.
fn is_passing(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::OutOfMemory
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}
