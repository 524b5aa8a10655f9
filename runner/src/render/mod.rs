//! What an incident looks like to people, apart from any sink.
//!
//! A [`View`] is everything that is known; a [`Story`] is what is said of it, in what order and how much. Sinks lay a
//! story out; none of them decides what to say.

mod link;
mod quote;
mod story;
mod terminal;
mod text;
mod view;

pub use link::LinkKey;
pub use quote::Quote;
pub(crate) use story::risk;
pub use story::{Advice, Alerts, CauseLine, Mark, Step, Story};
pub use terminal::terminal;
pub use text::{bounded, clean, one_line, width};
pub use view::{Links, SignedLinks, Stage, View};
