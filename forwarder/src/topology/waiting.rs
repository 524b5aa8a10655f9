//! What waits to be handed on: of each object the last.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use marple_core::ObjectRef;
use tokio::sync::Notify;

use super::batch::{Batch, Entry, Listed};
use super::survey::News;
use crate::until::until;

/// The most objects that wait: each takes some 500 bytes, so 2 MiB of the forwarder's 60.
const CAPACITY: usize = 4_096;

/// What waits to be handed on. When it is full, the watches wait for room; while the runner is away they don't, for signals
/// are worth more: then all that waits is let go of, and told anew by listing once the runner is there.
#[derive(Debug)]
pub(crate) struct Waiting {
    queue: Mutex<Queue>,
    filled: Notify,
    emptied: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Queue {
    entries: HashMap<ObjectRef, Entry>,
    order: VecDeque<Item>,
    /// Whether the last try to hand on failed.
    away: bool,
    /// Whether something was let go of.
    lost: bool,
}

#[derive(Debug)]
enum Item {
    Object(ObjectRef),
    Listed(Box<Listed>),
}

impl Waiting {
    pub(crate) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { queue: Mutex::default(), filled: Notify::new(), emptied: Notify::new(), capacity }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that holds the lock can leave it half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts news at the end, or in the place of what is told of the same object.
    pub(crate) fn put(&self, news: News) {
        let mut queue = self.queue();
        if queue.lost {
            return;
        }
        match news {
            News::Listing(kind, scope) => queue.order.retain(|item| {
                !matches!(item, Item::Listed(listed)
                    if listed.kind == kind.as_str() && listed.namespace == scope.namespace())
            }),
            News::Entry(entry) => queue.put(*entry),
            News::Listed(listed) => queue.order.push_back(Item::Listed(Box::new(listed))),
        }
        if queue.away && queue.entries.len() > self.capacity {
            tracing::warn!("what hangs together with what is told anew once the runner is there");
            *queue = Queue { lost: true, away: true, ..Queue::default() };
        }
        if !queue.order.is_empty() {
            self.filled.notify_one();
        }
    }

    /// Takes what waits longest: at most so many objects.
    pub(crate) fn take(&self, most: usize, cluster: &str) -> Batch {
        let mut batch = Batch { cluster: cluster.to_owned(), ..Batch::default() };
        let mut queue = self.queue();
        while batch.entries.len() < most {
            match queue.order.pop_front() {
                None => break,
                Some(Item::Object(object)) => batch.entries.extend(queue.entries.remove(&object)),
                Some(Item::Listed(listed)) => batch.listed.push(*listed),
            }
        }
        drop(queue);
        self.emptied.notify_one();
        batch
    }

    /// Waits until there is something to take.
    pub(crate) async fn filled(&self) {
        until(&self.filled, || !self.queue().order.is_empty()).await;
    }

    /// Waits until more may be put.
    pub(crate) async fn room(&self) {
        until(&self.emptied, || self.has_room()).await;
    }

    /// Whether more may be put.
    pub(crate) fn has_room(&self) -> bool {
        let queue = self.queue();
        queue.away || queue.entries.len() < self.capacity
    }

    /// Notes that what was taken could not be handed on.
    pub(crate) fn failed(&self) {
        self.queue().away = true;
        self.emptied.notify_one();
    }

    /// Notes that what was taken was handed on. True where all has to be listed again.
    pub(crate) fn succeeded(&self) -> bool {
        let mut queue = self.queue();
        queue.away = false;
        std::mem::take(&mut queue.lost)
    }
}

impl Queue {
    fn put(&mut self, entry: Entry) {
        match self.entries.entry(entry.object.clone()) {
            Place::Vacant(place) => {
                self.order.push_back(Item::Object(entry.object.clone()));
                place.insert(entry);
            }
            Place::Occupied(mut place) => {
                // An object that came and went while it waited is told of with what it hung together with.
                let links = entry.links.or_else(|| place.get_mut().links.take());
                place.insert(Entry { links, ..entry });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;
    use marple_core::Links;

    use super::super::batch::Listing;
    use super::*;
    use crate::config::{Namespaces, Scope};
    use crate::object::Kind;

    fn entry(name: &str, node: Option<&str>) -> News {
        let links = node.map(|node| Links { node: Some(node.to_owned()), ..Links::default() });
        let gone_at = node.is_none().then_some(Timestamp::UNIX_EPOCH);
        News::Entry(Box::new(Entry {
            object: ObjectRef::namespaced("Pod", "shop", name),
            listing: Listing(1),
            links,
            gone_at,
        }))
    }

    fn listed(kind: &str) -> News {
        let (namespace, namespaces) = (String::new(), Namespaces::default());
        News::Listed(Listed {
            kind: kind.to_owned(),
            namespace,
            namespaces,
            listing: Listing(1),
            at: Timestamp::UNIX_EPOCH,
        })
    }

    fn told(batch: &Batch) -> Vec<String> {
        let entries = batch.entries.iter().map(|entry| {
            let node = entry.links.as_ref().and_then(|links| links.node.as_deref()).unwrap_or("nowhere");
            format!("{} {node}{}", entry.object.name, entry.gone_at.map_or("", |_| " gone"))
        });
        entries.chain(batch.listed.iter().map(|listed| format!("{}s", listed.kind))).collect()
    }

    #[test]
    fn of_an_object_the_last_is_told_and_what_it_was_where_it_is_gone() {
        let waiting = Waiting::new();
        let news = [
            entry("a", Some("n1")),
            entry("b", Some("n1")),
            entry("a", Some("n2")),
            entry("c", None),
            entry("b", None),
        ];
        for one in news {
            waiting.put(one);
        }
        assert_eq!(told(&waiting.take(2, "test")), ["a n2", "b n1 gone"]);
        assert_eq!(told(&waiting.take(2, "test")), ["c nowhere gone"]);
        assert_eq!(told(&waiting.take(2, "test")), Vec::<String>::new());
    }

    #[test]
    fn the_end_of_a_list_is_not_told_once_another_has_begun() {
        let waiting = Waiting::new();
        let begun = News::Listing(Kind::Pod, Scope::Cluster);
        for one in [entry("a", Some("n1")), listed("Pod"), listed("Job"), begun] {
            waiting.put(one);
        }
        assert_eq!(told(&waiting.take(9, "test")), ["a n1", "Jobs"]);
    }

    #[tokio::test]
    async fn full_it_makes_the_watches_wait_and_with_the_runner_away_it_begins_again() {
        let waiting = Waiting::with_capacity(2);
        waiting.put(entry("a", Some("n1")));
        waiting.room().await;
        waiting.put(entry("b", Some("n1")));
        let room = async { tokio::time::timeout(std::time::Duration::from_millis(10), waiting.room()).await };
        assert!(room.await.is_err(), "full");
        waiting.failed();
        waiting.room().await;
        waiting.put(entry("c", Some("n1")));
        waiting.put(entry("d", Some("n1")));
        assert_eq!(told(&waiting.take(9, "test")), Vec::<String>::new());
        assert!(waiting.succeeded(), "all is listed again");
        waiting.put(entry("a", Some("n1")));
        assert_eq!(told(&waiting.take(9, "test")), ["a n1"]);
        assert!(!waiting.succeeded());
    }
}
