//! The conditions under an object's `status`, which most kinds write alike.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::fields;
use super::view::view;

/// The status of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Status {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Whoever reports it has gone silent. Also what an unknown word is read as.
    #[default]
    #[serde(other)]
    Unknown,
}

fields! { Status, }

view! {
    /// One entry of `status.conditions`.
    pub struct Standing {
        /// Which, as `Ready`.
        #[serde(rename = "type")]
        pub type_: String,
        /// Whether it is so.
        pub status: Status,
        /// In one word.
        pub reason: Option<String>,
        /// For people.
        pub message: Option<String>,
        /// Since when.
        pub last_transition_time: Option<Timestamp>,
    }
}

/// The condition of this type, where its status is this one.
pub fn find<'a>(conditions: &'a [Standing], type_: &str, status: Status) -> Option<&'a Standing> {
    conditions.iter().find(|condition| condition.type_ == type_ && condition.status == status)
}
