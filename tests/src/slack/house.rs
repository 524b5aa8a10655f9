//! What marple promises of its messages beyond what Slack asks.

use serde_json::Value;

/// Every way in which a message's text and blocks could disturb people or lead them astray.
pub fn check_house(text: &str, blocks: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    markup("/text", text, &mut faults);
    walk("/blocks", blocks, &mut faults);
    faults
}

fn walk(at: &str, value: &Value, faults: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(&format!("{at}/{index}"), item, faults);
            }
        }
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            if kind == "mrkdwn" {
                if fields.get("verbatim") != Some(&Value::Bool(true)) {
                    faults.push(format!("{at}: Slack may make links and mentions of it, for it isn't verbatim"));
                }
                markup(at, fields.get("text").and_then(Value::as_str).unwrap_or_default(), faults);
            }
            for (name, field) in fields {
                walk(&format!("{at}/{name}"), field, faults);
            }
        }
        _ => {}
    }
}

fn markup(at: &str, text: &str, faults: &mut Vec<String>) {
    if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        faults.push(format!("{at}: control characters"));
    }
    if !text.matches("```").count().is_multiple_of(2) {
        faults.push(format!("{at}: a fence of code is open"));
    }
    let mut rest = text;
    while let Some(start) = rest.find(['<', '>', '&']) {
        let (_, tail) = rest.split_at(start);
        let taken = match tail.chars().next() {
            Some('&') => {
                ["&amp;", "&lt;", "&gt;"].iter().find(|escape| tail.starts_with(**escape)).map(|escape| escape.len())
            }
            Some('<') => tail.find('>').map(|end| end + 1).filter(|end| allowed(&tail[1..*end - 1])),
            _ => None,
        };
        let Some(taken) = taken else {
            let shown: String = tail.chars().take(40).collect();
            faults.push(format!("{at}: {shown:?} acts"));
            return;
        };
        rest = &tail[taken..];
    }
}

/// A link of the web with a label, or a date with a fallback.
fn allowed(inner: &str) -> bool {
    let Some((target, label)) = inner.split_once('|') else { return false };
    let plain = !label.is_empty() && !label.contains(['<', '|']);
    let web = target.starts_with("http://") || target.starts_with("https://");
    let date = target.strip_prefix("!date^").is_some_and(|rest| {
        rest.split_once('^').is_some_and(|(seconds, format)| {
            seconds.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) && format.contains('{')
        })
    });
    plain && (web || date) && !target.contains(char::is_whitespace) | date
}
