//! Tools that run a command: rendered from a template, run without a shell where it needs none, within limits.

mod captured;
mod config;
mod environment;
mod installed;
mod limits;
mod mask;
mod run;
mod shell;
mod template;
mod tool;

pub use captured::Captured;
pub use config::CommandConfig;
pub use environment::Environment;
pub use installed::installed;
pub use limits::Group;
pub(crate) use limits::Limits;
pub(crate) use run::{Invocation, RunError, run};
pub(crate) use template::Template;
pub(crate) use tool::{Body, CommandTool, effect};

#[cfg(test)]
mod tests;
