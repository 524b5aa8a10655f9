//! What a model is told of how to use a toolset.

use serde::Serialize;

/// Characters of all instructions together: they are paid for at every call.
const MOST: usize = 16_000;

/// What a model is told of how to use a toolset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instructions {
    /// The toolset's name.
    pub toolset: String,
    /// The text, in Markdown.
    pub text: String,
}

/// Those that have room together, the first ones first.
pub(super) fn fitting(all: impl IntoIterator<Item = Instructions>) -> Vec<Instructions> {
    let mut room = MOST;
    all.into_iter()
        .filter(|one| {
            let length = one.text.chars().count();
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            if !fits {
                tracing::warn!(toolset = one.toolset, "its instructions are left out: all together are too long");
            }
            fits
        })
        .collect()
}
