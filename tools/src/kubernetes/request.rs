//! One request to the API server, and what its failure means.

use std::fmt::Write as _;
use std::time::Duration;

use http::Request;
use kube::Client;

use super::{Kind, LookError};
use crate::endpoint::chain;

/// The server's table columns, else the objects.
pub(super) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// Names and metadata only, else the objects.
pub(super) const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
/// Objects.
pub(super) const OBJECTS: &str = "application/json";

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) kind: &'a Kind,
    pub(super) namespace: Option<&'a str>,
    /// Absent for a list.
    pub(super) name: Option<&'a str>,
    /// What is done with it, where it is more than looked at.
    pub(super) verb: Option<&'static str>,
    pub(super) subresource: Option<&'a str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) accept: &'static str,
}

impl<'a> Question<'a> {
    /// A list of a kind.
    pub(super) fn list(kind: &'a Kind, namespace: Option<&'a str>) -> Self {
        Self { kind, namespace, name: None, verb: None, subresource: None, query: vec![], accept: OBJECTS }
    }

    /// One object.
    pub(super) fn get(kind: &'a Kind, namespace: Option<&'a str>, name: &'a str) -> Self {
        Self { name: Some(name), ..Self::list(kind, namespace) }
    }

    /// As `list pods in namespace shop`.
    pub(super) fn told(&self) -> String {
        let mut text = format!("{} {}", self.verb(), self.resource());
        if let Some(name) = self.name {
            let _ = write!(text, " {name}");
        }
        text + &self.place()
    }

    fn verb(&self) -> &'static str {
        self.verb.unwrap_or(if self.name.is_some() { "get" } else { "list" })
    }

    fn resource(&self) -> String {
        match self.subresource {
            Some(subresource) => format!("{}/{subresource}", self.kind.plural),
            None => self.kind.resource(),
        }
    }

    fn place(&self) -> String {
        match (self.kind.namespaced, self.namespace) {
            (false, _) => String::new(),
            (true, Some(namespace)) => format!(" in namespace {namespace}"),
            (true, None) => " in all namespaces".to_owned(),
        }
    }

    /// Path and query.
    pub(super) fn uri(&self) -> Result<String, LookError> {
        for part in [self.namespace, self.name].into_iter().flatten() {
            if part.is_empty()
                || part.len() > 253
                || part.chars().any(|letter| "/?#%\\ ".contains(letter) || letter.is_control())
                || part == "."
                || part == ".."
            {
                return Err(LookError::Invalid { what: format!("{part:?} is no name of an object") });
            }
        }
        let mut path = self.kind.path(self.namespace);
        for part in [self.name, self.subresource].into_iter().flatten() {
            path.push('/');
            path.push_str(part);
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            let _ = write!(path, "{}{name}={}", if index == 0 { '?' } else { '&' }, Escaped(value));
        }
        Ok(path)
    }

    fn request(&self) -> Result<Request<Vec<u8>>, LookError> {
        Request::get(self.uri()?)
            .header(http::header::ACCEPT, self.accept)
            .body(vec![])
            .map_err(|error| LookError::Invalid { what: format!("{}: {error}", self.told()) })
    }

    /// The answer's body.
    pub(super) async fn ask(&self, client: &Client, deadline: Duration) -> Result<String, LookError> {
        let request = self.request()?;
        match tokio::time::timeout(deadline, client.request_text(request)).await {
            Err(_) => Err(LookError::Timeout { what: self.told(), after: deadline }),
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
        }
    }

    /// The answer's body, piece by piece. The deadline is for its first byte; who reads it sets one for the rest.
    pub(super) async fn stream(
        &self,
        client: &Client,
        deadline: Duration,
    ) -> Result<impl futures::AsyncBufRead + use<>, LookError> {
        let request = self.request()?;
        match tokio::time::timeout(deadline, client.request_stream(request)).await {
            Err(_) => Err(LookError::Timeout { what: self.told(), after: deadline }),
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
        }
    }

    /// What a failure means to who asked.
    pub(super) fn failed(&self, error: &kube::Error) -> LookError {
        let kube::Error::Api(status) = error else {
            return LookError::Backend { what: self.told(), why: chain(error) };
        };
        let message = if status.message.is_empty() { &status.reason } else { &status.message };
        match status.code {
            401 => LookError::Forbidden {
                what: format!("could not {}: the API server does not accept the credentials (401)", self.told()),
            },
            403 => LookError::Forbidden { what: self.forbidden(message) },
            404 | 410 => LookError::NotFound { what: self.missing(), near: vec![] },
            400 | 405 | 406 | 415 | 422 => LookError::Invalid { what: message.clone() },
            code => LookError::Backend { what: self.told(), why: format!("{message} ({code})") },
        }
    }

    fn missing(&self) -> String {
        match (self.name, self.namespace.filter(|_| self.kind.namespaced)) {
            (Some(name), Some(namespace)) => format!("{} {namespace}/{name}", self.kind.kind),
            (Some(name), None) => format!("{} {name}", self.kind.kind),
            (None, _) => format!("{}{}", self.resource(), self.place()),
        }
    }

    fn forbidden(&self, message: &str) -> String {
        // `User "system:serviceaccount:marple:marple" cannot list resource …`: an authorizer's answer names who.
        let who = message.split_once("User \"").and_then(|(_, rest)| rest.split_once('"')).map(|(user, _)| user);
        let resource = match self.subresource {
            Some(subresource) => format!("{}/{subresource}", self.kind.plural),
            None => self.kind.plural.clone(),
        };
        let scope = if self.kind.namespaced && self.namespace.is_some() { "a Role" } else { "a ClusterRole" };
        match who {
            Some(who) => format!(
                "not permitted: {who} may not {}; {scope} with verbs [{}], resources [{resource}], apiGroups [{:?}] would allow it",
                self.told(),
                self.verb(),
                self.kind.group,
            ),
            None => format!("not permitted: {}: {message}", self.told()),
        }
    }
}

/// A query's value, escaped as RFC 3986 asks.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                formatter.write_char(char::from(byte))?;
            } else {
                write!(formatter, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
