//! Why a model gave no answer.

/// Why a model gave no answer, after all retries that could help. The messages name what to do.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelError {
    /// The request is longer than the model takes; a shorter one may pass.
    #[error("the request is too long for the model: {0}")]
    ContextLength(String),
    /// The key is missing, wrong, or not allowed to use the model. Nothing but another setting helps.
    #[error("{0}")]
    Denied(String),
    /// The address or the model's name is wrong. Nothing but another setting helps.
    #[error("{0}")]
    NotFound(String),
    /// The server understood, and refuses the request as it is.
    #[error("{0}")]
    Rejected(String),
    /// The server asks to be asked later, longer than may be waited.
    #[error("{0}")]
    RateLimited(String),
    /// The server failed, was not reached, or broke off, each time. A later investigation may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// As many requests as may be are under way, and none ended in time. The server was not asked.
    #[error("{0}")]
    Busy(String),
    /// It did not answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// It may not be asked: a person has stopped it, or what all may spend is spent.
    #[error("{0}")]
    Stopped(String),
    /// The same, but it was asked already: what was sent is paid for.
    #[error("{0}")]
    BrokenOff(String),
}

impl ModelError {
    /// Whether too much is asked of it at a time: a later request may be answered.
    pub const fn is_limited(&self) -> bool {
        matches!(self, Self::RateLimited(_) | Self::Busy(_))
    }

    /// In one word, for metrics and spans.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ContextLength(_) => "too_long",
            Self::Denied(_) => "denied",
            Self::NotFound(_) => "not_found",
            Self::Rejected(_) => "rejected",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Busy(_) => "busy",
            Self::TimedOut(_) => "timed_out",
            Self::Stopped(_) | Self::BrokenOff(_) => "stopped",
        }
    }
}
