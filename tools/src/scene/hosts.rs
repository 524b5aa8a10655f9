//! Names of Services in settings and logs, as `db.payments.svc:5432` or `http://inventory:8080`.

use marple_core::ObjectRef;

/// The most names taken of one text.
const TARGET_LIMIT: usize = 64;

/// Words in the name of a setting whose value is a host though no port or scheme shows it.
const HOST_WORDS: [&str; 12] = [
    "HOST",
    "ADDR",
    "SERVER",
    "ENDPOINT",
    "SERVICE",
    "BROKER",
    "URL",
    "URI",
    "UPSTREAM",
    "DOWNSTREAM",
    "DATABASE",
    "BACKEND",
];

/// A host in the cluster that a text may name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The host as it is written.
    pub(crate) host: String,
    /// The Service's namespace, where it is written.
    pub(crate) namespace: Option<String>,
    /// The Service's name.
    pub(crate) name: String,
    /// The port.
    pub(crate) port: Option<u16>,
    /// Whether the form leaves no doubt that it is a name of the cluster (`….svc`).
    pub(crate) sure: bool,
}

impl Target {
    /// The Service that it means in a pod of this namespace.
    pub(crate) fn service(&self, namespace: &str) -> ObjectRef {
        ObjectRef::namespaced("Service", self.namespace.as_deref().unwrap_or(namespace), &self.name)
    }

    /// A host name, read as the cluster's DNS would; nothing where it can't be a Service.
    pub(crate) fn of(host: &str, port: Option<u16>) -> Option<Self> {
        let host = host.trim_end_matches('.');
        let word = |label: &str| {
            !label.is_empty()
                && label.len() < 64
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let labels = host.split('.').collect::<Vec<_>>();
        let whole = labels.iter().all(|label| word(label)) && host.bytes().any(|byte| byte.is_ascii_lowercase());
        let (name, namespace, sure) = match labels.as_slice() {
            _ if !whole => return None,
            ["localhost" | "true" | "false" | "none" | "default" | "http" | "https"] => return None,
            [name] => (*name, None, false),
            [name, namespace] => (*name, Some(*namespace), false),
            // A pod of a headless Service: `db-0.db.payments.svc.cluster.local`.
            [_, name, namespace, "svc", ..] | [name, namespace, "svc", ..] => (*name, Some(*namespace), true),
            _ => return None,
        };
        let namespace = namespace.map(str::to_owned);
        Some(Self { host: host.to_owned(), namespace, name: name.to_owned(), port, sure })
    }
}

/// The hosts that a setting of this name and text may mean. Without scheme, port or a telling name, a plain word is none.
pub(crate) fn targets(name: &str, text: &str) -> Vec<Target> {
    let mut found = Vec::new();
    let telling = |name: &str| {
        let name = name.to_ascii_uppercase();
        HOST_WORDS.iter().any(|word| name.contains(word))
    };
    let separators = |letter: char| letter.is_whitespace() || ",;\"'()[]{}<>|`\\".contains(letter);
    for token in text.split(separators).filter(|token| !token.is_empty()) {
        if found.len() >= TARGET_LIMIT {
            break;
        }
        if let Some((_, rest)) = token.split_once("://") {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let (host, port) = split_port(authority);
            found.extend(Target::of(host, port));
            continue;
        }
        let (key, value) = token.rsplit_once('=').unwrap_or((name, token));
        let (host, port) = split_port(value.split('/').next().unwrap_or_default().trim_end_matches(':'));
        let whole = key != name || text.trim() == token;
        found.extend(Target::of(host, port).filter(|target| port.is_some() || target.sure || whole && telling(key)));
    }
    found
}

/// A host and the port behind it, where one is written.
pub(super) fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => ("", None),
        },
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Vec<String> {
        targets(name, text)
            .into_iter()
            .map(|target| {
                let port = target.port.map_or(String::new(), |port| format!(":{port}"));
                format!("{}/{}{port}", target.namespace.unwrap_or_default(), target.name)
            })
            .collect()
    }

    #[test]
    fn hosts_are_read_in_the_forms_that_settings_use() {
        assert_eq!(of("DATABASE", "db.payments:5432"), ["payments/db:5432"]);
        assert_eq!(
            of("X", "postgres://u:p=w@db.payments.svc.cluster.local:5432/x?sslmode=disable"),
            ["payments/db:5432"]
        );
        assert_eq!(of("DOWNSTREAM", "http://inventory:8080/items"), ["/inventory:8080"]);
        assert_eq!(of("", "--upstream=http://inventory"), ["/inventory"]);
        assert_eq!(of("", "--store=db.payments.svc:5432"), ["payments/db:5432"]);
        assert_eq!(of("dsn", "host=db port=5432"), ["/db"]);
        assert_eq!(of("DB_HOST", "postgres"), ["/postgres"]);
        assert_eq!(
            of("BROKERS", "kafka-0.kafka.mq.svc:9092,kafka-1.kafka.mq.svc:9092"),
            ["mq/kafka:9092", "mq/kafka:9092"]
        );
    }

    #[test]
    fn plain_words_files_addresses_and_outside_hosts_are_not_services() {
        assert!(of("MODE", "production").is_empty());
        assert!(of("FILE", "app.conf").is_empty());
        assert!(of("ADDR", "127.0.0.1:8080").is_empty());
        assert!(of("URL", "https://api.stripe.com/v1").is_empty());
        assert!(of("URL", "http://localhost:8080").is_empty());
        assert!(of("IMAGE", "library/cart:1.2.3").is_empty());
    }
}
