//! Logs of containers.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Query;
use super::status::Refusal;
use crate::bundle::Bundle;
use crate::json::text;

/// The answer that is a log, cut as the request asks. A followed log ends where the recording does.
pub(super) fn response(bundle: &Bundle, pod: &Value, query: &Query) -> Result<Response, Refusal> {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let container = container(pod, name, query.get("container"))?;
    let previous = query.is("previous");
    let cut = Cut {
        tail: query.number("tailLines")?,
        since: since(query, bundle.now())?,
        timestamps: query.is("timestamps"),
        bytes: query.number("limitBytes")?,
    };
    let found = bundle.kubernetes.logs.iter().find(|log| {
        log.namespace == namespace && log.pod == name && log.container == container && log.previous == previous
    });
    let found = found.ok_or_else(|| {
        Refusal::bad_request(&format!("previous terminated container {container:?} in pod {name:?} not found"))
    })?;
    if let Some(status) = &found.refused {
        return Err(Refusal::recorded(status));
    }
    Ok(([(CONTENT_TYPE, "text/plain")], cut.apply(&found.text)).into_response())
}

/// The container that is meant.
fn container<'a>(pod: &'a Value, name: &str, asked: Option<&'a str>) -> Result<&'a str, Refusal> {
    let names = |field: &str| -> Vec<&'a str> {
        let containers = pod.pointer(&format!("/spec/{field}")).and_then(Value::as_array);
        containers.into_iter().flatten().map(|container| text(container, "/name")).collect()
    };
    let (usual, initial) = (names("containers"), names("initContainers"));
    match (asked, usual.as_slice()) {
        (Some(asked), _) => {
            let known =
                usual.contains(&asked) || initial.contains(&asked) || names("ephemeralContainers").contains(&asked);
            if known {
                Ok(asked)
            } else {
                Err(Refusal::bad_request(&format!("container {asked} is not valid for pod {name}")))
            }
        }
        (None, [one]) if initial.is_empty() => Ok(one),
        (None, _) => {
            let message =
                format!("a container name must be specified for pod {name}, choose one of: [{}]", usual.join(" "));
            let initial = match initial.as_slice() {
                [] => String::new(),
                names => format!(" or one of the init containers: [{}]", names.join(" ")),
            };
            Err(Refusal::bad_request(&format!("{message}{initial}")))
        }
    }
}

fn since(query: &Query, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if let Some(seconds) = query.number("sinceSeconds")? {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        return Ok(Some(now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)));
    }
    let time = query.get("sinceTime").map(|text| {
        text.parse().map_err(|_| Refusal::bad_request(&format!("sinceTime must be a time in RFC 3339, got {text:?}")))
    });
    time.transpose()
}

/// What of a log is asked for.
struct Cut {
    tail: Option<usize>,
    since: Option<Timestamp>,
    timestamps: bool,
    bytes: Option<usize>,
}

impl Cut {
    /// In the kubelet's order: the last lines, of those the recent, of those so many bytes.
    fn apply(&self, log: &str) -> String {
        let lines: Vec<&str> = log.lines().collect();
        let from = self.tail.map_or(0, |tail| lines.len().saturating_sub(tail));
        let mut out = String::new();
        for line in lines.get(from..).unwrap_or_default() {
            let (time, message) = line.split_once(' ').unwrap_or((line, ""));
            let at = time.parse::<Timestamp>().ok();
            // Where there is no log, the kubelet says so in its place, without a time.
            let message = if at.is_some() { message } else { line };
            if self.since.as_ref().is_none_or(|since| at.is_none_or(|at| at >= *since)) {
                out.push_str(if self.timestamps { line } else { message });
                out.push('\n');
            }
        }
        if let Some(bytes) = self.bytes {
            out.truncate(out.floor_char_boundary(bytes));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOG: &str = "2026-01-01T00:00:01.5Z one\n2026-01-01T00:00:02Z two\n2026-01-01T00:00:03Z\n";

    #[test]
    fn a_log_is_cut_by_lines_then_time_then_bytes() {
        let cut = |tail, since: Option<&str>, timestamps, bytes| {
            Cut { tail, since: since.map(|text| text.parse().unwrap()), timestamps, bytes }.apply(LOG)
        };
        assert_eq!(cut(None, None, false, None), "one\ntwo\n\n");
        assert_eq!(cut(None, None, true, None), LOG);
        assert_eq!(cut(Some(2), Some("2026-01-01T00:00:00Z"), false, None), "two\n\n");
        assert_eq!(cut(Some(2), Some("2026-01-01T00:00:03Z"), false, None), "\n");
        assert_eq!(cut(None, None, false, Some(5)), "one\nt");
        assert_eq!(cut(Some(0), None, false, None), "");
        let none = "unable to retrieve container logs for containerd://5d\n";
        let cut = Cut { tail: None, since: Some(Timestamp::UNIX_EPOCH), timestamps: false, bytes: None };
        assert_eq!(cut.apply(none), none);
    }

    #[test]
    fn the_container_must_be_named_where_there_are_several() {
        let pod =
            json!({"spec": {"containers": [{"name": "app"}, {"name": "proxy"}], "initContainers": [{"name": "wait"}]}});
        assert!(container(&pod, "cart", None).is_err());
        assert_eq!(container(&pod, "cart", Some("wait")).unwrap(), "wait");
        assert!(container(&pod, "cart", Some("db")).is_err());
        assert_eq!(container(&json!({"spec": {"containers": [{"name": "app"}]}}), "cart", None).unwrap(), "app");
    }
}
