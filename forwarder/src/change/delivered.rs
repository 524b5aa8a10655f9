//! What delivers an object, by the marks that it leaves.

use kube::core::ObjectMeta;

/// As `Helm release shop/cart`, `Argo CD application cart` or `Flux Kustomization flux-system/apps`.
pub(super) fn delivered_by(metadata: &ObjectMeta) -> Option<String> {
    let label = |name: &str| metadata.labels.as_ref()?.get(name).map(String::as_str);
    let annotation = |name: &str| metadata.annotations.as_ref()?.get(name).map(String::as_str);
    let by_flux = |kind: &str, api: &str| {
        let name = label(&format!("{api}.toolkit.fluxcd.io/name"))?;
        let namespace = label(&format!("{api}.toolkit.fluxcd.io/namespace"))?;
        Some(flux(kind, namespace, name))
    };
    let by_argo = || {
        // `application:group/kind:namespace/name`.
        let tracked = annotation("argocd.argoproj.io/tracking-id").and_then(|id| id.split(':').next());
        let name = tracked.or_else(|| label("argocd.argoproj.io/instance"))?;
        Some(argo(name))
    };
    let by_helm = || {
        let name = annotation("meta.helm.sh/release-name")?;
        let namespace = annotation("meta.helm.sh/release-namespace").or(metadata.namespace.as_deref())?;
        Some(helm(namespace, name))
    };
    by_argo()
        .or_else(|| by_flux("HelmRelease", "helm"))
        .or_else(|| by_flux("Kustomization", "kustomize"))
        .or_else(by_helm)
}

/// What an application of Argo CD is called.
pub(super) fn argo(name: &str) -> String {
    format!("Argo CD application {name}")
}

/// What an object of Flux that delivers others is called.
pub(super) fn flux(kind: &str, namespace: &str, name: &str) -> String {
    format!("Flux {kind} {namespace}/{name}")
}

/// What a release of Helm is called.
pub(super) fn helm(namespace: &str, name: &str) -> String {
    format!("Helm release {namespace}/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_way_of_delivery_is_known_by_its_marks() {
        for (metadata, told) in [
            (
                json!({"annotations": {"meta.helm.sh/release-name": "cart", "meta.helm.sh/release-namespace": "shop"}}),
                Some("Helm release shop/cart"),
            ),
            (
                json!({"annotations": {"argocd.argoproj.io/tracking-id": "cart:apps/Deployment:shop/cart"}}),
                Some("Argo CD application cart"),
            ),
            (
                json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}),
                Some("Flux Kustomization flux-system/apps"),
            ),
            (
                json!({"labels": {"helm.toolkit.fluxcd.io/name": "cart", "helm.toolkit.fluxcd.io/namespace": "shop"},
                "annotations": {"meta.helm.sh/release-name": "cart"}}),
                Some("Flux HelmRelease shop/cart"),
            ),
            (json!({"labels": {"app": "cart"}}), None),
        ] {
            let metadata: ObjectMeta = serde_json::from_value(metadata).unwrap();
            assert_eq!(delivered_by(&metadata).as_deref(), told);
        }
    }
}
