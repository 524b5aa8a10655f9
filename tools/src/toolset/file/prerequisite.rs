//! What must hold for a toolset to work.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Map;

use super::document::PrerequisiteEntry;
use crate::command::{Body, CommandConfig, Environment, Invocation, RunError, Template, run};
use crate::toolset::Off;

/// How long the command of a prerequisite may run.
const DEADLINE: Duration = Duration::from_secs(20);

/// Characters of a failed command's output that are told.
const TOLD: usize = 200;

/// What must hold.
#[derive(Clone, Debug)]
pub(super) enum Prerequisite {
    /// This command ends with 0, and its output holds a text.
    Command { written: String, invocation: Box<Invocation>, expected: Option<String> },
    /// The environment has these variables.
    Variables(Vec<String>),
    /// Never, for a reason.
    Never(String),
}

impl Prerequisite {
    /// Reads one; nothing where it holds always.
    pub(super) fn read(
        entry: PrerequisiteEntry,
        environment: &Environment,
        named: &BTreeSet<String>,
        config: &CommandConfig,
    ) -> Result<Option<Self>, String> {
        match entry {
            PrerequisiteEntry {
                command: Some(written),
                expected_output,
                env: None,
                enabled: None,
                disabled_reason: None,
            } => {
                let body = Body::Command(Template::new(&written).map_err(|error| error.to_string())?);
                let invocation = body.invocation(&Map::new(), environment, named, config)?;
                let invocation = Box::new(invocation.within(DEADLINE));
                Ok(Some(Self::Command { written, invocation, expected: expected_output }))
            }
            PrerequisiteEntry {
                command: None,
                expected_output: None,
                env: Some(variables),
                enabled: None,
                disabled_reason: None,
            } => Ok(Some(Self::Variables(variables))),
            PrerequisiteEntry {
                command: None,
                expected_output: None,
                env: None,
                enabled: Some(enabled),
                disabled_reason,
            } => {
                let why = disabled_reason.unwrap_or_else(|| "a prerequisite says `enabled: false`".to_owned());
                Ok((!enabled).then_some(Self::Never(why)))
            }
            _ => Err("is one of `command` (with `expected_output`), `env`, and `enabled` (with `disabled_reason`)"
                .to_owned()),
        }
    }

    /// Whether all hold now; else the first that doesn't says why.
    pub(super) async fn check_all(all: &[Self], environment: &Environment) -> Result<(), Off> {
        for one in all {
            one.check(environment).await?;
        }
        Ok(())
    }

    async fn check(&self, environment: &Environment) -> Result<(), Off> {
        match self {
            Self::Never(why) => Err(Off(why.clone())),
            Self::Variables(names) => {
                let missing: Vec<&str> =
                    names.iter().filter(|name| environment.get(name).is_none()).map(String::as_str).collect();
                if missing.is_empty() {
                    return Ok(());
                }
                Err(Off(format!("the environment has no {}", missing.join(", "))))
            }
            Self::Command { written, invocation, expected } => {
                let off = |why: String| Off(format!("the prerequisite `{}` {why}", written.trim()));
                match run(invocation.as_ref().clone()).await {
                    Ok(ran) if !ran.status.success() => {
                        Err(off(format!("failed ({}): {}", ran.status, told(&ran.output))))
                    }
                    Ok(ran) => match expected.as_ref().filter(|expected| !ran.output.contains(expected.as_str())) {
                        Some(expected) => Err(off(format!("did not write {expected:?} but: {}", told(&ran.output)))),
                        None => Ok(()),
                    },
                    Err(RunError::Timeout { after, .. }) => Err(off(format!("did not end in {} s", after.as_secs()))),
                    Err(error) => Err(off(format!("can't be run: {error}"))),
                }
            }
        }
    }
}

/// The end of an output.
fn told(output: &str) -> String {
    let output = output.trim();
    let more = output.chars().count().saturating_sub(TOLD);
    let end: String = output.chars().skip(more).collect();
    if more == 0 { end } else { format!("… {end}") }
}
