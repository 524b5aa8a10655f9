//! Reading a conclusion as models write it.

use marple_core::Conclusion;
use marple_tools::arguments;
use serde_json::{Map, Value, json};

use super::CONCLUDE;

/// Reads the arguments of the tool. The error says what to mend.
///
/// Forgiven: what is not part of a conclusion, an object written as `Deployment shop/cart`, an evidence id as a number
/// or in brackets, one thing where a list is wanted, and nulls. Whether a quote was verified is never taken over.
pub fn read(arguments: Map<String, Value>) -> Result<Conclusion, String> {
    let mut whole = match unwrapped(arguments) {
        Value::Object(whole) => whole,
        other => return Err(format!("{other} is no object")),
    };
    keep(
        &mut whole,
        &["verdict", "summary", "cause", "chain", "impact", "confidence", "remedies", "ruled_out", "unseen"],
    );
    for (name, fields) in [
        ("cause", &["object", "category", "statement", "citations"][..]),
        ("chain", &["object", "statement", "citations"]),
        ("ruled_out", &["statement", "citations"]),
        ("remedies", &["title", "command", "risk", "reversible"]),
        ("unseen", &["what", "why"]),
    ] {
        let parts = whole.get_mut(name).into_iter().flat_map(|part| match part {
            Value::Array(parts) => parts.iter_mut().collect::<Vec<_>>(),
            part => vec![part],
        });
        for part in parts.filter_map(Value::as_object_mut) {
            keep(part, fields);
            part.get_mut("object").into_iter().for_each(object);
            part.get_mut("citations").into_iter().for_each(citations);
        }
    }
    // A cause without an object or a statement is none: models fill it so when the verdict is another.
    if whole.get("cause").is_some_and(|cause| cause.as_object().is_none_or(Map::is_empty)) {
        whole.remove("cause");
    }
    arguments::parse(CONCLUDE, Value::Object(whole)).map_err(|error| error.to_string())
}

/// Reads a conclusion that came as words: JSON, fenced or not, with words around it. Nothing where there is none.
pub fn from_content(content: &str) -> Option<Result<Conclusion, String>> {
    let text = content.get(content.find('{')?..=content.rfind('}')?)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => {
            let inner = unwrapped(object);
            let inner = inner.as_object().filter(|inner| inner.contains_key("verdict"))?;
            Some(read(inner.clone()))
        }
        Ok(_) => None,
        Err(error) => text.contains("\"verdict\"").then(|| Err(format!("it is no JSON: {error}"))),
    }
}

/// The conclusion itself, where it is wrapped in an object as a call or under a name.
fn unwrapped(mut object: Map<String, Value>) -> Value {
    if !object.contains_key("verdict") {
        for name in ["conclusion", "arguments", "parameters", CONCLUDE] {
            match object.get_mut(name) {
                Some(Value::Object(inner)) => return unwrapped(std::mem::take(inner)),
                Some(Value::String(text)) => {
                    if let Ok(Value::Object(inner)) = serde_json::from_str(text) {
                        return unwrapped(inner);
                    }
                }
                _ => {}
            }
        }
    }
    Value::Object(object)
}

fn keep(object: &mut Map<String, Value>, fields: &[&str]) {
    object.retain(|name, value| fields.contains(&name.as_str()) && !value.is_null());
}

fn object(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            keep(fields, &["kind", "namespace", "name"]);
            let nowhere =
                |value: &Value| value.as_str().is_some_and(|text| matches!(text.trim(), "" | "-" | "none" | "null"));
            if fields.get("namespace").is_some_and(nowhere) {
                fields.remove("namespace");
            }
        }
        Value::String(text) => {
            let Some((kind, rest)) = text.trim().split_once([' ', '/']) else { return };
            *value = match rest.trim().split_once('/') {
                Some((namespace, name)) => json!({"kind": kind, "namespace": namespace, "name": name}),
                None => json!({"kind": kind, "name": rest.trim()}),
            };
        }
        _ => {}
    }
}

fn citations(value: &mut Value) {
    if value.is_object() {
        *value = Value::Array(vec![value.take()]);
    }
    for citation in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        keep(citation, &["evidence", "quote"]);
        if let Some(number) = citation.get("evidence").and_then(Value::as_u64) {
            citation.insert("evidence".to_owned(), format!("e{number}").into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use marple_core::{Category, Cause, Citation, Confidence, EvidenceId, Link, ObjectRef, Remedy, Risk, Verdict};

    use super::*;

    fn object_of(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    fn expected() -> Conclusion {
        let citation =
            Citation { evidence: EvidenceId(3), quote: "configmap \"cart\" not found".to_owned(), verified: false };
        Conclusion {
            verdict: Verdict::Fault,
            summary: "cart lacks its ConfigMap".to_owned(),
            cause: Some(Cause {
                object: ObjectRef::namespaced("ConfigMap", "shop", "cart"),
                category: Category::Configuration,
                statement: "It does not exist.".to_owned(),
                citations: vec![citation.clone()],
            }),
            chain: vec![Link {
                object: ObjectRef::cluster("Node", "worker-1"),
                statement: "It waits.".to_owned(),
                citations: vec![citation],
            }],
            impact: String::new(),
            confidence: Confidence::High,
            remedies: vec![Remedy { title: "Create it.".to_owned(), command: None, risk: Risk::Low, reversible: true }],
            ruled_out: Vec::new(),
            unseen: Vec::new(),
        }
    }

    #[test]
    fn forgives_what_has_only_one_meaning() {
        let written = json!({
            "verdict": "Fault", "summary": "cart lacks its ConfigMap", "confidence": "HIGH", "thoughts": "…",
            "cause": {"object": "ConfigMap shop/cart", "category": "configuration", "statement": "It does not exist.",
                "citations": {"evidence": "[e3]", "quote": "configmap \"cart\" not found", "verified": true}},
            "chain": {"object": {"apiVersion": "v1", "kind": "Node", "namespace": "", "name": "worker-1"},
                "statement": "It waits.", "citations": [{"evidence": 3, "quote": "configmap \"cart\" not found"}]},
            "remedies": [{"title": "Create it.", "risk": "low", "reversible": "true", "command": null}],
            "unseen": null
        });
        assert_eq!(read(object_of(written)), Ok(expected()));
    }

    #[test]
    fn reads_it_from_words_fenced_or_not() {
        let json = serde_json::to_string(&expected()).unwrap();
        for content in [
            json.clone(),
            format!("Here it is:\n```json\n{json}\n```\nThat is all."),
            format!("{{\"name\": \"conclude\", \"arguments\": {json}}}"),
        ] {
            assert_eq!(from_content(&content), Some(Ok(expected())), "{content}");
        }
    }

    #[test]
    fn words_and_other_json_are_no_conclusion() {
        assert_eq!(from_content("I think the pod {app} is broken."), None);
        assert_eq!(from_content("{\"a\": 1}"), None);
    }

    #[test]
    fn says_what_to_mend() {
        let error = read(object_of(json!({"verdict": "broken", "summary": "x", "confidence": "low"}))).unwrap_err();
        assert_eq!(error, "conclude: argument `verdict` is \"broken\"; one of fault, no_fault, inconclusive is wanted");
        let error = from_content("{\"verdict\": \"fault\", }").unwrap().unwrap_err();
        assert!(error.starts_with("it is no JSON: "), "{error}");
    }
}
