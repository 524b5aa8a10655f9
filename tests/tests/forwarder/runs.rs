//! Jobs and CronJobs that fail.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ResourceQuota;
use serde_json::json;

use crate::stage::{PATIENCE, Stage, delete, patch};

#[tokio::test]
async fn each_fault_of_jobs_is_told_and_resolved() {
    let Some(stage) = Stage::open("jobs").await else { return };
    let Some(small) = Stage::open("small").await else { return };
    tokio::join!(job(&stage), cron_job(&stage), refused(&small));
    stage.close().await;
    small.close().await;
}

async fn job(stage: &Stage) {
    stage
        .apply(
            "
apiVersion: batch/v1
kind: Job
metadata: { name: import }
spec:
  backoffLimit: 0
  template: { spec: { restartPolicy: Never, containers: [{ name: app, image: 'localhost/busybox:1', command: ['false'] }] } }",
        )
        .await;
    let signal = stage.firing("JobFailed", "Job import").await;
    assert_eq!(signal.labels.get("job_name"), Some("import"));
    assert_eq!(signal.labels.get("reason"), Some("BackoffLimitExceeded"));
    delete(&stage.api::<Job>(), "import").await;
    stage.resolved("JobFailed", "Job import").await;
}

/// A schedule that may begin at the next minute.
fn schedule(name: &str, command: &str) -> String {
    format!(
        "
apiVersion: batch/v1
kind: CronJob
metadata: {{ name: {name} }}
spec:
  schedule: '* * * * *'
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          terminationGracePeriodSeconds: 0
          restartPolicy: Never
          containers: [{{ name: app, image: 'localhost/busybox:1', command: ['{command}'] }}]"
    )
}

/// Its failed Job is told of it too, and both end with a Job that succeeds.
async fn cron_job(stage: &Stage) {
    stage.apply(&schedule("nightly", "false")).await;
    let (failing, job) =
        tokio::join!(stage.firing("CronJobFailing", "CronJob nightly"), stage.firing("JobFailed", "Job nightly-"));
    assert_eq!(failing.labels.get("cronjob"), Some("nightly"));
    assert_eq!(job.labels.get("cronjob"), Some("nightly"));
    let mended = json!([{"name": "app", "image": "localhost/busybox:1", "command": ["true"]}]);
    let template = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": mended}}}}}});
    patch(&stage.api::<CronJob>(), "nightly", template).await;
    tokio::join!(stage.resolved("CronJobFailing", "CronJob nightly"), stage.resolved("JobFailed", "Job nightly-"));
}

/// Its Jobs are refused by a quota; it ends when one is made.
async fn refused(stage: &Stage) {
    quota(stage, "count/jobs.batch").await;
    stage.apply(&schedule("refused", "true")).await;
    let signal = stage.firing("CronJobNotScheduled", "CronJob refused").await;
    assert_eq!(signal.labels.get("reason"), Some("FailedCreate"));
    assert!(signal.headline().contains("exceeded quota: small"), "{}", signal.headline());
    delete(&stage.api::<ResourceQuota>(), "small").await;
    stage.resolved("CronJobNotScheduled", "CronJob refused").await;
}

/// A quota of none of these, once it counts: its controller takes it up after a moment.
pub(crate) async fn quota(stage: &Stage, of: &str) {
    stage
        .apply(&format!(
            "{{ apiVersion: v1, kind: ResourceQuota, metadata: {{ name: small }}, spec: {{ hard: {{ {of}: '0' }} }} }}"
        ))
        .await;
    let counted =
        |quota: Option<&ResourceQuota>| quota.and_then(|quota| quota.status.as_ref()?.hard.as_ref()).is_some();
    let wait = kube::runtime::wait::await_condition(stage.api::<ResourceQuota>(), "small", counted);
    tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
}
