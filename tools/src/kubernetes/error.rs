//! Why a look at the cluster gave nothing.

use std::time::Duration;

use crate::ToolError;

/// Why a look at the cluster gave nothing, told to people who have just been woken. Trying again helps with
/// [`Self::Timeout`] and [`Self::Backend`] only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The credentials don't allow it.
    #[error("{what}")]
    Forbidden {
        /// Which verb on which resource is missing, for whom, and what grants it.
        what: String,
    },
    /// The gate's rules over objects don't allow it.
    #[error("not permitted: the gate refuses to {what} (`gate.objects`)")]
    Withheld {
        /// What was wanted, as `list pods in namespace shop`.
        what: String,
    },
    /// There is no such thing.
    #[error("there is no {what}{}", meant(near))]
    NotFound {
        /// The object, container or log.
        what: String,
        /// Those that may have been meant, the likeliest first.
        near: Vec<String>,
    },
    /// The cluster serves no such kind.
    #[error("the cluster serves no kind {kind:?}{}", meant(near))]
    UnknownKind {
        /// The word that was given.
        kind: String,
        /// Kinds that may have been meant, the likeliest first.
        near: Vec<String>,
    },
    /// The API server can't make sense of it: a selector, a name.
    #[error("{what}")]
    Invalid {
        /// What was wrong, in the API server's words.
        what: String,
    },
    /// No answer in time.
    #[error("the API server gave no answer to {what} in {after:?}; it may be overloaded: ask for less, or again")]
    Timeout {
        /// What was asked, as `list pods in namespace shop`.
        what: String,
        /// How long was waited.
        after: Duration,
    },
    /// The API server failed or was not reached.
    #[error("could not {what}: {why}")]
    Backend {
        /// What was asked, as `list pods in namespace shop`.
        what: String,
        /// Why it failed.
        why: String,
    },
}

fn meant(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [only] => format!("; did you mean {only}?"),
        several => format!("; did you mean one of {}?", several.join(", ")),
    }
}

impl From<LookError> for ToolError {
    fn from(error: LookError) -> Self {
        let text = error.to_string();
        match error {
            LookError::Forbidden { .. } | LookError::Withheld { .. } => Self::Forbidden(text),
            LookError::NotFound { .. } => Self::NotFound(text),
            LookError::UnknownKind { .. } | LookError::Invalid { .. } => Self::Arguments(text),
            LookError::Timeout { .. } | LookError::Backend { .. } => Self::Backend(text),
        }
    }
}
