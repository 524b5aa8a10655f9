//! What controls objects and where they run, for many at a time.

use marple_core::ObjectRef;
use serde::Deserialize;

use super::cluster::selection;
use super::request::Question;
use super::{Cluster, LookError};

/// Objects a page: pods come whole over the wire, for their node is in no shorter form.
const PAGE: usize = 250;

/// What controls an object, and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The object.
    pub object: ObjectRef,
    /// What controls it, by its owner references.
    pub controller: Option<Controller>,
    /// The node that it runs on, where it is a pod that does.
    pub node: Option<String>,
}

/// What controls an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    /// Its API group and version, as `apps/v1`.
    pub api_version: String,
    /// The controller; in the object's namespace, unless it is a Node.
    pub object: ObjectRef,
}

impl Controller {
    /// The words by which its kind is found, also where several groups have one of that name.
    pub fn kind(&self) -> String {
        format!("{}/{}", self.api_version, self.object.kind)
    }
}

/// Of a list, only what is needed here is read.
#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    spec: Option<Spec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: Option<String>,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    controller: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
}

impl Item {
    fn placed(self, kind: &str) -> Placement {
        let Metadata { name, namespace, owner_references } = self.metadata;
        let controller = owner_references.into_iter().find(|owner| owner.controller == Some(true)).map(|owner| {
            let namespace = namespace.clone().filter(|_| owner.kind != "Node");
            Controller {
                api_version: owner.api_version,
                object: ObjectRef { kind: owner.kind, namespace, name: owner.name },
            }
        });
        let node = self.spec.filter(|_| kind == "Pod").and_then(|spec| spec.node_name);
        Placement { object: ObjectRef { kind: kind.to_owned(), namespace, name }, controller, node }
    }
}

impl Cluster {
    /// Placement of one object. `kind` is what [`Self::kind`] takes.
    pub async fn placement(&self, kind: &str, namespace: Option<&str>, name: &str) -> Result<Placement, LookError> {
        let kind = self.kind(kind).await?;
        let question = Question::get(&kind, namespace.filter(|_| kind.namespaced), name);
        let text = self.ask(&question).await?;
        let item: Item = read(&question, &text)?;
        Ok(item.placed(&kind.kind))
    }

    /// Placements of all objects of a kind in a namespace; of those that the rules refuse nothing but their names.
    pub async fn placements(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Placement>, LookError> {
        let kind = self.kind(kind).await?;
        let mut placements = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut question = Question::list(&kind, namespace.filter(|_| kind.namespaced));
            question.query = selection(None, None, PAGE, token.as_deref());
            let page: Page = read(&question, &self.ask(&question).await?)?;
            placements.extend(page.items.into_iter().map(|item| {
                let placement = item.placed(&kind.kind);
                let Placement { object, .. } = &placement;
                let permitted = self.rules().permit(&object.kind, object.namespace.as_deref(), &object.name);
                if permitted { placement } else { Placement { controller: None, node: None, ..placement } }
            }));
            token = page.metadata.token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(placements);
            }
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(question: &Question<'_>, text: &str) -> Result<T, LookError> {
    serde_json::from_str(text).map_err(|error| LookError::Backend {
        what: question.told(),
        why: format!("the answer is not what was asked for: {error}"),
    })
}
