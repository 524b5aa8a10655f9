//! Whether the quotes of a conclusion occur in the evidence that they name.

mod answer;
mod check;
#[cfg(test)]
mod fixture;
mod quote;
mod relocate;

pub use answer::{check_answer, cited_in};
pub use check::{Checked, check};
pub use quote::occurs;
pub use relocate::relocate;
