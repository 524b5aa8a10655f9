//! Silences at Alertmanager, by its API v2.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::Secret;
use reqwest::{Method, RequestBuilder, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::ToolError;

/// How long Alertmanager may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const LARGEST: usize = 16 << 20;

/// Where Alertmanager is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// Base URL, as `http://alertmanager.monitoring:9093`; a path before `/api/v2` belongs to it.
    #[serde(deserialize_with = "url")]
    #[schemars(with = "String")]
    pub url: Url,
    /// The bearer token to log in with; without it, not at all.
    #[serde(default)]
    pub token: Option<Secret>,
}

/// An address without credentials in it: those would show in messages.
fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url: Result<Url, _> = text.parse();
    let usable =
        |url: &Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    url.ok().filter(usable).ok_or_else(|| {
        serde::de::Error::custom(
            "this is no URL without a login in it; write it as http://alertmanager.monitoring:9093",
        )
    })
}

/// Alertmanager. Cheap to clone.
#[derive(Clone)]
pub(super) struct Silences {
    client: reqwest::Client,
    config: AlertmanagerConfig,
}

/// One condition on a label, as `namespace="shop"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: bool,
}

impl FromStr for Matcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no matcher: write as namespace=shop, pod=~cart-.*, severity!=info");
        let at = text.find(['=', '!']).ok_or_else(wrong)?;
        let (name, rest) = text.split_at_checked(at).ok_or_else(wrong)?;
        let (operator, value) = ["=~", "!~", "!=", "="]
            .iter()
            .find_map(|operator| Some((*operator, rest.strip_prefix(operator)?)))
            .ok_or_else(wrong)?;
        let name = name.trim();
        let named = name.chars().enumerate().all(|(index, letter)| {
            letter.is_ascii_alphabetic() || letter == '_' || index > 0 && letter.is_ascii_digit()
        });
        if name.is_empty() || !named {
            return Err(wrong());
        }
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
            is_regex: operator.contains('~'),
            is_equal: !operator.contains('!'),
        })
    }
}

impl Matcher {
    /// Whether it leaves out what it doesn't name: a silence needs one that does, or it hides everything.
    pub(super) fn narrows(&self) -> bool {
        let anything = self.is_regex
            && self.value.chars().all(|letter| matches!(letter, '.' | '*' | '+' | '^' | '$' | '(' | ')' | '|'));
        self.is_equal && !self.value.is_empty() && !anything
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (true, true) => "=~",
            (false, false) => "!=",
            (false, true) => "!~",
        };
        write!(formatter, "{}{operator}{:?}", self.name, self.value)
    }
}

/// A silence to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) matchers: Vec<Matcher>,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) comment: String,
}

impl Silences {
    pub(super) fn new(config: &AlertmanagerConfig) -> Result<Self, reqwest::Error> {
        // A redirect could carry the token elsewhere.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { client, config: config.clone() })
    }

    /// The alerts that fire, are not silenced yet, and fit all matchers: their labels.
    pub(super) async fn fitting(&self, matchers: &[Matcher]) -> Result<Vec<Value>, ToolError> {
        let mut query = vec![("active", "true".to_owned()), ("silenced", "false".to_owned())];
        query.extend(matchers.iter().map(|matcher| ("filter", matcher.to_string())));
        let request = self.request(Method::GET, "alerts", "list its alerts")?.query(&query);
        let alerts = self.answer(request, "list its alerts").await?;
        let labels = |alert: &Value| alert.get("labels").cloned();
        Ok(alerts.as_array().into_iter().flatten().filter_map(labels).collect())
    }

    /// The silence in force of exactly these matchers: its id and when it ends.
    pub(super) async fn same(&self, matchers: &[Matcher]) -> Result<Option<(String, String)>, ToolError> {
        let request = self.request(Method::GET, "silences", "list its silences")?;
        let silences = self.answer(request, "list its silences").await?;
        let wanted = sorted(matchers.iter().filter_map(|matcher| serde_json::to_value(matcher).ok()).collect());
        let same = |silence: &&Value| {
            let matchers = silence.get("matchers").and_then(Value::as_array).cloned().unwrap_or_default();
            silence.pointer("/status/state").is_some_and(|state| state == "active") && sorted(matchers) == wanted
        };
        let text = |silence: &Value, field: &str| silence.get(field).and_then(Value::as_str).map(str::to_owned);
        let found = silences.as_array().into_iter().flatten().find(same);
        Ok(found.and_then(|silence| Some((text(silence, "id")?, text(silence, "endsAt")?))))
    }

    /// Sets a silence; gives its id.
    pub(super) async fn set(&self, draft: &Draft, by: &str) -> Result<String, ToolError> {
        let body = json!({
            "matchers": draft.matchers, "startsAt": draft.starts_at.to_string(), "endsAt": draft.ends_at.to_string(),
            "createdBy": format!("marple, approved by {by}"), "comment": draft.comment
        });
        let request = self.request(Method::POST, "silences", "set a silence")?.json(&body);
        let answer = self.answer(request, "set a silence").await?;
        let id = answer.get("silenceID").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| ToolError::Backend("Alertmanager gave the silence no id".to_owned()))
    }

    fn request(&self, method: Method, what: &str, doing: &str) -> Result<RequestBuilder, ToolError> {
        let mut base = self.config.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let url = base
            .join("api/v2/")
            .and_then(|api| api.join(what))
            .map_err(|error| ToolError::Backend(format!("could not {doing}: `act.alertmanager.url`: {error}")))?;
        let request = self.client.request(method, url);
        Ok(match &self.config.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        })
    }

    async fn answer(&self, request: RequestBuilder, doing: &str) -> Result<Value, ToolError> {
        let failed = |why: String| ToolError::Backend(format!("could not ask Alertmanager to {doing}: {why}"));
        let broken = |error: reqwest::Error| failed(error.without_url().to_string());
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(failed(format!("its answer is larger than {} MiB", LARGEST >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        let start: String = String::from_utf8_lossy(&body).trim().chars().take(300).collect();
        match status.as_u16() {
            200..=299 => {
                serde_json::from_slice(&body).map_err(|error| failed(format!("its answer is no JSON: {error}")))
            }
            400 | 422 => Err(ToolError::Arguments(format!("Alertmanager refused to {doing}: {start}"))),
            401 | 403 => Err(ToolError::Forbidden(format!("Alertmanager did not let marple {doing} ({status})"))),
            _ => Err(failed(format!("{status}: {start}"))),
        }
    }
}

/// Matchers in one order, for they are a set.
fn sorted(mut matchers: Vec<Value>) -> Vec<String> {
    let told = |matcher: &Value| {
        let field = |name: &str| matcher.get(name).cloned().unwrap_or_default();
        let equal = matcher.get("isEqual").cloned().unwrap_or(Value::Bool(true));
        format!("{} {} {equal} {}", field("name"), field("isRegex"), field("value"))
    };
    let mut sorted: Vec<String> = matchers.drain(..).map(|matcher| told(&matcher)).collect();
    sorted.sort();
    sorted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn matchers_are_read_as_alertmanager_writes_them() {
        for (text, wanted, narrows) in [
            ("namespace=shop", "namespace=\"shop\"", true),
            ("pod =~ \"cart-.*\"", "pod=~\"cart-.*\"", true),
            ("severity!=info", "severity!=\"info\"", false),
            ("a!~b", "a!~\"b\"", false),
            ("alertname=~.*", "alertname=~\".*\"", false),
            ("team=", "team=\"\"", false),
        ] {
            let matcher: Matcher = text.parse().unwrap();
            assert_eq!((matcher.to_string().as_str(), matcher.narrows()), (wanted, narrows));
        }
        for text in ["", "shop", "=x", "1a=b", "a b=c"] {
            assert!(text.parse::<Matcher>().is_err(), "{text:?}");
        }
    }
}
