//! Addresses of incidents that a person can open without a token.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use marple_core::{IncidentId, Secret};
use sha2::Sha256;

/// What the key of links is told apart by from other uses of the token.
const PURPOSE: &[u8] = b"marple: links to incidents, 1";

/// Signs addresses of single incidents. It is derived from the listener's token, so that another token makes all links
/// of before void.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkKey(…)")
    }
}

impl LinkKey {
    /// The key of a listener's token.
    pub fn of(token: &Secret) -> Self {
        Self(mac(token.expose().as_bytes(), &[PURPOSE]))
    }

    /// The query of an incident's address, as `expires=1795571742&signature=6cf5…`.
    pub fn query(&self, incident: IncidentId, expires: Timestamp) -> String {
        let expires = expires.as_second();
        let signature = self.signature(incident, expires);
        let signature = signature.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        format!("expires={expires}&signature={signature}")
    }

    /// Whether these are this key's words for that incident, and still hold. Takes the same time whatever was sent.
    pub fn admits(&self, incident: IncidentId, expires: i64, signature: &str, now: Timestamp) -> bool {
        let ours = self.signature(incident, expires);
        let digit = |at: usize| signature.as_bytes().get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let theirs = |at: usize| Some(digit(2 * at)? * 16 + digit(2 * at + 1)?);
        let same = |(at, byte): (usize, &u8)| theirs(at) == Some(u32::from(*byte));
        let whole = ours.iter().enumerate().fold(true, |all, one| all & same(one));
        whole && signature.len() == 2 * ours.len() && now.as_second() < expires
    }

    fn signature(&self, incident: IncidentId, expires: i64) -> [u8; 32] {
        mac(&self.0, &[incident.to_string().as_bytes(), b"\n", expires.to_string().as_bytes()])
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key may have any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_incident_alone_and_until_it_expires() {
        let key = LinkKey::of(&Secret::new("s3cret"));
        let (one, other) = (IncidentId::new(), IncidentId::new());
        let now = Timestamp::UNIX_EPOCH;
        let query = key.query(one, "1970-01-02T00:00:00Z".parse().unwrap());
        let signature = query.strip_prefix("expires=86400&signature=").unwrap();
        assert!(key.admits(one, 86_400, signature, now));
        assert!(!key.admits(other, 86_400, signature, now), "of another incident");
        assert!(!key.admits(one, 86_401, signature, now), "with another end");
        assert!(!key.admits(one, 86_400, signature, "1970-01-02T00:00:00Z".parse().unwrap()), "too late");
        assert!(!key.admits(one, 86_400, signature.get(2..).unwrap(), now) && !key.admits(one, 86_400, "", now));
        assert!(!LinkKey::of(&Secret::new("another")).admits(one, 86_400, signature, now), "after a new token");
        assert_eq!(format!("{key:?}"), "LinkKey(…)");
    }
}
