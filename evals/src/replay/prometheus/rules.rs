//! Rules and alerts, as they were recorded.

use serde_json::{Value, json};

use super::Server;
use super::answer::Failure;
use super::parameters::Parameters;
use crate::json::{items, text};

/// `/api/v1/rules`
pub(super) fn rules(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    let kind = match parameters.get("type") {
        None => None,
        Some("alert") => Some("alerting"),
        Some("record") => Some("recording"),
        Some(other) => {
            return Err(Failure::bad_data(&format!("invalid parameter \"type\": not supported value \"{other}\"")));
        }
    };
    let wanted = |name: &str, value: &str| {
        let mut asked = parameters.all(name).peekable();
        asked.peek().is_none() || asked.any(|one| one == value)
    };
    let mut groups = Vec::new();
    for group in items(had(&server.state()?.rules, "rules")?, "groups") {
        if !wanted("rule_group[]", text(group, "/name")) || !wanted("file[]", text(group, "/file")) {
            continue;
        }
        let rules: Vec<&Value> = items(group, "rules")
            .iter()
            .filter(|rule| {
                kind.is_none_or(|kind| text(rule, "/type") == kind) && wanted("rule_name[]", text(rule, "/name"))
            })
            .collect();
        if rules.is_empty() {
            continue;
        }
        let mut group = group.clone();
        if let Some(field) = group.get_mut("rules") {
            *field = json!(rules);
        }
        groups.push(group);
    }
    Ok(json!({ "groups": groups }))
}

/// `/api/v1/alerts`
pub(super) fn alerts(server: &Server, _: &Parameters) -> Result<Value, Failure> {
    Ok(had(&server.state()?.alerts, "alerts")?.clone())
}

/// What the recorded server told; where it lacks this it is lacking here.
fn had<'a>(told: &'a Value, what: &str) -> Result<&'a Value, Failure> {
    let lacking = || Failure::not_found(&format!("the recorded server doesn't tell its {what}"));
    (!told.is_null()).then_some(told).ok_or_else(lacking)
}
