//! Takes of an object the fields that matter.

use std::collections::BTreeMap;

use kube::api::DynamicObject;
use marple_core::{FieldChange, ObjectRef};
use serde_json::Value;

use super::state::{FIELDS, Field, SHORT, TEXT, TEXTS, digest};
use crate::config::Values;

/// Labels and annotations that say nothing of what somebody wanted.
const NOISE: [&str; 16] = [
    "crossplane.io/external-create-",
    "field.cattle.io/",
    "objectset.rio.cattle.io/",
    "kubernetes.io/change-cause",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/leader",
    "endpoints.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "node.alpha.kubernetes.io/",
    "csi.volume.kubernetes.io/nodeid",
    "batch.kubernetes.io/",
    "pod-template-hash",
    "controller-uid",
];

/// Marks of what delivers an object, which change with each delivery.
const DELIVERY: [&str; 5] = [
    "meta.helm.sh/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "reconcile.fluxcd.io/",
];

/// By these, in this order, the items of a list are told apart.
const NAMES: [&str; 5] = ["name", "host", "key", "topologyKey", "type"];

/// Of a list whose items have no names, so many are told apart by their places; a longer one is told as a whole.
const PLACES: usize = 16;

/// The fields of an object that matter, as they are gathered.
pub(super) struct Trim<'a> {
    object: &'a DynamicObject,
    values: Values,
    fields: BTreeMap<String, (u64, String)>,
    told_of: Option<ObjectRef>,
    ignored: bool,
    /// How many bytes of texts that are not short may still be kept.
    room: usize,
    /// Fields that are left out, with all below them.
    ignore: &'a [String],
}

impl<'a> Trim<'a> {
    pub(super) fn new(object: &'a DynamicObject, values: Values, room: usize) -> Self {
        let room = room.min(TEXTS);
        Self { object, values, fields: BTreeMap::new(), told_of: None, ignored: false, room, ignore: &[] }
    }

    /// Leaves out these fields, with all below them.
    pub(super) fn without(self, ignore: &'a [String]) -> Self {
        Self { ignore, ..self }
    }

    /// A part of the object; null where it isn't there.
    pub(super) fn part(&self, pointer: &str) -> &'a Value {
        const NOTHING: &Value = &Value::Null;
        self.object.data.pointer(pointer).unwrap_or(NOTHING)
    }

    /// Whether values are shown as digests where they may be anything.
    pub(super) const fn values(&self) -> Values {
        self.values
    }

    pub(super) fn name(&self) -> &'a str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> Option<&'a str> {
        self.object.metadata.namespace.as_deref()
    }

    pub(super) fn label(&self, name: &str) -> Option<&'a str> {
        self.object.metadata.labels.as_ref()?.get(name).map(String::as_str)
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        self.object.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// The kind of its controller.
    pub(super) fn controller(&self) -> Option<&'a str> {
        let owners = self.object.metadata.owner_references.as_deref().unwrap_or_default();
        owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.kind.as_str())
    }

    pub(super) const fn managed_fields(
        &self,
    ) -> Option<&'a Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry>> {
        self.object.metadata.managed_fields.as_ref()
    }

    /// It concerns nobody.
    pub(super) const fn ignore(&mut self) {
        self.ignored = true;
    }

    /// Its changes are told of another object.
    pub(super) fn told_of(&mut self, object: ObjectRef) {
        self.told_of = Some(object);
    }

    /// A field with its value as it is shown, as far as there is room.
    pub(super) fn field(&mut self, path: impl Into<String>, text: &str) {
        self.with_digest(path.into(), digest(text), text);
    }

    /// A field of which only a digest is shown.
    pub(super) fn hashed(&mut self, path: impl Into<String>, text: &str) {
        let digest = digest(text);
        self.with_digest(path.into(), digest, &FieldChange::unshown(text.len(), digest));
    }

    fn is_left_out(&self, path: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.ignore.iter().any(|ignored| path.strip_prefix(ignored.as_str()).is_some_and(below))
    }

    fn with_digest(&mut self, path: String, value: u64, text: &str) {
        if self.is_left_out(&path) {
            return;
        }
        let shown = match text.len() {
            0..=SHORT => text.to_owned(),
            length if length <= TEXT && length <= self.room => {
                self.room -= length;
                text.to_owned()
            }
            length => FieldChange::unshown(length, value),
        };
        self.fields.insert(path, (value, shown));
    }

    /// All fields of a value, each under its path. Items of lists are told apart by what names them.
    pub(super) fn walk(&mut self, path: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.field(path, text),
            Value::Bool(_) | Value::Number(_) => self.field(path, &value.to_string()),
            // That it is there tells something, as of an `emptyDir`.
            Value::Object(fields) if fields.is_empty() => self.field(path, "{}"),
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.walk(&below(path, key), value);
                }
            }
            Value::Array(items) => self.list(path, items),
        }
    }

    fn list(&mut self, path: &str, items: &[Value]) {
        let named = |by: &str| {
            let mut names: Vec<&str> = items.iter().filter_map(|item| item.get(by)?.as_str()).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            !items.is_empty() && names.len() == all && all == items.len()
        };
        if let Some(by) = NAMES.into_iter().find(|by| named(by)) {
            for item in items {
                let name = item.get(by).and_then(Value::as_str).unwrap_or_default();
                let mut rest = item.clone();
                if let Value::Object(fields) = &mut rest {
                    fields.remove(by);
                }
                self.walk(&format!("{path}[{name}]"), &rest);
            }
        } else if items.iter().all(Value::is_string) {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            self.field(path, &words.join(" "));
        } else if items.len() <= PLACES && items.iter().all(Value::is_object) {
            for (place, item) in items.iter().enumerate() {
                self.walk(&format!("{path}[{place}]"), item);
            }
        } else {
            self.field(path, &Value::from(items).to_string());
        }
    }

    /// Its labels, those that are noise left out.
    pub(super) fn labels(&mut self) {
        let object = self.object;
        let labels = object.metadata.labels.iter().flatten();
        for (name, value) in labels.filter(|(name, _)| !is_noise(name)) {
            self.field(format!("labels.{name}"), value);
        }
    }

    /// Its annotations, those that are noise left out: for kinds that are steered by them.
    pub(super) fn annotations(&mut self) {
        let object = self.object;
        let annotations = object.metadata.annotations.iter().flatten();
        for (name, value) in annotations.filter(|(name, _)| !is_noise(name)) {
            self.field(format!("annotations.{name}"), value);
        }
    }

    /// What was gathered: the fields in order, and what changes are told of; nothing where it concerns nobody.
    pub(super) fn finish(self) -> Option<(Box<[Field]>, Option<ObjectRef>)> {
        if self.ignored {
            return None;
        }
        let more = self.fields.len().saturating_sub(FIELDS);
        let mut rest = String::new();
        let mut fields = Vec::with_capacity(self.fields.len().min(FIELDS + 1));
        for (path, (digest, text)) in self.fields {
            if fields.len() < FIELDS {
                fields.push(Field { path: path.into(), digest, text: text.into() });
            } else {
                rest.push_str(&format!("{path} {digest}\n"));
            }
        }
        if more > 0 {
            // Sorts behind all others.
            let path = "~ other fields".into();
            let text = format!("{more} more").into();
            fields.push(Field { path, digest: digest(&rest), text });
        }
        Some((fields.into(), self.told_of))
    }
}

/// Whether a label or annotation says nothing of what somebody wanted.
pub(super) fn is_noise(name: &str) -> bool {
    let known = |mark: &str| if mark.ends_with(['/', '-']) { name.starts_with(mark) } else { name == mark };
    // Many tools keep the whole of what they wrote in an annotation of some such name, as kubectl does.
    name.contains("last-applied") || NOISE.iter().chain(&DELIVERY).any(|mark| known(mark))
}

/// A field under a path.
fn below(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}
