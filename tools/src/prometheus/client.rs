//! The client of Prometheus's HTTP API, version 1.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::Labels;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::answer::{Frame, RawAlerts, RawAnswer, RawGroups};
use super::config::Authentication;
use super::{ActiveAlert, Answer, Metadata, PrometheusConfig, PrometheusError, Rule, Series, Warned};

/// The largest answer that is read: far more than anyone can use, and it fits into memory.
const LARGEST: usize = 32 << 20;

/// A stretch of time, and how far apart its points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first point.
    pub start: Timestamp,
    /// No point is later.
    pub end: Timestamp,
    /// From one point to the next.
    pub step: Duration,
}

/// A Prometheus. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Prometheus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: reqwest::Client,
    base: Url,
    auth: Option<Authentication>,
    timeout: Duration,
}

impl Prometheus {
    /// The Prometheus of a configuration. Nothing is sent yet.
    pub fn new(config: &PrometheusConfig) -> Result<Self, PrometheusError> {
        let wrong = |why: String| PrometheusError::Configuration(why);
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let header = HeaderName::try_from(name.as_str())
                .map_err(|_| wrong(format!("`headers` has {name:?}, which is no header's name")))?;
            let mut value = HeaderValue::from_str(value.expose())
                .map_err(|_| wrong(format!("the value of `headers.{name}` can't stand in a header")))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("marple/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.timeout.duration().min(Duration::from_secs(5)))
            // A redirect could carry the credentials elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .danger_accept_invalid_certs(config.insecure_skip_verify);
        for certificate in config.ca.iter().map(|ca| certificates(ca)).collect::<Result<Vec<_>, _>>()?.concat() {
            builder = builder.add_root_certificate(certificate);
        }
        let client = builder.build().map_err(|error| wrong(deepest(&error)))?;
        let mut base = config.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        Ok(Self(Arc::new(Inner { client, base, auth: config.auth.clone(), timeout: config.timeout.duration() })))
    }

    /// Evaluates a query at a time, or now.
    pub async fn instant(&self, query: &str, at: Option<Timestamp>) -> Result<Warned<Answer>, PrometheusError> {
        let at = at.map(seconds);
        let form: Vec<(&str, &str)> =
            [("query", query)].into_iter().chain(at.as_deref().map(|at| ("time", at))).collect();
        let Warned { answer, warnings } = self.ask::<RawAnswer>("query", &form).await?;
        Ok(Warned { answer: answer.into(), warnings })
    }

    /// Evaluates a query at each step of a window.
    pub async fn range(&self, query: &str, window: Window) -> Result<Warned<Vec<Series>>, PrometheusError> {
        let (start, end) = (seconds(window.start), seconds(window.end));
        let step = window.step.as_secs_f64().to_string();
        let form = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        let Warned { answer, warnings } = self.ask::<RawAnswer>("query_range", &form).await?;
        Ok(Warned { answer: Answer::from(answer).into_series(), warnings })
    }

    /// Every alerting and recording rule.
    pub async fn rules(&self) -> Result<Vec<Rule>, PrometheusError> {
        let groups: RawGroups = self.look("rules", &[]).await?;
        Ok(groups.groups.into_iter().flat_map(|group| group.rules).collect())
    }

    /// The rules of these names, as far as the server can choose; an older one gives all.
    pub async fn rules_named(&self, names: &[&str]) -> Result<Vec<Rule>, PrometheusError> {
        let query: Vec<(&str, &str)> = names.iter().map(|name| ("rule_name[]", *name)).collect();
        let groups: RawGroups = self.look("rules", &query).await?;
        let rules = groups.groups.into_iter().flat_map(|group| group.rules);
        Ok(rules.filter(|rule| names.contains(&rule.name.as_str())).collect())
    }

    /// The alerts that are pending or fire.
    pub async fn alerts(&self) -> Result<Vec<ActiveAlert>, PrometheusError> {
        Ok(self.look::<RawAlerts>("alerts", &[]).await?.alerts)
    }

    /// The label sets of the series that a selector finds between two times, at most `limit` of them.
    pub async fn series(
        &self,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
        limit: usize,
    ) -> Result<Vec<Labels>, PrometheusError> {
        let (start, end, limit) = (seconds(start), seconds(end), limit.to_string());
        self.look("series", &[("match[]", selector), ("start", &start), ("end", &end), ("limit", &limit)]).await
    }

    /// The names of all labels.
    pub async fn labels(&self) -> Result<Vec<String>, PrometheusError> {
        self.look("labels", &[]).await
    }

    /// The values of a label; `__name__` gives the metrics' names.
    pub async fn values(&self, label: &str) -> Result<Vec<String>, PrometheusError> {
        self.look(&format!("label/{label}/values"), &[]).await
    }

    /// The values of a label among the series that a selector finds between two times.
    pub async fn values_of(
        &self,
        label: &str,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<String>, PrometheusError> {
        let (start, end) = (seconds(start), seconds(end));
        self.look(&format!("label/{label}/values"), &[("match[]", selector), ("start", &start), ("end", &end)]).await
    }

    /// The names of the labels of the series that a selector finds between two times.
    pub async fn labels_of(
        &self,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<String>, PrometheusError> {
        let (start, end) = (seconds(start), seconds(end));
        self.look("labels", &[("match[]", selector), ("start", &start), ("end", &end)]).await
    }

    /// What each metric is, by its name.
    pub async fn metadata(&self) -> Result<BTreeMap<String, Vec<Metadata>>, PrometheusError> {
        self.look("metadata", &[("limit_per_metric", "1")]).await
    }

    /// Asks by POST, since a query may be longer than a URL; by GET where a proxy lets nothing else through.
    async fn ask<T: DeserializeOwned>(&self, what: &str, form: &[(&str, &str)]) -> Result<Warned<T>, PrometheusError> {
        let (url, body) = (self.url(what)?, encoded(form));
        let posted = self.send(Method::POST, url.clone(), Some(body.clone())).await?;
        if matches!(posted.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
            let mut with_query = url;
            with_query.set_query(Some(&body));
            return self.read(self.send(Method::GET, with_query, None).await?).await;
        }
        self.read(posted).await
    }

    async fn look<T: DeserializeOwned>(&self, what: &str, query: &[(&str, &str)]) -> Result<T, PrometheusError> {
        let mut url = self.url(what)?;
        if !query.is_empty() {
            url.set_query(Some(&encoded(query)));
        }
        Ok(self.read(self.send(Method::GET, url, None).await?).await?.answer)
    }

    fn url(&self, what: &str) -> Result<Url, PrometheusError> {
        let url = self.0.base.join("api/v1/").and_then(|api| api.join(what));
        url.map_err(|error| PrometheusError::Configuration(format!("`url` can't be extended: {error}")))
    }

    async fn send(&self, method: Method, url: Url, body: Option<String>) -> Result<Response, PrometheusError> {
        let mut request = self.0.client.request(method, url).timeout(self.0.timeout);
        match &self.0.auth {
            None => {}
            Some(Authentication::Bearer(token)) => request = request.bearer_auth(token.expose()),
            Some(Authentication::Basic { username, password }) => {
                request = request.basic_auth(username, Some(password.expose()));
            }
            Some(Authentication::BearerFile(path)) => {
                let token = tokio::fs::read_to_string(path).await.map_err(|error| {
                    PrometheusError::Configuration(format!("the token in {} can't be read: {error}", path.display()))
                })?;
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                    .map_err(|_| PrometheusError::Configuration(format!("{} holds no token", path.display())))?;
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        request.send().await.map_err(|error| self.broken(&error))
    }

    async fn read<T: DeserializeOwned>(&self, mut response: Response) -> Result<Warned<T>, PrometheusError> {
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(PrometheusError::TooMuch(format!("the answer is larger than {} MiB", LARGEST >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            let frame: Frame<T> = serde_json::from_slice(&body).map_err(|error| self.strange(&error.to_string()))?;
            return match frame {
                Frame { status, data: Some(answer), warnings, .. } if status == "success" => {
                    Ok(Warned { answer, warnings })
                }
                frame => Err(self.refused(status, frame)),
            };
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(PrometheusError::Unauthorized { url: self.0.base.to_string(), status: status.as_u16() });
        }
        match serde_json::from_slice::<Frame<serde::de::IgnoredAny>>(&body) {
            Ok(frame) => Err(self.refused(status, frame)),
            Err(_) if status.is_server_error() => Err(PrometheusError::Failed {
                url: self.0.base.to_string(),
                status: status.as_u16(),
                why: start_of(&String::from_utf8_lossy(&body)),
            }),
            Err(_) => {
                Err(self.strange(&format!("HTTP {}, {:?}", status.as_u16(), start_of(&String::from_utf8_lossy(&body)))))
            }
        }
    }

    /// The error of an answer that says what is wrong.
    fn refused<T>(&self, status: StatusCode, frame: Frame<T>) -> PrometheusError {
        let why = frame.error.unwrap_or_default();
        let url = self.0.base.to_string();
        let much =
            ["exceeded maximum resolution", "too many samples", "too many series", "exceeded the limit", "limit ("];
        if much.iter().any(|words| why.contains(words)) {
            return PrometheusError::TooMuch(start_of(&why));
        }
        match frame.error_type.as_deref() {
            Some("bad_data" | "execution" | "422" | "400") => {
                PrometheusError::Query(why.trim_start_matches("invalid parameter \"query\": ").to_owned())
            }
            Some("timeout" | "canceled") => PrometheusError::Timeout { url, after: self.0.timeout },
            _ => PrometheusError::Failed { url, status: status.as_u16(), why: start_of(&why) },
        }
    }

    fn strange(&self, why: &str) -> PrometheusError {
        PrometheusError::Answer { url: self.0.base.to_string(), why: start_of(why) }
    }

    fn broken(&self, error: &reqwest::Error) -> PrometheusError {
        let url = self.0.base.to_string();
        if error.is_timeout() && !error.is_connect() {
            return PrometheusError::Timeout { url, after: self.0.timeout };
        }
        PrometheusError::Unreachable { url, why: deepest(error) }
    }
}

/// The certificates in a text or in the file that it names.
fn certificates(ca: &str) -> Result<Vec<reqwest::Certificate>, PrometheusError> {
    let wrong = |why: String| PrometheusError::Configuration(format!("`ca`: {why}"));
    let pem = if ca.contains("-----BEGIN") {
        ca.as_bytes().to_vec()
    } else {
        std::fs::read(ca.trim()).map_err(|error| wrong(format!("{} can't be read: {error}", ca.trim())))?
    };
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(deepest(&error)))?;
    if found.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(found)
}

/// The innermost cause: the outer ones say only that a request failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// A time as Prometheus takes it: seconds since 1970 with milliseconds.
fn seconds(at: Timestamp) -> String {
    let millis = at.as_millisecond();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

/// Names and values as `application/x-www-form-urlencoded`.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        for (index, part) in [name, value].into_iter().enumerate() {
            if index == 1 {
                text.push('=');
            }
            for byte in part.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => text.push(char::from(byte)),
                    b' ' => text.push('+'),
                    other => text.push_str(&format!("%{other:02X}")),
                }
            }
        }
    }
    text
}

fn start_of(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= 300 {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(299).collect::<String>())
    }
}
