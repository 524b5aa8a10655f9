//! Releases of Helm, which keeps each revision in a Secret: base64 of gzip of JSON
//! (<https://helm.sh/docs/topics/advanced/#storage-backends>).
//!
//! What is in them is taken apart here, at the edge: the values that a release was made with are never decoded, and
//! Secrets in its manifests are masked before anything else reads them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Release;
use crate::kubernetes::cluster::{PAGE, selection};
use crate::kubernetes::field::{name, namespace, text};
use crate::kubernetes::request::{METADATA, Question};
use crate::kubernetes::{Change, Cluster, LookError, changes};
use crate::view::mask_secret;

/// Revisions of one release that are read: Helm keeps ten by default.
const REVISIONS: usize = 10;

/// The largest revision, unpacked: a Secret holds 1 MiB, which may unpack to anything.
const UNPACKED: u64 = 32 << 20;

/// The most objects of a manifest.
const OBJECTS: usize = 5_000;

/// A revision, without the values that it was made with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Revision {
    pub(crate) number: i64,
    /// As `deployed`, `superseded`, `failed`, `pending-upgrade`.
    pub(crate) status: String,
    /// As `cart-1.4.2`.
    pub(crate) chart: String,
    pub(crate) app_version: String,
    pub(crate) deployed: Option<Timestamp>,
    pub(crate) description: String,
    /// The objects of its manifest by kind and name; why they could not be read.
    objects: Result<BTreeMap<String, Value>, String>,
}

/// The history of a release, the newest revision first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Helm {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) revisions: Vec<Revision>,
    /// How many older ones are kept, and how many could not be read.
    pub(crate) older: usize,
    pub(crate) broken: usize,
}

/// Whether there is any release.
pub(super) async fn any(cluster: &Cluster) -> Result<bool, LookError> {
    Ok(!heads(cluster, None, 1).await?.is_empty())
}

/// The newest revision of each release, by the labels of its Secret: no value is asked for.
pub(super) async fn releases(cluster: &Cluster, space: Option<&str>) -> Result<Vec<Release>, LookError> {
    let mut newest: BTreeMap<(String, String), (i64, Release)> = BTreeMap::new();
    for head in heads(cluster, space, usize::MAX).await? {
        let label = |name: &str| head.pointer(&format!("/metadata/labels/{name}")).and_then(Value::as_str);
        let (Some(release), Some(number)) = (label("name"), label("version").and_then(|text| text.parse().ok())) else {
            continue;
        };
        let status = label("status").unwrap_or("unknown");
        let changed = ["modifiedAt", "createdAt"].iter().find_map(|name| label(name)?.parse().ok());
        let found = Release {
            kind: "Helm release".to_owned(),
            namespace: namespace(&head).unwrap_or_default().to_owned(),
            name: release.to_owned(),
            state: status.to_owned(),
            well: matches!(status, "deployed" | "superseded" | "uninstalled"),
            revision: format!("revision {number}"),
            at: changed.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            message: String::new(),
        };
        let key = (found.namespace.clone(), found.name.clone());
        if newest.get(&key).is_none_or(|(known, _)| *known < number) {
            newest.insert(key, (number, found));
        }
    }
    Ok(newest.into_values().map(|(_, release)| release).collect())
}

/// The metadata of Helm's Secrets.
async fn heads(cluster: &Cluster, space: Option<&str>, most: usize) -> Result<Vec<Value>, LookError> {
    let kind = cluster.kind("v1/Secret").await?;
    let mut heads = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut question = Question::list(&kind, space);
        question.accept = METADATA;
        question.query = selection(Some("owner=helm"), None, most.min(PAGE), token.as_deref());
        let mut take = |mut head: Value| {
            // A server that knows no such form sends the whole Secret.
            if let Value::Object(head) = &mut head {
                head.remove("data");
            }
            if cluster.permits(&kind, &head) {
                heads.push(head);
            }
            ControlFlow::Continue(())
        };
        token = cluster.page(&question, &mut take).await?.token;
        if token.is_none() || heads.len() >= most {
            return Ok(heads);
        }
    }
}

impl Cluster {
    /// The history of a Helm release; nothing where there is none of this name.
    pub(crate) async fn helm(&self, space: &str, release: &str) -> Result<Option<Helm>, LookError> {
        let kind = self.kind("v1/Secret").await?;
        let mut question = Question::list(&kind, Some(space));
        let labels = format!("owner=helm,name={release}");
        question.query = selection(Some(&labels), None, PAGE, None);
        let mut packed: Vec<(i64, Value)> = Vec::new();
        let mut take = |mut secret: Value| {
            if !self.permits(&kind, &secret) {
                return ControlFlow::Continue(());
            }
            let number = name(&secret).rsplit_once(".v").and_then(|(_, number)| number.parse().ok());
            let data = secret.pointer_mut("/data/release").map(Value::take);
            packed.extend(number.zip(data));
            ControlFlow::Continue(())
        };
        self.page(&question, &mut take).await?;
        if packed.is_empty() {
            return Ok(None);
        }
        packed.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let older = packed.len().saturating_sub(REVISIONS);
        let read: Vec<Option<Revision>> =
            packed.iter().take(REVISIONS).map(|(_, data)| unpack(data.as_str()?)).collect();
        Ok(Some(Helm {
            namespace: space.to_owned(),
            name: release.to_owned(),
            broken: read.iter().filter(|read| read.is_none()).count(),
            revisions: read.into_iter().flatten().collect(),
            older,
        }))
    }
}

/// What of a revision is read. Its `config` and `chart.values` are not named here, and so never decoded.
#[derive(Deserialize)]
struct Packed {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    info: Info,
    #[serde(default)]
    chart: Chart,
    #[serde(default)]
    manifest: String,
}

#[derive(Default, Deserialize)]
struct Info {
    #[serde(default)]
    status: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    last_deployed: String,
}

#[derive(Default, Deserialize)]
struct Chart {
    #[serde(default)]
    metadata: ChartMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChartMetadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    app_version: String,
}

/// The JSON of a revision from what Helm wrote of it: base64, of gzip but for Helm's first versions. Nothing where it is none,
/// or unpacks to more than 32 MiB.
pub fn helm_revision(written: &[u8]) -> Option<Vec<u8>> {
    let packed = STANDARD.decode(written.trim_ascii()).ok()?;
    let mut json = Vec::new();
    if packed.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(packed.as_slice()).take(UNPACKED + 1).read_to_end(&mut json).ok()?;
    } else {
        json = packed;
    }
    (json.len() as u64 <= UNPACKED).then_some(json)
}

/// A revision from the data of its Secret, which is base64 of what Helm wrote; nothing where it is none.
pub(super) fn unpack(data: &str) -> Option<Revision> {
    let json = helm_revision(&STANDARD.decode(data).ok()?)?;
    let Packed { version, info, chart, manifest } = serde_json::from_slice(&json).ok()?;
    Some(Revision {
        number: version,
        status: info.status,
        chart: format!("{}-{}", chart.metadata.name, chart.metadata.version),
        app_version: chart.metadata.app_version,
        deployed: info.last_deployed.parse().ok(),
        description: info.description,
        objects: objects(&manifest),
    })
}

/// The objects of a manifest, Secrets without their values. Where one can't be read none is shown: it could be a
/// Secret.
fn objects(manifest: &str) -> Result<BTreeMap<String, Value>, String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(manifest).map_err(|_| "its manifest is no YAML that can be read".to_owned())?;
    let mut objects = BTreeMap::new();
    let lists = documents.into_iter().flat_map(|mut document| {
        mask_secret(&mut document);
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => vec![document],
        }
    });
    for mut object in lists.take(OBJECTS) {
        mask_secret(&mut object);
        let Some(kind) = text(&object, "/kind") else { continue };
        let space = namespace(&object).map(|space| format!("{space}/")).unwrap_or_default();
        let key = format!("{kind} {space}{}", name(&object));
        objects.insert(key, object);
    }
    Ok(objects)
}

impl Revision {
    /// What changed in the objects from an older revision to this one, each with its object.
    pub(crate) fn changed_since(&self, older: &Self) -> Result<Vec<String>, String> {
        let (old, new) = (older.objects.as_ref().map_err(Clone::clone)?, self.objects.as_ref().map_err(Clone::clone)?);
        let mut lines = Vec::new();
        for (key, object) in new {
            match old.get(key) {
                None => lines.push(format!("{key}: added")),
                Some(before) => {
                    let secret = key.starts_with("Secret ");
                    let changed = changes(before, object);
                    lines.extend(changed.iter().filter(|change| !is_chart_label(change)).map(|change| {
                        if secret && change.path.starts_with("data") {
                            // Sizes alone would tell of a change only where they differ.
                            return format!("{key}: {} changed in size", change.path);
                        }
                        format!("{key}: {change}")
                    }));
                }
            }
        }
        lines.extend(old.keys().filter(|key| !new.contains_key(*key)).map(|key| format!("{key}: removed")));
        Ok(lines)
    }
}

/// The label that names chart and version changes with each version, in every object.
fn is_chart_label(change: &Change) -> bool {
    change.path.contains("labels[helm.sh/chart]") || change.path.contains("labels[app.kubernetes.io/version]")
}
