//! Jobs.

use k8s_openapi::api::batch::v1;
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::Standing;
use super::meta::trimmed;
use super::resource::resource;

/// A Job.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Job {
    /// What names it.
    #[serde(deserialize_with = "trimmed")]
    pub metadata: ObjectMeta,
    /// What is.
    pub status: JobStatus,
}

resource!(Job, v1::Job);

/// How a Job is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
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
