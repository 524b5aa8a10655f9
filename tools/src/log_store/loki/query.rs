//! A selection as `LogQL`.

use super::super::config::FieldNames;
use super::super::quote::quoted;
use super::super::search::{Selection, Text};
use crate::near::nearest;

/// The labels that a Loki has of those that may tell a line's origin.
pub(super) struct Labels<'a> {
    fields: &'a FieldNames,
    there: Vec<String>,
}

impl<'a> Labels<'a> {
    pub(super) const fn new(fields: &'a FieldNames, there: Vec<String>) -> Self {
        Self { fields, there }
    }

    fn first(&self, names: &'a [String]) -> Option<&'a str> {
        names.iter().map(String::as_str).find(|name| self.there.iter().any(|label| label == name))
    }

    fn none(&self, what: &str, names: &[String]) -> String {
        let there = if self.there.is_empty() { "none in that time".to_owned() } else { self.there.join(", ") };
        let near =
            names.first().map(|name| nearest(name, self.there.iter().map(String::as_str), 1)).unwrap_or_default();
        let near = near.first().map(|near| format!("; `{near}` may be it")).unwrap_or_default();
        format!(
            "Loki has no label for the {what} ({}); its labels: {there}{near}; set `logs.fields.{what}`, or give `query`",
            names.join(", ")
        )
    }
}

/// The query, or why there can be none.
///
/// What isn't a label of streams may be metadata of lines, which a filter finds; but a selector must have a label.
pub(super) fn of(selection: &Selection, labels: &Labels<'_>) -> Result<String, String> {
    let fields = labels.fields;
    let (mut matchers, mut filters) = (Vec::new(), Vec::new());
    let mut add = |names: &[String], operator: &str, value: &str| {
        if let Some(label) = labels.first(names) {
            matchers.push(format!("{label}{operator}{}", quoted(value)));
        } else {
            let any: Vec<String> = names.iter().map(|name| format!("{name}{operator}{}", quoted(value))).collect();
            filters.push(format!("| {}", any.join(" or ")));
        }
    };
    if let Some(namespace) = &selection.namespace {
        if labels.first(&fields.namespace).is_none() {
            return Err(labels.none("namespace", &fields.namespace));
        }
        add(&fields.namespace, "=", namespace);
    }
    if let Some(pods) = &selection.pods {
        match pods.name() {
            Some(name) => add(&fields.pod, "=", name),
            None => add(&fields.pod, "=~", &pods.pattern(regex::escape)),
        }
    }
    if let Some(container) = &selection.container {
        add(&fields.container, "=", container);
    }
    if matchers.is_empty() {
        return Err(match &selection.pods {
            Some(_) => labels.none("pod", &fields.pod),
            None => "give `namespace`, or a `query`: Loki does not search all logs at once".to_owned(),
        });
    }
    match &selection.text {
        Some(Text::Words(words)) => filters.push(format!("|~ {}", quoted(&format!("(?i){}", regex::escape(words))))),
        Some(Text::Regex(pattern)) => filters.push(format!("|~ {}", quoted(&format!("(?i){pattern}")))),
        None => {}
    }
    if let Some(level) = selection.level {
        filters.push(format!("|~ {} !~ {}", quoted(&level.pattern()), quoted(&level.milder())));
    }
    let filters: String = filters.iter().map(|filter| format!(" {filter}")).collect();
    Ok(format!("{{{}}}{filters}", matchers.join(",")))
}
