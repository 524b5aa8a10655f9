//! YAML as people read it: plain scalars where they are safe, block scalars for several lines, sorted keys.

use serde_json::{Map, Value};

/// Writes a value as YAML. Keys are sorted, but `apiVersion`, `kind`, `name` and `metadata` come first and `status`
/// last, so that the same value always gives the same text.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(object) if !object.is_empty() => map(&mut text, object, 0, false),
        Value::Array(items) if !items.is_empty() => list(&mut text, items, 0),
        other => {
            leaf(&mut text, other, 0);
            text.push('\n');
        }
    }
    text
}

fn rank(key: &str) -> (u8, &str) {
    let rank = match key {
        "apiVersion" => 0,
        "kind" => 1,
        "name" => 2,
        "metadata" => 3,
        "status" => 5,
        _ => 4,
    };
    (rank, key)
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n(' ', depth));
}

/// `inline` is set where the first key stands behind a list's dash.
fn map(text: &mut String, object: &Map<String, Value>, depth: usize, inline: bool) {
    let mut entries: Vec<(&String, &Value)> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| rank(key));
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 || !inline {
            indent(text, depth);
        }
        text.push_str(&scalar(key));
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                map(text, inner, depth + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                list(text, items, depth);
            }
            other => {
                text.push(' ');
                leaf(text, other, depth + 2);
                text.push('\n');
            }
        }
    }
}

fn list(text: &mut String, items: &[Value], depth: usize) {
    for item in items {
        indent(text, depth);
        text.push_str("- ");
        match item {
            Value::Object(object) if !object.is_empty() => map(text, object, depth + 2, true),
            // A list in a list is rare in Kubernetes; flow style keeps it right.
            Value::Array(_) => {
                text.push_str(&item.to_string());
                text.push('\n');
            }
            other => {
                leaf(text, other, depth + 2);
                text.push('\n');
            }
        }
    }
}

fn leaf(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(string) if block(string) => block_scalar(text, string, depth),
        Value::String(string) => text.push_str(&scalar(string)),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
        other => text.push_str(&other.to_string()),
    }
}

/// Whether a string can be written as a block: several lines, the first without a leading space, no controls.
fn block(string: &str) -> bool {
    string.trim_end_matches('\n').contains('\n')
        && !string.starts_with([' ', '\t', '\n'])
        && !string.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t')
}

fn block_scalar(text: &mut String, string: &str, depth: usize) {
    let body = string.trim_end_matches('\n');
    let ends = string.len() - body.len();
    text.push_str(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            indent(text, depth);
            text.push_str(line);
        }
    }
    text.extend(std::iter::repeat_n('\n', ends.saturating_sub(1)));
}

/// One line: the string itself where YAML 1.2 reads it as that string, else in double quotes with escapes.
pub(crate) fn scalar(string: &str) -> String {
    if safe(string) { string.to_owned() } else { Value::from(string).to_string() }
}

fn safe(string: &str) -> bool {
    let Some(first) = string.chars().next() else { return false };
    let marks = "-?:,[]{}#&*!|>'\"%@`";
    let second = string.chars().nth(1);
    let starts = !marks.contains(first)
        || (matches!(first, '-' | '?' | ':')
            && second.is_some_and(|letter| letter != ' ')
            && !string.starts_with("---"));
    starts
        && !string.starts_with(' ')
        && !string.ends_with([' ', ':'])
        && !string.contains(": ")
        && !string.contains(" #")
        && !string.chars().any(char::is_control)
        && !reserved(string)
}

/// Whether YAML would read the string as something else: null, a boolean (of YAML 1.1 too) or a number.
fn reserved(string: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let marks = matches!(string, "~" | "<<" | "=");
    if marks || string.starts_with("...") || WORDS.iter().any(|word| word.eq_ignore_ascii_case(string)) {
        return true;
    }
    let number = string.trim_start_matches(['+', '-']);
    let digits = number.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    digits
        && (string.parse::<f64>().is_ok()
            || number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
            || ["0x", "0o", "0b"].iter().any(|prefix| number.starts_with(prefix))
            || number.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'))
        || matches!(number.to_ascii_lowercase().as_str(), ".inf" | ".nan")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            "[a-z:#\\-'\" \n\t]{0,20}",
            r"(true|No|null|~|1|-0|0x1f|1e3|1_000|12:30|[.]5|[.]inf|=|<<|2026-01-02|- a|[?] b|a: b|a #b|\[x\]|\{y|& z|---|x:)",
            "\\PC{0,6}",
        ];
        let leaf = prop_oneof![
            text.prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            Just(Value::Null)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_what_it_was(value in value()) {
            let text = write(&value);
            let read: Value = serde_saphyr::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(read, value, "{}", text);
        }
    }

    #[test]
    fn an_object_reads_as_people_write_it() {
        let value = json!({
            "status": {"ready": false}, "spec": {"b": [], "a": {}, "list": [{"value": "5", "name": "NAME"}, ["x", 1], 3], "none": null},
            "kind": "K", "metadata": {"name": "m", "labels": {"a/b": "true", "v": "1.0"}}, "apiVersion": "v1",
        });
        assert_eq!(
            write(&value),
            "apiVersion: v1\nkind: K\nmetadata:\n  name: m\n  labels:\n    a/b: \"true\"\n    v: \"1.0\"\nspec:\n  a: {}\n  \
             b: []\n  list:\n  - name: NAME\n    value: \"5\"\n  - [\"x\",1]\n  - 3\n  none: null\nstatus:\n  ready: false\n"
        );
    }

    #[test]
    fn several_lines_are_a_block() {
        assert_eq!(
            write(&json!({"a": "x: 1\n\n  y\n", "b": "p\nq", "c": "p\nq\n\n"})),
            "a: |\n  x: 1\n\n    y\nb: |-\n  p\n  q\nc: |+\n  p\n  q\n\n"
        );
    }

    #[test]
    fn only_what_yaml_would_read_otherwise_is_quoted() {
        let plain = [
            "registry/app:1.2",
            "64Mi",
            "2026-01-02T03:04:05Z",
            "-c",
            "http://x:80/p?q=1",
            "a b",
            "100m",
            "1.2.3.4/8",
            "10.0.0.1",
        ];
        assert_eq!(plain.map(scalar), plain.map(str::to_owned));
        let quoted = [
            "", "1", "-1.5", "1e3", "true", "No", "null", "- x", "a: b", "a #b", "x:", " a", "*x", "{a}", "a\tb",
            "12:30", "0x1f",
        ];
        assert!(quoted.iter().all(|text| scalar(text).starts_with('"')), "{:?}", quoted.map(scalar));
    }
}
