//! The answers of the search API.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::Entry;
use super::super::config::FieldNames;

/// What was found.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) timed_out: bool,
    hits: Hits,
    aggregations: Option<Aggregations>,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_source", default)]
    source: Value,
}

#[derive(Deserialize)]
struct Aggregations {
    over_time: OverTime,
}

#[derive(Deserialize)]
struct OverTime {
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: i64,
    doc_count: u64,
}

/// What it says of a query that it can't answer.
#[derive(Deserialize)]
pub(super) struct Refusal {
    error: Fault,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Fault {
    Told {
        reason: Option<String>,
        #[serde(default)]
        root_cause: Vec<Cause>,
        r#type: Option<String>,
    },
    Text(String),
}

#[derive(Deserialize)]
struct Cause {
    reason: Option<String>,
}

impl Refusal {
    /// The root of it: what stands around that says only that shards failed.
    pub(super) fn told(self) -> String {
        match self.error {
            Fault::Text(text) => text,
            Fault::Told { reason, root_cause, r#type } => {
                root_cause.into_iter().find_map(|cause| cause.reason).or(reason).or(r#type).unwrap_or_default()
            }
        }
    }
}

impl Answer {
    /// How many lines there are in each stretch of time.
    pub(super) fn counts(&self) -> Vec<(Timestamp, u64)> {
        let buckets = self.aggregations.iter().flat_map(|found| &found.over_time.buckets);
        buckets.filter_map(|bucket| Some((Timestamp::from_millisecond(bucket.key).ok()?, bucket.doc_count))).collect()
    }

    /// The lines in the order of time; what has no time is left out.
    pub(super) fn entries(&self, fields: &FieldNames, time: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.hits.hits.iter().filter_map(|hit| entry(&hit.source, fields, time)).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

fn entry(source: &Value, fields: &FieldNames, time: &str) -> Option<Entry> {
    let text = |names: &[String]| {
        names.iter().find_map(|name| field(source, name)).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let at = match field(source, time)? {
        Value::String(text) => text.parse().ok()?,
        number => Timestamp::from_millisecond(number.as_i64()?).ok()?,
    };
    let source_name = match (text(&fields.pod), text(&fields.container)) {
        (Some(pod), Some(container)) => format!("{pod}/{container}"),
        (Some(pod), None) => pod,
        (None, _) => String::new(),
    };
    Some(Entry { at, source: source_name, line: text(&fields.message).unwrap_or_else(|| source.to_string()) })
}

/// A field by its dotted name, whose parts may be names of their own or stand together: shippers write both.
fn field<'a>(source: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(value) = source.get(name) {
        return (!value.is_null()).then_some(value);
    }
    let dots = name.match_indices('.').map(|(at, _)| at);
    dots.filter_map(|at| Some((name.get(..at)?, name.get(at + 1..)?)))
        .find_map(|(first, rest)| field(source.get(first)?, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::field;

    #[test]
    fn a_field_is_found_however_its_name_is_split() {
        for source in
            [json!({"a.b.c": 1}), json!({"a": {"b": {"c": 1}}}), json!({"a.b": {"c": 1}}), json!({"a": {"b.c": 1}})]
        {
            assert_eq!(field(&source, "a.b.c"), Some(&json!(1)), "{source}");
        }
        assert_eq!(field(&json!({"a": {"b": null}}), "a.b"), None);
    }
}
