//! Addresses of incidents that a person can open without a token.

use jiff::Timestamp;
use marple_core::{IncidentId, Secret};

use crate::signature::Key;

/// What the key of links is told apart by from other uses of the token.
const PURPOSE: &str = "marple: links to incidents, 1";

/// Signs addresses of single incidents. It is derived from the listener's token, so that another token makes all links
/// of before void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKey(Key);

impl LinkKey {
    /// The key of a listener's token.
    pub fn of(token: &Secret) -> Self {
        Self(Key::of(token, PURPOSE))
    }

    /// The query of an incident's address, as `expires=1795571742&signature=6cf5…`.
    pub fn query(&self, incident: IncidentId, expires: Timestamp) -> String {
        let expires = expires.as_second();
        let signature = self.0.sign(&[&incident.to_string(), &expires.to_string()]);
        format!("expires={expires}&signature={signature}")
    }

    /// Whether these are this key's words for that incident, and still hold. Takes the same time whatever was sent.
    pub fn admits(&self, incident: IncidentId, expires: i64, signature: &str, now: Timestamp) -> bool {
        let signed = self.0.signed(&[&incident.to_string(), &expires.to_string()], signature);
        signed && now.as_second() < expires
    }
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
        assert_eq!(format!("{key:?}"), "LinkKey(Key(…))");
    }
}
