//! Delivers what is to be said, until its sink confirms it.
