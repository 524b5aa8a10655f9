//! The system's name servers, and how it completes names.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// Where the system says which name servers it asks.
const FILE: &str = "/etc/resolv.conf";

/// What the C library takes of each.
const SERVERS: usize = 3;
const DOTS: usize = 15;

/// Name servers, and how short names are completed, as `resolv.conf(5)` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Servers {
    pub(super) addresses: Vec<SocketAddr>,
    search: Vec<String>,
    dots: usize,
}

impl Servers {
    /// Those of the system. Without its file the one on this machine is meant.
    pub(super) async fn system() -> Self {
        Self::read(&tokio::fs::read_to_string(Path::new(FILE)).await.unwrap_or_default())
    }

    fn read(text: &str) -> Self {
        let mut servers = Self { addresses: Vec::new(), search: Vec::new(), dots: 1 };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if servers.addresses.len() < SERVERS => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    servers.addresses.extend(address.map(|address| SocketAddr::new(address, 53)));
                }
                Some("search" | "domain") => {
                    servers.search =
                        words.map(|word| word.trim_matches('.').to_owned()).filter(|word| !word.is_empty()).collect();
                }
                Some("options") => {
                    let dots = words.filter_map(|word| word.strip_prefix("ndots:")?.parse::<usize>().ok()).next_back();
                    servers.dots = dots.unwrap_or(servers.dots).min(DOTS);
                }
                _ => {}
            }
        }
        if servers.addresses.is_empty() {
            servers.addresses.push(SocketAddr::from(([127, 0, 0, 1], 53)));
        }
        servers
    }

    /// The whole names that a name may mean, in the order in which they are tried.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        let Some(name) = name.strip_suffix('.').is_none().then_some(name) else {
            return vec![name.trim_end_matches('.').to_owned()];
        };
        let completed = self.search.iter().map(|domain| format!("{name}.{domain}"));
        if name.matches('.').count() >= self.dots {
            std::iter::once(name.to_owned()).chain(completed).collect()
        } else {
            completed.chain(std::iter::once(name.to_owned())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_in_a_pod() {
        let servers = Servers::read(
            "# made by the kubelet\nsearch shop.svc.cluster.local svc.cluster.local. cluster.local\nnameserver 10.96.0.10\n\
             nameserver fd00::10\nnameserver nonsense\noptions edns0 ndots:5\n",
        );
        assert_eq!(servers.addresses, ["10.96.0.10:53".parse().unwrap(), "[fd00::10]:53".parse().unwrap()]);
        assert_eq!(
            servers.candidates("redis"),
            ["redis.shop.svc.cluster.local", "redis.svc.cluster.local", "redis.cluster.local", "redis"]
        );
        assert_eq!(servers.candidates("example.com."), ["example.com"]);
        assert_eq!(servers.candidates("a.b.c.d.e.f").first().map(String::as_str), Some("a.b.c.d.e.f"));
    }

    #[test]
    fn without_a_file_the_server_of_this_machine_is_asked() {
        let servers = Servers::read("");
        assert_eq!(servers.addresses, ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(servers.candidates("example.com"), ["example.com"]);
    }
}
