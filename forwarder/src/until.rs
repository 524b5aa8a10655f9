//! Waits for what others bring about.

use tokio::sync::Notify;

/// Waits until it holds. Whoever may have it hold notifies after that.
pub(crate) async fn until(changed: &Notify, holds: impl Fn() -> bool) {
    loop {
        // Before the look: what comes between the look and the wait is heard too.
        let notified = changed.notified();
        if holds() {
            return;
        }
        notified.await;
    }
}
