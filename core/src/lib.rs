//! The vocabulary of marple: what every other crate speaks of. Types and pure functions; no I/O, no client, no clock.

pub mod alert;
pub mod change;
pub mod conclusion;
pub mod evidence;
pub mod finding;
pub mod fingerprint;
mod hex;
pub mod id;
pub mod incident;
pub mod labels;
pub mod links;
pub mod object;
pub mod period;
pub mod secret;
pub mod severity;
pub mod signal;
pub mod size;
pub mod subject;
mod unshown;

pub use alert::{Alert, AlertError};
pub use change::{Author, Change, ChangeKind, FieldChange};
pub use conclusion::{Category, Cause, Citation, Claim, Conclusion, Confidence, Link, Remedy, Risk, Unseen, Verdict};
pub use evidence::{Evidence, EvidenceId, EvidenceOrigin, Extent, grouped};
pub use finding::{Finding, Proof, ProofSource};
pub use fingerprint::Fingerprint;
pub use hex::hex;
pub use id::{ApprovalId, ConversationId, IncidentId, InvestigationId};
pub use incident::{Incident, IncidentStatus, JoinReason, Member, Resolution};
pub use labels::Labels;
pub use links::{Links, Need, Selector, Tie};
pub use object::ObjectRef;
pub use period::Period;
pub use secret::Secret;
pub use severity::Severity;
pub use signal::{Signal, SignalSource, SignalStatus};
pub use size::Size;
