//! CronJobs.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1;
use kube::core::ObjectMeta;

use super::job::JobSpec;
use super::resource::resource;
use super::view::view;

view! {
    /// A CronJob.
    pub struct CronJob {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: CronJobSpec,
        /// What is.
        pub status: CronJobStatus,
    }
}

resource!(CronJob, v1::CronJob);

view! {
    /// What is wanted of a CronJob.
    pub struct CronJobSpec {
        /// Whether somebody has stopped it.
        pub suspend: bool,
        /// From what its Jobs are made.
        pub job_template: JobTemplate,
    }

    /// From what Jobs are made.
    pub struct JobTemplate {
        /// What is wanted of them.
        pub spec: JobSpec,
    }

    /// How a CronJob is.
    pub struct CronJobStatus {
        /// Its Jobs that run.
        pub active: Vec<ActiveJob>,
        /// For which time it last began a Job.
        pub last_schedule_time: Option<Timestamp>,
        /// When one of its Jobs last succeeded.
        pub last_successful_time: Option<Timestamp>,
    }

    /// A Job that runs.
    pub struct ActiveJob {
        /// Its name.
        pub name: Option<String>,
    }
}
