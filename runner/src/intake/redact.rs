//! Takes secrets out of what comes in, before it is kept or told.

use marple_core::{Labels, ObjectRef, Signal};
use marple_tools::Redact;

/// Labels that by the custom of exporters hold the name of a Secret, and not one.
const NAMES_OF_SECRETS: [&str; 3] = ["secret", "secret_name", "exported_secret"];

/// Takes secrets out of what signals tell: labels, annotations, names, links. The fingerprint stays: it is of the labels as
/// they came, so that the alert is known again.
pub fn redact(signals: &mut [Signal], redact: &dyn Redact) {
    let mut told = String::with_capacity(2_048);
    for signal in signals {
        told.clear();
        tell(signal, &mut told);
        // Nearly all hold no secret, so each is read as one text first.
        if redact.without_secrets(&told).is_some() {
            each(signal, redact);
        }
    }
}

/// All that a signal tells, as each part is read when it is looked at alone.
fn tell(signal: &Signal, told: &mut String) {
    for (name, value) in signal.labels.iter() {
        told.extend([name, ": ", value, "\n"]);
    }
    for (name, text) in signal.annotations.iter() {
        told.extend([name, ": ", text, "\n", text, "\n"]);
    }
    told.push_str(signal.generator_url.as_deref().unwrap_or_default());
    let subject = signal.subject.as_ref();
    for part in subject.into_iter().flat_map(|object| [Some(&object.name), object.namespace.as_ref()]).flatten() {
        told.extend(["\n", part.as_str()]);
    }
    told.extend(["\n", &signal.name]);
}

/// Each part for itself: one says nothing of the others.
fn each(signal: &mut Signal, redact: &dyn Redact) {
    let annotations = std::mem::take(&mut signal.annotations);
    signal.annotations =
        annotations.iter().map(|(name, text)| (name, after_name(name, text, redact))).collect::<Labels>();
    let labels = std::mem::take(&mut signal.labels);
    signal.labels = labels.iter().map(|(name, value)| (name, label(name, value, redact))).collect();
    signal.name = redact.redact(&signal.name);
    signal.generator_url = signal.generator_url.take().map(|url| redact.redact(&url));
    signal.subject = signal.subject.take().map(|object| ObjectRef {
        namespace: object.namespace.map(|namespace| redact.redact(&namespace)),
        name: redact.redact(&object.name),
        ..object
    });
}

fn label(name: &str, value: &str, redact: &dyn Redact) -> String {
    if NAMES_OF_SECRETS.contains(&name) { redact.redact(value) } else { after_name(name, value, redact) }
}

/// A text, read for itself and as what stands after its name: that may tell that it is a secret.
pub(super) fn after_name(name: &str, text: &str, redact: &dyn Redact) -> String {
    let whole = redact.redact(&format!("{name}: {}", redact.redact(text)));
    whole.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).map_or(whole.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::Fingerprint;
    use marple_tools::redact::{RedactConfig, Redactor};
    use serde_json::json;

    use super::*;

    fn signal(labels: &serde_json::Value, subject: &serde_json::Value) -> Signal {
        let of: Labels = serde_json::from_value(labels.clone()).unwrap();
        serde_json::from_value(
            json!({"source": "alertmanager", "fingerprint": Fingerprint::of(&of), "status": "firing",
            "name": "A", "severity": "warning", "subject": subject, "labels": labels,
            "starts_at": "2026-01-02T03:04:05Z", "generator_url": "http://prometheus/graph?g0.expr=up"}),
        )
        .unwrap()
    }

    fn redacted(mut signal: Signal) -> Signal {
        let redactor = Redactor::new(&RedactConfig::default()).unwrap();
        redact(std::slice::from_mut(&mut signal), &redactor);
        signal
    }

    #[test]
    fn a_secret_in_a_label_is_taken_out_wherever_it_went_and_the_alert_stays_the_same() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        let pod = json!({"kind": "Pod", "namespace": "shop", "name": token});
        let before = signal(&json!({"alertname": "A", "pod": token, "url": "postgres://cart:hunter22@db/cart"}), &pod);
        let after = redacted(before.clone());
        let text = serde_json::to_string(&after).unwrap();
        assert!(!text.contains(&token) && !text.contains("hunter22"), "{text}");
        assert_eq!(after.fingerprint, before.fingerprint);
        assert_eq!(after.labels.get("alertname"), Some("A"));
        assert_eq!(after.generator_url, before.generator_url);
    }

    #[test]
    fn a_label_whose_name_tells_of_a_secret_is_taken_out_and_the_name_of_a_secret_stays() {
        let after = redacted(signal(
            &json!({"alertname": "A", "password": "hunter22x", "secret": "db-credentials"}),
            &json!(null),
        ));
        assert!(!after.labels.get("password").unwrap().contains("hunter22x"));
        assert_eq!(after.labels.get("secret"), Some("db-credentials"));
    }

    #[test]
    fn what_holds_no_secret_is_left_as_it_came() {
        let pod = json!({"kind": "Pod", "namespace": "shop", "name": "cart-7d4b9c6f5-x2x7p"});
        let labels = json!({"alertname": "A", "namespace": "shop", "pod": "cart-7d4b9c6f5-x2x7p", "uid":
            "0b9f6c1e-2f5a-4f0e-9d57-1c2b3a4d5e6f", "image": "registry/cart@sha256:4bf9636e8d2a1c0f4bf9636e8d2a1c0f4bf9636e8d2a1c0f4bf9636e8d2a1c0f"});
        let before = signal(&labels, &pod);
        assert_eq!(redacted(before.clone()), before);
    }
}
