//! The change of one object, shown by the server's dry run and bound to what was shown.

use async_trait::async_trait;
use marple_core::ObjectRef;
use serde_json::{Value, json};

use super::diff::{digest, lines, wanted};
use crate::kubernetes::{ChangeError, Cluster, Edit, Kind};
use crate::{Look, Output, Plan, Preview, ToolError};

/// How often a change is tried that something else got in between: a status is written often.
const TRIES: usize = 4;

/// The object that is changed.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) cluster: Cluster,
    pub(super) kind: Kind,
    pub(super) object: ObjectRef,
    /// The part of it, as `scale`.
    pub(super) subresource: Option<&'static str>,
}

impl Target {
    /// The object of these names. One in a namespace needs it: what is changed must not be guessed.
    pub(super) async fn named(
        cluster: &Cluster,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Self, ToolError> {
        let kind = cluster.kind(kind).await?;
        if kind.namespaced && namespace.is_none() {
            return Err(ToolError::Arguments(format!("{} {name} is in a namespace: give `namespace`", kind.kind)));
        }
        let namespace = namespace.filter(|_| kind.namespaced).map(str::to_owned);
        let object = ObjectRef { kind: kind.kind.clone(), namespace, name: name.to_owned() };
        Ok(Self { cluster: cluster.clone(), kind, object, subresource: None })
    }

    /// As it is now.
    pub(super) async fn read(&self) -> Result<Value, ToolError> {
        Ok(self.cluster.part(&self.kind, &self.object, self.subresource).await?)
    }

    /// Changes it from how it was read, or only asks the server what would come of that.
    async fn change(&self, edit: &Edit, read: &Value, dry: bool) -> Result<Value, ChangeError> {
        self.cluster.change(&self.kind, &self.object, self.subresource, edit, read, dry).await
    }

    /// Asks the server whether it would make a change.
    pub(super) async fn try_out(&self, edit: &Edit, read: &Value) -> Result<(), ToolError> {
        self.change(edit, read, true).await.map(|_| ()).map_err(|error| error.told(&self.object))
    }

    /// Works the change out of an object that was read.
    pub(super) async fn plan(self, edit: Edit, before: Value, title: String) -> Result<Box<dyn Plan>, ToolError> {
        self.plan_showing(edit, before, title, |_| {}).await
    }

    /// The same; what the object would be is changed by `shown` before it is shown.
    pub(super) async fn plan_showing(
        self,
        edit: Edit,
        before: Value,
        title: String,
        shown: impl FnOnce(&mut Value) + Send,
    ) -> Result<Box<dyn Plan>, ToolError> {
        let mut before = before;
        let mut tries = 1;
        let mut after = loop {
            match self.change(&edit, &before, true).await {
                Ok(after) => break after,
                Err(ChangeError::Stale) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.told(&self.object)),
            }
            before = self.read().await?;
        };
        shown(&mut after);
        let diff = lines(&wanted(&before), &wanted(&after));
        if diff.is_empty() {
            return Err(ToolError::Arguments(format!("{title}: {} is so already, nothing would change", self.object)));
        }
        let basis = digest(&json!([before.pointer("/metadata/uid"), wanted(&before), wanted(&after)]));
        let preview = Preview { title, object: Some(self.object.clone()), diff, basis };
        Ok(Box::new(ObjectPlan { target: self, edit, before, preview }))
    }
}

/// A change of one object that was shown.
pub(super) struct ObjectPlan {
    pub(super) target: Target,
    pub(super) edit: Edit,
    /// The object when the change was shown.
    pub(super) before: Value,
    pub(super) preview: Preview,
}

impl ObjectPlan {
    /// Whether the object is still the one that was shown, and what is wanted of it too.
    fn same(&self, now: &Value) -> bool {
        let uid = |object: &Value| object.pointer("/metadata/uid").cloned();
        uid(now) == uid(&self.before) && (self.edit.deletes() || wanted(now) == wanted(&self.before))
    }
}

#[async_trait]
impl Plan for ObjectPlan {
    fn preview(&self) -> &Preview {
        &self.preview
    }

    async fn carry_out(&self, by: &str, _look: &Look) -> Result<Output, ToolError> {
        let Target { object, .. } = &self.target;
        let mut tries = 1;
        let after = loop {
            let now = self.target.read().await?;
            if !self.same(&now) {
                return Err(ToolError::Arguments(format!(
                    "{object} has changed since it was shown, so the approval of {by} does not hold; look again and \
                     propose it anew"
                )));
            }
            match self.target.change(&self.edit, &now, false).await {
                Ok(after) => break after,
                Err(ChangeError::Stale) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.told(object)),
            }
        };
        let what =
            if self.edit.deletes() { self.preview.diff.clone() } else { lines(&wanted(&self.before), &wanted(&after)) };
        Ok(Output {
            title: format!("{}, approved by {by}", self.preview.title),
            object: Some(object.clone()),
            content: format!("Done.\n{what}"),
            ..Output::default()
        })
    }
}
