//! Who owns an object, by its owner references.

use marple_core::ObjectRef;
use serde_json::Value;

use super::{Cluster, LookError};

/// The longest chain of owners that is followed: operators nest, but not so deep.
const DEPTH: usize = 8;

/// The reference to an object, where it has a kind and a name.
pub fn reference(object: &Value) -> Option<ObjectRef> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Some(ObjectRef { kind: text("/kind")?, namespace: text("/metadata/namespace"), name: text("/metadata/name")? })
}

/// The owner that controls an object, with its API group as `apps/v1`. An owner lives in the object's own namespace,
/// or is cluster-scoped as a Node is.
fn owner(object: &Value) -> Option<(String, ObjectRef)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    let text = |field: &str| owner.get(field).and_then(Value::as_str).map(str::to_owned);
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).map(str::to_owned);
    let kind = text("kind")?;
    let namespace = namespace.filter(|_| kind != "Node");
    Some((text("apiVersion")?, ObjectRef { kind, namespace, name: text("name")? }))
}

/// The owner that controls an object.
pub fn controller(object: &Value) -> Option<ObjectRef> {
    owner(object).map(|(_, owner)| owner)
}

impl Cluster {
    /// The chain of controllers of an object, its own first and the top owner last; empty where nothing controls it.
    /// An owner that is gone or may not be read ends the chain.
    pub async fn owners(&self, object: &ObjectRef) -> Result<Vec<ObjectRef>, LookError> {
        let object = self.get(object).await?;
        self.owners_of(&object).await
    }

    /// The same of an object that was read already.
    pub async fn owners_of(&self, object: &Value) -> Result<Vec<ObjectRef>, LookError> {
        let mut chain: Vec<ObjectRef> = Vec::new();
        let mut next = owner(object);
        while let Some((api_version, mut owner_ref)) = next.take() {
            let kind = match self.kind(&format!("{api_version}/{}", owner_ref.kind)).await {
                Ok(kind) => kind,
                Err(LookError::UnknownKind { .. }) => {
                    chain.push(owner_ref);
                    break;
                }
                Err(error) => return Err(error),
            };
            if !kind.namespaced {
                owner_ref.namespace = None;
            }
            if chain.contains(&owner_ref) || chain.len() >= DEPTH {
                break;
            }
            let read = self.read(&kind, &owner_ref).await;
            chain.push(owner_ref);
            next = match read {
                Ok(read) => owner(&read),
                Err(LookError::NotFound { .. } | LookError::Forbidden { .. } | LookError::Withheld { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(chain)
    }
}
