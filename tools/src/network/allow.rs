//! What may be reached.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::address::{self, Inside};
use crate::gate::glob;

/// A host by its name, where `*` stands for any letters, or a network; with or without a port.
///
/// Written as `*.shop.svc.cluster.local`, `db.example.com:5432`, `10.96.0.0/16`, `10.0.0.7:443`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Destination {
    place: Place,
    port: Option<u16>,
    written: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Name(String),
    Network(IpNet),
}

/// A text that names no destination.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no host or network; write as *.shop.svc.cluster.local, db.example.com:5432, 10.96.0.0/16 or 10.0.0.7:443"
)]
pub struct DestinationError(String);

impl TryFrom<String> for Destination {
    type Error = DestinationError;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        let (place, port) = read(written.trim()).ok_or_else(|| DestinationError(written.clone()))?;
        Ok(Self { place, port, written: written.trim().to_owned() })
    }
}

fn read(text: &str) -> Option<(Place, Option<u16>)> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some((Place::Network(network.trunc()), None));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((Place::Network(address.into()), None));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((Place::Network(address.ip().into()), Some(address.port())));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "*?-_.".contains(letter);
    let name = name.trim_end_matches('.');
    (!name.is_empty() && name.chars().all(fits)).then(|| (Place::Name(name.to_lowercase()), port))
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl JsonSchema for Destination {
    fn schema_name() -> Cow<'static, str> {
        "Destination".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A host's name, where * stands for any letters, or a network; both may end in a port: \
                            *.shop.svc.cluster.local, db.example.com:5432, 10.96.0.0/16, 10.0.0.7:443."
        })
    }
}

/// All that may be reached.
#[derive(Clone, Debug)]
pub(super) struct Allowed(Vec<Destination>);

impl Allowed {
    pub(super) fn new(destinations: &[Destination]) -> Self {
        Self(destinations.to_vec())
    }

    /// Whether a host of this name is listed, at this port where one matters.
    pub(super) fn name(&self, name: &str, port: Option<u16>) -> bool {
        let name = name.trim_end_matches('.');
        self.0.iter().any(|listed| match &listed.place {
            Place::Name(pattern) => glob::fits(pattern, name) && at(listed.port, port),
            Place::Network(_) => false,
        })
    }

    /// Whether an address may be connected to. A name that is listed leads to addresses of the Internet and to private
    /// ones, for that is where a cluster's Services are; to loopback and link-local ones only where a network says so.
    pub(super) fn address(&self, address: IpAddr, port: u16, by_name: bool) -> Result<(), Denied> {
        let networks: Vec<IpNet> = self
            .0
            .iter()
            .filter(|listed| at(listed.port, Some(port)))
            .filter_map(|listed| match listed.place {
                Place::Network(network) => Some(network),
                Place::Name(_) => None,
            })
            .collect();
        let canonical = address::canonical(address);
        if !by_name && !networks.iter().any(|network| network.contains(&canonical)) {
            return Err(Denied::Unlisted);
        }
        address::permitted(canonical, &networks, by_name).map_err(Denied::Inside)
    }
}

/// Why an address may not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    Unlisted,
    Inside(Inside),
}

impl fmt::Display for Allowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<&str> = self.0.iter().take(8).map(|listed| listed.written.as_str()).collect();
        write!(formatter, "{}", shown.join(", "))?;
        match self.0.len().saturating_sub(shown.len()) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

fn at(listed: Option<u16>, wanted: Option<u16>) -> bool {
    listed.is_none() || wanted.is_none() || listed == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(listed: &[&str]) -> Allowed {
        Allowed(listed.iter().map(|text| Destination::try_from((*text).to_owned()).unwrap()).collect())
    }

    #[test]
    fn names_and_networks_are_read_with_and_without_a_port() {
        let all =
            allowed(&["*.shop.svc", "DB.example.com.:5432", "10.96.0.0/16", "10.0.0.7:443", "[fd00::1]:53", "fd00::2"]);
        assert!(all.name("cart.SHOP.svc.", Some(80)) && all.name("db.example.com", None));
        assert!(
            !all.name("shop.svc", None)
                && !all.name("db.example.com", Some(22))
                && !all.name("cart.shop.svc.evil.com", None)
        );
        let address = |text: &str, port| all.address(text.parse().unwrap(), port, false);
        assert_eq!(address("10.96.3.4", 6379), Ok(()));
        assert_eq!(address("::ffff:10.96.3.4", 6379), Ok(()));
        assert_eq!(address("10.0.0.7", 443), Ok(()));
        assert_eq!(address("10.0.0.7", 22), Err(Denied::Unlisted));
        assert_eq!(address("fd00::1", 53), Ok(()));
        assert_eq!(address("8.8.8.8", 53), Err(Denied::Unlisted));
    }

    #[test]
    fn a_listed_name_does_not_lead_to_this_machine_or_to_credentials() {
        let all = allowed(&["*", "169.254.0.0/16"]);
        let address = |text: &str| all.address(text.parse().unwrap(), 80, true);
        assert_eq!((address("10.1.2.3"), address("8.8.8.8"), address("169.254.9.9")), (Ok(()), Ok(()), Ok(())));
        assert_eq!(address("127.0.0.1"), Err(Denied::Inside(Inside::Loopback)));
        assert_eq!(address("169.254.169.254"), Err(Denied::Inside(Inside::Metadata)));
    }

    #[test]
    fn what_is_no_destination_is_refused_with_examples() {
        for text in ["", "http://a.b", "a b", "10.0.0.0/33", "host:port", "user@host", "a/b"] {
            let error = Destination::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.contains("10.96.0.0/16"), "{text}: {error}");
        }
    }
}
