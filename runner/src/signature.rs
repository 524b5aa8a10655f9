//! Signatures by a key that is derived from a secret of the configuration.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use marple_core::{Secret, hex};
use sha2::Sha256;

/// Signs for one purpose. Another secret makes all that was signed before void.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// The key of a secret for a purpose, which tells it apart from other uses of the secret.
    pub(crate) fn of(secret: &Secret, purpose: &str) -> Self {
        Self(mac(secret.expose().as_bytes(), &[purpose]))
    }

    /// The signature of these parts, as hexadecimal digits. No part may hold a line break.
    pub(crate) fn sign(&self, parts: &[&str]) -> String {
        hex(&mac(&self.0, parts))
    }

    /// Whether this is their signature. Takes the same time whatever was sent.
    pub(crate) fn signed(&self, parts: &[&str], signature: &str) -> bool {
        let ours = mac(&self.0, parts);
        let digit = |at: usize| signature.as_bytes().get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let theirs = |at: usize| Some(digit(2 * at)? * 16 + digit(2 * at + 1)?);
        let same = |(at, byte): (usize, &u8)| theirs(at) == Some(u32::from(*byte));
        let whole = ours.iter().enumerate().fold(true, |all, one| all & same(one));
        whole && signature.len() == 2 * ours.len()
    }
}

fn mac(key: &[u8], parts: &[&str]) -> [u8; 32] {
    // A key may have any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            mac.update(b"\n");
        }
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}
