//! Events of a question as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;

use crate::chat::{ChatEvent, Listener};

/// How often a line is sent where nothing happens: proxies cut connections that are silent for half a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams what `told` makes of each event; after the last comes what `last` gives.
pub(super) fn stream(
    listener: Listener,
    told: impl Fn(usize, &Arc<ChatEvent>) -> Vec<Event> + Send + Sync + 'static,
    last: Vec<Event>,
) -> Response {
    let begin = (listener, told, Some(last));
    let events = stream::unfold(begin, |(mut listener, told, mut last)| async move {
        match listener.next().await {
            Some((number, event)) => Some((told(number, &event), (listener, told, last))),
            None => last.take().map(|events| (events, (listener, told, None))),
        }
    });
    let events =
        futures::StreamExt::flat_map(events, |events| stream::iter(events.into_iter().map(Ok::<Event, Infallible>)));
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("still working");
    // Proxies that buffer would show it all at once at the end.
    ([("x-accel-buffering", "no"), ("cache-control", "no-store")], Sse::new(events).keep_alive(keep_alive))
        .into_response()
}
