//! How clients of databases, brokers and servers name the host of a call that failed, where its form alone is not that
//! of a host: a word in quotes or behind `to`, with the port some words later.

use super::hosts::{Target, split_port};

/// Words after which a host stands, in lower case.
const BEFORE: [&str; 9] = ["to", "at", "on", "host", "hostname", "server", "resolve", "address", "reach"];

/// How many words behind a host its port may stand.
const PORT_WITHIN: usize = 4;

/// The words of a line, without the marks around them.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    let separators = |letter: char| letter.is_whitespace() || ",;\"'()[]{}<>|`\\".contains(letter);
    let words = line.split(separators).map(|word| word.trim_end_matches(['.', '!', '?', ':', '=']));
    words.filter(|word| word.bytes().any(|byte| byte.is_ascii_alphanumeric()))
}

/// The hosts that a line of trouble names by its words. Whether such a word is a Service, only the cluster tells.
pub(super) fn named(line: &str) -> Vec<Target> {
    let words = words(line).collect::<Vec<_>>();
    let mut found = Vec::new();
    let mut before = "";
    for (index, word) in words.iter().enumerate() {
        let key = before.rsplit(['=', '.', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let marked = BEFORE.contains(&key.as_str());
        before = word;
        if word.contains("://") {
            continue;
        }
        let (name, address) = word.split_once('/').map_or((*word, None), |(name, address)| (name, Some(address)));
        let target = match address.map(split_port) {
            // `kafka/10.96.0.9:9092`, as Java writes a host that it has resolved.
            Some((ip, port)) if ip.parse::<std::net::Ipv4Addr>().is_ok() => Target::of(name, port),
            Some(_) => None,
            None => {
                let (host, port) = split_port(name);
                let behind = || port_behind(words.get(index + 1..).unwrap_or_default());
                let port = port.or_else(|| if marked { behind() } else { None });
                // Two words with a dot may be anything, unless a port shows that they are a host.
                let whole = port.is_some() || !host.contains('.');
                Target::of(host, port).filter(|_| whole && (marked || name.contains(':')))
            }
        };
        found.extend(target);
    }
    found
}

/// The port in `port 5432` or `port=5432`, a few words behind.
fn port_behind(words: &[&str]) -> Option<u16> {
    let near = words.iter().take(PORT_WITHIN).zip(words.iter().skip(1).map(Some).chain([None]));
    let mut ports = near.filter_map(|(word, next)| match word.split_once('=') {
        Some(("port", port)) => port.parse().ok(),
        None if *word == "port" => next?.parse().ok(),
        _ => None,
    });
    ports.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_what_each_client_says() {
        let of = |line: &str| {
            let found = named(line).into_iter().map(|target| (target.name, target.port));
            found
                .filter(|(name, _)| ["db", "redis", "inventory", "kafka", "backend-service"].contains(&name.as_str()))
                .collect::<Vec<_>>()
        };
        for (line, name, port) in [
            (r#"connection to server at "db" (10.96.0.7), port 5432 failed: Connection refused"#, "db", Some(5432)),
            (
                "HTTPConnectionPool(host='inventory', port=8080): Max retries exceeded with url: /",
                "inventory",
                Some(8080),
            ),
            ("Failed to resolve 'inventory' ([Errno -2] Name or service not known)", "inventory", None),
            ("Error 111 connecting to redis:6379. Connection refused.", "redis", Some(6379)),
            ("Connection to db:5432 refused. Check that the hostname and port are correct", "db", Some(5432)),
            ("Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)", "db", None),
            ("Connection to node -1 (kafka/10.96.0.9:9092) could not be established.", "kafka", Some(9092)),
            ("curl: (7) Failed to connect to inventory port 8080: Connection refused", "inventory", Some(8080)),
            ("wget: bad address 'db'", "db", None),
            ("nslookup: can't resolve 'db'", "db", None),
            ("ERROR: Connection timeout to backend-service! <urlopen error timed out>", "backend-service", None),
            (r#"{"level":"error","msg":"dial failed: timed out","host":"db","port":5432}"#, "db", None),
        ] {
            assert_eq!(of(line), [(name.to_owned(), port)], "{line}");
        }
        assert_eq!(of("the db of inventory is slow: redis timed out"), []);
    }
}
