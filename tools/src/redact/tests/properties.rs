//! What holds for any text.

use super::*;

/// Secrets as machines make them and people choose them.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{4,8}[0-9]{2,4}[a-z]{2,4}",
        "[A-Za-z0-9]{16,40}".prop_filter("has digits and letters", |text| {
            text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        }),
        "[A-Za-z0-9+/]{22}1a==",
        "[A-Z][a-z]{5}[0-9]{2}[!%*_.-][a-z]{4}",
        "[a-f0-9]{30}a1",
    ]
}

/// A text with a secret in it, planted in a shape.
fn planted() -> impl Strategy<Value = (String, String)> {
    let names = prop_oneof![
        Just("password"),
        Just("DB_PASSWORD"),
        Just("dbPassword"),
        Just("db-password"),
        Just("spring.datasource.password"),
        Just("API_KEY"),
        Just("apiKey"),
        Just("x-api-key"),
        Just("client_secret"),
        Just("clientSecret"),
        Just("AUTH_TOKEN"),
        Just("accessToken"),
        Just("AWS_SECRET_ACCESS_KEY"),
        Just("passphrase"),
        Just("MYSQL_PWD"),
        Just("private_key"),
    ];
    let shape = 0..26_usize;
    (names, secret(), shape, ordinary(), ordinary()).prop_map(|(name, secret, shape, before, after)| {
        let middle = match shape {
            0 => format!("\n{name}={secret}\n"),
            1 => format!("\n{name}: {secret}\n"),
            2 => format!("\n  {name}: \"{secret}\"\n"),
            3 => format!("{{\"a\": 1, \"{name}\": \"{secret}\", \"b\": 2}}"),
            4 => format!("{{\"{name}\":\"{secret}\"}}"),
            5 => format!("\"{{\\\"{name}\\\":\\\"{secret}\\\",\\\"b\\\":2}}\""),
            6 => format!("\n- name: {name}\n  value: {secret}\n"),
            7 => format!("\n- name: {name}\n  value: \"{secret}\"\n"),
            8 => format!("{{\"name\":\"{name}\",\"value\":\"{secret}\"}}"),
            9 => format!(" level=info {name}={secret} b=2"),
            10 => format!(" level=info {name}=\"{secret}\" b=2"),
            11 => format!(" --{name}={secret} --port 1"),
            12 => format!(" --{name} {secret} --port 1"),
            13 => format!("[\"--{name}\", \"{secret}\"]"),
            14 => format!("https://x/y?a=1&{name}={secret}&b=2"),
            15 => format!(" postgres://shop:{secret}@db:5432/shop "),
            16 => format!("\nAuthorization: Bearer {secret}\n"),
            17 => format!("curl -H \"Authorization: Token {secret}\" x"),
            18 => format!("\n{name}: |\n  {secret}\nnext: 1\n"),
            19 => format!("\nexport {name}='{secret}'\n"),
            20 => format!("Server=a;{name}={secret};Port=1"),
            21 => format!("<{name}>{secret}</{name}>"),
            22 => format!("{{'{name}': '{secret}'}}"),
            23 => {
                format!("\nkind: Secret\ndata:\n  any: {}==\n", "QUJD".repeat(3) + "QQ")
                    + &format!("\n{name} = {secret}\n")
            }
            24 => format!("{{{name}:{secret} Host:x}}"),
            _ => format!("{{\"log\":\"a\\n{name}: {secret}\\nb\"}}"),
        };
        (format!("{before}{middle}{after}"), secret)
    })
}

/// Lines of logs and manifests without a secret.
fn ordinary() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("2026-01-02T03:04:05Z INFO started in 5 ms\n".to_owned()),
        Just(
            "E0102 03:04:05.678901 1 x.go:12] \"Failed\" err=\"not found\" pod=\"shop/cart-7d9f8b6c5-x2x9z\"\n"
                .to_owned()
        ),
        Just(
            "  image: r.io/a/b:1.2@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
                .to_owned()
        ),
        Just("  uid: 0b8f7c1e-2d3a-4b5c-8d9e-0f1a2b3c4d5e\n".to_owned()),
        "[ -~]{0,40}\n".prop_map(|text| text.replace(['"', '\'', '`', '\\'], "")),
        "\\PC{0,10}\n".prop_map(|text| text.replace(['"', '\'', '`', '\\'], "")),
    ];
    proptest::collection::vec(line, 0..4).prop_map(|lines| lines.concat())
}

/// Pieces that the rules are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(vec![
            "password", "token", "secret", "key", "api_key", "Authorization", "Bearer ", "Basic ", "Cookie", "name", "value", "data",
            "kind: Secret", "://", "@", "@tcp(", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "eyJ", "sk-", "[redacted:",
            "[redacted:password:12ab]", "--", " -u ", "IDENTIFIED BY ", "$2b$", ":AA",
        ]).prop_map(str::to_owned),
        3 => proptest::sample::select(vec!["=", ":", ": ", "\"", "'", "\\", "\\\"", "\n", "\n  ", "\n- ", " ", ",", ";", "&", "|", "[", "]", "{", "}", "<", ">", "/", "#", "\\n"])
            .prop_map(str::to_owned),
        2 => "[a-zA-Z0-9+/=_.-]{1,24}",
        1 => "\\PC{1,3}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Texts so long that what lies between secrets is not read twice.
fn long() -> impl Strategy<Value = String> {
    let part = prop_oneof![planted().prop_map(|(text, _)| text), pieces(), ordinary(), ordinary()];
    proptest::collection::vec(part, 4..24).prop_map(|parts| parts.join("\n"))
}

/// Lines of a log, with secrets of all forms among them; some reach over lines.
fn log() -> impl Strategy<Value = String> {
    let key = "[A-Za-z0-9+/]{40}".prop_map(|line| format!("{line}\n").repeat(5));
    let part = prop_oneof![
        6 => planted().prop_map(|(text, _)| text),
        12 => ordinary(),
        1 => key.prop_map(|key| format!("-----BEGIN EC PRIVATE KEY-----\n{key}-----END EC PRIVATE KEY-----\n")),
        1 => secret().prop_map(|secret| format!("- --db-password\n- {secret}\n")),
        1 => secret().prop_map(|secret| format!("value: {secret}\nname: DB_PASSWORD\n")),
        1 => secret().prop_map(|secret| format!("tokens:\n  - {secret}\n  - {secret}x\n")),
        1 => secret().prop_map(|secret| format!("passphrase: >-\n  {secret}\n  and {secret}\nend: 1\n")),
    ];
    proptest::collection::vec(part, 4..24).prop_map(|parts| parts.join("\n"))
}

/// The text redacted in pieces that end there.
fn streamed(text: &str, mut ends: Vec<usize>) -> String {
    ends.sort_unstable();
    let mut stream = stream::Stream::new(redactor(), stream::Reach::SMALL);
    let (mut clean, mut from) = (String::new(), 0);
    for end in ends.into_iter().chain([text.len()]) {
        let end = text.floor_char_boundary(end).max(from);
        stream.push(&text[from..end], &mut clean);
        from = end;
    }
    stream.end(&mut clean);
    clean
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_planted_secret_never_passes((text, secret) in planted()) {
        let clean = redactor().redact(&text);
        prop_assert!(!clean.contains(&secret), "{text:?}\n{clean:?}");
    }

    #[test]
    fn what_is_redacted_stays_as_it_is_however_often(text in pieces()) {
        let redactor = redactor();
        let once = redactor.redact(&text);
        prop_assert_eq!(redactor.redact(&once), once, "{:?}", text);
    }

    #[test]
    fn a_planted_secret_is_redacted_once((text, _) in planted()) {
        let redactor = redactor();
        let once = redactor.redact(&text);
        prop_assert_eq!(redactor.redact(&once), once, "{:?}", text);
    }

    #[test]
    fn a_long_text_is_redacted_once(text in long()) {
        let redactor = redactor();
        let once = redactor.redact(&text);
        prop_assert_eq!(redactor.redact(&once), once, "{:?}", text);
    }

    #[test]
    fn a_text_in_pieces_is_redacted_as_it_is_whole(text in log(), ends in proptest::collection::vec(0..6_000_usize, 0..12)) {
        prop_assert_eq!(streamed(&text, ends), redactor().redact(&text), "{:?}", text);
    }

    #[test]
    fn a_planted_secret_never_passes_in_pieces(
        parts in proptest::collection::vec(planted(), 1..12),
        between in proptest::collection::vec(pieces(), 12),
        ends in proptest::collection::vec(0..6_000_usize, 0..12),
    ) {
        let text: String = parts.iter().zip(&between).map(|((text, _), between)| format!("{text}\n{between}\n")).collect();
        let (whole, clean) = (redactor().redact(&text), streamed(&text, ends));
        for (_, secret) in &parts {
            prop_assert!(whole.contains(secret) || !clean.contains(secret), "{secret}: {text:?}\n{clean:?}");
        }
    }

    #[test]
    fn text_without_names_and_tokens_stays_as_it_is(text in "([a-z0-9]{1,12}[ :=./-]{0,2}|[A-Z][a-z]{2,9} |\\PC)*") {
        prop_assume!(redactor().0.triggers.find(&Source::new(&text), 0).is_none());
        prop_assert_eq!(redactor().redact(&text), text);
    }
}
