//! Whether a port takes connections, and what certificate it shows.

use std::fmt::Write as _;
use std::time::Duration;

use futures::future::join_all;

use crate::network::allow::Allowed;
use crate::network::certificate;
use crate::network::reach::{self, Nowhere, Tried};
use crate::{Look, Output, ToolError};

/// How long a server may take to show its certificate.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Whether a port takes connections, and with `tls` what certificate it shows.
pub(super) async fn check(
    allowed: &Allowed,
    host: &str,
    port: u16,
    tls: bool,
    look: &Look,
) -> Result<Output, ToolError> {
    let title = format!("{} {host}:{port}", if tls { "TLS of" } else { "TCP to" });
    let host = host.trim();
    let addresses = match reach::addresses(allowed, host, port).await {
        Ok(addresses) => addresses,
        Err(Nowhere::Unresolved(why)) => return Ok(Output { title, content: format!("{why}\n"), ..Output::default() }),
        Err(denied @ Nowhere::Denied(_)) => return Err(denied.into()),
    };
    let tried = join_all(addresses.iter().map(|address| reach::connect(*address))).await;
    let (mut content, mut first) = (String::new(), None);
    for (address, (tried, after)) in addresses.iter().zip(tried) {
        let after = after.as_millis();
        let _ = match tried {
            Tried::Connected(stream) => {
                first = first.or(Some(stream));
                writeln!(content, "{address}: connected in {after} ms")
            }
            Tried::Not(why) => writeln!(content, "{address}: {why} ({after} ms)"),
        };
    }
    if let Some(stream) = first.filter(|_| tls) {
        content += &match tokio::time::timeout(HANDSHAKE, certificate::read(stream, host, look.now)).await {
            Ok(Ok(shown)) => shown,
            Ok(Err(why)) => format!("no TLS: {why}\n"),
            Err(_) => format!("no TLS: no handshake in {} s; does this port speak TLS?\n", HANDSHAKE.as_secs()),
        };
    }
    Ok(Output { title, content, ..Output::default() })
}
