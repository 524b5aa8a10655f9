//! Signals come in: checked, committed, then answered.
