//! The restarts of containers.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::condition::Restarts;
use crate::object::{ObjectKey, Pod};

/// The most restarts that are kept of one container; thresholds above are not reached.
const KEPT: usize = 64;

/// The restarts of containers inside a window. An object tells its last one only, so each is noted as it is seen.
#[derive(Debug)]
pub(super) struct RestartLog {
    window: Duration,
    pods: HashMap<ObjectKey, Vec<Restarts>>,
}

impl RestartLog {
    pub(super) fn new(window: Duration) -> Self {
        Self { window, pods: HashMap::new() }
    }

    /// Notes the last restart of each of the pod's containers, and drops those that have left the window.
    pub(super) fn note(&mut self, key: &ObjectKey, pod: &Pod, now: Timestamp) {
        let oldest = now.checked_sub(self.window).unwrap_or(Timestamp::MIN);
        let mut log = self.pods.remove(key).unwrap_or_default();
        for status in pod.statuses().filter(|status| status.restart_count > 0) {
            let ended = status.last_state.terminated.as_ref().and_then(|ended| ended.finished_at);
            let Some(ended) = ended.filter(|ended| *ended > oldest) else { continue };
            match log.iter_mut().find(|restarts| restarts.container == status.name) {
                Some(restarts) if restarts.at.last().is_some_and(|last| *last >= ended) => {}
                Some(restarts) => restarts.at.push(ended),
                None => log.push(Restarts { container: status.name.clone(), at: vec![ended] }),
            }
        }
        for restarts in &mut log {
            restarts.at.retain(|at| *at > oldest);
            let surplus = restarts.at.len().saturating_sub(KEPT);
            restarts.at.drain(..surplus);
        }
        log.retain(|restarts| !restarts.at.is_empty());
        if !log.is_empty() {
            self.pods.insert(key.clone(), log);
        }
    }

    pub(super) fn of(&self, key: &ObjectKey) -> &[Restarts] {
        self.pods.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.pods.remove(key);
    }
}
