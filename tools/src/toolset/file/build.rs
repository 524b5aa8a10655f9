//! From an entry of a file to a toolset.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::document::{ToolEntry, ToolsetEntry, entry};
use super::known::without_tools;
use super::pages::Pages;
use super::prerequisite::Prerequisite;
use super::reference::resolve;
use super::schema::parameters;
use crate::command::{Body, CommandTool, Environment, Template, effect, installed};
use crate::gate::glob;
use crate::toolset::{Off, Offer, Probe, Toolset, ToolsetsConfig};
use crate::{Tool, ToolSpec};

/// Characters of a tool's description: each is paid for at every call.
const DESCRIPTION: usize = 600;

/// Characters of a toolset's instructions.
const INSTRUCTIONS: usize = 4_000;

/// Letters that a tool's name may have, which is what models' APIs take.
const NAME: usize = 64;

/// Builds the toolsets of a file.
pub(super) struct Builder<'a> {
    pub(super) file: &'a str,
    pub(super) config: &'a ToolsetsConfig,
    pub(super) environment: &'a Environment,
}

impl Builder<'_> {
    /// The toolset of an entry; one that can't be used is off, and says why.
    pub(super) fn toolset(&self, name: &str, value: Value) -> Toolset {
        let description = described(&value);
        match self.written(name, value) {
            Ok(Entry::Commands(written)) => Toolset::new(name, description, written),
            Ok(Entry::Pages(pages)) => Toolset::new(name, description, pages),
            Err(why) => Toolset::off(name, description, format!("{} ({})", why, self.file)),
        }
    }

    fn written(&self, name: &str, value: Value) -> Result<Entry, String> {
        let path = format!("toolsets.{name}");
        let mut toolset: ToolsetEntry = entry(&path, value)?;
        if !toolset.enabled {
            return Err("is switched off by `enabled: false`".to_owned());
        }
        let gets_pages = toolset.tools.is_empty() && toolset.config.get("endpoints").is_some();
        if toolset.tools.is_empty() && !gets_pages {
            return Err(without_tools(name));
        }
        if toolset.description.is_none() && !gets_pages {
            return Err(format!("{path}.description: is missing"));
        }
        resolve(&mut toolset.config, self.environment).map_err(|why| format!("{path}.config: {why}"))?;
        let named = Self::named(&toolset);
        let mut prerequisites = Vec::new();
        for (index, prerequisite) in std::mem::take(&mut toolset.prerequisites).into_iter().enumerate() {
            let read = Prerequisite::read(prerequisite, self.environment, &named, &self.config.command);
            prerequisites.extend(read.map_err(|why| format!("{path}.prerequisites[{index}]: {why}"))?);
        }
        let instructions = instructions(&path, &toolset)?;
        if gets_pages {
            if !toolset.approval_required_tools.is_empty() {
                return Err(format!("{path}.approval_required_tools: pages are got without approval; remove it"));
            }
            return self.pages(name, toolset.config, prerequisites, instructions).map(Entry::Pages);
        }
        let trusted = self.config.trusted.iter().any(|pattern| glob::fits(pattern, name));
        let mut notes = Vec::new();
        let summed = toolset.tools.iter().any(|tool| !tool.transformers.is_empty());
        if summed || !toolset.transformers.is_empty() {
            notes.push(
                "llm_summarize is not used: what is long is shown in part, kept whole as evidence, and can be searched"
                    .to_owned(),
            );
        }
        let mut tools = Vec::new();
        for (index, tool) in std::mem::take(&mut toolset.tools).into_iter().enumerate() {
            let asks = toolset.approval_required_tools.iter().any(|pattern| glob::fits(pattern, &tool.name));
            tools.push(self.tool(&format!("{path}.tools[{index}]"), tool, trusted, asks, &named)?);
        }
        let help = [toolset.installation_instructions.take(), toolset.docs_url.take()].into_iter().flatten().collect();
        let environment = self.environment.clone();
        Ok(Entry::Commands(Written { prerequisites, instructions, tools, notes, help, environment }))
    }

    /// Variables that the toolset names: its prerequisites ask for them.
    fn named(toolset: &ToolsetEntry) -> BTreeSet<String> {
        toolset.prerequisites.iter().flat_map(|prerequisite| prerequisite.env.iter().flatten()).cloned().collect()
    }

    fn tool(
        &self,
        path: &str,
        tool: ToolEntry,
        trusted: bool,
        asks: bool,
        named: &BTreeSet<String>,
    ) -> Result<Ready, String> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        if tool.name.is_empty() || tool.name.len() > NAME || !tool.name.chars().all(fits) {
            return Err(format!("{path}.name: {:?} is none: letters, digits, _ and -, at most {NAME}", tool.name));
        }
        let template =
            |field: &str, text: &str| Template::new(text).map_err(|error| format!("{path}.{field}: {error}"));
        let (field, body) = match (&tool.command, &tool.script) {
            (Some(command), None) => ("command", Body::Command(template("command", command)?)),
            (None, Some(script)) => ("script", Body::Script(template("script", script)?)),
            _ => return Err(format!("{path}: needs one of `command` and `script`, and not both")),
        };
        if let Some(name) = body.template().variables().iter().find(|name| self.environment.get(name).is_none()) {
            return Err(format!("{path}.{field}: the environment has no {name}"));
        }
        let program = body.program().map_err(|error| format!("{path}.{field}: {error}"))?;
        let title = tool.user_description.as_deref().map(|text| template("user_description", text)).transpose()?;
        let spec = ToolSpec {
            parameters: parameters(path, tool.parameters, body.template())?,
            description: shortened(&tool.description, DESCRIPTION).into(),
            name: tool.name.into(),
            effect: effect(trusted),
        };
        let tool = CommandTool::new(spec, body, self.environment.clone(), named.clone(), self.config.command.clone());
        Ok(Ready { tool: Arc::new(tool.with_title(title).asking(asks)), program })
    }
}

/// What an entry describes.
enum Entry {
    Commands(Written),
    Pages(Pages),
}

/// A tool, and the program that it needs as far as its author's text tells.
struct Ready {
    tool: Arc<dyn Tool>,
    program: Option<String>,
}

/// A toolset as it is written.
struct Written {
    prerequisites: Vec<Prerequisite>,
    instructions: Option<String>,
    tools: Vec<Ready>,
    notes: Vec<String>,
    /// How to install what is missing, and where to read more.
    help: Vec<String>,
    environment: Environment,
}

#[async_trait]
impl Probe for Written {
    async fn probe(&self) -> Result<Offer, Off> {
        Prerequisite::check_all(&self.prerequisites, &self.environment).await.map_err(|off| self.helped(off))?;
        let mut offer =
            Offer { notes: self.notes.clone(), instructions: self.instructions.clone(), ..Offer::default() };
        for Ready { tool, program } in &self.tools {
            match program.as_ref().filter(|program| installed(program, &self.environment).is_none()) {
                None => offer.tools.push(Arc::clone(tool)),
                Some(program) => {
                    offer.notes.push(format!("{} is left out: {program} is not installed", tool.spec().name));
                }
            }
        }
        if offer.tools.is_empty() {
            let missing: BTreeSet<&str> = self.tools.iter().filter_map(|ready| ready.program.as_deref()).collect();
            let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
            return Err(self.helped(Off(format!("{missing}: not installed where marple runs, or not on its PATH"))));
        }
        Ok(offer)
    }
}

impl Written {
    fn helped(&self, Off(why): Off) -> Off {
        Off(std::iter::once(why).chain(self.help.iter().cloned()).collect::<Vec<_>>().join("; "))
    }
}

/// What the model is told, with the names and settings that the author may use.
fn instructions(path: &str, toolset: &ToolsetEntry) -> Result<Option<String>, String> {
    let Some(text) = &toolset.llm_instructions else { return Ok(None) };
    let names: Vec<Value> = toolset.tools.iter().map(|tool| tool.name.clone().into()).collect();
    let values = [("tool_names".to_owned(), names.into()), ("config".to_owned(), toolset.config.clone())];
    rendered(path, text, &values.into_iter().collect())
}

/// Instructions as a model is told them.
pub(super) fn rendered(path: &str, text: &str, values: &Map<String, Value>) -> Result<Option<String>, String> {
    let fault = |error: String| format!("{path}.llm_instructions: {error}");
    let template = Template::new(text).map_err(|error| fault(error.to_string()))?;
    let text = template.text(values).map_err(|error| fault(error.to_string()))?;
    Ok(Some(shortened(&text, INSTRUCTIONS)).filter(|text| !text.is_empty()))
}

/// An entry's description in one line, whatever else is wrong with the entry.
pub(super) fn described(entry: &Value) -> String {
    let described = entry.get("description").and_then(Value::as_str).unwrap_or_default();
    described.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without spaces around it, cut where it is long.
fn shortened(text: &str, most: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
