//! Field selectors.

use serde_json::Value;

use super::status::Refusal;
use crate::bundle::RecordedResource;

/// A field selector: every requirement must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    field: String,
    value: String,
    equal: bool,
}

/// The fields that each kind can be selected by, beside name and namespace (the field label conversions of
/// `pkg/apis/*/v1/conversion.go`).
const FIELDS: [(&str, &[&str]); 11] = [
    (
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("Node", &["spec.unschedulable"]),
    ("Namespace", &["status.phase"]),
    ("Secret", &["type"]),
    ("Service", &["spec.clusterIP", "spec.type"]),
    ("ReplicationController", &["status.replicas"]),
    ("ReplicaSet", &["status.replicas"]),
    ("Job", &["status.successful"]),
    ("CertificateSigningRequest", &["spec.signerName"]),
    ("ResourceSlice", &["spec.nodeName", "spec.driver"]),
    (
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
];

impl FieldSelector {
    /// Reads a selector, as `status.phase!=Running,spec.nodeName=node-1`.
    pub(super) fn parse(text: &str, resource: &RecordedResource) -> Result<Self, Refusal> {
        let known = FIELDS.iter().find(|(kind, _)| *kind == resource.kind).map_or(&[][..], |(_, fields)| fields);
        let mut requirements = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, value, equal) = match (part.split_once("!="), part.split_once("==")) {
                (Some((field, value)), _) => (field, value, false),
                (None, Some((field, value))) => (field, value, true),
                (None, None) => {
                    let (field, value) = part.split_once('=').ok_or_else(|| {
                        Refusal::bad_request(&format!("invalid selector: '{part}'; can't understand '{text}'"))
                    })?;
                    (field, value, true)
                }
            };
            if !["metadata.name", "metadata.namespace"].contains(&field) && !known.contains(&field) {
                return Err(Refusal::bad_request(&format!("field label not supported: {field}")));
            }
            requirements.push(Requirement { field: field.to_owned(), value: value.to_owned(), equal });
        }
        Ok(Self(requirements))
    }

    /// Whether the object meets it.
    pub(super) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|requirement| (found(object, &requirement.field) == requirement.value) == requirement.equal)
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The value of a field as a selector compares it.
fn found(object: &Value, field: &str) -> String {
    let at = |path: &str| object.pointer(&format!("/{}", path.replace('.', "/")));
    let text = |path: &str| at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    match field {
        "source" => [text("source.component"), text("reportingComponent")]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        "status.successful" => at("status.succeeded").map_or_else(|| "0".to_owned(), Value::to_string),
        "status.podIPs" => text("status.podIP"),
        "spec.unschedulable" | "spec.hostNetwork" => at(field).and_then(Value::as_bool).unwrap_or(false).to_string(),
        // The event of the newer API names the same object otherwise.
        _ if field.starts_with("involvedObject.") && at("involvedObject").is_none() => {
            text(&field.replace("involvedObject", "regarding"))
        }
        _ => match at(field) {
            Some(Value::String(value)) => value.clone(),
            Some(Value::Null) | None if field == "status.replicas" => "0".to_owned(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(kind: &str) -> RecordedResource {
        RecordedResource {
            group_version: "v1".to_owned(),
            resource: kind.to_lowercase() + "s",
            kind: kind.to_owned(),
            namespaced: true,
            resource_version: String::new(),
            columns: Vec::new(),
            objects: Vec::new(),
            refused: None,
            refused_in: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn fields_are_compared_as_text_and_absent_ones_are_empty() {
        let pod =
            json!({"metadata": {"name": "cart-1"}, "spec": {"nodeName": "node-1"}, "status": {"phase": "Running"}});
        for (text, expected) in [
            ("metadata.name=cart-1,status.phase!=Failed", true),
            ("spec.nodeName==node-2", false),
            ("spec.hostNetwork=false", true),
            ("status.nominatedNodeName=", true),
        ] {
            assert_eq!(FieldSelector::parse(text, &resource("Pod")).unwrap().matches(&pod), expected, "{text}");
        }
        let event = json!({"involvedObject": {"name": "cart-1"}, "source": {"component": "kubelet"}});
        let selector = FieldSelector::parse("involvedObject.name=cart-1,source=kubelet", &resource("Event")).unwrap();
        assert!(selector.matches(&event));
    }

    #[test]
    fn a_field_that_a_kind_cannot_be_selected_by_is_refused() {
        assert!(FieldSelector::parse("spec.containers=x", &resource("Pod")).is_err());
        assert!(FieldSelector::parse("status.phase=Running", &resource("Service")).is_err());
        assert!(FieldSelector::parse("status.phase", &resource("Pod")).is_err());
    }
}
