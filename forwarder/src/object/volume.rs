//! Volumes.

use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::resource::resource;
use super::view::view;

view! {
    /// A PersistentVolume.
    pub struct Volume {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: VolumeSpec,
        /// What is.
        pub status: VolumeStatus,
    }
}

resource!(Volume, v1::PersistentVolume);

view! {
    /// What is wanted of a volume.
    pub struct VolumeSpec {
        /// The claim that it is or was bound to.
        pub claim_ref: Option<ClaimReference>,
    }

    /// The claim of a volume.
    pub struct ClaimReference {
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
    }

    /// How a volume is.
    pub struct VolumeStatus {
        /// `Pending`, `Available`, `Bound`, `Released` or `Failed`.
        pub phase: Option<String>,
        /// Why, for people.
        pub message: Option<String>,
        /// Since when.
        pub last_phase_transition_time: Option<Timestamp>,
    }
}
