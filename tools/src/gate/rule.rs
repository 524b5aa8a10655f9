//! One rule of the gate.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::glob;
use super::{Call, Caller, Changed, Decision, GateRule};
use crate::ToolSpec;

/// A rule as the gate applies it.
#[derive(Clone, Debug)]
pub(super) struct Rule(GateRule);

impl Rule {
    pub(super) fn new(rule: &GateRule) -> Self {
        Self(rule.clone())
    }

    pub(super) const fn decision(&self) -> Decision {
        self.0.decision
    }

    /// Whether it may speak of calls of this tool by this caller.
    pub(super) fn concerns(&self, spec: &ToolSpec, caller: Caller) -> bool {
        glob::fits(&self.0.tool, &spec.name)
            && self.0.effect.is_none_or(|effect| effect == spec.effect)
            && self.0.caller.is_none_or(|one| one == caller)
    }

    /// Whether it speaks of every call of the tools that it concerns, whatever the arguments and the object.
    pub(super) fn is_unconditional(&self) -> bool {
        self.0.arguments.is_empty() && self.0.object.is_none()
    }

    /// Whether it speaks of this call. In doubt a rule that allows doesn't, and a stricter one does.
    pub(super) fn fits(&self, call: &Call<'_>) -> bool {
        let strict = self.0.decision != Decision::Allow;
        if !self.concerns(call.spec, call.caller) || !self.changes(call) {
            return false;
        }
        let arguments = object(call.arguments);
        self.0.arguments.iter().all(|(name, pattern)| {
            let mut values = Vec::new();
            // Two arguments may differ in case only; the tool takes the one and the other may be there to deceive.
            for (argument, value) in arguments.as_ref() {
                if argument.eq_ignore_ascii_case(name) {
                    leaves(value, &mut values);
                }
            }
            let fits = |value: &String| glob::fits(pattern, value.trim());
            if values.is_empty() {
                strict
            } else if strict {
                values.iter().any(fits)
            } else {
                values.iter().all(fits)
            }
        })
    }
}

impl Rule {
    /// Whether the call would change what the rule speaks of.
    fn changes(&self, call: &Call<'_>) -> bool {
        let Some(wanted) = &self.0.object else { return true };
        let refuses = self.0.decision == Decision::Refuse;
        let object = match call.changed {
            Changed::Nothing => return false,
            // One that asks lets the working out go on, and one that refuses waits for it.
            Changed::Later => return !refuses,
            Changed::Unknown => return refuses,
            Changed::Object(object) => object,
        };
        let fits = |pattern: &Option<String>, text: Option<&str>| {
            pattern.as_deref().is_none_or(|pattern| text.is_some_and(|text| glob::fits(pattern, text)))
        };
        fits(&wanted.kind, Some(&object.kind))
            && fits(&wanted.namespace, object.namespace.as_deref())
            && fits(&wanted.name, Some(&object.name))
    }
}

/// The arguments as tools read them: also an object in a string of JSON.
fn object(arguments: &Value) -> Cow<'_, Map<String, Value>> {
    match arguments {
        Value::Object(object) => Cow::Borrowed(object),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Cow::Owned(object),
            _ => Cow::Owned(Map::new()),
        },
        _ => Cow::Owned(Map::new()),
    }
}

/// Each text, number and truth value in it; null and the empty text are left out, as tools leave them out.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) if text.trim().is_empty() => {}
        // A list may come as a string of JSON.
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => leaves(&inner, into),
            _ => into.push(text.clone()),
        },
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, into)),
        Value::Object(values) => values.values().for_each(|value| leaves(value, into)),
        other => into.push(other.to_string()),
    }
}
