//! What name servers say of a name.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use tokio::time::Instant;

use crate::network::allow::Allowed;
use crate::network::dns::{DnsFault, Kind, Said, ask};
use crate::network::reach;
use crate::network::servers::Servers;
use crate::{Output, ToolError};

/// A question to name servers.
pub(super) struct Lookup<'a> {
    pub(super) allowed: &'a Allowed,
    pub(super) tool: &'a str,
    pub(super) name: &'a str,
    /// A and AAAA where there is none.
    pub(super) kind: Option<Kind>,
    /// The system's where there is none.
    pub(super) server: Option<&'a str>,
}

impl Lookup<'_> {
    pub(super) async fn look(self) -> Result<Output, ToolError> {
        let Self { name, kind, server, .. } = self;
        let servers = self.servers(server).await?;
        let all = servers.candidates(name.trim());
        let candidates: Vec<&String> = all.iter().filter(|candidate| self.allowed.name(candidate, None)).collect();
        if candidates.is_empty() {
            return Err(ToolError::Arguments(format!(
                "{name} is not in `network.allow`, which has {}; whoever runs marple can add it",
                self.allowed
            )));
        }
        let kinds = kind.map_or_else(|| vec![Kind::A, Kind::Aaaa], |kind| vec![kind]);
        let types = kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut content = String::new();
        'names: for candidate in candidates {
            for server in &servers.addresses {
                match of_name(*server, candidate, &kinds, &mut content).await {
                    Told::Found => break 'names,
                    // Another name may be meant; another server would say the same.
                    Told::Nothing => continue 'names,
                    Told::Failed => {}
                }
            }
        }
        let at = server.map(|server| format!(" at {server}")).unwrap_or_default();
        Ok(Output { title: format!("DNS {types} of {name}{at}"), content, ..Output::default() })
    }

    /// The servers to ask, one after the other.
    async fn servers(&self, named: Option<&str>) -> Result<Servers, ToolError> {
        let mut servers = Servers::system().await;
        let Some(named) = named else { return Ok(servers) };
        let (host, port) = match named.parse::<SocketAddr>() {
            Ok(address) => (address.ip().to_string(), address.port()),
            Err(_) => match named.rsplit_once(':') {
                Some((host, port)) if named.parse::<IpAddr>().is_err() => {
                    let port = port.parse().map_err(|_| {
                        ToolError::Arguments(format!("{}: argument `name_server` is {named:?}; wanted is a host or an address, with a port where it isn't 53", self.tool))
                    })?;
                    (host.to_owned(), port)
                }
                _ => (named.to_owned(), 53),
            },
        };
        let system = servers.addresses.iter().any(|server| server.ip().to_string() == host && server.port() == port);
        servers.addresses = match host.parse() {
            Ok(address) if system => vec![SocketAddr::new(address, port)],
            _ => reach::addresses(self.allowed, &host, port).await?,
        };
        Ok(servers)
    }
}

enum Told {
    Found,
    Nothing,
    Failed,
}

/// Asks one server for a whole name, and tells a line a type.
async fn of_name(server: SocketAddr, name: &str, kinds: &[Kind], into: &mut String) -> Told {
    let mut told = Told::Nothing;
    for kind in kinds {
        let from = Instant::now();
        let answer = ask(server, name, *kind).await;
        let of = format!("{name} {kind}");
        let by = format!("{} in {} ms", server_name(server), from.elapsed().as_millis());
        let _ = match answer {
            Ok(Said::Records(records)) => {
                told = Told::Found;
                writeln!(into, "{of}: {} (from {by})", records.join(", "))
            }
            Ok(Said::NoSuchRecord) => {
                // The name is right, so no other is meant.
                told = Told::Found;
                writeln!(into, "{of}: none, though the name exists (from {by})")
            }
            Ok(Said::NoSuchName) => {
                let _ = writeln!(into, "{name}: NXDOMAIN, there is no such name (from {by})");
                return told;
            }
            Ok(Said::Failed(code)) => {
                let _ = writeln!(into, "{of}: {code}, the server could not answer (from {by})");
                return Told::Failed;
            }
            Err(fault @ DnsFault::Name) => {
                let _ = writeln!(into, "{of}: {fault}");
                return Told::Nothing;
            }
            Err(fault) => {
                let _ = writeln!(into, "{of}: {fault} (asked {})", server_name(server));
                return Told::Failed;
            }
        };
    }
    told
}

fn server_name(server: SocketAddr) -> String {
    if server.port() == 53 { server.ip().to_string() } else { server.to_string() }
}
