//! Lines of servers about those who ask them: what is wrong there, is wrong with the asker.

use super::line;
use super::words::Words;
use crate::scene::spoken::{addresses, hosts};

/// Fields and words of a request that a server was asked, in lower case.
const OF_REQUESTS: [&str; 17] = [
    "remote_addr",
    "remoteaddr",
    "remote_ip",
    "client_ip",
    "clientip",
    "client=",
    ", client: ",
    "\"client\"",
    "\"peer\"",
    "peer=",
    "user_agent",
    "user-agent",
    "\"path\"",
    "path=",
    "\"method\"",
    "\"username\"",
    "tls handshake error from",
];

/// Words of the libraries by which a program asks others, in lower case.
const OF_CLIENTS: [&str; 14] = [
    "sqlstate",
    "exception",
    "operationalerror",
    "psycopg",
    "pq:",
    "pgx",
    "error 1045",
    "mysql",
    "redis",
    "wrongpass",
    "noauth",
    "mongo",
    "sasl",
    "amqp",
];

/// Whether a program that serves says it of what it asks itself, not of who asks it.
pub(super) fn is_own(words: &Words<'_>) -> bool {
    if !words.serves {
        return true;
    }
    let lower = words.line.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&OF_REQUESTS) || is_of_caller(&lower) || is_of_database(words.line) {
        return false;
    }
    let names = || lower.contains("://") || !hosts(words.line).is_empty() || !addresses(words.line).is_empty();
    line::is_error(words.line) || says(&OF_CLIENTS) || names()
}

/// Whether a request came `from` an address.
fn is_of_caller(lower: &str) -> bool {
    lower.match_indices("from ").any(|(at, word)| {
        let rest = lower.get(at + word.len()..).unwrap_or_default();
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
        rest.get(..end).is_some_and(|ip| ip.trim_end_matches('.').parse::<std::net::Ipv4Addr>().is_ok())
    })
}

/// Whether a PostgreSQL server wrote it: the number of a session's process stands before the level.
fn is_of_database(line: &str) -> bool {
    ["FATAL:", "ERROR:", "LOG:"].iter().any(|level| {
        let before = line.split_once(level).map(|(before, _)| before.trim_end());
        let number = before.and_then(|before| before.strip_suffix(']')?.rsplit_once('[')).map(|(_, number)| number);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
