//! The forwarder's metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) const OBSERVATIONS: &str = "marple_forwarder_observations_total";
pub(crate) const LISTINGS: &str = "marple_forwarder_listings_total";
pub(crate) const WATCH_ERRORS: &str = "marple_forwarder_watch_errors_total";
pub(crate) const FORBIDDEN: &str = "marple_forwarder_forbidden";
pub(crate) const NOT_SERVED: &str = "marple_forwarder_not_served";
pub(crate) const MALFORMED: &str = "marple_forwarder_malformed_total";
pub(crate) const HELD_BACK: &str = "marple_forwarder_held_back_total";
pub(crate) const UNTRACKED: &str = "marple_forwarder_untracked_total";
pub(crate) const SIGNALS: &str = "marple_forwarder_signals_total";
pub(crate) const OBJECTS: &str = "marple_forwarder_objects";
pub(crate) const CONDITIONS: &str = "marple_forwarder_conditions";
pub(crate) const CHANGES: &str = "marple_forwarder_changes_total";
pub(crate) const HISTORY_OBJECTS: &str = "marple_forwarder_history_objects";
pub(crate) const WATCH_LAG_SECONDS: &str = "marple_forwarder_watch_lag_seconds";
pub(crate) const LAG_SECONDS: &str = "marple_forwarder_lag_seconds";
pub(crate) const LEADS: &str = "marple_forwarder_leads";
pub(crate) const WAITING: &str = "marple_forwarder_outbox_signals";
pub(crate) const DELIVERED: &str = "marple_forwarder_delivered_total";
pub(crate) const DELIVERY_FAILURES: &str = "marple_forwarder_delivery_failures_total";
pub(crate) const DROPPED: &str = "marple_forwarder_dropped_total";
pub(crate) const SPOOL_BYTES: &str = "marple_forwarder_spool_bytes";
pub(crate) const DELIVERY_SECONDS: &str = "marple_forwarder_delivery_seconds";

/// Says what each metric means, to the recorder of the process.
pub(crate) fn describe() {
    describe_counter!(OBSERVATIONS, "Objects seen by the watches, by kind");
    describe_counter!(LISTINGS, "Listings begun, by kind: more than one means that a watch was too far behind");
    describe_counter!(WATCH_ERRORS, "Errors of watches, by kind and class");
    describe_gauge!(
        FORBIDDEN,
        "1 where the credentials don't allow to watch a kind, by kind and namespace (empty: the cluster)"
    );
    describe_gauge!(
        NOT_SERVED,
        "1 where the API server doesn't serve a kind that is to be watched, as where its definition isn't installed, by \
         kind and namespace"
    );
    describe_counter!(MALFORMED, "Fields of objects that could not be read and were passed over");
    describe_counter!(
        HELD_BACK,
        "Conditions that came back inside their rate limit and are told when it has passed, by name"
    );
    describe_counter!(UNTRACKED, "Conditions told by events that were not taken up, for too many are");
    describe_counter!(SIGNALS, "Conditions told and resolved, by name and status");
    describe_counter!(CHANGES, "Changes found, by kind");
    describe_histogram!(
        WATCH_LAG_SECONDS,
        Unit::Seconds,
        "From the writing of an object, which the API server notes in whole seconds, to a watch's seeing it; lists don't \
         count"
    );
    describe_histogram!(
        LAG_SECONDS,
        Unit::Seconds,
        "From the writing of a change, which the API server notes in whole seconds, to its being seen"
    );
    describe_gauge!(LEADS, "Whether it leads, where several are elected among");
    describe_gauge!(HISTORY_OBJECTS, "Objects whose changes are told");
    describe_gauge!(OBJECTS, "Objects known");
    describe_gauge!(CONDITIONS, "Conditions waited for or told");
    describe_gauge!(WAITING, "Signals that wait for delivery");
    describe_gauge!(SPOOL_BYTES, Unit::Bytes, "What waits on disk for a runner that is away");
    describe_counter!(DELIVERED, "Signals delivered");
    describe_counter!(DELIVERY_FAILURES, "Deliveries that failed, by class; they are tried again");
    describe_counter!(
        DROPPED,
        "Signals, changes and links dropped, by reason: the runner refused them, or what was spooled can't be read"
    );
    describe_histogram!(DELIVERY_SECONDS, Unit::Seconds, "How long the runner took for a delivery");
}
