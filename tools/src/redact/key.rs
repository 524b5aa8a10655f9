//! Names that tell of a secret.

use super::Source;

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
const TAILS: [&str; 36] = [
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
];

/// Words before `key` that make it a secret one.
const KEYS: [&str; 36] = [
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
];

/// Words before `secret` by which it names an object of Kubernetes.
const NAMED: [&str; 13] = [
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
];

const fn letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// All of the name that stands around `from..to`, which is a part of it, and where that name ends; and whether it tells of a secret.
pub(super) fn around(source: &Source<'_>, from: usize, to: usize) -> (usize, Option<Key>) {
    let mut start = source.skip_back(from, 120, letter);
    let end = source.skip(to, letter);
    // In a string of JSON, the letter after a backslash is a line end or a tab.
    if source.before(start) == Some(b'\\') && matches!(source.at(start), Some(b'n' | b't' | b'r')) && start < from {
        start += 1;
    }
    let name = source.slice(start, end);
    let trimmed = name.trim_matches(['-', '.', '_']);
    let (start, stop) = (
        start + name.len() - name.trim_start_matches(['-', '.', '_']).len(),
        start + name.trim_end_matches(['-', '.', '_']).len(),
    );
    let key = tells(trimmed).map(|(kind, surety)| Key { start, end: stop, kind, surety });
    (end, key.filter(|key| key.start < key.end))
}

/// What a name tells of its value.
fn tells(name: &str) -> Option<(&'static str, Surety)> {
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|last| is_tail(last)) {
        words.pop();
    }
    let last = words.last()?.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let before = words.iter().rev().nth(1).map_or("", String::as_str);
    Some(match last {
        // The working directory of every shell.
        "pwd" if words.len() == 1 || before == "old" => return None,
        "password" | "passwords" | "passwd" | "passwort" | "pwd" | "pass" | "passphrase" | "passcode"
        | "userpassword" | "dbpassword" | "rootpassword" | "mypassword" => ("password", Surety::Sure),
        "secret" | "secrets" if words.len() == 1 || NAMED.contains(&before) => ("secret", Surety::Random),
        "secret" | "secrets" | "clientsecret" => ("secret", Surety::Sure),
        "token" | "tokens" if matches!(before, "page" | "continue" | "resume" | "cancellation" | "cancel") => {
            return None;
        }
        "token" | "tokens" | "jwt" | "bearer" | "accesstoken" | "authtoken" => ("token", Surety::Likely),
        "apikey" | "authkey" | "secretkey" | "accesskey" | "privatekey" | "apisecret" => ("key", Surety::Sure),
        "key" if KEYS.contains(&before) => ("key", Surety::Likely),
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
    TAILS.contains(&word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
        || word.strip_prefix('v').is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The words of `DB_PASSWORD`, `dbPassword`, `db-password` and `DBPassword`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (index, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let starts = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase) && after.is_some_and(char::is_ascii_lowercase));
        if starts {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter.to_ascii_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
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
