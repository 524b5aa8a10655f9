//! The paths of the Kubernetes API.

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz` and what is below them.
    Health,
    /// `/openapi/v3`
    Descriptions,
    /// `/openapi/v3/apis/apps/v1`
    Description { path: &'a str },
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/apps`
    Group { group: &'a str },
    /// `/api/v1`, `/apis/apps/v1`
    Resources { group_version: &'a str },
    /// All objects of a resource, in one namespace or in all.
    Collection { group_version: &'a str, resource: &'a str, namespace: Option<&'a str> },
    /// One object, or a part of it.
    Object {
        group_version: &'a str,
        resource: &'a str,
        namespace: Option<&'a str>,
        name: &'a str,
        subresource: Option<&'a str>,
    },
    /// Nothing of the API.
    Unknown,
}

/// Parts of a namespace itself, which are no resources in it.
const OF_NAMESPACES: [&str; 2] = ["status", "finalize"];

/// What `path` names.
pub(super) fn parse(path: &str) -> Route<'_> {
    let path = path.trim_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    match *parts.as_slice() {
        ["version"] => Route::Version,
        ["healthz" | "livez" | "readyz", ..] => Route::Health,
        ["openapi", "v3"] => Route::Descriptions,
        ["openapi", "v3", ..] => Route::Description { path: path.strip_prefix("openapi/v3/").unwrap_or_default() },
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group { group },
        ["api", version] => Route::Resources { group_version: version },
        ["apis", _, _] => Route::Resources { group_version: path.strip_prefix("apis/").unwrap_or_default() },
        ["api", version, ref rest @ ..] => resource(version, rest),
        ["apis", group, version, ref rest @ ..] => {
            let length = group.len() + 1 + version.len();
            resource(path.strip_prefix("apis/").and_then(|path| path.get(..length)).unwrap_or_default(), rest)
        }
        _ => Route::Unknown,
    }
}

fn resource<'a>(group_version: &'a str, parts: &[&'a str]) -> Route<'a> {
    let (namespace, parts) = match *parts {
        ["namespaces", namespace, resource, ..] if !OF_NAMESPACES.contains(&resource) => {
            (Some(namespace), parts.get(2..).unwrap_or_default())
        }
        _ => (None, parts),
    };
    match *parts {
        [resource] => Route::Collection { group_version, resource, namespace },
        [resource, name] => Route::Object { group_version, resource, namespace, name, subresource: None },
        [resource, name, subresource] => {
            Route::Object { group_version, resource, namespace, name, subresource: Some(subresource) }
        }
        _ => Route::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_an_object_and_a_place() {
        let collection = |namespace| Route::Collection { group_version: "v1", resource: "pods", namespace };
        assert_eq!(parse("/api/v1/pods"), collection(None));
        assert_eq!(parse("/api/v1/namespaces/shop/pods"), collection(Some("shop")));
        let namespace = |subresource| Route::Object {
            group_version: "v1",
            resource: "namespaces",
            namespace: None,
            name: "shop",
            subresource,
        };
        assert_eq!(parse("/api/v1/namespaces/shop"), namespace(None));
        assert_eq!(parse("/api/v1/namespaces/shop/status"), namespace(Some("status")));
    }

    #[test]
    fn groups_have_their_version_in_the_path() {
        assert_eq!(parse("/apis/apps/v1"), Route::Resources { group_version: "apps/v1" });
        assert_eq!(parse("/apis/apps"), Route::Group { group: "apps" });
        assert_eq!(
            parse("/apis/apps/v1/namespaces/shop/deployments/cart/scale"),
            Route::Object {
                group_version: "apps/v1",
                resource: "deployments",
                namespace: Some("shop"),
                name: "cart",
                subresource: Some("scale"),
            }
        );
        assert_eq!(parse("/openapi/v3/apis/apps/v1"), Route::Description { path: "apis/apps/v1" });
        assert_eq!(parse("/metrics"), Route::Unknown);
    }
}
