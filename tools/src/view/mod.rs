//! Bounded views, written for readers who pay by the word.
