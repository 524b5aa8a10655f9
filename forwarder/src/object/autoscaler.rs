//! Autoscalers.

use k8s_openapi::api::autoscaling::v2;
use kube::core::ObjectMeta;

use super::resource::resource;
use super::view::view;
use super::{Owner, Standing};

view! {
    /// A HorizontalPodAutoscaler.
    pub struct Autoscaler {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: AutoscalerSpec,
        /// What is.
        pub status: AutoscalerStatus,
    }
}

resource!(Autoscaler, v2::HorizontalPodAutoscaler);

view! {
    /// What an autoscaler is to do.
    pub struct AutoscalerSpec {
        /// What it scales.
        pub scale_target_ref: ScaleTarget,
        /// How many pods at most.
        pub max_replicas: u32,
    }

    /// What an autoscaler scales, in its own namespace.
    pub struct ScaleTarget {
        /// Its kind.
        pub kind: String,
        /// Its name.
        pub name: String,
    }

    /// How an autoscaler is.
    pub struct AutoscalerStatus {
        /// How many pods there are.
        pub current_replicas: u32,
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}

impl Autoscaler {
    /// What it scales.
    pub fn target(&self) -> Owner {
        let target = &self.spec.scale_target_ref;
        Owner { kind: target.kind.as_str().into(), name: target.name.as_str().into() }
    }
}
