//! A selection as `LogsQL`.

use super::super::config::FieldNames;
use super::super::quote::quoted;
use super::super::search::{Selection, Text};

/// The query.
pub(super) fn of(selection: &Selection, fields: &FieldNames) -> String {
    let any = |names: &[String], filter: &str| {
        let each: Vec<String> = names.iter().map(|name| format!("{}:{filter}", quoted(name))).collect();
        if let [only] = each.as_slice() { only.clone() } else { format!("({})", each.join(" or ")) }
    };
    let matching = |pattern: &str| format!("~{}", quoted(pattern));
    let mut filters = Vec::new();
    if let Some(namespace) = &selection.namespace {
        filters.push(any(&fields.namespace, &format!("={}", quoted(namespace))));
    }
    if let Some(pods) = &selection.pods {
        filters.push(any(
            &fields.pod,
            &match pods.name() {
                Some(name) => format!("={}", quoted(name)),
                None => matching(&format!("^({})$", pods.pattern(regex::escape))),
            },
        ));
    }
    if let Some(container) = &selection.container {
        filters.push(any(&fields.container, &format!("={}", quoted(container))));
    }
    match &selection.text {
        Some(Text::Words(words)) => {
            filters.push(any(&fields.message, &matching(&format!("(?i){}", regex::escape(words)))));
        }
        Some(Text::Regex(pattern)) => filters.push(any(&fields.message, &matching(&format!("(?i){pattern}")))),
        None => {}
    }
    if let Some(level) = selection.level {
        let named = any(&fields.level, &matching(&format!("(?i)^({})$", level.names().join("|"))));
        let unnamed: Vec<String> = fields.level.iter().map(|name| format!("{}:\"\"", quoted(name))).collect();
        let line = any(&fields.message, &matching(&level.pattern()));
        let milder = any(&fields.message, &matching(&level.milder()));
        filters.push(format!("({named} or ({} {line} !{milder}))", unnamed.join(" ")));
    }
    if filters.is_empty() { "*".to_owned() } else { filters.join(" ") }
}
