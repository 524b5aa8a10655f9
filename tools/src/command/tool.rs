//! A tool that runs a command.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::limits::Limits;
use super::mask::{unmask, unmasked};
use super::shell::{Refused, Scanned, scan, scan_script};
use super::{CommandConfig, Environment, Invocation, RunError, Template, run};
use crate::view::{self, Limits as Shown};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Characters of a failed command's output that its error tells: the end says why.
const TOLD: usize = 2_000;

/// What a tool runs.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A command: run without a shell where it is nothing but words.
    Command(Template),
    /// A script, for the interpreter in its first line, else for bash.
    Script(Template),
}

impl Body {
    /// Its template.
    pub(crate) const fn template(&self) -> &Template {
        match self {
            Self::Command(template) | Self::Script(template) => template,
        }
    }

    /// The program that must be there for it, as far as its author's text tells.
    pub(crate) fn program(&self) -> Result<Option<String>, String> {
        let outline = self.template().outline();
        if let Some(interpreter) = self.interpreter(&outline) {
            return Ok(interpreter.into_iter().next());
        }
        Ok(match scan(&outline).map_err(|refused| refused.to_string())? {
            Scanned::Program(words) => words.into_iter().next(),
            Scanned::Script(_) => Some("bash".to_owned()),
        })
    }

    /// What runs a script; nothing where a command may do without.
    fn interpreter(&self, text: &str) -> Option<Vec<String>> {
        let Self::Script(_) = self else { return None };
        let first = text.trim_start().lines().next().unwrap_or_default();
        let words = first.strip_prefix("#!").unwrap_or("bash").split_whitespace();
        Some(words.map(str::to_owned).collect())
    }

    /// What these values make of it. `named` are the variables that its toolset names; it is given those too that it
    /// names itself.
    pub(crate) fn invocation(
        &self,
        values: &Map<String, Value>,
        environment: &Environment,
        named: &BTreeSet<String>,
        config: &CommandConfig,
    ) -> Result<Invocation, String> {
        let text = self.template().render(values, environment).map_err(|error| error.to_string())?;
        let named = named.iter().cloned().chain(self.template().shell_variables()).collect();
        let (scanned, interpreter) = self.scanned(&text).map_err(|refused| refused.to_string())?;
        let environment = environment.part(&named, &config.environment);
        Ok(Invocation { scanned, interpreter, environment, limits: Limits::from(config) })
    }

    /// The rendered text as it is run, and what runs it where it is a script.
    fn scanned(&self, text: &str) -> Result<(Scanned, Vec<String>), Refused> {
        let interpreter = self.interpreter(text).unwrap_or_else(|| vec!["bash".to_owned()]);
        let shell =
            interpreter.iter().any(|word| matches!(word.rsplit('/').next(), Some("bash" | "sh" | "dash" | "ksh")));
        let scanned = match self {
            Self::Command(_) => scan(text)?,
            Self::Script(_) if shell => scan_script(text)?,
            // How another language quotes is not known here.
            Self::Script(_) if text.chars().any(|letter| unmask(letter).is_some()) => {
                return Err(Refused::Letters { place: "in a script that is no shell's" });
            }
            Self::Script(_) => Scanned::Script(unmasked(text)),
        };
        Ok((scanned, interpreter))
    }
}

/// A tool that runs a command.
pub(crate) struct CommandTool {
    spec: ToolSpec,
    body: Body,
    title: Option<Template>,
    asks: bool,
    environment: Environment,
    named: BTreeSet<String>,
    config: CommandConfig,
}

impl CommandTool {
    /// A tool that runs this, offered as `spec` says. `named` are the variables that its toolset names.
    pub(crate) fn new(
        spec: ToolSpec,
        body: Body,
        environment: Environment,
        named: BTreeSet<String>,
        config: CommandConfig,
    ) -> Self {
        Self { spec, body, title: None, asks: false, environment, named, config }
    }

    /// The same with a title for people.
    pub(crate) fn with_title(mut self, title: Option<Template>) -> Self {
        self.title = title;
        self
    }

    /// The same, asking a person before each call.
    pub(crate) fn asking(mut self, asks: bool) -> Self {
        self.asks = asks;
        self
    }

    fn title(&self, values: &Map<String, Value>) -> String {
        let told = self.title.as_ref().and_then(|title| title.text(values).ok());
        told.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()).unwrap_or_else(|| {
            let given = values.iter().map(|(name, value)| match value {
                Value::String(text) => format!(" {name}={text}"),
                other => format!(" {name}={other}"),
            });
            format!("{}{}", self.spec.name, given.collect::<String>())
        })
    }
}

#[async_trait]
impl Tool for CommandTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn asks(&self) -> bool {
        self.asks
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let name = &self.spec.name;
        let values = arguments::parse_by(name, &self.spec.parameters, arguments)?;
        let invocation = self
            .body
            .invocation(&values, &self.environment, &self.named, &self.config)
            .map_err(|why| ToolError::Arguments(format!("{name}: {why}")))?;
        let ran = match run(invocation).await {
            Ok(ran) => ran,
            Err(RunError::Timeout { after, output }) => {
                let told = end(&output);
                return Err(ToolError::Backend(format!(
                    "{name} was ended after {} s; ask for less. Its output ended with:\n{told}",
                    after.as_secs_f64()
                )));
            }
            Err(error) => return Err(ToolError::Backend(format!("{name}: {error}"))),
        };
        if !ran.status.success() {
            return Err(ToolError::Backend(format!("{name} failed ({}):\n{}", ran.status, end(&ran.output))));
        }
        let title = self.title(&values);
        if ran.output.trim().is_empty() {
            return Ok(Output { title, content: "no data\n".to_owned(), ..Output::default() });
        }
        let view = view::bounded(&ran.output, Shown::default());
        Ok(Output { title, view: (view != ran.output).then_some(view), content: ran.output, ..Output::default() })
    }
}

/// The end of an output, with how much is before it.
fn end(output: &str) -> String {
    let output = output.trim_end();
    if output.is_empty() {
        return "(no output)".to_owned();
    }
    let more = output.chars().count().saturating_sub(TOLD);
    let told: String = output.chars().skip(more).collect();
    if more == 0 { told } else { format!("… {more} characters left out …\n{told}") }
}

/// The tool's effect: what is trusted to look only passes the gate as other looks do.
pub(crate) const fn effect(trusted: bool) -> Effect {
    if trusted { Effect::Read } else { Effect::Exec }
}
