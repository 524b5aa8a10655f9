//! Ways to look and, where a person approves, to act: the tools, the evidence they leave, redaction, the gate and the
//! diagnosers.

pub mod act;
pub mod arguments;
pub mod command;
pub mod diagnose;
pub mod endpoint;
pub mod evidence;
pub mod gate;
pub mod history;
pub mod http;
pub mod kubernetes;
pub mod log_store;
pub mod mcp;
mod moment;
mod near;
pub mod network;
pub mod prometheus;
pub mod redact;
pub mod scene;
pub mod skill;
pub mod tool;
pub mod toolbox;
pub mod toolset;
pub mod topology;
pub mod trace;
pub mod view;

pub use evidence::{EvidenceDraft, EvidenceError, EvidenceHead, EvidenceLog, EvidenceWriter, MemoryEvidence};
pub use gate::{Approve, Audit, Gate};
pub use redact::Redactor;
pub use tool::{Effect, Kept, Look, Output, Plan, Preview, Tool, ToolError, ToolSpec};
pub use toolbox::{CallOutcome, CallStatus, Redact, RedactStream, Toolbox, Whole};
pub use toolset::{Toolset, Toolsets};
