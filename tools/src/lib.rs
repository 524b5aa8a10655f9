//! Ways to look: the tools, the evidence they leave, redaction, the gate and the diagnosers.

pub mod arguments;
pub mod diagnose;
pub mod evidence;
pub mod gate;
pub mod kubernetes;
mod near;
pub mod prometheus;
pub mod redact;
pub mod scene;
pub mod tool;
pub mod toolbox;
pub mod view;

pub use evidence::{EvidenceDraft, EvidenceError, EvidenceLog, MemoryEvidence};
pub use gate::{Approve, Audit, Gate};
pub use redact::Redactor;
pub use tool::{Effect, Kept, Look, Output, Tool, ToolError, ToolSpec};
pub use toolbox::{CallOutcome, CallStatus, Redact, Toolbox};
