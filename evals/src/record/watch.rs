//! Watches what becomes of the objects while the rest is read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use http::header::ACCEPT;
use jiff::Timestamp;
use kube::core::WatchEvent as Told;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::kubernetes::{ACCEPT_TABLE, objects, with_query};
use crate::bundle::{RecordedResource, WatchEvent, Watched};

/// The most events that are kept, of all watches together.
const EVENTS: usize = 20_000;

/// The most that they may weigh, in bytes of JSON.
const BYTES: usize = 64 * 1024 * 1024;

/// The most watches at a time: what one client may ask of an API server beside others.
const WATCHES: usize = 400;

/// The longest that one goes on, whoever forgets it.
const LONGEST: Duration = Duration::from_mins(30);

/// What says that somebody is alive, every few seconds, and nothing else.
const HEARTBEATS: [&str; 1] = ["leases"];

/// Watches under way. Dropped, they end.
pub(super) struct Watches {
    client: kube::Client,
    journal: Arc<Mutex<Journal>>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// What they have told.
#[derive(Default)]
struct Journal {
    events: Vec<Watched>,
    bytes: usize,
    faults: Vec<(String, String)>,
}

/// What they have told, in order, and what they could not tell: of what, why.
pub(super) struct Seen {
    pub(super) events: Vec<Watched>,
    pub(super) faults: Vec<(String, String)>,
}

impl Watches {
    pub(super) fn new(client: kube::Client, cancel: &CancellationToken) -> Self {
        Self { client, journal: Arc::default(), tasks: JoinSet::new(), stop: cancel.child_token() }
    }

    /// Watches a collection from the version at which it was listed.
    pub(super) fn begin(&mut self, resource: &RecordedResource, path: &str, version: &str) {
        if version.is_empty() || HEARTBEATS.contains(&resource.resource.as_str()) {
            return;
        }
        let what = format!("changes of {} of {} while it was recorded", resource.resource, resource.group_version);
        if self.tasks.len() >= WATCHES {
            self.fault(what, format!("no more than {WATCHES} watches are opened"));
            return;
        }
        let seconds = LONGEST.as_secs().to_string();
        let parameters = [
            ("watch", "true"),
            ("resourceVersion", version),
            ("includeObject", "Object"),
            ("timeoutSeconds", seconds.as_str()),
        ];
        let request = http::Request::get(with_query(path, &parameters)).header(ACCEPT, ACCEPT_TABLE).body(Vec::new());
        let request = match request {
            Ok(request) => request,
            Err(error) => return self.fault(what, error.to_string()),
        };
        let named = RecordedResource {
            group_version: resource.group_version.clone(),
            resource: resource.resource.clone(),
            kind: resource.kind.clone(),
            ..RecordedResource::default()
        };
        let (client, journal, stop) = (self.client.clone(), Arc::clone(&self.journal), self.stop.clone());
        self.tasks.spawn(async move {
            let watched = async {
                let mut stream = std::pin::pin!(client.request_events::<Value>(request).await?);
                while let Some(told) = stream.try_next().await? {
                    if !lock(&journal).take(&named, told) {
                        break;
                    }
                }
                Ok::<(), kube::Error>(())
            };
            let ended = tokio::select! { () = stop.cancelled() => return, ended = watched => ended };
            if let Err(error) = ended {
                lock(&journal).faults.push((what, error.to_string()));
            }
        });
    }

    /// The pods that were told, each as it was last.
    pub(super) fn pods(&self) -> Vec<Value> {
        let journal = lock(&self.journal);
        let pods = journal.events.iter().filter(|event| event.group_version == "v1" && event.resource == "pods");
        pods.filter(|event| event.event == WatchEvent::Present).map(|event| event.object.clone()).collect()
    }

    /// Ends them; gives what they told until then.
    pub(super) async fn end(mut self, at: Timestamp) -> Seen {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let Journal { mut events, mut faults, .. } = std::mem::take(&mut *lock(&self.journal));
        events.retain(|event| event.at <= at);
        events.sort_by_key(|event| event.at);
        faults.sort();
        Seen { events, faults }
    }

    fn fault(&self, what: String, why: String) {
        lock(&self.journal).faults.push((what, why));
    }
}

impl Journal {
    /// Keeps what was told; false where no more is wanted.
    fn take(&mut self, resource: &RecordedResource, told: Told<Value>) -> bool {
        let (event, answer) = match told {
            Told::Added(answer) | Told::Modified(answer) => (WatchEvent::Present, answer),
            Told::Deleted(answer) => (WatchEvent::Deleted, answer),
            Told::Bookmark(_) => return true,
            Told::Error(status) => {
                let what = format!("changes of {} while it was recorded", resource.full_name());
                self.faults.push((what, status.message));
                return false;
            }
        };
        let at = Timestamp::now();
        for object in objects(answer, resource) {
            self.bytes += object.object.to_string().len();
            if self.events.len() >= EVENTS || self.bytes > BYTES {
                let what = "changes while it was recorded".to_owned();
                let why = format!("the first {EVENTS} of them, and {} MiB, are kept", BYTES / 1024 / 1024);
                if !self.faults.iter().any(|(known, _)| *known == what) {
                    self.faults.push((what, why));
                }
                return false;
            }
            self.events.push(Watched {
                at,
                group_version: resource.group_version.clone(),
                resource: resource.resource.clone(),
                event,
                object: object.object,
                cells: object.cells,
            });
        }
        true
    }
}

/// What was told stays told where one of the watches broke.
fn lock(journal: &Mutex<Journal>) -> std::sync::MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}
