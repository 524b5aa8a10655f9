//! Accounts and namespaces.

use crate::change::trim::Trim;

/// `ServiceAccount`s: clouds bind roles to them by annotations. The default one comes with its namespace.
pub(super) fn trim_account(trim: &mut Trim<'_>) {
    if trim.name() == "default" {
        return trim.ignore();
    }
    trim.walk("imagePullSecrets", trim.part("/imagePullSecrets"));
    trim.walk("automountServiceAccountToken", trim.part("/automountServiceAccountToken"));
    trim.annotations();
}

/// Namespaces: policies and injections are chosen by their labels.
pub(super) fn trim_namespace(trim: &mut Trim<'_>) {
    trim.labels();
    trim.annotations();
}
