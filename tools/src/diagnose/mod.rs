//! The diagnosers and the conclusion by rules.
