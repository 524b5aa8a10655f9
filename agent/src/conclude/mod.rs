//! The tool by which a model concludes: how it is offered, and how what comes is read.

mod offer;
mod read;

pub use offer::{CONCLUDE, offer};
pub use read::{from_content, read};
