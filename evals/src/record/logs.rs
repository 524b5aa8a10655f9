//! Reads the containers' logs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kubernetes::{as_status, with_query};
use super::{RecordError, Recorder};
use crate::bundle::{RecordedLog, RecordedResource};
use crate::json::{items, text};

/// What one container's log may weigh in memory before its newest lines are taken: long lines at the limit of lines.
const READ_LIMIT: usize = 32 * 1024 * 1024;

/// One run of one container.
struct Run {
    namespace: String,
    pod: String,
    container: String,
    previous: bool,
}

impl Run {
    /// Its log, which was not read for this reason.
    fn without(self, refused: Value) -> RecordedLog {
        let Self { namespace, pod, container, previous } = self;
        RecordedLog { text: String::new(), namespace, pod, container, previous, refused: Some(refused) }
    }
}

/// Whether a pod is ready, or ended well, and none of its containers began anew.
fn is_well(pod: &Value) -> bool {
    let ready = items(pod.get("status").unwrap_or(&Value::Null), "conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True");
    let status = pod.get("status").unwrap_or(&Value::Null);
    let restarted = ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .flat_map(|field| items(status, field))
        .any(|container| container.get("restartCount").and_then(Value::as_u64) > Some(0));
    (ready || text(pod, "/status/phase") == "Succeeded") && !restarted
}

impl Recorder<'_> {
    /// Reads the present and the previous log of each container of the recorded pods, those among them that came since
    /// they were listed.
    pub(super) async fn logs(
        &mut self,
        resources: &[RecordedResource],
        since: Vec<Value>,
    ) -> Result<Vec<RecordedLog>, RecordError> {
        let listed = resources.iter().filter(|resource| resource.is_pods()).flat_map(|pods| &pods.objects);
        let mut pods: BTreeMap<(String, String), &Value> = BTreeMap::new();
        for pod in listed.map(|pod| &pod.object).chain(&since) {
            pods.insert((text(pod, "/metadata/namespace").to_owned(), text(pod, "/metadata/name").to_owned()), pod);
        }
        let mut wanted: Vec<(usize, bool, Run)> = Vec::new();
        for pod in pods.into_values() {
            let unwell = !is_well(pod);
            wanted.extend(runs(pod).into_iter().map(|run| (0, unwell, run)));
        }
        wanted.iter_mut().enumerate().for_each(|(place, (at, ..))| *at = place);
        // Whatever there is no room for, it is not the logs of what is broken.
        wanted.sort_by_key(|(_, unwell, _)| !unwell);
        let limits = self.options.limits;
        let (mut logs, mut bytes, mut left) = (Vec::new(), 0, 0_usize);
        for (place, _, run) in wanted {
            if bytes >= limits.all_logs || self.began.elapsed() >= self.options.watch.saturating_add(limits.time) {
                left += 1;
                logs.push((place, run.without(unanswered("there was no time or room left for it"))));
                continue;
            }
            self.progress(&format!("log of {} {}/{}", run.container, run.namespace, run.pod));
            let log = self.log(run).await?;
            bytes += log.text.len();
            logs.push((place, log));
        }
        if left > 0 {
            let (time, room) = (limits.time.as_secs(), limits.all_logs >> 20);
            self.omit(format!("{left} logs"), format!("no more are read after {time} s, or {room} MiB of logs"));
        }
        logs.sort_by_key(|(place, _)| *place);
        Ok(logs.into_iter().map(|(_, log)| log).collect())
    }

    async fn log(&mut self, run: Run) -> Result<RecordedLog, RecordError> {
        let Run { namespace, pod, container, previous } = run;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
        let (lines, bytes) = (self.options.limits.log_lines.to_string(), READ_LIMIT.to_string());
        let parameters = [
            ("container", container.as_str()),
            ("previous", if previous { "true" } else { "" }),
            ("timestamps", "true"),
            ("tailLines", &lines),
            ("limitBytes", &bytes),
        ];
        let (text, refused) = match self.text(&path, &with_query(&path, &parameters)).await {
            Ok(text) => (text, None),
            Err(RecordError::Kubernetes { source: kube::Error::Api(status), .. }) => {
                (String::new(), serde_json::to_value(&*status).ok().map(as_status))
            }
            // A dead kubelet costs its own logs, and not the recording.
            Err(RecordError::Timeout { after, .. }) => {
                let why = format!("no answer in {} s while it was recorded", after.as_secs());
                let which = if previous { ", previous" } else { "" };
                self.omit(format!("log of Pod {namespace}/{pod} container {container}{which}"), why.clone());
                (String::new(), Some(unanswered(&why)))
            }
            Err(error) => return Err(error),
        };
        let kept = newest(&text, self.options.limits.log_bytes);
        if kept.len() < text.len() || text.lines().count() >= self.options.limits.log_lines {
            let which = if previous { ", previous" } else { "" };
            self.omit(
                format!("log of Pod {namespace}/{pod} container {container}{which}"),
                format!("its newest {} lines are kept", kept.lines().count()),
            );
        }
        Ok(RecordedLog { text: self.redaction.log(kept), namespace, pod, container, previous, refused })
    }
}

/// What is answered in place of a log that was not got.
fn unanswered(why: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Timeout", "code": 504,
        "message": format!("the log was not recorded: {why}"),
    })
}

/// The containers of a pod, each with its previous run but where it is in its first: of one that has not run the API
/// server answers with an empty log.
fn runs(pod: &Value) -> Vec<Run> {
    let statuses = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
    let statuses = statuses.iter().filter_map(|field| pod.get("status")?.get(field)?.as_array()).flatten();
    let first: Vec<&str> = statuses
        .filter(|status| {
            status.get("restartCount").and_then(Value::as_u64) == Some(0) && status.pointer("/state/waiting").is_none()
        })
        .map(|status| text(status, "/name"))
        .collect();
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    let mut runs = Vec::new();
    for container in
        ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|field| items(spec, field))
    {
        let name = text(container, "/name");
        for previous in [false, true] {
            if previous && first.contains(&name) {
                continue;
            }
            runs.push(Run {
                namespace: text(pod, "/metadata/namespace").to_owned(),
                pod: text(pod, "/metadata/name").to_owned(),
                container: name.to_owned(),
                previous,
            });
        }
    }
    runs
}

/// The last whole lines that fit in so many bytes.
fn newest(text: &str, limit: usize) -> &str {
    let Some(mut from) = text.len().checked_sub(limit).filter(|from| *from > 0) else { return text };
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let tail = text.get(from..).unwrap_or_default();
    tail.split_once('\n').map_or("", |(_, lines)| lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_lines_are_kept() {
        assert_eq!(newest("one\ntwo\nthree\n", 100), "one\ntwo\nthree\n");
        assert_eq!(newest("one\ntwo\nthree\n", 8), "three\n");
        assert_eq!(newest("é\né\n", 4), "é\n");
        assert_eq!(newest("a line without an end", 4), "");
    }
}
