//! Calls by words, for models or servers without fields for them: the tools stand in the instructions, the calls in the
//! answer, the results in what is said next.

mod object;
mod read;
mod tagged;
mod write;

pub(super) use read::{Understood, read};
pub(super) use write::rewritten;
