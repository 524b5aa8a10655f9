//! Records incidents one after the other, once they are explained.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Change, Conclusion, Incident, IncidentId, IncidentStatus};
use marple_tools::history::Window;
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::{BEFORE, Known, Recorder, RecordingError};
use crate::clock::Clock;
use crate::config::{Config, RecordingsConfig};
use crate::store::{IncidentFilter, Store, StoreError};

/// How often it is looked for incidents to record.
const EVERY: Duration = Duration::from_secs(15);

/// Incidents that are looked at each time, the latest.
const INCIDENTS: u32 = 200;

/// How long after an incident opened it may still be recorded: later, what made it up has gone from the cluster.
const LATEST: SignedDuration = SignedDuration::from_hours(1);

/// Members and changes of one incident.
const MEMBERS: u32 = 1_000;
const CHANGES: usize = 2_000;

/// How long one recording may take, and how often it is tried.
const DEADLINE: Duration = Duration::from_mins(5);
const TRIES: u32 = 3;

/// Records incidents into a folder.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
    recorder: Arc<dyn Recorder>,
    cluster: String,
    config: RecordingsConfig,
    clock: Clock,
    /// How often the recording of an incident failed.
    failed: HashMap<IncidentId, u32>,
}

impl Keeper {
    /// What keeps the recordings that the configuration wants; nothing where it wants none, or nobody can record.
    pub(crate) fn of(
        store: &Arc<dyn Store>,
        recorder: Option<Arc<dyn Recorder>>,
        config: &Config,
        clock: Clock,
    ) -> Option<Self> {
        Some(Self {
            store: Arc::clone(store),
            recorder: recorder?,
            cluster: config.cluster.name.clone(),
            config: config.recordings.clone()?,
            clock,
            failed: HashMap::new(),
        })
    }

    /// Records until cancelled. One recording runs at a time: it lists what the cluster has.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), StoreError> {
        while cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            match self.round(&cancel).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => tracing::warn!(%error, "incidents to record can't be read"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn round(&mut self, cancel: &CancellationToken) -> Result<(), StoreError> {
        let folder = match Folder::open(&self.config.folder) {
            Ok(folder) => folder,
            Err(error) => {
                tracing::warn!(folder = %self.config.folder.display(), %error, "recordings.folder can't be made");
                return Ok(());
            }
        };
        let now = self.clock.now();
        let since = now.checked_sub(LATEST).unwrap_or(now);
        let filter = IncidentFilter { since: Some(since), limit: INCIDENTS, ..IncidentFilter::default() };
        let incidents = self.store.incidents(&filter).await?;
        self.failed.retain(|id, _| incidents.iter().any(|incident| incident.id == *id));
        for incident in incidents.into_iter().rev() {
            let id = incident.id;
            let file = folder.file(id);
            if !self.is_wanted(&incident, now) || file.exists() {
                continue;
            }
            let Some(concluded) = self.store.conclusion(id).await? else { continue };
            let known = self.known(incident, concluded.conclusion, now).await?;
            let recording = tokio::time::timeout(DEADLINE, self.recorder.record(known, &file, cancel));
            let recorded = recording.await.unwrap_or_else(|late| Err(RecordingError(late.into())));
            if cancel.is_cancelled() {
                return Ok(());
            }
            self.settle(id, &folder, recorded);
        }
        Ok(())
    }

    fn is_wanted(&self, incident: &Incident, now: Timestamp) -> bool {
        let age = Duration::try_from(now.duration_since(incident.opened_at)).unwrap_or_default();
        incident.status != IncidentStatus::Merged
            && incident.severity >= self.config.severity
            && age >= self.config.after.duration()
            && self.failed.get(&incident.id).is_none_or(|tries| *tries < TRIES)
    }

    async fn known(&self, incident: Incident, conclusion: Conclusion, now: Timestamp) -> Result<Known, StoreError> {
        let since = incident.starts_at.checked_sub(BEFORE).unwrap_or(incident.starts_at);
        let window = Window { namespaces: incident.namespaces(Some(&conclusion)), since, until: now, limit: CHANGES };
        let changes: Vec<Change> = self.store.changes(&self.cluster, &window).await?.changes;
        let members = self.store.members(incident.id, MEMBERS).await?;
        Ok(Known { incident, members, conclusion, changes, since })
    }

    fn settle(&mut self, id: IncidentId, folder: &Folder, recorded: Result<(), RecordingError>) {
        let outcome = match recorded {
            Ok(()) => {
                let most = self.config.max_size.bytes();
                let keep = usize::try_from(self.config.keep.get()).unwrap_or(usize::MAX);
                match folder.prune(keep, most) {
                    Ok(gone) => tracing::info!(incident = %id.short(), gone, "recorded"),
                    Err(error) => tracing::warn!(%error, "old recordings can't be deleted"),
                }
                "written"
            }
            Err(error) => {
                tracing::warn!(incident = %id.short(), %error, "an incident was not recorded");
                *self.failed.entry(id).or_default() += 1;
                "failed"
            }
        };
        metrics::counter!("marple_recordings_total", "outcome" => outcome).increment(1);
    }
}
