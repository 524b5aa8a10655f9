//! Takes each incident through capture, facts, agent and outbox.
