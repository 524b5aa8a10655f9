//! Whether blocks are such as Slack takes (docs.slack.dev, Block Kit reference).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Every fault of a message's blocks, each with the place of it; none where Slack takes them.
pub fn check_blocks(blocks: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    match blocks.as_array() {
        None => faults.add("/blocks", "must be an array"),
        Some(blocks) => {
            if blocks.len() > 50 {
                faults.add("/blocks", "no more than 50 items allowed");
            }
            let mut ids = BTreeSet::new();
            for (index, block) in blocks.iter().enumerate() {
                faults.block(&format!("/blocks/{index}"), block, &mut ids);
            }
        }
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, at: &str, what: &str) {
        self.0.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    fn block(&mut self, at: &str, block: &Value, ids: &mut BTreeSet<String>) {
        let Some(fields) = block.as_object() else { return self.add(at, "must be an object") };
        if let Some(id) = fields.get("block_id") {
            match id.as_str() {
                Some(id) if id.is_empty() || id.chars().count() > 255 => {
                    self.add(at, "block_id must be 1 to 255 characters");
                }
                Some(id) if !ids.insert(id.to_owned()) => self.add(at, "block_id must be unique"),
                Some(_) => {}
                None => self.add(at, "block_id must be a string"),
            }
        }
        match fields.get("type").and_then(Value::as_str) {
            Some("header") => {
                self.known(at, fields, &["text"]);
                self.text(&format!("{at}/text"), fields.get("text"), &["plain_text"], 150);
            }
            Some("section") => self.section(at, fields),
            Some("context") => {
                self.known(at, fields, &["elements"]);
                let elements = fields.get("elements").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                if !(1..=10).contains(&elements.len()) {
                    self.add(&format!("{at}/elements"), "must have 1 to 10 items");
                }
                for (index, element) in elements.iter().enumerate() {
                    self.text(&format!("{at}/elements/{index}"), Some(element), &["mrkdwn", "plain_text"], 3_000);
                }
            }
            Some("divider") => self.known(at, fields, &[]),
            Some(other) => self.add(at, &format!("unsupported type: {other}")),
            None => self.add(at, "missing required field: type"),
        }
    }

    fn section(&mut self, at: &str, fields: &Map<String, Value>) {
        self.known(at, fields, &["text", "fields", "expand"]);
        let list = fields.get("fields").map(|list| list.as_array().map_or(&[][..], Vec::as_slice));
        if fields.get("text").is_none() && list.is_none() {
            self.add(at, "missing required field: text or fields");
        }
        if let Some(text) = fields.get("text") {
            self.text(&format!("{at}/text"), Some(text), &["mrkdwn", "plain_text"], 3_000);
        }
        if let Some(list) = list {
            if !(1..=10).contains(&list.len()) {
                self.add(&format!("{at}/fields"), "must have 1 to 10 items");
            }
            for (index, field) in list.iter().enumerate() {
                self.text(&format!("{at}/fields/{index}"), Some(field), &["mrkdwn", "plain_text"], 2_000);
            }
        }
    }

    fn text(&mut self, at: &str, text: Option<&Value>, types: &[&str], limit: usize) {
        let Some(fields) = text.and_then(Value::as_object) else {
            return self.add(at, "missing required field: a text object");
        };
        let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        if !types.contains(&kind) {
            self.add(at, &format!("must be of type {}", types.join(" or ")));
        }
        match kind {
            "plain_text" => self.known(at, fields, &["text", "emoji"]),
            _ => self.known(at, fields, &["text", "verbatim"]),
        }
        for flag in ["emoji", "verbatim"] {
            if fields.get(flag).is_some_and(|value| !value.is_boolean()) {
                self.add(at, &format!("{flag} must be a boolean"));
            }
        }
        match fields.get("text").and_then(Value::as_str) {
            None => self.add(at, "missing required field: text"),
            Some("") => self.add(at, "must be more than 0 characters"),
            // Slack counts as its clients do, in UTF-16.
            Some(text) if text.encode_utf16().count() > limit => {
                self.add(at, &format!("must be less than {} characters", limit + 1));
            }
            Some(_) => {}
        }
    }

    fn known(&mut self, at: &str, fields: &Map<String, Value>, known: &[&str]) {
        for name in fields.keys().filter(|name| !["type", "block_id"].contains(&name.as_str())) {
            if !known.contains(&name.as_str()) {
                self.add(at, &format!("invalid additional property: {name}"));
            }
        }
    }
}
