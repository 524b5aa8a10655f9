//! Where in a script a letter stands, and where an argument's may not.

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Among commands and their words.
    Command,
    /// In `$(…)` or `<(…)`.
    Substitution,
    /// In `(…)`.
    Parentheses,
    /// In double quotes.
    Double,
    /// In single quotes.
    Single,
    /// In `$'…'`.
    Escaped,
    /// In backticks.
    Backtick,
    /// In `${…}`.
    Parameter,
    /// In `((…))` or `$((…))`, with so many parentheses open.
    Arithmetic(u32),
    /// In `[[ … ]]`.
    Test,
}

impl Place {
    /// Why an argument's letter can't be quoted there, or in what stands there.
    pub(super) const fn refuses(self) -> Option<&'static str> {
        match self {
            Self::Command | Self::Substitution | Self::Parentheses | Self::Double | Self::Single => None,
            Self::Escaped => Some("in $'…'"),
            Self::Backtick => Some("in backticks"),
            Self::Parameter => Some("in ${…}"),
            Self::Arithmetic(_) => Some("in arithmetic"),
            Self::Test => Some("in [[ … ]]"),
        }
    }

    /// How it is called where its end is missing.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Command => "the command",
            Self::Substitution => "$(…)",
            Self::Parentheses => "(…)",
            Self::Double => "a double quote",
            Self::Single => "a single quote",
            Self::Escaped => "$'…'",
            Self::Backtick => "a backtick",
            Self::Parameter => "${…}",
            Self::Arithmetic(_) => "((…))",
            Self::Test => "[[ … ]]",
        }
    }
}

/// Why a rendered command is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::command) enum Refused {
    /// Letters of an argument stand where no quoting is sure.
    #[error(
        "an argument stands {place} of the command, where it may hold only letters, digits and @ % + = : , . / - _"
    )]
    Letters {
        /// Where.
        place: &'static str,
    },
    /// An argument would be read as an option.
    #[error("the argument {word:?} begins with a dash, so the program would take it as an option")]
    Option {
        /// Which.
        word: String,
    },
    /// The author's text is no script: something has no end.
    #[error("{what} has no end in the command")]
    Unended {
        /// What.
        what: &'static str,
    },
}
