//! Where a secret may stand.

use super::vendor;

/// Names that tell of a secret, or a part of them, in any case. Whether one does is decided when all of it is read.
const NAMES: [&str; 16] = [
    "passw",
    "passphrase",
    "passcode",
    r"pass\b",
    "pwd",
    "secret",
    "token",
    r"creds?\b",
    "credential",
    r"auth(?:orization)?\b",
    "cookie",
    "jwt",
    "session_?id",
    r"key\b",
    r"sig(?:nature)?\b",
    "bearer",
];

/// One regular expression that matches where a secret may stand, cheaply and far too often.
///
/// It has no Unicode classes, so that it stays a small automaton.
pub(super) fn pattern() -> String {
    let vendors = vendor::prefixes().map(regex::escape).collect::<Vec<_>>().join("|");
    let names = NAMES.join("|");
    format!(
        r#"(?-u)\[redacted:|-----BEGIN |://|\$2[aby]\$|\$argon2|\$6\$|@(?:tcp|unix)\(|hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/|LS0tLS1CRUdJTi|(?i:kind\\*["']?[ \t]*:[ \t]*\\*["']?Secret(?:List)?\b|identified by|[ \t](?:-u|--user)[ =]|\bbasic )|:AA[A-Za-z0-9_-]{{33}}|\b(?:{vendors})|(?i:{names})"#
    )
}
