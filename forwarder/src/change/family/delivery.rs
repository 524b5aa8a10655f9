//! What delivers others: Argo CD's applications, Flux's kustomizations and releases.

use crate::change::trim::Trim;

/// Applications of Argo CD: what they deliver, and which revision of it was synced.
pub(super) fn trim_argo(trim: &mut Trim<'_>) {
    for key in ["source", "sources", "destination", "syncPolicy"] {
        trim.walk(key, trim.part(&format!("/spec/{key}")));
    }
    for key in ["revision", "revisions"] {
        trim.walk(key, trim.part(&format!("/status/operationState/syncResult/{key}")));
    }
}

/// Kustomizations and releases of Flux: what they deliver, and which revision of it was applied.
pub(super) fn trim_flux(trim: &mut Trim<'_>) {
    for key in ["path", "sourceRef", "chart", "chartRef", "values", "valuesFrom", "suspend", "targetNamespace"] {
        trim.walk(key, trim.part(&format!("/spec/{key}")));
    }
    trim.walk("revision", trim.part("/status/lastAppliedRevision"));
    trim.walk("revision", trim.part("/status/history/0/chartVersion"));
}
