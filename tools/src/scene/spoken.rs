//! What lines of logs that tell of failed calls name: hosts and addresses.

use super::clients;
use super::hosts::{Target, targets};
pub(crate) use super::trouble::{Trouble, trouble};

/// How many lines from the end of a log are searched.
const DEPTH: usize = 60;

/// Whether a line tells of a call that did not reach the other side: what it says besides, comes of that.
pub(crate) fn is_unreached(line: &str) -> bool {
    match trouble(line) {
        Some(Trouble::NameServer | Trouble::Unresolved) => true,
        Some(Trouble::Refused | Trouble::Timeout) => {
            line.contains("://") || !hosts(line).is_empty() || !addresses(line).is_empty()
        }
        Some(Trouble::Errors) | None => false,
    }
}

/// The hosts that a line of trouble may mean, the surest first.
pub(crate) fn hosts(line: &str) -> Vec<Target> {
    let named = targets("", line).into_iter().filter(|target| target.port != Some(53));
    let mut found = looked_up(line).into_iter().collect::<Vec<_>>();
    let by_words = clients::named(line).into_iter().filter(|target| target.port != Some(53));
    for target in named.chain(by_words).filter(|target| !is_file(target)) {
        // The same host by its words may tell its port, or not.
        if !found.iter().any(|known| known.host == target.host) {
            found.push(target);
        }
    }
    found
}

/// Whether it reads as a place in a source file, as `dial.go:52`.
fn is_file(target: &Target) -> bool {
    const ENDINGS: [&str; 12] = ["go", "py", "js", "ts", "java", "kt", "rb", "rs", "cs", "php", "cc", "cpp"];
    !target.sure && target.namespace.as_deref().is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether the second of two words ends a name of the internet rather than naming a namespace.
pub(crate) fn is_outside(label: &str) -> bool {
    const ENDINGS: [&str; 28] = [
        "com",
        "net",
        "org",
        "io",
        "dev",
        "cloud",
        "eu",
        "de",
        "app",
        "ai",
        "co",
        "uk",
        "fr",
        "nl",
        "ch",
        "at",
        "us",
        "info",
        "biz",
        "me",
        "tech",
        "local",
        "internal",
        "lan",
        "localdomain",
        "example",
        "test",
        "site",
    ];
    ENDINGS.contains(&label)
}

/// Whether a text speaks of admission webhooks.
pub(crate) fn mentions_webhook(text: &str) -> bool {
    text.contains("admission webhook") || text.contains("calling webhook") || text.contains("conversion webhook")
}

/// Whether a text speaks of an admission policy.
pub(crate) fn mentions_policy(text: &str) -> bool {
    text.contains("ValidatingAdmissionPolicy '")
}

/// The IPv4 addresses that a line names with a port or in parentheses, but for those of name servers.
pub(crate) fn addresses(line: &str) -> Vec<(String, Option<u16>)> {
    let ip = |text: &str| text.parse().ok().filter(|ip: &std::net::Ipv4Addr| !ip.is_loopback());
    let tokens = line.split(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'));
    let with_port = tokens.filter_map(|token| {
        let (address, port) = token.trim_end_matches([':', '.']).rsplit_once(':')?;
        Some((ip(address)?.to_string(), Some(port.parse().ok().filter(|port| *port != 53)?)))
    });
    let enclosed = line.split('(').skip(1).filter_map(|rest| Some((ip(rest.split_once(')')?.0)?.to_string(), None)));
    with_port.chain(enclosed).collect()
}

/// Every address that the last lines of a log name with trouble, none twice.
pub(crate) fn troubled_addresses(log: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = log.lines().rev().filter(|line| !line.trim().is_empty()).take(DEPTH);
    for (ip, _) in lines.filter(|line| trouble(line).is_some()).flat_map(addresses) {
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    found
}

/// Every host that the last lines of a log name with trouble, none twice.
pub(crate) fn troubled_hosts(log: &str) -> Vec<Target> {
    let mut found = Vec::new();
    for line in log.lines().rev().filter(|line| !line.trim().is_empty()).take(DEPTH) {
        let Some(trouble) = trouble(line) else { continue };
        for target in hosts(line) {
            if !found.contains(&target) {
                found.push(target);
            }
        }
        if trouble == Trouble::NameServer && !found.contains(&name_server()) {
            found.push(name_server());
        }
    }
    found
}

/// The Service by which pods reach the cluster's DNS, as kubeadm and most distributions name it.
pub(crate) fn name_server() -> Target {
    Target {
        host: "kube-dns.kube-system".to_owned(),
        namespace: Some("kube-system".to_owned()),
        name: "kube-dns".to_owned(),
        port: None,
        sure: false,
    }
}

/// The name in `lookup db.payments on 10.96.0.10:53` and `getaddrinfo ENOTFOUND db.payments`.
fn looked_up(line: &str) -> Option<Target> {
    const MARKS: [&str; 13] = [
        "lookup ",
        "ENOTFOUND ",
        "EAI_AGAIN ",
        "resolve host: ",
        "resolve host '",
        "translate host name \\\"",
        "translate host name \"",
        "UnknownHostException: ",
        "nknown host ",
        "host not found in upstream \"",
        "ailed to resolve '",
        "bad address '",
        "can't resolve '",
    ];
    MARKS.iter().find_map(|mark| {
        let rest = line.split_once(mark)?.1;
        let end =
            rest.find(|letter: char| letter.is_whitespace() || "\"':,;\\)".contains(letter)).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        // Other things are looked up too: a resolver's line goes on with its server or with what it said.
        let of_resolver = [" on ", ": no such", ": i/o", ": server", ": temporary", ": device"];
        if *mark == "lookup " && !of_resolver.iter().any(|words| after.starts_with(words)) {
            return None;
        }
        let target = Target::of(name, None)?;
        // A resolver was asked for it: a word alone can only be a name of the cluster.
        let sure = target.sure || target.namespace.is_none();
        Some(Target { sure, ..target })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_port() {
        assert_eq!(addresses("dial tcp 10.96.0.7:5432: i/o timeout"), [("10.96.0.7".to_owned(), Some(5432))]);
        assert_eq!(troubled_addresses("dial tcp 10.96.0.7:5432: i/o timeout\nserving on 10.0.0.1:80"), ["10.96.0.7"]);
        assert_eq!(addresses("remote host (10.96.0.3): refused"), [("10.96.0.3".to_owned(), None)]);
        assert_eq!(addresses("127.0.0.1:80 10.96.0.10:53 v1.2.3:4 12:30:05"), []);
    }

    #[test]
    fn the_hosts_of_lines_of_trouble_are_found_once() {
        let log = "connected to cache:6379\nlookup db on 10.96.0.10:53: no such host\nGET http://stock:80/ status=503\n\
                   lookup db on 10.96.0.10:53: no such host\n";
        let names = troubled_hosts(log).into_iter().map(|target| (target.name, target.sure)).collect::<Vec<_>>();
        assert_eq!(names, [("db".to_owned(), true), ("stock".to_owned(), false)]);
        assert_eq!(troubled_hosts("cache lookup failed: timed out"), []);
        assert_eq!(troubled_hosts("getaddrinfo EAI_AGAIN db.payments").last(), Some(&name_server()));
    }
}
