//! Whether somebody may do something in the cluster, and what says so.

mod roles;

use http::Request;
use serde_json::{Value, json};

use super::field::{flag, text};
use super::request::Question;
use super::{Cluster, LookError};

pub(crate) use roles::{Grant, Grants};
pub use roles::{granting, rule_allows};

/// Who wants to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A service account, by its namespace and name.
    Account(String, String),
    /// A user, by the name that the API server knows.
    User(String),
    /// A group.
    Group(String),
}

impl Subject {
    /// `shop/cart` and `system:serviceaccount:shop:cart` are a service account, `user:alice` and `group:ops` say what
    /// they are; a name alone is an account of the namespace.
    pub fn parse(text: &str, namespace: Option<&str>) -> Option<Self> {
        let text = text.trim();
        if let Some(account) = text.strip_prefix("system:serviceaccount:") {
            let (space, name) = account.split_once(':')?;
            return Some(Self::Account(space.to_owned(), name.to_owned()));
        }
        if let Some(user) = text.strip_prefix("user:") {
            return Some(Self::User(user.to_owned()));
        }
        if let Some(group) = text.strip_prefix("group:") {
            return Some(Self::Group(group.to_owned()));
        }
        if let Some((space, name)) = text.split_once('/') {
            return Some(Self::Account(space.to_owned(), name.to_owned()));
        }
        (!text.is_empty()).then_some(())?;
        namespace.map(|space| Self::Account(space.to_owned(), text.to_owned()))
    }

    /// The name under which the API server knows it.
    pub(crate) fn user(&self) -> String {
        match self {
            Self::Account(space, name) => format!("system:serviceaccount:{space}:{name}"),
            Self::User(name) => name.clone(),
            Self::Group(_) => String::new(),
        }
    }

    /// Its groups. Those of a user come from whoever signs it in, and can't be known here.
    pub(crate) fn groups(&self) -> Vec<String> {
        let all = "system:authenticated".to_owned();
        match self {
            Self::Account(space, _) => {
                vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{space}"), all]
            }
            Self::User(_) => vec![all],
            Self::Group(name) => vec![name.clone(), all],
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(space, name) => write!(formatter, "ServiceAccount {space}/{name}"),
            Self::User(name) => write!(formatter, "User {name}"),
            Self::Group(name) => write!(formatter, "Group {name}"),
        }
    }
}

/// What it wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// As `get`.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name, as `pods`.
    pub resource: String,
    /// As `log`.
    pub subresource: Option<String>,
    /// Where; everywhere, where none is named.
    pub namespace: Option<String>,
    /// On which object; on all, where none is named.
    pub name: Option<String>,
}

impl std::fmt::Display for Deed {
    /// As `get pods/log in shop`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let sub = self.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
        write!(formatter, "{} {}{group}{sub}", self.verb, self.resource)?;
        if let Some(name) = &self.name {
            write!(formatter, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(formatter, " in {namespace}"),
            None => write!(formatter, " in the whole cluster"),
        }
    }
}

/// What the API server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    /// Which binding of which role says so, or another authorizer's words.
    pub(crate) reason: String,
}

impl Cluster {
    /// Asks the API server whether the subject may do it. The review that is created for it is answered and never
    /// stored, so that nothing in the cluster changes.
    pub(crate) async fn may(&self, subject: &Subject, deed: &Deed) -> Result<Verdict, LookError> {
        let mut spec = json!({
            "groups": subject.groups(),
            "resourceAttributes": {
                "verb": deed.verb, "group": deed.group, "resource": deed.resource, "subresource": deed.subresource,
                "namespace": deed.namespace, "name": deed.name,
            },
        });
        if let (Some(spec), Subject::Account(..) | Subject::User(_)) = (spec.as_object_mut(), subject) {
            spec.insert("user".to_owned(), subject.user().into());
        }
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        let kind = self.kind("authorization.k8s.io/SubjectAccessReview").await?;
        let question = Question::list(&kind, None);
        let backend = |why: String| LookError::Backend { what: "review an access".to_owned(), why };
        let request = Request::post(kind.path(None))
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::ACCEPT, "application/json")
            .body(review.to_string().into_bytes())
            .map_err(|error| backend(error.to_string()))?;
        let answer = tokio::time::timeout(self.deadline(), self.client().request_text(request)).await;
        let answer = answer
            .map_err(|_| LookError::Timeout { what: "review an access".to_owned(), after: self.deadline() })?
            .map_err(|error| match question.failed(&error) {
                LookError::Forbidden { .. } => LookError::Forbidden {
                    what: "not permitted: a ClusterRole with verbs [create], resources [subjectaccessreviews], \
                           apiGroups [\"authorization.k8s.io\"] would allow to ask the API server"
                        .to_owned(),
                },
                other => other,
            })?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| backend(error.to_string()))?;
        if answer.get("status").is_none() {
            return Err(backend("the answer is no review".to_owned()));
        }
        let reason = [text(&answer, "/status/reason"), text(&answer, "/status/evaluationError")];
        let reason = reason.into_iter().flatten().collect::<Vec<_>>().join("; ");
        Ok(Verdict { allowed: flag(&answer, "/status/allowed"), reason })
    }
}

#[cfg(test)]
mod tests;
