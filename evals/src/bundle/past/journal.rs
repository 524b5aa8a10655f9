//! What the watches told until a time, put into the state.

use jiff::Timestamp;

use crate::bundle::{KubernetesState, RecordedObject, WatchEvent, Watched};

/// Brings the objects to what they were at `at`, as far as watches told; the journal is empty after it.
pub(super) fn settle(state: &mut KubernetesState, at: Timestamp) {
    for Watched { at: seen, group_version, resource, event, object, cells } in std::mem::take(&mut state.watched) {
        if seen > at {
            continue;
        }
        let known =
            state.resources.iter_mut().find(|known| known.group_version == group_version && known.resource == resource);
        let Some(known) = known else { continue };
        let object = RecordedObject { object, cells };
        let key = (object.namespace(), object.name());
        let place = known.objects.binary_search_by(|one| (one.namespace(), one.name()).cmp(&key));
        match (place, event) {
            (Ok(place), WatchEvent::Present) => {
                if let Some(known) = known.objects.get_mut(place) {
                    *known = object;
                }
            }
            (Err(place), WatchEvent::Present) => known.objects.insert(place, object),
            (Ok(place), WatchEvent::Deleted) => _ = known.objects.remove(place),
            (Err(_), WatchEvent::Deleted) => {}
        }
    }
}
