//! Routes of the Gateway API: to which Services they send and on which Gateways they hang.

use marple_core::ObjectRef;
use serde_json::Value;

use super::field;

/// A Service that a route sends to.
pub(crate) struct Backend<'a> {
    /// The Service.
    pub(crate) service: ObjectRef,
    /// Its port.
    pub(crate) port: Option<i64>,
    /// Which rule names it, as `rule 1`.
    pub(crate) how: String,
    /// Its name as it is written.
    pub(crate) name: &'a str,
}

/// The Services that a route's rules send to. Backends of other kinds are left out.
pub(crate) fn backends<'a>(namespace: &str, route: &'a Value) -> Vec<Backend<'a>> {
    let rules = field::items(route, "/spec/rules").iter().enumerate();
    rules
        .flat_map(|(index, rule)| field::items(rule, "/backendRefs").iter().map(move |backend| (index, backend)))
        .filter(|(_, backend)| {
            field::text(backend, "/kind").is_none_or(|kind| kind == "Service")
                && field::text(backend, "/group").is_none()
        })
        .filter_map(|(index, backend)| {
            let name = field::text(backend, "/name")?;
            let namespace = field::text(backend, "/namespace").unwrap_or(namespace);
            Some(Backend {
                service: ObjectRef::namespaced("Service", namespace, name),
                port: field::number(backend, "/port"),
                how: format!("rule {}", index + 1),
                name,
            })
        })
        .collect()
}

/// What a route names, and how.
pub(super) fn references(namespace: &str, route: &Value) -> Vec<(ObjectRef, String)> {
    let parents = field::items(route, "/spec/parentRefs")
        .iter()
        .filter(|parent| field::text(parent, "/kind").is_none_or(|kind| kind == "Gateway"))
        .filter_map(|parent| {
            let namespace = field::text(parent, "/namespace").unwrap_or(namespace);
            let gateway = ObjectRef::namespaced("Gateway", namespace, field::text(parent, "/name")?);
            Some((gateway, "parentRefs".to_owned()))
        });
    parents.chain(backends(namespace, route).into_iter().map(|backend| (backend.service, backend.how))).collect()
}
