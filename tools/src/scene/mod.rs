//! What is read of the cluster when an incident opens: objects, events, logs and how they depend on each other.
