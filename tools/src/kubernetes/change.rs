//! Changes of one object, each bound to the object as it was read.

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use marple_core::ObjectRef;
use serde_json::{Value, json};

use super::cluster::parsed;
use super::request::{OBJECTS, Question};
use super::{Cluster, Kind, LookError};
use crate::ToolError;

/// Under this name the server notes which fields marple has set.
const MANAGER: &str = "marple";

/// What is changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    /// A merge patch (RFC 7396).
    Merge(Value),
    /// A strategic merge patch, which knows the lists of Kubernetes' own kinds.
    Strategic(Value),
    /// A JSON patch (RFC 6902).
    Json(Vec<Value>),
    /// A server-side apply, which fails where another owns a field.
    Apply(Value),
    /// The object goes.
    Delete,
}

/// Where an object says which writing of it this is.
const VERSION: &str = "/metadata/resourceVersion";

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The object was written since it was read; reading it again helps.
    #[error("it was changed meanwhile")]
    Stale,
    /// What looks fail by too.
    #[error(transparent)]
    Look(#[from] LookError),
}

impl ChangeError {
    /// As it is told of an object.
    pub(crate) fn told(self, object: &ObjectRef) -> ToolError {
        match self {
            Self::Stale => {
                ToolError::Backend(format!("{object} is being changed by something else all the time; try again"))
            }
            Self::Look(error) => error.into(),
        }
    }
}

impl Edit {
    /// Whether the object goes.
    pub(crate) const fn deletes(&self) -> bool {
        matches!(self, Self::Delete)
    }

    const fn verb(&self) -> &'static str {
        if self.deletes() { "delete" } else { "patch" }
    }

    const fn media_type(&self) -> &'static str {
        match self {
            Self::Merge(_) => "application/merge-patch+json",
            Self::Strategic(_) => "application/strategic-merge-patch+json",
            Self::Json(_) => "application/json-patch+json",
            Self::Apply(_) => "application/apply-patch+yaml",
            Self::Delete => "application/json",
        }
    }

    /// The body of the request that changes the object only as it was read.
    fn body(&self, kind: &Kind, name: &str, read: &Value, dry: bool) -> Value {
        let field = |path: &str| read.pointer(path).cloned().unwrap_or_default();
        let (uid, version) = (field("/metadata/uid"), field(VERSION));
        match self {
            Self::Merge(patch) | Self::Strategic(patch) => bound(patch.clone(), uid, version),
            Self::Apply(patch) => {
                let mut patch = bound(patch.clone(), uid, version);
                if let Value::Object(fields) = &mut patch {
                    fields.insert("apiVersion".to_owned(), kind.api_version().into());
                    fields.insert("kind".to_owned(), kind.kind.clone().into());
                }
                if let Some(Value::Object(metadata)) = patch.get_mut("metadata") {
                    metadata.insert("name".to_owned(), name.into());
                }
                patch
            }
            Self::Json(operations) => {
                let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
                let bound = [test("/metadata/uid", uid), test(VERSION, version)];
                bound.into_iter().chain(operations.iter().cloned()).collect()
            }
            Self::Delete => {
                let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
                if let (true, Value::Object(fields)) = (dry, &mut options) {
                    fields.insert("dryRun".to_owned(), json!(["All"]));
                }
                options
            }
        }
    }
}

/// The patch with the identity and version that the object must have.
fn bound(mut patch: Value, uid: Value, version: Value) -> Value {
    if let Value::Object(fields) = &mut patch {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert("uid".to_owned(), uid);
            metadata.insert("resourceVersion".to_owned(), version);
        }
    }
    patch
}

impl Cluster {
    /// An object, or a part of it as `scale`.
    pub(crate) async fn part(
        &self,
        kind: &Kind,
        object: &ObjectRef,
        subresource: Option<&'static str>,
    ) -> Result<Value, LookError> {
        let question = Question { subresource, ..Question::get(kind, object.namespace.as_deref(), &object.name) };
        parsed(&question, &self.ask(&question).await?)
    }

    /// Changes an object from how it was read, or asks the server what would come of that; gives the object after.
    pub(crate) async fn change(
        &self,
        kind: &Kind,
        object: &ObjectRef,
        subresource: Option<&'static str>,
        edit: &Edit,
        read: &Value,
        dry: bool,
    ) -> Result<Value, ChangeError> {
        let mut question = Question { subresource, ..Question::get(kind, object.namespace.as_deref(), &object.name) };
        question.verb = Some(edit.verb());
        if !edit.deletes() {
            question.query = vec![("fieldManager", MANAGER.to_owned()), ("fieldValidation", "Strict".to_owned())];
            if dry {
                question.query.push(("dryRun", "All".to_owned()));
            }
        }
        let body = edit.body(kind, &object.name, read, dry).to_string().into_bytes();
        let method = if edit.deletes() { http::Method::DELETE } else { http::Method::PATCH };
        let request = Request::builder()
            .method(method)
            .uri(question.uri()?)
            .header(ACCEPT, OBJECTS)
            .header(CONTENT_TYPE, edit.media_type())
            .body(body)
            .map_err(|error| LookError::Invalid { what: format!("{}: {error}", question.told()) })?;
        let timeout = || LookError::Timeout { what: question.told(), after: self.deadline() };
        let answer = tokio::time::timeout(self.deadline(), self.client().request_text(request));
        match answer.await.map_err(|_| timeout())? {
            Ok(text) => Ok(parsed(&question, &text)?),
            Err(kube::Error::Api(status)) if stale(&status, edit) => Err(ChangeError::Stale),
            // Which operation of a JSON patch did not fit is not told; the first one asks for what was read.
            Err(kube::Error::Api(status)) if status.code == 422 && matches!(edit, Edit::Json(_)) => {
                let now = self.part(kind, object, subresource).await?;
                if now.pointer(VERSION) != read.pointer(VERSION) {
                    return Err(ChangeError::Stale);
                }
                let what = format!(
                    "the JSON patch does not fit {object} (a path that is not there, a test that fails, or a wrong \
                     value): {}",
                    status.message
                );
                Err(LookError::Invalid { what }.into())
            }
            Err(kube::Error::Api(status)) if status.code == 409 => {
                Err(LookError::Invalid { what: status.message.clone() }.into())
            }
            Err(error) => Err(question.failed(&error).into()),
        }
    }
}

/// Whether the object was written since it was read. A conflict of server-side apply is about who owns a field.
fn stale(status: &kube::core::Status, edit: &Edit) -> bool {
    match edit {
        Edit::Apply(_) => {
            status.code == 409 && status.message.contains("please apply your changes to the latest version")
        }
        _ => status.code == 409,
    }
}
