//! What an incident looks like to people, apart from any sink.
