//! Names that tell of a secret.

use memchr::memmem;

use super::words::Words;
use super::{Source, pem};

/// How sure a name makes that its value is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surety {
    /// Whatever the value, as under `db_password`.
    Sure,
    /// Unless the value is a word about it, as in `token: expired`.
    Likely,
    /// Only where the value looks random: `secret` names an object of Kubernetes as often.
    Random,
    /// Only where it looks very much so, as under `key`.
    Strong,
}

/// A name that tells of a secret, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What its value is called in the placeholder.
    pub(super) kind: &'static str,
    pub(super) surety: Surety,
}

/// Words after the telling one that don't change what the value is.
const TAILS: Words = Words::new(&[
    "hash",
    "hashed",
    "value",
    "data",
    "base64",
    "b64",
    "enc",
    "encoded",
    "encrypted",
    "plain",
    "plaintext",
    "text",
    "string",
    "str",
    "base",
    "current",
    "old",
    "new",
    "previous",
    "prev",
    "next",
    "primary",
    "secondary",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "test",
    "master",
    "replica",
    "root",
    "admin",
    "rw",
    "ro",
]);

/// Words before `key` that make it a secret one.
const KEYS: Words = Words::new(&[
    "api",
    "access",
    "private",
    "secret",
    "encryption",
    "encrypt",
    "decryption",
    "signing",
    "sign",
    "master",
    "auth",
    "authentication",
    "account",
    "shared",
    "license",
    "licence",
    "session",
    "client",
    "storage",
    "hmac",
    "aes",
    "rsa",
    "ssh",
    "deploy",
    "app",
    "application",
    "service",
    "consumer",
    "webhook",
    "admin",
    "root",
    "server",
    "jwt",
    "cookie",
    "write",
    "integration",
]);

/// Words before `secret` by which it names an object of Kubernetes.
const NAMED: Words = Words::new(&[
    "pull",
    "tls",
    "ca",
    "existing",
    "auth",
    "cert",
    "certificate",
    "kubernetes",
    "k8s",
    "registry",
    "bundle",
    "image",
    "credentials",
]);

const fn letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// All of the name that stands around `from..to`, which is a part of it, where it tells of a secret; and where reading goes on.
pub(super) fn around(source: &Source<'_>, from: usize, to: usize) -> (usize, Option<Key>) {
    let mut start = source.skip_back(from, 120, letter);
    let end = source.skip(to, letter);
    // At the marks of a private key's first line, which may follow what is no name, as the last line of another key.
    let marks = memmem::find(source.slice(to, end).as_bytes(), pem::MARKS.as_bytes());
    let resume = marks.map_or(end, |marks| to + marks);
    // In a string of JSON, the letter after a backslash is a line end or a tab.
    if source.before(start) == Some(b'\\') && matches!(source.at(start), Some(b'n' | b't' | b'r')) && start < from {
        start += 1;
    }
    let mark = |byte: u8| matches!(byte, b'-' | b'.' | b'_');
    let start = source.skip_at_most(start, end - start, mark);
    let stop = source.skip_back(end, end - start, mark);
    let key = tells(source.slice(start, stop)).map(|(kind, surety)| Key { start, end: stop, kind, surety });
    (resume, key.filter(|key| key.start < key.end))
}

/// How many letters of a name's end are read.
const LONGEST: usize = 128;

/// What a name tells of its value.
fn tells(name: &str) -> Option<(&'static str, Surety)> {
    let name = name.as_bytes();
    let name = name.get(name.len().saturating_sub(LONGEST)..)?;
    let mut lower = [0; LONGEST];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let mut words = words_from_the_end(name, std::str::from_utf8(lower).ok()?).peekable();
    let mut last = words.next()?;
    while words.peek().is_some() && is_tail(last) {
        last = words.next()?;
    }
    let before = words.next();
    let (alone, before) = (before.is_none(), before.unwrap_or_default());
    Some(match last.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
        // The working directory of every shell.
        "pwd" if alone || before == "old" => return None,
        "password" | "passwords" | "passwd" | "passwort" | "pwd" | "pass" | "passphrase" | "passcode"
        | "userpassword" | "dbpassword" | "rootpassword" | "mypassword" => ("password", Surety::Sure),
        "secret" | "secrets" if alone || NAMED.has(before) => ("secret", Surety::Random),
        "secret" | "secrets" | "clientsecret" => ("secret", Surety::Sure),
        "token" | "tokens" if matches!(before, "page" | "continue" | "resume" | "cancellation" | "cancel") => {
            return None;
        }
        "token" | "tokens" | "jwt" | "bearer" | "accesstoken" | "authtoken" => ("token", Surety::Likely),
        "apikey" | "authkey" | "secretkey" | "accesskey" | "privatekey" | "apisecret" => ("key", Surety::Sure),
        "key" if KEYS.has(before) => ("key", Surety::Likely),
        "key" => ("key", Surety::Strong),
        "credential" | "credentials" | "cred" | "creds" | "auth" | "sig" | "signature" | "sessionid" => {
            ("credential", Surety::Random)
        }
        "authorization" => ("authorization", Surety::Likely),
        "id" if before == "session" => ("credential", Surety::Random),
        "cookie" | "cookies" => ("cookie", Surety::Random),
        _ => return None,
    })
}

fn is_tail(word: &str) -> bool {
    TAILS.has(word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
        || word.strip_prefix('v').is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Where the last word of a name begins: of `DB_PASSWORD`, `dbPassword`, `db-password` and `DBPassword` at the `p`.
fn last_word(name: &[u8]) -> usize {
    let mut after = 0_u8;
    for (index, letter) in name.iter().copied().enumerate().rev() {
        if !letter.is_ascii_alphanumeric() {
            return index + 1;
        }
        let before = index.checked_sub(1).and_then(|before| name.get(before)).copied().unwrap_or_default();
        let follows = before.is_ascii_lowercase() || before.is_ascii_digit();
        if letter.is_ascii_uppercase() && (follows || before.is_ascii_uppercase() && after.is_ascii_lowercase()) {
            return index;
        }
        after = letter;
    }
    0
}

/// The words of a name, each as its letters stand in `lower`, the last first.
fn words_from_the_end<'a>(name: &'a [u8], lower: &'a str) -> impl Iterator<Item = &'a str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        while let Some((last, before)) = rest.split_last()
            && !last.is_ascii_alphanumeric()
        {
            rest = before;
        }
        if rest.is_empty() {
            return None;
        }
        let start = last_word(rest);
        let word = lower.get(start..rest.len())?;
        rest = rest.get(..start)?;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_by_its_last_words() {
        for (name, wanted) in [
            ("DB_PASSWORD", Some(("password", Surety::Sure))),
            ("dbPassword1", Some(("password", Surety::Sure))),
            ("spring.datasource.password", Some(("password", Surety::Sure))),
            ("MYSQL_PASS", Some(("password", Surety::Sure))),
            ("AWS_SECRET_ACCESS_KEY", Some(("key", Surety::Likely))),
            ("SECRET_KEY_BASE", Some(("key", Surety::Likely))),
            ("client-key-data", Some(("key", Surety::Likely))),
            ("XAuthToken", Some(("token", Surety::Likely))),
            ("clientSecret", Some(("secret", Surety::Sure))),
            ("secret", Some(("secret", Surety::Random))),
            ("imagePullSecrets", Some(("secret", Surety::Random))),
            ("key", Some(("key", Surety::Strong))),
            ("secretName", None),
            ("secretKeyRef", None),
            ("passwordFile", None),
            ("token_count", None),
            ("automountServiceAccountToken.enabled", None),
            ("tokenExpirationSeconds", None),
            ("PWD", None),
            ("nextPageToken", None),
            ("authenticator", None),
            ("monkey", None),
            ("compass", None),
        ] {
            assert_eq!(tells(name), wanted, "{name}");
        }
    }
}
