//! Namespaces.

use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::Standing;
use super::resource::resource;
use super::view::view;

view! {
    /// A namespace.
    pub struct Namespace {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is.
        pub status: NamespaceStatus,
    }
}

resource!(Namespace, v1::Namespace);

view! {
    /// How a namespace is.
    pub struct NamespaceStatus {
        /// Its conditions, which tell what its deletion waits for.
        pub conditions: Vec<Standing>,
    }
}
