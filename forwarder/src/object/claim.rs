//! Claims of volumes.

use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::meta::SELECTED_NODE;
use super::resource::resource;
use super::view::view;

view! {
    /// A PersistentVolumeClaim.
    pub struct Claim {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: ClaimSpec,
        /// What is.
        pub status: ClaimStatus,
    }
}

resource!(Claim, v1::PersistentVolumeClaim);

view! {
    /// What a claim wants.
    pub struct ClaimSpec {
        /// The StorageClass.
        pub storage_class_name: Option<String>,
        /// The volume that it is bound to.
        pub volume_name: Option<String>,
    }

    /// How a claim is.
    pub struct ClaimStatus {
        /// `Pending`, `Bound` or `Lost`.
        pub phase: Option<String>,
    }
}

impl Claim {
    /// Whether the scheduler has chosen a node for the pod that uses it.
    pub fn has_consumer(&self) -> bool {
        self.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(SELECTED_NODE))
    }
}
