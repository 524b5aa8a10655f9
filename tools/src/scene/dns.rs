//! Names of Services that exist, and that the cluster's DNS says it does not know.

use marple_core::ObjectRef;

use super::spoken::{Trouble, hosts, name_server, trouble};
use super::{Log, Scene, field};

/// How many lines from the end of a log are searched.
const DEPTH: usize = 60;

/// The Service of the cluster's DNS.
pub(crate) fn server() -> ObjectRef {
    name_server().service("kube-system")
}

/// Whether a log says of a Service that exists that its name is not found. A headless one has a name only while pods of it
/// are ready, and one that stands for another has that one's.
pub(crate) fn denies(scene: &Scene, log: &Log) -> bool {
    let Some(namespace) = log.pod.namespace.as_deref() else { return false };
    let lines = log.text.lines().rev().filter(|line| !line.trim().is_empty()).take(DEPTH);
    let unresolved = lines.filter(|line| trouble(line) == Some(Trouble::Unresolved));
    unresolved.flat_map(hosts).any(|target| has_name(scene, &target.service(namespace)))
}

/// Whether a Service has a name for as long as it exists.
pub(crate) fn has_name(scene: &Scene, service: &ObjectRef) -> bool {
    scene.get(service).is_some_and(|value| {
        field::text(value, "/spec/clusterIP").is_some_and(|ip| ip != "None")
            && field::text(value, "/spec/externalName").is_none()
    })
}
