//! Where values come from that are not written in the configuration itself.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::ConfigError;

/// The largest file that `file:` reads, in bytes: a secret, not a disk.
const FILE_LIMIT: usize = 64 * 1024;

/// What `${NAME}` and `file:/path` are read from.
pub struct Sources<'a> {
    /// The value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a file.
    pub file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// A value whose source is not there, as `${SLACK_TOKEN}` on a laptop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unset {
    /// Where it is wanted, as `receivers.oncall.slack.token`.
    pub path: String,
    /// What is missing and how to set it.
    pub what: String,
}

/// What becomes of a value whose source is not there.
pub(super) enum Missing<'a> {
    /// It is an error.
    Refuse,
    /// A value of its form stands in for it, and it is noted.
    Note(&'a mut Vec<Unset>),
}

impl Missing<'_> {
    fn take(&mut self, path: &[String], what: String) -> Result<String, ConfigError> {
        let place = path.join(".");
        match self {
            Self::Refuse => Err(ConfigError::Value { path: place, what }),
            Self::Note(noted) => {
                noted.push(Unset { path: place, what });
                let address = path.last().is_some_and(|name| name.ends_with("url"));
                Ok(if address { "https://unset.invalid" } else { "xoxb-unset" }.to_owned())
            }
        }
    }
}

impl Sources<'_> {
    /// Replaces, in every string, `${NAME}` and `${NAME:-default}` by the environment's value and a whole
    /// `file:/path` by the file's text without its last line break. `$$` is a dollar sign.
    pub(super) fn fill(&self, value: &mut Value, mut missing: Missing<'_>) -> Result<(), ConfigError> {
        self.fill_at(value, &mut Vec::new(), &mut missing)
    }

    fn fill_at(&self, value: &mut Value, path: &mut Vec<String>, missing: &mut Missing<'_>) -> Result<(), ConfigError> {
        match value {
            Value::String(text) => *text = self.text(text).or_else(|what| missing.take(path, what))?,
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(format!("[{index}]"));
                    self.fill_at(item, path, missing)?;
                    path.pop();
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    path.push(name.clone());
                    self.fill_at(field, path, missing)?;
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    fn text(&self, text: &str) -> Result<String, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| path.starts_with('/')) {
            let content = (self.file)(Path::new(path)).map_err(|error| format!("cannot read {path}: {error}"))?;
            if content.len() > FILE_LIMIT {
                return Err(format!("{path} is larger than {FILE_LIMIT} bytes: it can't be a secret"));
            }
            return Ok(content.trim_end_matches(['\r', '\n']).to_owned());
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                filled.push('$');
                rest = after;
            } else if let Some((name, after)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                filled.push_str(&self.variable(name)?);
                rest = after;
            } else if after.starts_with('{') {
                return Err("`${` has no end: write ${NAME}, or $$ for a dollar sign".to_owned());
            } else {
                filled.push('$');
                rest = after;
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn variable(&self, expression: &str) -> Result<String, String> {
        let (name, default) = match expression.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (expression, None),
        };
        (self.environment)(name)
            .filter(|value| !value.is_empty())
            .or_else(|| default.map(str::to_owned))
            .ok_or_else(|| format!("the environment has no {name}: set it, or write ${{{name}:-a default}}"))
    }
}
