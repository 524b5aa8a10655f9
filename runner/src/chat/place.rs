//! A question's place among those that are answered at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place. It is given back while the question waits for a person, and in the end.
pub(super) struct Place {
    room: Arc<Semaphore>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    permit: Option<OwnedSemaphorePermit>,
    /// Calls that wait for a person's word.
    waiting: usize,
}

/// While it lives a call waits for a person's word, and its question has no place.
pub(super) struct Waits<'a>(&'a Place);

impl Place {
    /// A place, where there is one.
    pub(super) fn take(room: &Arc<Semaphore>) -> Option<Self> {
        let permit = Arc::clone(room).try_acquire_owned().ok()?;
        Some(Self { room: Arc::clone(room), held: Mutex::new(Held { permit: Some(permit), waiting: 0 }) })
    }

    /// Gives the place to another while a call waits.
    pub(super) fn leave(&self) -> Waits<'_> {
        let mut held = self.lock();
        held.waiting += 1;
        held.permit = None;
        Waits(self)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waits<'_> {
    /// Takes a place again, once one is free. Where other calls of the question still wait the last of them takes it: the
    /// model is asked only after all of them.
    pub(super) async fn over(self) {
        let place = self.0;
        drop(self);
        if place.lock().waiting > 0 {
            return;
        }
        // Fails only where the room is closed, which it never is.
        let permit = Arc::clone(&place.room).acquire_owned().await.ok();
        let mut held = place.lock();
        if held.waiting == 0 {
            held.permit = permit;
        }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_waits_leaves_the_place_to_another_and_takes_one_again_with_the_last_of_the_calls() {
        let room = Arc::new(Semaphore::new(1));
        let place = Place::take(&room).unwrap();
        assert!(Place::take(&room).is_none());
        let (first, second) = (place.leave(), place.leave());
        let other = Place::take(&room).unwrap();
        first.over().now_or_never().unwrap();
        let mut again = Box::pin(second.over());
        assert!(again.as_mut().now_or_never().is_none(), "another has the place");
        drop(other);
        again.await;
        assert!(Place::take(&room).is_none(), "it has it again");
        drop(place);
        assert_eq!(room.available_permits(), 1);
    }
}
