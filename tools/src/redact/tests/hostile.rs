//! Texts that are made to cost time, as one that writes a log may make them. Where each name made the line be read anew, a
//! megabyte of these took a minute.

use super::*;

/// Long enough that a test would not end that reads it anew at each name.
const SIZE: usize = 128 << 10;

fn repeated(piece: &str) -> String {
    piece.repeat(SIZE / piece.len())
}

#[test]
fn a_secret_behind_a_text_that_is_made_to_be_slow_is_found() {
    let public = ["LS0tLS1CRUdJTiBD", "RVJUSUZJQ0FUR"].concat();
    let mut texts: Vec<String> = [
        "key: [",
        "key=",
        "key=a,b;c&d,",
        "cookie: x ",
        "authorization: digest ${ ",
        "http://x",
        "a://b?",
        "a://b:${@",
        "a://b:/etc/x",
        " -u a:b",
        "password=/etc/",
        "password='a\'\'\'\'",
        "identified by '${",
        "glc_+",
        "-----BEGIN ",
        &public,
        "env[key]: ; ",
        "value: name: key\n",
        "password=a[redacted:x:12ab]",
    ]
    .into_iter()
    .map(repeated)
    .collect();
    texts.push(format!("password='a{}", repeated("'")));
    texts.push(format!("kind: Secret {}", repeated("data:{\"\":\"\",\"")));
    texts.push(format!("kind: Secret {}", repeated("stringData:{\"\"\"\"")));
    texts
        .push((0..700).map(|depth| format!("{}stringData:\n", " ".repeat(depth))).collect::<String>() + "kind: Secret");
    for text in texts {
        let start: String = text.chars().take(40).collect();
        let clean = redactor().redact(&format!("{text}\nDB_PASSWORD=hunter2-last\n"));
        assert!(!clean.contains("hunter2-last"), "{start}");
    }
}

#[test]
fn what_was_read_in_vain_too_often_is_taken_for_a_secret_but_for_what_is_redacted() {
    let text = format!("{}[redacted:x:12ab]{}", "key=".repeat(4_000), "key=".repeat(1_000));
    let clean = redactor().redact(&text);
    assert!(clean.len() < 1_000, "{}", clean.len());
    assert!(clean.starts_with("key=key=") && clean.contains("[redacted:key:"), "{clean}");
    assert!(clean.contains("[redacted:x:12ab]"), "{clean}");
}
