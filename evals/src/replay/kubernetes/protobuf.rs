//! Reads access reviews in the API's protobuf form, in which `kubectl` sends them.
//!
//! Field numbers are those of `k8s.io/api/authorization/v1/generated.proto` and `k8s.io/apimachinery/pkg/runtime`.

use serde_json::{Map, Value, json};

/// What stands before every message of the API.
const MAGIC: &[u8] = b"k8s\0";

/// A review as the same JSON; nothing where the bytes are none.
pub(super) fn review(bytes: &[u8]) -> Option<Value> {
    let unknown = fields(bytes.strip_prefix(MAGIC)?)?;
    let types = fields(first(&unknown, 1)?)?;
    let object = fields(first(&unknown, 2)?)?;
    let spec = first(&object, 2).map_or(Some(Vec::new()), fields)?;
    let kind = |number| first(&types, number).and_then(text);
    let mut out = Map::new();
    if kind(2)? == "SelfSubjectRulesReview" {
        out.insert("namespace".to_owned(), first(&spec, 1).map_or(Some(""), text)?.into());
    } else if let Some(attributes) = first(&spec, 1) {
        const NAMES: [&str; 7] = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
        out.insert("resourceAttributes".to_owned(), texts(&fields(attributes)?, &NAMES)?);
    }
    if let Some(attributes) = first(&spec, 2) {
        out.insert("nonResourceAttributes".to_owned(), texts(&fields(attributes)?, &["path", "verb"])?);
    }
    if let Some(user) = first(&spec, 3) {
        out.insert("user".to_owned(), text(user)?.into());
    }
    let groups = spec.iter().filter(|(number, _)| *number == 4).map(|(_, bytes)| text(bytes).map(Value::from));
    let groups: Vec<Value> = groups.collect::<Option<_>>()?;
    if !groups.is_empty() {
        out.insert("groups".to_owned(), groups.into());
    }
    Some(json!({ "apiVersion": kind(1)?, "kind": kind(2)?, "metadata": {}, "spec": out }))
}

type Fields<'a> = Vec<(u64, &'a [u8])>;

/// The fields of a message that have a length; numbers are left out, for no review has one that matters.
fn fields(mut bytes: &[u8]) -> Option<Fields<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match tag & 7 {
            0 => drop(varint(&mut bytes)?),
            1 => bytes = bytes.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (field, rest) = bytes.split_at_checked(length)?;
                found.push((tag >> 3, field));
                bytes = rest;
            }
            5 => bytes = bytes.get(4..)?,
            _ => return None,
        }
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn first<'a>(fields: &Fields<'a>, number: u64) -> Option<&'a [u8]> {
    fields.iter().find(|(found, _)| *found == number).map(|(_, bytes)| *bytes)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The texts of a message, whose fields have these names from 1 on.
fn texts(fields: &Fields<'_>, names: &[&str]) -> Option<Value> {
    let mut out = Map::new();
    for (name, number) in names.iter().zip(1_u64..) {
        if let Some(value) = first(fields, number) {
            out.insert((*name).to_owned(), text(value)?.into());
        }
    }
    Some(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A field with a length.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    #[test]
    fn a_review_is_read_as_kubectl_sends_it() {
        let attributes = [field(1, b"shop"), field(2, b"get"), field(5, b"pods"), field(7, b"cart-1")].concat();
        let spec = [field(1, &attributes), field(3, b"alice"), field(4, b"ops"), field(4, b"dev")].concat();
        let object = [field(1, b""), field(2, &spec)].concat();
        let types = [field(1, b"authorization.k8s.io/v1"), field(2, b"SubjectAccessReview")].concat();
        let message = [MAGIC.to_vec(), field(1, &types), field(2, &object), field(3, b"")].concat();
        let wanted = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": {
            "resourceAttributes": {"namespace": "shop", "verb": "get", "resource": "pods", "name": "cart-1"},
            "user": "alice", "groups": ["ops", "dev"]}});
        assert_eq!(review(&message), Some(wanted));
        assert_eq!(review(b"{}"), None);
    }

    #[test]
    fn a_review_of_rules_names_a_namespace() {
        let object = [field(1, b""), field(2, &field(1, b"shop"))].concat();
        let types = [field(1, b"authorization.k8s.io/v1"), field(2, b"SelfSubjectRulesReview")].concat();
        let message = [MAGIC.to_vec(), field(1, &types), field(2, &object)].concat();
        let wanted = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "metadata": {},
            "spec": {"namespace": "shop"}});
        assert_eq!(review(&message), Some(wanted));
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_program(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(review(&[MAGIC, &bytes].concat()));
        }
    }
}
