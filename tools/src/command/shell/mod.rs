//! What a rendered command is: the words of one program, or a script for a shell.
//!
//! An author's text may be all that a shell takes. An argument's letters, which come masked, must stay letters: they
//! are quoted as the place where they stand wants it, and where no quoting is sure they are refused.

mod command;
mod heredoc;
mod place;
mod redirect;
mod scan;

pub(super) use place::Refused;
pub(super) use scan::{Scanned, scan, scan_script};

#[cfg(test)]
mod tests;
