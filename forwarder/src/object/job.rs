//! Jobs.

use k8s_openapi::api::batch::v1;
use kube::core::ObjectMeta;

use super::Standing;
use super::reference::PodTemplate;
use super::resource::resource;
use super::view::view;

view! {
    /// A Job.
    pub struct Job {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: JobSpec,
        /// What is.
        pub status: JobStatus,
    }
}

resource!(Job, v1::Job);

view! {
    /// What is wanted of a Job.
    pub struct JobSpec {
        /// From what its pods are made.
        pub template: PodTemplate,
    }

    /// How a Job is.
    pub struct JobStatus {
        /// How many pods run.
        pub active: u32,
        /// How many pods have failed.
        pub failed: u32,
        /// How many pods have succeeded.
        pub succeeded: u32,
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}
