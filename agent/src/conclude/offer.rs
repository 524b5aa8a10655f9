//! How the tool is offered: the schema of `Conclusion` in few words, for it is paid for in each request.

use serde_json::{Value, json};

use crate::ToolOffer;

/// The tool's name.
pub const CONCLUDE: &str = "conclude";

/// The tool as it is offered.
pub fn offer() -> ToolOffer {
    ToolOffer {
        name: CONCLUDE.to_owned(),
        description: "Ends the investigation with its conclusion.".to_owned(),
        parameters: parameters(),
    }
}

fn parameters() -> Value {
    let citations = json!({"type": "array", "items": {"type": "object", "properties": {
        "evidence": {"type": "string", "description": "as e12"},
        "quote": {"type": "string", "description": "verbatim"}
    }, "required": ["evidence", "quote"]}});
    let object = json!({"type": "object", "properties": {
        "kind": {"type": "string"},
        "namespace": {"type": "string", "description": "absent if cluster-scoped"},
        "name": {"type": "string"}
    }, "required": ["kind", "name"]});
    let link = json!({"type": "object", "properties": {
        "object": object, "statement": {"type": "string"}, "citations": citations
    }, "required": ["object", "statement"]});
    let claim = json!({"type": "object", "properties": {
        "statement": {"type": "string"}, "citations": citations
    }, "required": ["statement"]});
    json!({"type": "object", "properties": {
        "verdict": {"type": "string", "enum": ["fault", "no_fault", "inconclusive"]},
        "summary": {"type": "string", "description": "What broke and why, for who reads only this; at most 300 characters"},
        "cause": {"type": "object", "description": "Only with fault", "properties": {
            "object": object,
            "category": {"type": "string", "enum": [
                "configuration", "image", "resources", "quota", "scheduling", "probe", "network", "storage", "node",
                "dependency", "permission", "scaling", "certificate", "application", "other"
            ]},
            "statement": {"type": "string", "description": "What is wrong with it, in one or two sentences"},
            "citations": citations
        }, "required": ["object", "category", "statement", "citations"]},
        "chain": {"type": "array", "description": "From the symptom to the cause", "items": link},
        "impact": {"type": "string", "description": "Who or what suffers, since when"},
        "confidence": {"type": "string", "enum": ["high", "medium", "low"]},
        "remedies": {"type": "array", "description": "Best first", "items": {"type": "object", "properties": {
            "title": {"type": "string", "description": "One imperative sentence"},
            "command": {"type": "string"},
            "risk": {"type": "string", "enum": ["low", "medium", "high"]},
            "reversible": {"type": "boolean"}
        }, "required": ["title", "risk", "reversible"]}},
        "ruled_out": {"type": "array", "items": claim},
        "unseen": {"type": "array", "items": {"type": "object", "properties": {
            "what": {"type": "string"}, "why": {"type": "string"}
        }, "required": ["what", "why"]}}
    }, "required": ["verdict", "summary", "confidence"]})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::Conclusion;
    use schemars::generate::SchemaSettings;

    use super::*;

    /// Every property with its path and, where it has them, its words.
    fn properties(schema: &Value, path: &str, into: &mut Vec<(String, Vec<String>)>) {
        if let Some(all) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in all {
                let path = format!("{path}.{name}");
                into.push((path.clone(), words(property)));
                properties(property, &path, into);
            }
        }
        if let Some(items) = schema.get("items") {
            properties(items, &format!("{path}[]"), into);
        }
        for part in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
            properties(part, path, into);
        }
    }

    fn words(schema: &Value) -> Vec<String> {
        let constants =
            schema.get("oneOf").and_then(Value::as_array).into_iter().flatten().filter_map(|one| one.get("const"));
        let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let mut words: Vec<String> = constants.chain(values).filter_map(Value::as_str).map(str::to_owned).collect();
        words.sort();
        words
    }

    #[test]
    fn the_offer_has_every_field_and_word_of_the_vocabulary_and_no_other() {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let vocabulary = settings.into_generator().into_root_schema_for::<Conclusion>().to_value();
        let (mut wanted, mut offered) = (Vec::new(), Vec::new());
        properties(&vocabulary, "", &mut wanted);
        properties(&parameters(), "", &mut offered);
        wanted.sort();
        offered.sort();
        assert_eq!(offered, wanted);
    }

    #[test]
    fn it_costs_at_most_700_tokens() {
        let cost = crate::context::Vocabulary::default().offers(&[offer()]);
        assert!(cost <= 700, "{cost}");
    }
}
