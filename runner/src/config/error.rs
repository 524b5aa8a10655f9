//! What can be wrong with a configuration.

/// The configuration can't be used. Trying again doesn't help; each message names the place and the fix.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no YAML.
    #[error("the configuration is no valid YAML: {0}")]
    Syntax(String),
    /// A value doesn't fit.
    #[error("{path}: {what}")]
    Value {
        /// Where, as `receivers.oncall.slack.token`.
        path: String,
        /// What is wrong and what would be right.
        what: String,
    },
    /// Routes don't fit; each fault names its path.
    #[error("{0}")]
    Routes(String),
}

impl ConfigError {
    /// A value that doesn't fit.
    pub fn value(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Value { path: path.into(), what: what.into() }
    }
}
