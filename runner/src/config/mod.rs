//! The one configuration.
