#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn redactor() -> &'static Redactor {
    static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
        let key = Some(marple_core::Secret::new("test"));
        Redactor::new(&RedactConfig { key, ..RedactConfig::default() }).unwrap()
    });
    &REDACTOR
}

/// With the digits of the hash left out.
fn redacted(text: &str) -> String {
    let text = redactor().redact(text);
    Regex::new(r"\[redacted:([a-z0-9-]+):[0-9a-f]{4}\]").unwrap().replace_all(&text, "[$1]").into_owned()
}

mod hostile;
mod kept;
mod known;
mod properties;

#[test]
fn the_same_secret_has_the_same_placeholder_under_one_key_and_another_under_another() {
    let text = "DB_PASSWORD=correct-horse\npostgres://shop:correct-horse@db/shop\npassword: other-horse";
    let first = redactor().redact(text);
    let lines: Vec<&str> = first.lines().collect();
    let placeholder = lines[0].strip_prefix("DB_PASSWORD=").unwrap();
    assert_eq!(lines[1], format!("postgres://shop:{placeholder}@db/shop"));
    assert_ne!(lines[2], format!("password: {placeholder}"));
    let other =
        Redactor::new(&RedactConfig { key: Some(marple_core::Secret::new("other")), ..RedactConfig::default() });
    assert_ne!(other.unwrap().redact(text), first);
    let random = || Redactor::new(&RedactConfig::default()).unwrap().redact(text);
    assert_ne!(random(), random());
}

#[test]
fn patterns_of_the_configuration_are_redacted_and_allowed() {
    let config: RedactConfig = serde_json::from_str(
        r#"{"patterns": [{"name": "customer", "pattern": "customer (?<secret>C-\\d+)"}, {"name": "iban", "pattern": "DE\\d{20}"}],
            "allow": ["changeme", "test-.*"], "key": "test"}"#,
    )
    .unwrap();
    let redactor = Redactor::new(&config).unwrap();
    let text = redactor
        .redact("customer C-123 pays DE12345678901234567890 password=changeme password=test-1 password=changeme2");
    let text = Regex::new(":[0-9a-f]{4}\\]").unwrap().replace_all(&text, "]").into_owned();
    assert_eq!(
        text,
        "customer [redacted:customer] pays [redacted:iban] password=changeme password=test-1 password=[redacted:password]"
    );
}

#[test]
fn a_wrong_pattern_is_told_by_its_name() {
    let wrong = |name: &str, pattern: &str| {
        let patterns = vec![SecretPattern { name: name.to_owned(), pattern: pattern.to_owned() }];
        Redactor::new(&RedactConfig { patterns, ..RedactConfig::default() }).unwrap_err().to_string()
    };
    assert!(wrong("a", "(").starts_with("redaction pattern \"a\": regex parse error"));
    assert_eq!(wrong("b", "x*"), "redaction pattern \"b\" fits the empty text; make it need at least one letter");
    assert_eq!(wrong("a]b", "x"), "redaction pattern name \"a]b\": use 1 to 40 letters, digits, `_` and `-`");
}
