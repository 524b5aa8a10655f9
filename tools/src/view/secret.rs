//! A Secret without its values.

use serde_json::{Map, Value, json};

use super::certificate::{self, Certificate};
use super::object::COPIES;

/// Keys under which a Secret holds a certificate.
const CERTIFICATES: [&str; 2] = ["tls.crt", "ca.crt"];

/// The field of a masked Secret in which it is told what its certificates say of themselves. No Secret has one of its own.
const TOLD: &str = "certificates";

/// What stands between the size of a certificate and the times between which it is valid.
const VALID: &str = ", valid ";

/// The longest annotation of a Secret that is shown: a value may hide in a longer one.
const SECRET_ANNOTATION: usize = 100;

/// Replaces the values of a Secret by their sizes, as `12 bytes`; anything else stays as it is, but for lists, of
/// which each item is masked. A certificate is public: with its size it is told when it is valid.
pub(crate) fn mask_secret(object: &mut Value) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind.ends_with("List") {
        let secrets = kind == "SecretList";
        for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            if secrets && let Value::Object(item) = item {
                item.entry("kind").or_insert_with(|| "Secret".into());
            }
            mask_secret(item);
        }
        return;
    }
    if kind != "Secret" {
        return;
    }
    // Told of certificates that were masked before; nothing else may stand there.
    let mut told_of = object.get(TOLD).and_then(Value::as_object).cloned().unwrap_or_default();
    told_of.retain(|key, _| certificate_end(object, key).is_some());
    for (field, encoded) in [("data", true), ("stringData", false)] {
        for (key, value) in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
            let read =
                value.as_str().filter(|_| encoded && CERTIFICATES.contains(&key.as_str())).and_then(certificate::read);
            *value = size(value, encoded);
            if let (Some(certificate), Value::String(told)) = (read, value) {
                told.push_str(&format!("{VALID}{} to {}", certificate.from, certificate.until));
                told_of.insert(key.clone(), told_by(certificate));
            }
        }
    }
    if let Value::Object(fields) = object {
        fields.remove(TOLD);
        if !told_of.is_empty() {
            fields.insert(TOLD.to_owned(), Value::Object(told_of));
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    for (name, value) in annotations.into_iter().flatten() {
        if COPIES.contains(&name.as_str()) || value.as_str().is_none_or(|text| text.len() > SECRET_ANNOTATION) {
            *value = size(value, false);
        }
    }
}

/// Whose a certificate is, for which names, and who issued it.
fn told_by(certificate: Certificate) -> Value {
    let mut told = Map::new();
    for (field, text) in [("subject", certificate.subject), ("issuer", certificate.issuer)] {
        told.extend(text.map(|text| (field.to_owned(), text.into())));
    }
    if !certificate.names.is_empty() {
        told.insert("names".to_owned(), certificate.names.into());
    }
    Value::Object(told)
}

/// The size of a value, told in place of it. Base64 has no spaces, so a size that is already there is told apart.
fn size(value: &Value, encoded: bool) -> Value {
    let text = value.as_str().unwrap_or_default();
    let sized =
        |text: &str| text.strip_suffix(" bytes").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let dated = |times: &str| {
        times.split_once(" to ").is_some_and(|(from, until)| {
            [from, until].iter().all(|time| time.parse::<jiff::Timestamp>().is_ok_and(|at| at.to_string() == *time))
        })
    };
    let told = match text.split_once(VALID) {
        Some((bytes, times)) => sized(bytes) && dated(times),
        None => sized(text),
    };
    if told {
        return value.clone();
    }
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let bytes = if encoded { (text.len() / 4 * 3).saturating_sub(padding) } else { text.len() };
    json!(format!("{bytes} bytes"))
}

/// When the certificate under a key of a masked Secret ends.
pub(crate) fn certificate_end(secret: &Value, key: &str) -> Option<jiff::Timestamp> {
    let (_, times) = secret.get("data")?.get(key)?.as_str()?.split_once(VALID)?;
    times.split_once(" to ")?.1.parse().ok()
}

/// From when the certificate under a key of a masked Secret is valid.
pub(crate) fn certificate_begin(secret: &Value, key: &str) -> Option<jiff::Timestamp> {
    let (_, times) = secret.get("data")?.get(key)?.as_str()?.split_once(VALID)?;
    times.split_once(" to ")?.0.parse().ok()
}

/// The names for which the certificate under a key of a masked Secret is.
pub(crate) fn certificate_names<'a>(secret: &'a Value, key: &str) -> Vec<&'a str> {
    let names = secret.get(TOLD).and_then(|told| told.get(key)?.get("names")?.as_array());
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What the certificate under a key of a masked Secret says, in words: for which names, by whom, and when it is valid.
pub(crate) fn certificate_told(secret: &Value, key: &str) -> Option<String> {
    let (from, until) = (certificate_begin(secret, key)?, certificate_end(secret, key)?);
    let text = |field: &str| secret.get(TOLD)?.get(key)?.get(field)?.as_str();
    let names = certificate_names(secret, key);
    let names = if names.is_empty() { text("subject").unwrap_or("no name").to_owned() } else { names.join(", ") };
    let issuer = text("issuer").map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
    Some(format!("for {names}{issuer}, valid {from} to {until}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::object;

    #[test]
    fn a_secret_tells_its_keys_and_sizes_and_never_a_value() {
        let mut secret = json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {"note": "short", "copy": "x".repeat(101)}},
            "data": {"password": "aHVudGVyMg==", "empty": ""}, "stringData": {"token": "hunter2"}, "type": "Opaque"
        });
        let text = "kind: Secret\nmetadata:\n  name: db\n  annotations:\n    copy: 101 bytes\n    note: short\ndata:\n  \
                    empty: 0 bytes\n  password: 7 bytes\nstringData:\n  token: 7 bytes\ntype: Opaque\n";
        assert_eq!(object(&secret), text);
        mask_secret(&mut secret);
        assert_eq!(object(&secret), text, "masking twice changes nothing");
    }

    #[test]
    fn a_certificate_tells_until_when_it_is_valid_and_its_key_nothing() {
        let encoded = include_str!("expired.crt.base64").trim();
        let mut secret = json!({"kind": "Secret", "data": {"tls.crt": encoded, "tls.key": encoded}});
        mask_secret(&mut secret);
        let (told, size) = ("436 bytes, valid 2020-01-01T00:00:00Z to 2020-01-03T00:00:00Z", "436 bytes");
        assert_eq!(secret["data"], json!({"tls.crt": told, "tls.key": size}));
        let says = json!({"tls.crt": {"subject": "shop.example", "issuer": "shop.example"}});
        assert_eq!(secret["certificates"], says);
        assert_eq!(
            certificate_told(&secret, "tls.crt").unwrap(),
            "for shop.example, issued by shop.example, valid 2020-01-01T00:00:00Z to 2020-01-03T00:00:00Z"
        );
        mask_secret(&mut secret);
        assert_eq!(
            (&secret["data"]["tls.crt"], &secret["certificates"]),
            (&json!(told), &says),
            "masking twice changes nothing"
        );
        assert_eq!(certificate_end(&secret, "tls.crt"), "2020-01-03T00:00:00Z".parse().ok());
        let mut forged = json!({"kind": "Secret", "data": {"tls.crt": "1 bytes, valid hunter2 to hunter2"}});
        mask_secret(&mut forged);
        assert!(!forged.to_string().contains("hunter2"));
        let mut forged = json!({"kind": "Secret", "data": {"tls.crt": "aHVudGVyMg=="}, "certificates": {"tls.crt": {"subject": "hunter2"}}});
        mask_secret(&mut forged);
        assert!(!forged.to_string().contains("hunter2"));
    }

    #[test]
    fn secrets_in_a_list_are_masked_though_items_of_lists_have_no_kind() {
        let list = json!({"kind": "SecretList", "items": [{"data": {"a": "aHVudGVyMg=="}}]});
        assert!(!object(&list).contains("aHVudGVyMg"));
    }
}
