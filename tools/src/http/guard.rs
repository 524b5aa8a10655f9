//! From a name to addresses that may be connected to.
//!
//! The client asks here for the addresses of each connection and connects to what it is given: what is checked is what
//! is used, and a name that changes its answer between the two gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::network::address::{self, Inside};

/// Who knows the addresses of names.
#[async_trait]
pub(super) trait Names: Send + Sync {
    /// The addresses of a host.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
pub(super) struct System;

#[async_trait]
impl Names for System {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Lets addresses through that a connection may be made to.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) names: Arc<dyn Names>,
    pub(super) networks: Vec<IpNet>,
    /// Whether private addresses need no network that lists them.
    pub(super) private: bool,
}

/// An address that may not be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} leads to {address}, {inside}, which no `networks` of its endpoint in `http` lists")]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
    inside: Inside,
}

impl Guard {
    pub(super) fn check(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let refused = |inside| Refused { host: host.to_owned(), address, inside };
        address::permitted(address, &self.networks, self.private).map_err(refused)
    }
}

impl Resolve for Guard {
    /// All addresses, or none where one of them may not be connected to.
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.names.addresses(name.as_str()).await?;
            for address in &addresses {
                guard.check(name.as_str(), *address)?;
            }
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
