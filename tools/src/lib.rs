//! Ways to look: the tools, the evidence they leave, redaction, the gate and the diagnosers.

pub mod diagnose;
pub mod evidence;
pub mod gate;
pub mod kubernetes;
pub mod prometheus;
pub mod redact;
pub mod scene;
pub mod tool;
pub mod toolbox;
pub mod view;

pub use evidence::{EvidenceDraft, EvidenceError, EvidenceLog, MemoryEvidence};
pub use tool::{Effect, Look, Output, Tool, ToolError, ToolSpec};
pub use toolbox::{CallOutcome, CallStatus, Redact, Toolbox};
