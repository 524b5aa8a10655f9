//! Classes of storage.

use k8s_openapi::api::storage::v1;
use kube::core::ObjectMeta;

use super::resource::resource;
use super::view::view;

view! {
    /// A StorageClass.
    pub struct StorageClass {
        /// What names it.
        pub metadata: ObjectMeta,
        /// `Immediate` or `WaitForFirstConsumer`.
        pub volume_binding_mode: Option<String>,
    }
}

resource!(StorageClass, v1::StorageClass);

impl StorageClass {
    /// Whether its claims rightly wait until a pod uses them.
    pub fn waits_for_consumer(&self) -> bool {
        self.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
    }
}
