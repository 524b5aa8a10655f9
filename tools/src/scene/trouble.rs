//! What a line of a log says of a call: whether it failed, and how.

use super::hosts::split_port;

/// What a line says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// No name server answers.
    NameServer,
    /// The name does not exist.
    Unresolved,
    /// Nothing listens, or it hangs up.
    Refused,
    /// No answer came in time.
    Timeout,
    /// The answer is an error of the server.
    Errors,
}

/// How a line says it, in lower case, the most telling first.
const PHRASES: [(Trouble, &[&str]); 4] = [
    (
        Trouble::NameServer,
        &[
            "temporary failure in name resolution",
            "try again later in name resolution",
            "eai_again",
            "server misbehaving",
            "servfail",
            "communications error to",
            "no servers could be reached",
            "dns_probe_finished",
            ":53: i/o timeout",
            ":53: connect: connection refused",
            ":53: read: connection refused",
            ":53: read: no route to host",
        ],
    ),
    (
        Trouble::Unresolved,
        &[
            "no such host",
            "name or service not known",
            "nodename nor servname",
            " enotfound",
            "'enotfound",
            "\"enotfound",
            "could not resolve host",
            "couldn't resolve host",
            "could not translate host name",
            "unknownhostexception",
            "unknown host",
            "name does not resolve",
            "host not found",
            "nxdomain",
            "no address associated with hostname",
            "failed to resolve '",
            "bad address '",
            "can't resolve '",
        ],
    ),
    (
        Trouble::Refused,
        &[
            "connection refused",
            "econnrefused",
            "actively refused",
            "connection reset by peer",
            "econnreset",
            "connection was closed by the server",
            "server closed the connection",
            "broken pipe",
        ],
    ),
    (
        Trouble::Timeout,
        &[
            "i/o timeout",
            "connection timed out",
            "deadline exceeded",
            "deadline_exceeded",
            "etimedout",
            "connect timeout",
            "connecttimeout",
            "read timeout",
            "sockettimeoutexception",
            "timeout awaiting",
            "timeout was reached",
            "no route to host",
            "ehostunreach",
            "network is unreachable",
            "client.timeout",
            "timed out",
            "timeout exceeded",
            "upstream request timeout",
            "timeout expired",
            "connection timeout",
        ],
    ),
];

/// How clients say that they did not get through, where they don't say why, in lower case.
const NOT_THROUGH: [&str; 7] = [
    "could not be established",
    "can't connect to ",
    "couldn't connect to ",
    "could not connect to ",
    "cannot connect to ",
    "failed to connect to ",
    "unable to connect to ",
];

/// Words of a line by which the other side was reached, and answered; in lower case.
const ANSWERED: [&str; 12] = [
    "authentic",
    "authoriz",
    "sasl",
    "password",
    "denied",
    "certificat",
    " tls",
    " ssl",
    "x509",
    "too many",
    "does not exist",
    "protocol",
];

/// Words beside which a number is the status of an answer.
const OF_ANSWERS: [&str; 9] =
    ["status", "code", "http", "respon", "upstream", "answer", "returned", "server error", "got"];

/// What the line says of a call, where it says that one failed.
pub(crate) fn trouble(line: &str) -> Option<Trouble> {
    let lower = line.to_ascii_lowercase();
    if is_of_client(&lower) {
        return None;
    }
    // A resolver's time-out names its server's port, though other words stand between.
    let resolver = lower.contains("lookup ") && lower.contains(":53") && lower.contains("i/o timeout");
    if resolver {
        return Some(Trouble::NameServer);
    }
    let found = PHRASES.iter().find(|(_, phrases)| phrases.iter().any(|phrase| lower.contains(phrase)));
    let found = found.map(|(trouble, _)| *trouble).or_else(|| not_through(&lower).then_some(Trouble::Refused));
    found.or_else(|| answers_error(&lower).then_some(Trouble::Errors))
}

/// Whether a line tells of a call that did not get through, without saying why.
fn not_through(lower: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let refused = lower.split_once("connection to ").is_some_and(|(_, rest)| rest.contains(" refused"));
    refused || says(&NOT_THROUGH) && !says(&ANSWERED)
}

/// The lowest port that Linux gives to the near end of a connection.
const EPHEMERAL: u16 = 32_768;

/// Whether a line is a server's about one of its clients: `write tcp 10.0.0.5:8080->10.0.0.9:51234`.
fn is_of_client(lower: &str) -> bool {
    lower.split_whitespace().any(|word| {
        let port = |end: &str| split_port(end.trim_end_matches([':', ',', '.'])).1;
        let ends = word.split_once("->").and_then(|(near, far)| Some((port(near)?, port(far)?)));
        ends.is_some_and(|(near, far)| near < EPHEMERAL && far >= EPHEMERAL)
    })
}

/// Whether a line tells of an answer with a status of 500 to 504.
fn answers_error(lower: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["bad gateway", "service unavailable", "gateway timeout", "internal server error", "no healthy upstream"])
    {
        return true;
    }
    let separators = |letter: char| letter.is_whitespace() || "\"',;{}()[]".contains(letter);
    let mut before = "";
    for word in lower.split(separators).map(|word| word.trim_end_matches(['.', ':'])).filter(|word| !word.is_empty()) {
        // `status=503`, `"status":503`, or a number that stands alone; one in a path or of milliseconds is none.
        let (key, number) = word.rsplit_once(['=', ':']).map_or((None, word), |(key, number)| (Some(key), number));
        let named = match key {
            Some("") => is_status(before),
            Some(key) => is_status(key),
            None => says(&OF_ANSWERS),
        };
        if named && matches!(number, "500" | "502" | "503" | "504") {
            return true;
        }
        before = word;
    }
    false
}

fn is_status(key: &str) -> bool {
    key.contains("status") || key.contains("code")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::spoken::{is_unreached, troubled_addresses};

    #[test]
    fn each_trouble_is_told_from_the_others() {
        let of = |line: &str| trouble(line);
        assert_eq!(of("dial tcp: lookup db on 10.96.0.10:53: no such host"), Some(Trouble::Unresolved));
        assert_eq!(
            of("dial tcp: lookup db on 10.96.0.10:53: read udp 10.0.0.2:4->10.96.0.10:53: i/o timeout"),
            Some(Trouble::NameServer)
        );
        assert_eq!(of("getaddrinfo EAI_AGAIN db"), Some(Trouble::NameServer));
        assert_eq!(of("getaddrinfo ENOTFOUND db"), Some(Trouble::Unresolved));
        assert_eq!(of("ModuleNotFoundError: No module named 'flask'"), None);
        assert_eq!(of("connect ECONNREFUSED 10.0.0.1:5432"), Some(Trouble::Refused));
        assert_eq!(
            of("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
            Some(Trouble::Timeout)
        );
        assert_eq!(of(r#"{"msg":"upstream answered","status":503}"#), Some(Trouble::Errors));
        assert_eq!(of(r#"{"msg":"request served","path":"/api/items/503","ms":12}"#), None);
        assert_eq!(of("HTTP GET http://stock/ took ms=502"), None);
        assert_eq!(of("\"GET / HTTP/1.1\" 503 19"), Some(Trouble::Errors));
        assert_eq!(of("all is well"), None);
    }

    #[test]
    fn what_clients_say_without_a_reason_is_a_refusal_unless_the_other_side_answered() {
        let of = |line: &str| trouble(line);
        assert_eq!(of("Connection to db:5432 refused."), Some(Trouble::Refused));
        assert_eq!(
            of("Connection to node -1 (kafka/10.96.0.9:9092) could not be established."),
            Some(Trouble::Refused)
        );
        assert_eq!(of("curl: (7) Couldn't connect to server"), Some(Trouble::Refused));
        assert_eq!(of("failed to connect to db port 5432: Connection timed out"), Some(Trouble::Timeout));
        assert_eq!(of(r#"connection to server at "db", port 5432 failed: timeout expired"#), Some(Trouble::Timeout));
        assert_eq!(of("Failed to connect to auth port 8080: Couldn't connect to server"), Some(Trouble::Refused));
        assert_eq!(of("wget: bad address 'db'"), Some(Trouble::Unresolved));
        assert_eq!(of("failed to connect to `host=db user=x`: failed SASL auth: password authentication failed"), None);
        assert!(is_unreached(
            r#"failed to load config: Get "http://config:8888/app": dial tcp 10.96.3.4:8888: connect: connection refused"#
        ));
        assert!(!is_unreached("Connection is not available, request timed out after 30000ms"));
    }

    #[test]
    fn a_client_that_gives_up_is_no_call_of_the_server() {
        let gone = "write tcp 10.244.1.5:8080->10.244.2.9:51234: write: broken pipe";
        assert_eq!((trouble(gone), troubled_addresses(gone)), (None, vec![]));
        let call = "read tcp 10.244.1.5:51234->10.96.0.7:5432: read: connection reset by peer";
        assert_eq!(trouble(call), Some(Trouble::Refused));
    }
}
