//! A selection as query DSL.
//!
//! Texts go in as JSON values, so that none can become syntax; only patterns of pods are written in a language.

use serde_json::{Value, json};

use super::super::config::FieldNames;
use super::super::quote::lucene;
use super::super::search::{Level, Selection, Text};

/// The filters, all of which a line must fit, or why there can be none.
pub(super) fn of(selection: &Selection, fields: &FieldNames) -> Result<Vec<Value>, String> {
    let mut filters = Vec::new();
    if let Some(namespace) = &selection.namespace {
        filters.push(any(each(&fields.namespace, |field| json!({"term": {field: namespace}}))));
    }
    if let Some(pods) = &selection.pods {
        filters.push(any(if let Some(name) = pods.name() {
            each(&fields.pod, |field| json!({"term": {field: name}}))
        } else {
            let pattern = pods.pattern(lucene);
            each(&fields.pod, |field| json!({"regexp": {field: {"value": pattern}}}))
        }));
    }
    if let Some(container) = &selection.container {
        filters.push(any(each(&fields.container, |field| json!({"term": {field: container}}))));
    }
    match &selection.text {
        Some(Text::Words(words)) => filters.push(phrase(words, &fields.message)),
        Some(Text::Regex(pattern)) => {
            filters.push(any(phrases(pattern)?.iter().map(|words| phrase(words, &fields.message))));
        }
        None => {}
    }
    if let Some(level) = selection.level {
        filters.push(of_level(level, fields));
    }
    if filters.is_empty() {
        filters.push(json!({"match_all": {}}));
    }
    Ok(filters)
}

/// A query as it was written: query DSL where it is JSON, else in Lucene's language.
pub(super) fn written(query: &str) -> Result<Value, String> {
    let query = query.trim();
    if !query.starts_with('{') {
        return Ok(json!({"query_string": {"query": query, "lenient": true}}));
    }
    let dsl: Value = serde_json::from_str(query).map_err(|error| {
        format!(
            "`query` begins with a brace and is no JSON: {error}; wanted is query DSL, or words in Lucene's language"
        )
    })?;
    // A whole request is often written where its query is meant.
    Ok(dsl.get("query").cloned().unwrap_or(dsl))
}

/// Which of the alternatives of a pattern are plain words: whole lines are not indexed, so nothing else can be found.
fn phrases(pattern: &str) -> Result<Vec<&str>, String> {
    let phrases: Vec<&str> = pattern.split('|').map(str::trim).filter(|words| !words.is_empty()).collect();
    let plain = |words: &&str| !words.contains(['.', '*', '+', '?', '(', ')', '[', ']', '{', '}', '^', '$', '\\']);
    if phrases.is_empty() || !phrases.iter().all(plain) {
        return Err(format!(
            "`regex` is {pattern:?}: this store finds words, and of regular expressions only alternatives of words, as \
             timeout|refused; give `text` or a `query`"
        ));
    }
    Ok(phrases)
}

/// A field, and what dynamic mappings make of a text so that it can be compared whole.
fn each(fields: &[String], query: impl Fn(&str) -> Value) -> Vec<Value> {
    fields.iter().flat_map(|field| [query(field), query(&format!("{field}.keyword"))]).collect()
}

fn any(queries: impl IntoIterator<Item = Value>) -> Value {
    let queries: Vec<Value> = queries.into_iter().collect();
    json!({"bool": {"should": queries, "minimum_should_match": 1}})
}

fn phrase(words: &str, fields: &[String]) -> Value {
    json!({"multi_match": {"query": words, "type": "phrase", "fields": fields, "lenient": true}})
}

/// Lines whose level is so bad; of those that name none, lines with a word of it.
fn of_level(level: Level, fields: &FieldNames) -> Value {
    let names: Vec<String> = level
        .names()
        .iter()
        .flat_map(|name| {
            let capital = name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
            [(*name).to_owned(), name.to_uppercase(), capital]
        })
        .collect();
    let told = any(each(&fields.level, |field| json!({"terms": {field: names}})));
    let has_level: Vec<Value> = fields.level.iter().map(|field| json!({"exists": {"field": field}})).collect();
    let words = json!({"multi_match": {"query": format!("{} exception traceback", level.names().join(" ")), "fields": fields.message, "lenient": true}});
    any([told, json!({"bool": {"must_not": has_level, "must": [words]}})])
}
