//! The investigation: a machine without I/O, the driver that carries it out, the model it asks, and what it may spend.
//!
//! [`Run`] decides, [`Investigator`] acts. Without a model, or when it fails, [`fallback`] makes the rules' conclusion
//! the answer and says why.

pub mod budget;
pub mod case;
pub mod citation;
pub mod conclude;
pub mod context;
mod fallback;
mod hypothesis;
mod investigate;
pub mod model;
mod outcome;
mod progress;
pub mod prompts;
pub mod purse;
pub mod run;

pub use budget::Budget;
pub use case::{Case, EvidenceTitle, Exchange, Mode, Remembered, Small};
pub use fallback::fallback;
pub use hypothesis::{Hypothesis, Standing};
pub use investigate::{FINISH_REASONS, Investigator, SPANS};
pub use model::config::{ModelConfig, Prices};
pub use model::openai::{ModelConfigError, OpenAi};
pub use model::{
    Delta, Message, Model, ModelAnswer, ModelError, ModelLimits, ModelRequest, Models, ToolCall, ToolOffer, Usage,
};
pub use outcome::{Ending, Limit, Outcome};
pub use progress::{Progress, SaveError, Told};
pub use prompts::{PromptError, Prompts};
pub use purse::{Left, Purse, Stopped, Unbounded};
pub use run::{Event, Run, Step};
