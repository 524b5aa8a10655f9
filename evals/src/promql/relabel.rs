//! Functions that change labels.

use std::sync::Arc;

use regex::Regex;

use super::metric::set;
use super::store::Element;

/// Sets a label to what a pattern finds in another; elements where it finds nothing stay as they are.
pub(super) fn replace(
    mut elements: Vec<Element>,
    target: &str,
    replacement: &str,
    source: &str,
    regex: &Regex,
) -> Vec<Element> {
    for element in &mut elements {
        if let Some(captures) = regex.captures(element.labels.get(source).unwrap_or_default()) {
            let mut value = String::new();
            captures.expand(replacement, &mut value);
            let changed = set(&element.labels, target, &value);
            element.labels = Arc::new(changed);
        }
    }
    elements
}

/// Sets a label to the values of others, with a separator between them.
pub(super) fn join(mut elements: Vec<Element>, target: &str, separator: &str, sources: &[String]) -> Vec<Element> {
    for element in &mut elements {
        let values: Vec<&str> = sources.iter().map(|name| element.labels.get(name).unwrap_or_default()).collect();
        let changed = set(&element.labels, target, &values.join(separator));
        element.labels = Arc::new(changed);
    }
    elements
}
