//! From YAML to the configuration.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::source::Missing;
use super::{Config, ConfigError, Sources, Unset};

impl Config {
    /// Reads, fills and checks a configuration.
    pub fn from_yaml(text: &str, sources: &Sources<'_>) -> Result<Self, ConfigError> {
        Self::read(text, sources, Missing::Refuse)
    }

    /// Reads and checks a configuration where not all of its sources need to be there: tells which are not.
    pub fn check_yaml(text: &str, sources: &Sources<'_>) -> Result<(Self, Vec<Unset>), ConfigError> {
        let mut unset = Vec::new();
        let config = Self::read(text, sources, Missing::Note(&mut unset))?;
        Ok((config, unset))
    }

    fn read(text: &str, sources: &Sources<'_>, missing: Missing<'_>) -> Result<Self, ConfigError> {
        let mut value = if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            Value::Object(serde_json::Map::new())
        } else {
            serde_saphyr::from_str::<Value>(text).map_err(|error| ConfigError::Syntax(error.to_string()))?
        };
        sources.fill(&mut value, missing)?;
        let config: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = match error.path().to_string() {
                path if path == "." => "configuration".to_owned(),
                path => path,
            };
            ConfigError::Value { path, what: with_near_name(&error.into_inner().to_string()) }
        })?;
        config.check()?;
        Ok(config)
    }

    /// The JSON Schema of the configuration, for editors and for `marple config schema`.
    pub fn schema() -> Value {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>();
        schema.to_value()
    }
}

/// Adds to serde's message on an unknown field or variant the known one that is most like it.
fn with_near_name(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(wrong) = quoted.next().filter(|_| message.starts_with("unknown ")) else {
        return message.to_owned();
    };
    let near =
        quoted.map(|known| (edits(wrong, known), known)).min().filter(|(edits, known)| *edits * 2 <= known.len());
    match near {
        Some((_, known)) => format!("{message}; did you mean `{known}`?"),
        None => message.to_owned(),
    }
}

/// Levenshtein distance in characters.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut left_of = index + 1;
        let mut next = vec![left_of];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let cost = (diagonal + usize::from(from != *to)).min(above + 1).min(left_of + 1);
            diagonal = *above;
            left_of = cost;
            next.push(cost);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
