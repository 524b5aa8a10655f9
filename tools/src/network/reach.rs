//! From a name to addresses that may be connected to, and a connection to each.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::allow::{Allowed, Denied};
use crate::ToolError;

/// How long a name may take, and a connection.
const NAME: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);

/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// What became of a connection.
#[derive(Debug)]
pub(super) enum Tried {
    Connected(TcpStream),
    /// In words, with what it means.
    Not(String),
}

/// Why there is no address to connect to.
#[derive(Debug)]
pub(super) enum Nowhere {
    /// The configuration doesn't allow it.
    Denied(String),
    /// The name has none: a finding, not a fault.
    Unresolved(String),
}

impl From<Nowhere> for ToolError {
    fn from(nowhere: Nowhere) -> Self {
        match nowhere {
            Nowhere::Denied(text) => Self::Arguments(text),
            Nowhere::Unresolved(text) => Self::NotFound(text),
        }
    }
}

/// The addresses of a host. Each is checked here and then connected to as it is: the name isn't looked up again.
pub(super) async fn addresses(allowed: &Allowed, host: &str, port: u16) -> Result<Vec<SocketAddr>, Nowhere> {
    let denied = |what: &str| {
        Nowhere::Denied(format!(
            "{what} is not in `network.allow`, which has {allowed}; whoever runs marple can add it"
        ))
    };
    if let Some(address) = literal(host) {
        return match allowed.address(address, port, false) {
            Ok(()) => Ok(vec![SocketAddr::new(address, port)]),
            Err(Denied::Unlisted) => Err(denied(&SocketAddr::new(address, port).to_string())),
            Err(Denied::Inside(inside)) => {
                Err(Nowhere::Denied(format!("{address} is {inside}, which is never connected to")))
            }
        };
    }
    if !allowed.name(host, Some(port)) {
        return Err(denied(&format!("{host}:{port}")));
    }
    let looked_up = timeout(NAME, lookup_host((host, port))).await;
    let unresolved = |why: &str| {
        Nowhere::Unresolved(format!(
            "{host} has no address: {why}; without a port it is told what its name servers say"
        ))
    };
    let found: Vec<SocketAddr> = match looked_up {
        Err(_) => return Err(unresolved(&format!("the name servers gave no answer in {} s", NAME.as_secs()))),
        Ok(Err(error)) => return Err(unresolved(&error.to_string())),
        Ok(Ok(found)) => found.collect(),
    };
    for address in &found {
        if let Err(why) = allowed.address(address.ip(), port, true) {
            let what = match why {
                Denied::Inside(inside) => inside.to_string(),
                Denied::Unlisted => "not listed".to_owned(),
            };
            let address = address.ip();
            return Err(Nowhere::Denied(format!(
                "{host} leads to {address}, {what}: only a network in `network.allow` lets that through"
            )));
        }
    }
    let mut kept: Vec<SocketAddr> = Vec::new();
    for address in found {
        if kept.len() < ADDRESSES && !kept.contains(&address) {
            kept.push(address);
        }
    }
    if kept.is_empty() { Err(unresolved("the answer holds none")) } else { Ok(kept) }
}

/// An address written as such, also in brackets. Forms that only some programs take for addresses, as `0x7f.1` and
/// `2130706433`, are what the rest of the Internet takes them for.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse() {
        return Some(address);
    }
    match reqwest::Url::parse(&format!("http://{host}/")).ok()?.host_str()?.parse() {
        Ok(IpAddr::V4(address)) => Some(IpAddr::V4(address)),
        _ => None,
    }
}

/// Connects to one address.
pub(super) async fn connect(address: SocketAddr) -> (Tried, Duration) {
    let from = Instant::now();
    let tried = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Tried::Connected(stream),
        Ok(Err(error)) => Tried::Not(match error.kind() {
            ErrorKind::ConnectionRefused => {
                "refused: the host answers, but nothing listens on this port, or a policy rejects".to_owned()
            }
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => format!("unreachable: {error}"),
            _ => error.to_string(),
        }),
        Err(_) => Tried::Not(format!(
            "timed out after {} s: packets are dropped (firewall, NetworkPolicy, no endpoint) or the host is down",
            CONNECT.as_secs()
        )),
    };
    (tried, from.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_in_each_form_that_a_resolver_takes() {
        for (text, wanted) in [
            ("127.0.0.1", Some("127.0.0.1")),
            ("2130706433", Some("127.0.0.1")),
            ("0x7f000001", Some("127.0.0.1")),
            ("0177.0.0.1", Some("127.0.0.1")),
            ("127.1", Some("127.0.0.1")),
            ("127.0.0.1.", Some("127.0.0.1")),
            ("[::1]", Some("::1")),
            ("::ffff:10.0.0.1", Some("::ffff:10.0.0.1")),
            ("cart.shop.svc", None),
            ("10.shop", None),
        ] {
            assert_eq!(literal(text), wanted.map(|wanted| wanted.parse().unwrap()), "{text}");
        }
    }
}
