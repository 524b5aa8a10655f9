//! Names and values as `application/x-www-form-urlencoded`, for bodies and for the queries of URLs.

/// The pairs, joined by `&`.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", part(name), part(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn part(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => written.push(char::from(byte)),
            b' ' => written.push('+'),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_url_is_escaped() {
        assert_eq!(encoded(&[]), "");
        assert_eq!(
            encoded(&[("query", "a{b=\"c d\"} > 1&x=ä"), ("match[]", "")]),
            "query=a%7Bb%3D%22c+d%22%7D+%3E+1%26x%3D%C3%A4&match%5B%5D="
        );
    }
}
