//! Folds signals into incidents: a pure core, and what resolves owners for it.
