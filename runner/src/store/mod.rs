//! What is kept: a trait for each concern, and SQLite behind them.
//!
//! Everything that must survive a crash goes through here: signals before their 2xx, incidents with the cursor that
//! made them, evidence, the agent's steps, and what is to be said to whom.

mod approvals;
mod changes;
mod conversations;
mod endings;
mod error;
mod incidents;
mod investigations;
mod memory;
mod outbox;
mod signals;
mod spending;
mod sqlite;
mod topology;
mod upkeep;

pub use approvals::{ApprovalRow, ApprovalState, Approvals, Verdict};
pub use changes::{Changes, Recorded};
pub use conversations::Conversations;
pub use endings::{Endings, Said};
pub use error::StoreError;
pub use incidents::{Behind, IncidentFilter, Incidents, Moment, Named, TimelineEntry};
pub use investigations::{
    Begun, Captured, Concluded, ConcludedBy, Drawing, EvidenceEntry, InvestigationKind, InvestigationRow,
    Investigations,
};
pub use memory::{Alike, Feedback, Judgement, Memory};
pub use outbox::{Outbox, OutboxId, OutboxRow, OutboxState};
pub use signals::{Accepted, QuarantineEntry, Quarantined, SignalSeq, Signals};
pub use spending::{Scope, Spending, Stop};
pub use sqlite::SqliteStore;
pub use topology::{Placed, Step, Topology};
pub use upkeep::{AuditRecord, Retired, Upkeep};

/// The whole store. An `Arc<dyn Store>` is also an `Arc` of each of its concerns.
pub trait Store:
    Signals
    + Incidents
    + Endings
    + Investigations
    + Memory
    + Spending
    + Outbox
    + Approvals
    + Changes
    + Conversations
    + Topology
    + Upkeep
{
}

impl<
    S: Signals
        + Incidents
        + Endings
        + Investigations
        + Memory
        + Spending
        + Outbox
        + Approvals
        + Changes
        + Conversations
        + Topology
        + Upkeep,
> Store for S
{
}
