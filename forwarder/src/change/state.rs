//! What is known of an object: of each field that matters a digest, and its text where that is short.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::family::Family;

/// Raised when other fields are taken of objects than before: what was kept in an older form can't be compared.
pub(super) const FORMAT: u32 = 2;

/// The longest text that is kept of a field, in bytes; of a longer one only size and digest are told.
pub(super) const TEXT: usize = 4 << 10;

/// The texts that are kept of one object in all, in bytes. With the bound on objects that wait for delivery it bounds the
/// memory that they take.
pub(super) const TEXTS: usize = 32 << 10;

/// A text up to this long is kept however many others there are.
pub(super) const SHORT: usize = 64;

/// The texts that are kept of all objects, the short ones apart, in bytes: a fifth of what a forwarder may have.
pub(super) const ALL_TEXTS: usize = 12 << 20;

/// The most fields of an object that are told apart; the rest are one.
pub(super) const FIELDS: usize = 400;

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The form that it is in.
    pub(super) format: u32,
    /// The object in the cluster.
    pub object: ObjectRef,
    /// What a change of it is told of, where that is another: of a Secret in which Helm keeps a revision, the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told_of: Option<ObjectRef>,
    /// Its uid.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub version: Box<str>,
    /// When it was last written, status apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<Timestamp>,
    /// Why, as somebody noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<Box<str>>,
    /// Its fields, in the order of their paths.
    pub(super) fields: Box<[Field]>,
}

/// What is known of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// Its path, as `containers[app].image`.
    pub(super) path: Box<str>,
    /// Of its value.
    pub(super) digest: u64,
    /// Its value as it is shown.
    pub(super) text: Box<str>,
}

impl State {
    /// Takes secrets out of what it shows, each text told with its path. What it is compared by stays.
    pub fn redact(&mut self, redact: &dyn Fn(&str, &str) -> String) {
        for field in &mut self.fields {
            field.text = redact(&field.path, &field.text).into();
        }
        self.why = self.why.take().map(|why| redact("change-cause", &why).into());
    }

    /// The bytes of its texts that count against [`ALL_TEXTS`].
    pub(super) fn texts(&self) -> usize {
        self.fields.iter().map(|field| field.text.len()).filter(|length| *length > SHORT).sum()
    }

    /// The text of a field.
    pub(super) fn field(&self, path: &str) -> Option<&str> {
        self.fields.iter().find(|field| &*field.path == path).map(|field| &*field.text)
    }

    /// What a change of it is told of.
    pub(super) fn told_of(&self) -> &ObjectRef {
        self.told_of.as_ref().unwrap_or(&self.object)
    }

    /// Whether it can be compared with what is taken of objects of its kind now.
    pub(super) fn is_comparable(&self, family: &Family) -> bool {
        self.format == family.format()
    }
}

/// The same in every process and version: states outlive both.
pub(super) fn digest(text: &str) -> u64 {
    let whole = Sha256::digest(text.as_bytes());
    whole.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}
