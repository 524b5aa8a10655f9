//! `skill`: reads a run-book.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::index::{LARGEST, text};
use super::{Skill, front};
use crate::near::nearest;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Reads a run-book.
pub(super) struct Read {
    skills: Vec<Skill>,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    name: String,
}

impl Read {
    pub(super) fn new(skills: Vec<Skill>) -> Self {
        Self { skills, spec: arguments::spec::<Arguments>("skill", "Reads a run-book by its name.", Effect::Read) }
    }

    fn find(&self, name: &str) -> Result<&Skill, ToolError> {
        self.skills.iter().find(|skill| skill.name.eq_ignore_ascii_case(name.trim())).ok_or_else(|| {
            let near = nearest(name, self.skills.iter().map(|skill| skill.name.as_str()), 3);
            let meant = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            ToolError::NotFound(format!("there is no skill {name:?}{meant}"))
        })
    }
}

#[async_trait]
impl Tool for Read {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let Arguments { name } = arguments::parse(&self.spec.name, arguments)?;
        let skill = self.find(&name)?;
        let file = skill.file.clone();
        let failed = |why: String| ToolError::Backend(format!("skill {}: {why}", skill.name));
        let read = tokio::task::spawn_blocking(move || text(&file, LARGEST)).await;
        let text = read.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
        // A file of a catalog has no front matter.
        let body = front::split(&text).map_or(text.as_str(), |(_, body)| body);
        // It is read to be followed, so all of it is shown where a view can hold it.
        Ok(Output { title: format!("skill {}", skill.name), content: body.to_owned(), ..Output::default() })
    }
}
