//! Works on incidents: captures what won't last, lets the rules conclude, has the agent investigate, tells people.
//!
//! What remains to be done is read from the store, so a lost notification or a crash loses nothing: an incident that
//! was not captured or told is captured and told, an investigation that was begun goes on from its last saved step.

mod capture;
mod desk;
mod dispatcher;
mod error;
mod gather;
mod inquiry;
mod investigate;
mod memory;
mod once;
mod plan;
mod policy;
mod recall;
mod reuse;
mod settle;
mod tooling;
mod views;

pub use capture::{Capture, Lookout, Subjects};
pub use dispatcher::{DispatchError, Dispatcher, Learn};
pub use error::WorkError;
pub use inquiry::{Inquiry, InquiryError};
pub use investigate::Detective;
pub(crate) use investigate::known_case;
pub use once::{Investigated, Once, Topic};
pub use plan::{Action, Work};
pub use policy::asking;
pub use tooling::Tooling;
pub use views::StoredViews;
