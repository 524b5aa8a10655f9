//! Where something is that wasn't found where it was looked for.

use serde_json::Value;

use super::cluster::{parsed, selection};
use super::request::{METADATA, Question};
use super::{Cluster, Kind, LookError};
use crate::gate::{Extent, Place};
use crate::near::nearest;

/// How many names are looked through for a near one.
const NAMES: usize = 500;

impl Cluster {
    /// The namespace of the only object of this name.
    pub(super) async fn only_namespace(&self, kind: &Kind, name: &str) -> Result<String, LookError> {
        let namespaces = match self.namespaces_with(kind, name).await {
            // Who may look in some namespaces only has to say in which.
            Err(LookError::Forbidden { what }) => {
                let what = format!("say in which namespace {} {name} is; looking in all is {what}", kind.kind);
                return Err(LookError::Invalid { what });
            }
            other => other?,
        };
        match namespaces.as_slice() {
            [only] => Ok(only.clone()),
            // Where some may be hidden, its absence is not known.
            [] if self.rules().extent(&kind.kind, Place::Everywhere) != Extent::All => {
                let what = format!("look for {} {name} in all namespaces; say in which it is", kind.kind);
                Err(LookError::Withheld { what })
            }
            [] => Err(LookError::NotFound {
                what: format!("{} {name} in any namespace", kind.kind),
                near: self.near(kind, None, name).await,
            }),
            several => Err(LookError::Invalid {
                what: format!("{} {name} is in the namespaces {}; say which", kind.kind, several.join(", ")),
            }),
        }
    }

    /// What may have been meant: the same name in other namespaces, and like names in this one. Best effort: a wrong
    /// name is told even where these looks are refused.
    pub(super) async fn near(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Vec<String> {
        let (elsewhere, names) = tokio::join!(
            async { if namespace.is_some() { self.namespaces_with(kind, name).await } else { Ok(vec![]) } },
            self.names(kind, namespace, None)
        );
        let mut near: Vec<String> = elsewhere
            .unwrap_or_default()
            .into_iter()
            .take(5)
            .map(|other| format!("{} {other}/{name}", kind.kind))
            .collect();
        let mut names = names.unwrap_or_default();
        if names.is_empty() && namespace.is_some() {
            names = self.names(kind, None, None).await.unwrap_or_default();
        }
        let like = nearest(name, names.iter().map(|(_, name)| name.as_str()), 3);
        for name in like {
            let found = names.iter().find(|(_, other)| other == name);
            let like = match found.and_then(|(namespace, _)| namespace.as_deref()) {
                Some(namespace) => format!("{} {namespace}/{name}", kind.kind),
                None => format!("{} {name}", kind.kind),
            };
            if !near.contains(&like) {
                near.push(like);
            }
        }
        near
    }

    /// The namespaces that have an object of this name.
    async fn namespaces_with(&self, kind: &Kind, name: &str) -> Result<Vec<String>, LookError> {
        let fields = format!("metadata.name={name}");
        let found = self.names(kind, None, Some(&fields)).await?;
        Ok(found.into_iter().filter_map(|(namespace, _)| namespace).collect())
    }

    /// Namespaces and names, without the objects.
    pub(super) async fn names(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Vec<(Option<String>, String)>, LookError> {
        let mut question = Question::list(kind, namespace);
        question.accept = METADATA;
        question.query = selection(None, fields, NAMES, None);
        let list = parsed(&question, &self.ask(&question).await?)?;
        let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let items = items.filter(|item| self.permits(kind, item));
        let text = |item: &Value, path: &str| item.pointer(path).and_then(Value::as_str).map(str::to_owned);
        Ok(items.filter_map(|item| Some((text(item, "/metadata/namespace"), text(item, "/metadata/name")?))).collect())
    }
}
