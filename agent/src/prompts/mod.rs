//! Every word that is said to a model: templates, embedded and overridable by a folder.

mod brief;
mod kept;
mod note;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use marple_tools::toolset::Instructions;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::json;

pub(crate) use brief::{Brief, Detail};
pub(crate) use note::Note;

use crate::{Mode, ToolOffer};

/// A template that can't be used. Another start with a mended folder helps.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The folder or a file in it could not be read.
    #[error("read prompts from {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that overrides nothing.
    #[error("{path} overrides no prompt; the prompts are {known}")]
    Unknown {
        /// Which.
        path: PathBuf,
        /// The names that there are.
        known: String,
    },
    /// A template with a fault.
    #[error("the prompt {name}: {source:#}")]
    Template {
        /// Its name.
        name: String,
        /// Which.
        source: minijinja::Error,
    },
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// The templates that come with marple, by the names that they have in `prompts/`.
        const EMBEDDED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../prompts/", $name)))),*];
    };
}

embedded![
    "case.j2",
    "instructions.j2",
    "judge.j2",
    "judged.j2",
    "notes/bad_arguments.j2",
    "notes/bad_conclusion.j2",
    "notes/bad_hypotheses.j2",
    "notes/beside_conclude.j2",
    "notes/calls_spent.j2",
    "notes/conclude_now.j2",
    "notes/cut.j2",
    "notes/folded.j2",
    "notes/mend.j2",
    "notes/mend_answer.j2",
    "notes/no_such_tool.j2",
    "notes/not_now.j2",
    "notes/out_of_time.j2",
    "notes/refute.j2",
    "notes/repeat.j2",
    "notes/repeat_shown.j2",
    "notes/say_or_look.j2",
    "notes/shortened.j2",
    "notes/sum_up.j2",
    "notes/summary.j2",
    "notes/too_many.j2",
    "notes/unverified.j2",
    "notes/weighed.j2",
    "notes/withheld.j2",
    "text_tools.j2",
];

/// What the template `instructions.j2` is given.
#[derive(Serialize)]
struct Opening<'a> {
    mode: Mode,
    toolsets: &'a [Instructions],
}

/// The prompts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prompts {
    templates: Arc<Environment<'static>>,
    embedded: Arc<Environment<'static>>,
}

impl Default for Prompts {
    fn default() -> Self {
        Self::embedded()
    }
}

impl Prompts {
    /// The prompts that come with marple.
    pub fn embedded() -> Self {
        let mut environment = environment();
        for (name, source) in EMBEDDED {
            if let Err(error) = environment.add_template(name, source) {
                tracing::error!(%error, name, "an embedded prompt has a fault");
            }
        }
        let embedded = Arc::new(environment);
        Self { templates: Arc::clone(&embedded), embedded }
    }

    /// The same with those replaced that are in this folder, under the names that they have in `prompts/`. Each is
    /// tried out before it is accepted.
    pub fn from_folder(folder: &Path) -> Result<Self, PromptError> {
        let embedded = Self::embedded().embedded;
        let mut environment = Environment::clone(&embedded);
        for path in Self::files(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if !EMBEDDED.iter().any(|(known, _)| *known == name) {
                let known = EMBEDDED.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
                return Err(PromptError::Unknown { path, known });
            }
            let source = std::fs::read_to_string(&path).map_err(|source| PromptError::Read { path, source })?;
            environment
                .add_template_owned(name.clone(), source)
                .map_err(|source| PromptError::Template { name, source })?;
        }
        let prompts = Self { templates: Arc::new(environment), embedded };
        prompts.try_all()?;
        Ok(prompts)
    }

    /// The templates of a folder, in the order of their names.
    pub fn files(folder: &Path) -> Result<Vec<PathBuf>, PromptError> {
        files(folder)
    }

    /// The instructions: the same for each case of a mode and the same toolsets, so that prompt caches hit from one case
    /// to the next.
    pub(crate) fn instructions(&self, mode: Mode, toolsets: &[Instructions]) -> String {
        self.render("instructions.j2", &Opening { mode, toolsets })
    }

    /// The first message: all that is known already.
    pub(crate) fn case(&self, brief: &Brief) -> String {
        self.render("case.j2", brief)
    }

    /// A short thing in the course of the investigation.
    pub(crate) fn note(&self, note: &Note<'_>) -> String {
        self.render(note.template(), note)
    }

    /// The tools, and how to call them, for a model that is offered them by words.
    pub(crate) fn text_tools(&self, offers: &[ToolOffer]) -> String {
        self.render("text_tools.j2", &text_tools(offers))
    }

    /// What a model is told that judges another's answers: its instructions, and the answer with what is right. The latter
    /// is given `case`, `causes` and `answer`.
    pub fn judge(&self, brief: &impl Serialize) -> (String, String) {
        (self.render("judge.j2", &json!({})), self.render("judged.j2", brief))
    }

    /// The names and sources of all prompts, in the order of the names: what answers hang on.
    pub fn sources(&self) -> Vec<(&'static str, String)> {
        let source = |name: &'static str| Some((name, self.templates.get_template(name).ok()?.source().to_owned()));
        EMBEDDED.iter().filter_map(|(name, _)| source(name)).collect()
    }

    /// A template that was tried out may still fail on values that the trial didn't have: then the embedded one speaks.
    fn render(&self, name: &str, values: &impl Serialize) -> String {
        let text = render(&self.templates, name, values).or_else(|error| {
            tracing::warn!(%error, name, "a prompt failed; the embedded one is used");
            render(&self.embedded, name, values)
        });
        text.unwrap_or_else(|error| {
            tracing::error!(%error, name, "an embedded prompt failed");
            String::new()
        })
    }

    fn try_all(&self) -> Result<(), PromptError> {
        let tried = |name: &str, result: Result<String, minijinja::Error>| {
            result.map(drop).map_err(|source| PromptError::Template { name: name.to_owned(), source })
        };
        for mode in [Mode::Conclude, Mode::Answer] {
            let sample = Instructions { toolset: "redis".to_owned(), text: "Begin with redis_info.".to_owned() };
            for toolsets in [vec![], vec![sample]] {
                let opening = Opening { mode, toolsets: &toolsets };
                tried("instructions.j2", render(&self.templates, "instructions.j2", &opening))?;
            }
        }
        for brief in Brief::samples() {
            tried("case.j2", render(&self.templates, "case.j2", &brief))?;
        }
        tried("judge.j2", render(&self.templates, "judge.j2", &json!({})))?;
        for verdict in ["fault", "no_fault", "inconclusive"] {
            let saying = json!({ "means": "the key that was changed", "any": ["TIMEOUT"] });
            let case = json!({ "verdict": verdict, "must": [saying], "must_not": [saying], "remedy": saying });
            let brief = json!({ "case": case, "causes": ["ConfigMap shop/settings"], "answer": "It is the key." });
            tried("judged.j2", render(&self.templates, "judged.j2", &brief))?;
        }
        let offer = ToolOffer {
            name: "kubernetes_get".to_owned(),
            description: "Reads an object.".to_owned(),
            parameters: json!({ "type": "object" }),
        };
        tried("text_tools.j2", render(&self.templates, "text_tools.j2", &text_tools(&[offer])))?;
        for note in Note::samples() {
            tried(note.template(), render(&self.templates, note.template(), &note))?;
        }
        Ok(())
    }
}

fn text_tools(offers: &[ToolOffer]) -> impl Serialize {
    let offer = |offer: &ToolOffer| json!({ "name": offer.name, "description": offer.description, "parameters": offer.parameters.to_string() });
    json!({ "tools": offers.iter().map(offer).collect::<Vec<_>>() })
}

fn render(environment: &Environment<'_>, name: &str, values: &impl Serialize) -> Result<String, minijinja::Error> {
    Ok(environment.get_template(name)?.render(Serde(values))?.trim().to_owned())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        Ok(syntax) => environment.set_syntax(syntax),
        Err(error) => tracing::error!(%error, "the syntax of the prompts has a fault"),
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

/// The templates of a folder and its folders, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PromptError> {
    let read = |source| PromptError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = entry.path();
        // A mounted ConfigMap holds its files once more, in folders that begin with two dots.
        if entry.file_name().as_encoded_bytes().starts_with(b"..") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "j2") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
