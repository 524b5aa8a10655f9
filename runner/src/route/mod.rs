//! Which incident goes to which sink.
