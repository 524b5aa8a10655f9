//! Commands as their authors write them: Jinja templates with the arguments' names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment as Jinja, UndefinedBehavior};
use regex::Regex;
use serde_json::{Map, Value};

use super::Environment;
use super::mask::{BEGINS, ENDS, is_reserved, mask, unmasked};

/// Characters that a command may have when rendered.
const LONGEST: usize = 256 * 1024;

/// Functions that templates know by themselves. Where one isn't called, its name is a parameter's, as `namespace`.
const FUNCTIONS: [&str; 4] = ["debug", "dict", "namespace", "range"];

/// A template can't be used, or not with these values. The text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TemplateError(pub(crate) String);

/// A template of a command or of a text.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    source: String,
    jinja: Jinja<'static>,
    names: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl Template {
    /// Reads a template.
    pub(crate) fn new(source: &str) -> Result<Self, TemplateError> {
        let fault = |error: minijinja::Error| TemplateError(format!("{error:#}"));
        if is_reserved(source) {
            return Err(TemplateError("it holds NUL or private-use characters".to_owned()));
        }
        let mut jinja = Jinja::new();
        // As Jinja2 has it: a name that was not given is empty, and false.
        jinja.set_undefined_behavior(UndefinedBehavior::Chainable);
        jinja.set_auto_escape_callback(|_| AutoEscape::None);
        jinja.set_formatter(|output, _, value| {
            let text = match value.kind() {
                ValueKind::Undefined | ValueKind::None => String::new(),
                // Its punctuation came with the argument.
                ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
                    mask(&unmasked(&serde_json::to_string(&Serde(value.clone()).0).unwrap_or_default()))
                }
                _ => value.to_string(),
            };
            Ok(write!(output, "{BEGINS}{text}{ENDS}")?)
        });
        let (called, others): (Vec<&str>, Vec<&str>) =
            FUNCTIONS.into_iter().partition(|function| source.contains(&format!("{function}(")));
        for function in others {
            jinja.remove_global(function);
        }
        jinja.add_template_owned("it", source.to_owned()).map_err(fault)?;
        let template = jinja.get_template("it").map_err(fault)?;
        let names = template.undeclared_variables(false);
        let known = |name: &str| matches!(name, "env" | "loop") || called.contains(&name);
        let names = names.into_iter().filter(|name| !known(name)).collect();
        let of_env = template.undeclared_variables(true).into_iter();
        let variables = of_env.filter_map(|name| name.strip_prefix("env.").map(str::to_owned)).collect();
        Ok(Self { source: source.to_owned(), jinja, names, variables })
    }

    /// The names that it takes values for.
    pub(crate) const fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Whether it does without a value of this name: it asks for it first, or has a default.
    pub(crate) fn does_without(&self, name: &str) -> bool {
        let name = regex::escape(name);
        Regex::new(&format!(r"\bif\b[^%]*\b{name}\b|\b{name}\s*\|\s*default\b|\bif\s+{name}\b"))
            .is_ok_and(|asks| asks.is_match(&self.source))
    }

    /// Variables of the environment that it takes by `{{ env.NAME }}`.
    pub(crate) const fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }

    /// Variables of the environment that it names as a shell does, `$NAME` or `${NAME}`.
    pub(crate) fn shell_variables(&self) -> BTreeSet<String> {
        static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)").ok());
        let named = NAMED.iter().flat_map(|named| named.captures_iter(&self.source));
        named.filter_map(|found| found.get(1)).map(|name| name.as_str().to_owned()).collect()
    }

    /// The text with these values, their letters masked.
    pub(super) fn render(
        &self,
        values: &Map<String, Value>,
        environment: &Environment,
    ) -> Result<String, TemplateError> {
        let mut context: Map<String, Value> = Map::new();
        for (name, value) in values {
            context.insert(name.clone(), masked(name, value)?);
        }
        let env = self.variables.iter().filter_map(|name| Some((name.clone(), mask(environment.get(name)?).into())));
        context.insert("env".to_owned(), Value::Object(env.collect()));
        let text = self
            .jinja
            .get_template("it")
            .and_then(|template| template.render(Serde(context)))
            .map_err(|error| TemplateError(format!("{error:#}")))?;
        if text.len() > LONGEST {
            return Err(TemplateError(format!("the command would have {} bytes; {LONGEST} are allowed", text.len())));
        }
        Ok(text)
    }

    /// The text with these values, to be read by people or a model.
    pub(crate) fn text(&self, values: &Map<String, Value>) -> Result<String, TemplateError> {
        self.render(values, &Environment::default()).map(|text| unmasked(&text))
    }

    /// The author's text alone, with a letter in the place of each value: what kind of command it is.
    pub(crate) fn outline(&self) -> String {
        static VALUES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)\{\{.*?\}\}").ok());
        static BLOCKS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)\{%.*?%\}|\{#.*?#\}").ok());
        let mut text = self.source.clone();
        if let Some(values) = VALUES.as_ref() {
            text = values.replace_all(&text, "x").into_owned();
        }
        if let Some(blocks) = BLOCKS.as_ref() {
            text = blocks.replace_all(&text, "").into_owned();
        }
        text
    }
}

/// A value with the letters of its texts masked.
fn masked(name: &str, value: &Value) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) if is_reserved(text) => {
            return Err(TemplateError(format!("argument `{name}` holds NUL or private-use characters")));
        }
        Value::String(text) => Value::String(mask(text)),
        Value::Array(values) => values.iter().map(|value| masked(name, value)).collect::<Result<_, _>>()?,
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| Ok((mask(key), masked(name, value)?)))
            .collect::<Result<Map<_, _>, TemplateError>>()?
            .into(),
        other => other.clone(),
    })
}
