//! What pods may take.

use crate::change::trim::Trim;

/// `ResourceQuota`s.
pub(super) fn trim_quota(trim: &mut Trim<'_>) {
    trim.walk("", trim.part("/spec"));
}

/// `LimitRange`s: a limit for each type.
pub(super) fn trim_range(trim: &mut Trim<'_>) {
    trim.walk("limits", trim.part("/spec/limits"));
}

/// `PriorityClass`es: whose pods give way.
pub(super) fn trim_priority(trim: &mut Trim<'_>) {
    for key in ["value", "globalDefault", "preemptionPolicy"] {
        trim.walk(key, trim.part(&format!("/{key}")));
    }
}
