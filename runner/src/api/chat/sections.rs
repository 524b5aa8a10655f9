//! The sections that HolmesGPT's `/api/investigate` wants an answer to have.

use serde_json::{Map, Value};

use crate::api::problem::Problem;

/// The most sections, and the longest name and description of one, in characters.
const SECTIONS: usize = 20;
const NAME: usize = 100;
const DESCRIPTION: usize = 2_000;

/// What is wished of the answer, so that it has these sections: names with what belongs there.
pub(super) fn wish(sections: &Map<String, Value>) -> Result<String, Problem> {
    if sections.is_empty() {
        return Ok(String::new());
    }
    let short = |name: &String| !name.trim().is_empty() && name.chars().count() <= NAME && !name.contains('\n');
    if sections.len() > SECTIONS || !sections.keys().all(short) {
        return Err(Problem::bad_request(format!(
            "`sections` holds at most {SECTIONS}, under names of one line with 1 to {NAME} characters"
        )));
    }
    let mut wish = "Write the answer in these sections, each below its heading, just so:".to_owned();
    for (name, description) in sections {
        let description: String = description.as_str().unwrap_or_default().chars().take(DESCRIPTION).collect();
        wish.push_str(&format!("\n\n## {name}\n{description}"));
    }
    Ok(wish)
}

/// The sections of an answer by their names; null for one that it does not have.
pub(super) fn of(answer: &str, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut found: Map<String, Value> = wanted.keys().map(|name| (name.clone(), Value::Null)).collect();
    let mut current: Option<&String> = None;
    let mut text = String::new();
    let mut close = |name: Option<&String>, text: &mut String| {
        let content = std::mem::take(text);
        if let Some(name) = name {
            found.insert(name.clone(), Value::String(content.trim().to_owned()));
        }
    };
    for line in answer.lines() {
        if let Some(name) = heading(line).and_then(|title| named(title, wanted)) {
            close(current.replace(name), &mut text);
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    close(current, &mut text);
    found
}

/// The words of a heading, as models write it: `## Cause`, `**Cause**`, `## **Cause**:`.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
    let marked = line.starts_with('#') || line.starts_with("**");
    marked.then(|| line.trim_matches(|letter: char| matches!(letter, '#' | '*' | ':' | ' ')))
}

fn named<'a>(title: &str, wanted: &'a Map<String, Value>) -> Option<&'a String> {
    wanted.keys().find(|name| name.trim().eq_ignore_ascii_case(title))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted() -> Map<String, Value> {
        let names = ["Cause", "Next Steps", "Logs"];
        names.into_iter().map(|name| (name.to_owned(), json!(format!("What of {name}")))).collect()
    }

    #[test]
    fn an_answer_is_split_at_the_headings_that_were_wanted() {
        let answer =
            "Before.\n## Cause\nIt lacks memory [e1].\n### Details\nMuch.\n**next steps:**\n1. Give it more.\n";
        let cause = "It lacks memory [e1].\n### Details\nMuch.";
        assert_eq!(
            Value::Object(of(answer, &wanted())),
            json!({"Cause": cause, "Next Steps": "1. Give it more.", "Logs": null})
        );
    }

    #[test]
    fn sections_are_wished_by_their_headings_and_none_where_none_is_wanted() {
        assert_eq!(wish(&Map::new()).ok(), Some(String::new()));
        assert!(wish(&wanted()).is_ok_and(|wish| wish.contains("\n\n## Next Steps\nWhat of Next Steps")));
        let many = (0..=SECTIONS).map(|number| (number.to_string(), Value::Null)).collect();
        assert!(wish(&many).is_err());
    }
}
