//! The models that are named, and what names them.

use marple_agent::ModelConfig;
use marple_agent::model::DEFAULT;

use super::{Config, ConfigError};

impl Config {
    /// The default model and the others, with their paths.
    fn all_models(&self) -> impl Iterator<Item = (String, &ModelConfig)> {
        let default = self.model.iter().map(|model| ("model".to_owned(), model));
        default.chain(self.models.iter().map(|(name, model)| (format!("models.{name}"), model)))
    }

    /// The models that may answer people's questions, by the names that people know and the keys that they have here: the
    /// fast one first where there is one, else the default one, which is known by its own name.
    pub fn models_of_questions(&self) -> Vec<(String, String)> {
        let Some(model) = &self.model else { return Vec::new() };
        let default = if self.models.contains_key(&model.name) { DEFAULT } else { &model.name };
        let others = self.models.keys().map(|key| (key.clone(), key.clone()));
        let mut all: Vec<_> = std::iter::once((default.to_owned(), DEFAULT.to_owned())).chain(others).collect();
        all.sort_by_key(|(_, key)| Some(key) != self.fast_model.as_ref());
        all
    }

    pub(super) fn check_models(&self) -> Result<(), ConfigError> {
        if self.models.contains_key(DEFAULT) {
            let what = "is the name of `model`: give this one another";
            return Err(ConfigError::value(format!("models.{DEFAULT}"), what));
        }
        if self.model.is_none() && !self.models.is_empty() {
            let what = "is missing, and models name others beside it: say by `model` which one is asked first";
            return Err(ConfigError::value("model", what));
        }
        for (path, model) in self.all_models() {
            model.check().map_err(|(setting, what)| ConfigError::value(format!("{path}.{setting}"), what))?;
            for (place, name) in model.fallback.iter().enumerate() {
                let place = format!("{path}.fallback[{place}]");
                if *name == path.strip_prefix("models.").unwrap_or(DEFAULT) {
                    return Err(ConfigError::value(place, "is the model itself: name another"));
                }
                if model.fallback.iter().filter(|other| *other == name).count() > 1 {
                    return Err(ConfigError::value(place, format!("names {name:?} twice")));
                }
                self.check_model_name(place, name)?;
            }
        }
        match &self.fast_model {
            Some(name) => self.check_model_name("fast_model".to_owned(), name),
            None => Ok(()),
        }
    }

    fn check_model_name(&self, path: String, name: &str) -> Result<(), ConfigError> {
        if name == DEFAULT || self.models.contains_key(name) {
            return Ok(());
        }
        let known =
            std::iter::once(DEFAULT).chain(self.models.keys().map(String::as_str)).collect::<Vec<_>>().join(", ");
        Err(ConfigError::value(
            path,
            format!("there is no model {name:?}; the models are {known} (`model` is default)"),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Sources;
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let sources = Sources { environment: &|_| None, file: &|_| Err(std::io::ErrorKind::NotFound.into()) };
        Config::from_yaml(text, &sources).map_err(|error| error.to_string())
    }

    #[test]
    fn models_are_named_and_one_of_them_may_be_the_fast_one() {
        let text = "model: { name: strong, fallback: [local, cheap], hedge_after: 20s }\n\
                    models: { cheap: { name: small, fallback: [default] }, local: { name: qwen, tools: text } }\n\
                    fast_model: cheap";
        let config = read(text).unwrap();
        let named = |config: &Config| -> Vec<String> {
            config.models_of_questions().into_iter().map(|(name, key)| format!("{name} {key}")).collect()
        };
        assert_eq!(named(&config), ["cheap cheap", "strong default", "local local"]);
        assert_eq!(named(&read("model: { name: strong }").unwrap()), ["strong default"]);
        let same = read("model: { name: strong }\nmodels: { strong: { name: other } }").unwrap();
        assert_eq!(named(&same), ["default default", "strong strong"]);
        assert_eq!(named(&Config::default()), Vec::<String>::new());
    }

    #[test]
    fn what_names_a_model_that_is_not_there_or_can_not_be_says_where_and_what_to_do() {
        let with = |model: &str| format!("model: {{ name: a, {model} }}\nmodels: {{ cheap: {{ name: b }} }}");
        for (text, fault) in [
            (
                with("fallback: [chaep]"),
                "model.fallback[0]: there is no model \"chaep\"; the models are default, cheap (`model` is default)",
            ),
            (with("fallback: [default]"), "model.fallback[0]: is the model itself: name another"),
            (with("fallback: [cheap, cheap]"), "model.fallback[0]: names \"cheap\" twice"),
            (with("hedge_after: 5s"), "model.hedge_after: needs a fallback, who is asked then: name one in fallback"),
            (
                with("hedge_after: 5ms, fallback: [cheap]"),
                "model.hedge_after: is shorter than 1s: no model would answer in it",
            ),
            (with("breaker: { pause: 5m }"), "model.breaker.longest_pause: 2m is shorter than pause, 5m"),
            (
                with("prices: { prompt: -1 }"),
                "model.prices.prompt: is no price: US dollars for a million tokens, 0 or more",
            ),
            (
                with("extra_body: { stream: true }"),
                "model.extra_body.stream: is written by marple itself: leave it out",
            ),
            (
                "model: { name: a }\nfast_model: quick".to_owned(),
                "fast_model: there is no model \"quick\"; the models are default (`model` is default)",
            ),
            (
                "model: { name: a }\nmodels: { default: { name: b } }".to_owned(),
                "models.default: is the name of `model`: give this one another",
            ),
            (
                "models: { cheap: { name: b } }".to_owned(),
                "model: is missing, and models name others beside it: say by `model` which one is asked first",
            ),
            (
                "model: { name: a }\nmodels: { cheap: { name: ' ' } }".to_owned(),
                "models.cheap.name: is empty: write the model's name as its server knows it",
            ),
        ] {
            assert_eq!(read(&text).unwrap_err(), fault, "{text}");
        }
    }
}
