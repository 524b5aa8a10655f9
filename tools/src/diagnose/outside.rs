//! Names outside the cluster that a line says are not reached.

use super::context::Context;
use crate::scene::field;
use crate::scene::spoken::{Trouble, is_outside};

/// Fields whose value is the name by which a program itself was asked, in lower case.
const OF_ITSELF: [&str; 7] = ["server", "host", "vhost", "authority", "referer", "referrer", "origin"];

/// Fields whose value is what a program asks, in lower case.
const OF_CALLS: [&str; 7] = ["url", "uri", "upstream", "target", "endpoint", "address", "downstream"];

/// The name of the internet that a line of trouble says is not reached: three labels or a well-known ending, and none of
/// the cluster. Mail addresses, import paths and the names by which others ask the program are none.
pub(super) fn outside(context: &Context<'_>, line: &str, trouble: Trouble) -> Option<String> {
    let separators = |letter: char| letter.is_whitespace() || "\"'()[]{}<>,;=\\".contains(letter);
    let served = served(context);
    let mut before = String::new();
    for token in line.split(separators).map(|token| token.trim_end_matches([':', '.'])) {
        if token.is_empty() {
            continue;
        }
        let key = std::mem::replace(&mut before, token.to_ascii_lowercase());
        let asked = OF_CALLS.contains(&key.as_str()) || is_method(&key) && !line.contains("HTTP/");
        let itself = OF_ITSELF.contains(&key.as_str()) && trouble != Trouble::Unresolved;
        let authority = match token.split_once("://") {
            Some((_, rest)) => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                authority.rsplit_once('@').map_or(authority, |(_, host)| host)
            }
            None if token.contains(['@', '/']) => continue,
            None => token,
        };
        let told = match trouble {
            Trouble::Errors => asked,
            Trouble::NameServer | Trouble::Unresolved | Trouble::Refused | Trouble::Timeout => !itself,
        };
        let host = authority.split(':').next().unwrap_or_default();
        if told && is_name(host) && !served.contains(&host) {
            return Some(host.to_owned());
        }
    }
    None
}

fn is_name(host: &str) -> bool {
    let labels = host.split('.').collect::<Vec<_>>();
    let well =
        |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    labels.len() >= 2 && labels.iter().all(well) && labels.last().is_some_and(|last| is_outside(last))
}

fn is_method(word: &str) -> bool {
    ["get", "post", "put", "patch", "delete", "head"].contains(&word)
}

/// The names by which the cluster itself is asked.
fn served<'a>(context: &Context<'a>) -> Vec<&'a str> {
    let ingresses = context.scene.of_kind("Ingress").flat_map(|(_, value)| field::items(value, "/spec/rules"));
    let rules = ingresses.filter_map(|rule| field::text(rule, "/host"));
    let routes = context.scene.of_kind("HTTPRoute").flat_map(|(_, value)| field::items(value, "/spec/hostnames"));
    rules.chain(routes.filter_map(serde_json::Value::as_str)).collect()
}
