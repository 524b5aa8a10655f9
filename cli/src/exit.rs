//! What the program's exit code says; `marple help` and docs/operating.md list the same.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// It looked, and what could be seen establishes no cause.
    Inconclusive,
    /// The configuration or an argument is wrong; trying again doesn't help.
    Configuration(anyhow::Error),
    /// Something needed was not reached or failed; trying again may help.
    Failed(anyhow::Error),
    /// It measured, and less passed than was wanted.
    Below(String),
    /// A person or the system asked it to stop before it was done.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed(error) => told(&error, 1),
            // 2 is clap's own for wrong arguments: both mean that the call must be changed.
            Exit::Configuration(error) => told(&error, 2),
            Exit::Inconclusive => Self::from(3),
            Exit::Below(why) => told(&anyhow::Error::msg(why), 4),
            Exit::Interrupted => Self::from(130),
        }
    }
}

fn told(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("marple: {}", words(error));
    ExitCode::from(code)
}

/// An error with its causes, each once: many say their causes themselves.
pub(crate) fn words(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if said.contains(&cause) {
            continue;
        }
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&cause);
    }
    said
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let read = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Err::<(), _>(read).context("bundle a.bundle: entity not found").context("replay").unwrap_err();
        assert_eq!(words(&error), "replay: bundle a.bundle: entity not found");
        assert_eq!(words(&anyhow::anyhow!("one").context("two")), "two: one");
    }
}
