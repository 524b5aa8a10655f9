//! Configuration that programs read.

use crate::change::trim::Trim;
use crate::config::Values;

/// Made in every namespace, with the same text.
const EVERYWHERE: [&str; 3] = ["kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert"];

/// By these annotations programs agree on a leader, or note how they are, every few seconds.
const OF_PROGRAMS: [&str; 2] =
    ["control-plane.alpha.kubernetes.io/leader", "cluster-autoscaler.kubernetes.io/last-updated"];

/// `ConfigMap`s.
pub(super) fn trim(trim: &mut Trim<'_>) {
    if EVERYWHERE.contains(&trim.name()) || OF_PROGRAMS.iter().any(|mark| trim.annotation(mark).is_some()) {
        return trim.ignore();
    }
    for (key, value) in trim.part("/data").as_object().into_iter().flatten() {
        let (path, text) = (format!("data.{key}"), value.as_str().unwrap_or_default());
        match trim.values() {
            Values::Clear => trim.field(path, text),
            Values::Hashed => trim.hashed(path, text),
        }
    }
    for (key, value) in trim.part("/binaryData").as_object().into_iter().flatten() {
        trim.hashed(format!("binaryData.{key}"), value.as_str().unwrap_or_default());
    }
    trim.walk("immutable", trim.part("/immutable"));
}
