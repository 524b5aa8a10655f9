//! What is kept: a trait, and SQLite behind it.
