//! The revisions of Helm's releases: what happened is kept, and what may be secret is not.
//!
//! Helm keeps each revision in a Secret or a `ConfigMap`: base64 of gzip of JSON
//! (<https://helm.sh/docs/topics/advanced/#storage-backends>); a Secret's values are once more in base64.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use marple_tools::kubernetes::helm_revision;
use serde_json::{Map, Value, json};

use crate::json::text;

/// Where a revision stands in its object.
pub(super) const FIELD: &str = "/data/release";

/// What is kept of how a revision was made.
const INFO: [&str; 4] = ["first_deployed", "last_deployed", "deleted", "status"];

/// What is kept of its chart.
const CHART: [&str; 6] = ["name", "version", "appVersion", "apiVersion", "type", "deprecated"];

/// Where a revision is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    Secret,
    ConfigMap,
}

impl Driver {
    /// Of an object that holds a revision.
    pub(super) fn of(object: &Value) -> Option<Self> {
        let owned = text(object, "/metadata/labels/owner").eq_ignore_ascii_case("helm");
        match text(object, "/kind") {
            "Secret" if owned || text(object, "/type").starts_with("helm.sh/release") => Some(Self::Secret),
            "ConfigMap" if owned => Some(Self::ConfigMap),
            _ => None,
        }
    }
}

/// A payload that Helm reads, with name, revision, status, description, chart and times, and with the objects of the
/// manifest as `object` leaves them. Where it can't be read there is an empty one: it may hold anything.
pub(super) fn without_secrets(
    driver: Driver,
    payload: &str,
    object: impl Fn(&mut Value),
    words: impl Fn(&str) -> String,
) -> Option<String> {
    let Some(revision) = unpacked(driver, payload) else {
        // A Secret's is filler already.
        return (driver == Driver::ConfigMap).then(String::new);
    };
    let mut info = picked(revision.get("info"), &INFO);
    info.insert("description".to_owned(), words(text(&revision, "/info/description")).into());
    let chart = picked(revision.pointer("/chart/metadata"), &CHART);
    let kept = json!({
        "name": revision.get("name"),
        "namespace": revision.get("namespace"),
        "version": revision.get("version"),
        "info": info,
        "chart": { "metadata": chart, "templates": [], "values": {} },
        "config": {},
        "manifest": manifest(text(&revision, "/manifest"), object),
    });
    packed(driver, &kept)
}

fn picked(from: Option<&Value>, fields: &[&str]) -> Map<String, Value> {
    let field = |name: &&str| Some(((*name).to_owned(), from?.get(*name)?.clone()));
    fields.iter().filter_map(field).collect()
}

/// The objects of a manifest, each redacted, as documents of JSON, which is YAML too. Where one can't be read none is
/// kept: it could be a Secret.
fn manifest(text: &str, object: impl Fn(&mut Value)) -> String {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_default();
    let mut out = String::new();
    for mut document in documents.into_iter().filter(Value::is_object) {
        match document.get_mut("items").and_then(Value::as_array_mut) {
            Some(items) => items.iter_mut().for_each(&object),
            None => object(&mut document),
        }
        out.push_str("---\n");
        out.push_str(&document.to_string());
        out.push('\n');
    }
    out
}

fn unpacked(driver: Driver, payload: &str) -> Option<Value> {
    let written = match driver {
        Driver::Secret => STANDARD.decode(payload).ok()?,
        Driver::ConfigMap => payload.as_bytes().to_vec(),
    };
    serde_json::from_slice(&helm_revision(&written)?).ok()
}

fn packed(driver: Driver, revision: &Value) -> Option<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(revision.to_string().as_bytes()).ok()?;
    let written = STANDARD.encode(encoder.finish().ok()?);
    Some(match driver {
        Driver::Secret => STANDARD.encode(written),
        Driver::ConfigMap => written,
    })
}

#[cfg(test)]
pub(super) fn read(driver: Driver, payload: &str) -> Option<Value> {
    unpacked(driver, payload)
}

#[cfg(test)]
pub(super) fn written(driver: Driver, revision: &Value) -> Option<String> {
    packed(driver, revision)
}
