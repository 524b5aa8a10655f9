//! The models that answer people's questions.

use std::sync::Arc;

use marple_agent::{Investigator, Purse};

use super::ChatError;

/// The name under which the rules are known where no model is set.
const RULES: &str = "rules";

/// The models that answer people's questions, by name; the first where none is named. Without one the rules answer.
#[derive(Clone, Default)]
pub struct Answerers(Vec<Answerer>);

/// One of them.
#[derive(Clone)]
pub struct Answerer {
    /// Its name, as it is listed.
    pub name: String,
    /// The key under which the configuration has it, which names it too.
    pub key: String,
    /// Asks it.
    pub investigator: Investigator,
}

impl Answerers {
    /// These, in this order.
    pub fn new(answerers: impl IntoIterator<Item = Answerer>) -> Self {
        Self(answerers.into_iter().collect())
    }

    /// The same, spending from what others spend from too.
    #[must_use]
    pub(crate) fn with_purse(self, purse: &Arc<dyn Purse>) -> Self {
        let with = |one: Answerer| Answerer { investigator: one.investigator.with_purse(Arc::clone(purse)), ..one };
        Self(self.0.into_iter().map(with).collect())
    }

    /// Their names, that of the first one first.
    pub fn names(&self) -> Vec<&str> {
        if self.0.is_empty() { vec![RULES] } else { self.0.iter().map(|one| one.name.as_str()).collect() }
    }

    /// The first one.
    pub fn first(&self) -> Option<&Answerer> {
        self.0.first()
    }

    /// The one of this name, or the first; none where the rules answer.
    pub(super) fn choose(&self, name: Option<&str>) -> Result<Option<&Answerer>, ChatError> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(self.first()) };
        let named = self.0.iter().find(|one| one.name == name).or_else(|| self.0.iter().find(|one| one.key == name));
        if named.is_none() && !(self.0.is_empty() && name == RULES) {
            let known = self.names().join(", ");
            return Err(ChatError::NoModel { name: name.chars().take(100).collect(), known });
        }
        Ok(named)
    }
}
