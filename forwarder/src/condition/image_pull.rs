//! An image that can't be pulled.

use std::time::Duration;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{after_colon, some_line};
use super::{Condition, Context, Sighting, Stage};
use crate::object::Object;

/// An image that can't be pulled: a container waits for `hold` in `ErrImagePull`, `ImagePullBackOff` or the like, counted from
/// the first pull that was seen to fail, or in `InvalidImageName` or `ErrImageNeverPull`, where no pull is tried. It ends with
/// the first container that starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImagePull {
    /// Whether it is told. Default: true.
    pub enabled: bool,
    /// How long pulls, which may succeed, must fail, as `30s`; what no pull can mend is told at once. Default: `30s`.
    pub hold: Period,
    /// How long after it was told last the same is told again at the soonest. Default: `10m`.
    pub rate_limit: Period,
}

impl Default for ImagePull {
    fn default() -> Self {
        Self { enabled: true, hold: Period::seconds(30), rate_limit: Period::minutes(10) }
    }
}

/// What the kubelet calls it (pkg/kubelet/images/types.go).
const REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Of these, those without a pull: only another specification mends them.
const UNTRIED: [&str; 2] = ["ErrImageNeverPull", "InvalidImageName"];

impl Condition for ImagePull {
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting> {
        let Object::Pod(pod) = object else { return Vec::new() };
        if pod.finished() {
            return Vec::new();
        }
        let failing = pod.statuses().filter_map(|status| {
            let waiting = status.state.waiting.as_ref()?;
            let reason = waiting.reason.as_deref().filter(|reason| REASONS.contains(reason))?;
            let image = pod.container(&status.name).and_then(|container| container.image.as_deref()).unwrap_or("?");
            let summary = format!(
                "Image {image} of container {} of {} can't be pulled{}",
                status.name,
                context.key,
                after_colon(Some(waiting.message.as_deref().map_or(reason, cause))),
            );
            Some(Sighting {
                container: Some(status.name.clone()),
                stage: if UNTRIED.contains(&reason) {
                    Stage::Holds(Duration::ZERO)
                } else {
                    Stage::Lasts(self.hold.duration())
                },
                since: pod.waiting_since(),
                reason: Some(reason.to_owned()),
                node: pod.spec.node_name.clone(),
                description: some_line(waiting.message.as_deref()),
                ..Sighting::new("PodImagePullFailing", Severity::Warning, summary)
            })
        });
        failing.collect()
    }
}

/// What the registry or the runtime said, without the kubelet's words that it will try again.
fn cause(message: &str) -> &str {
    message.split_once("ErrImagePull: ").map_or(message, |(_, cause)| cause)
}
