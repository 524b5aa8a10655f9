//! How many pods there may be: the bounds of autoscalers, and disruption budgets.

use crate::change::trim::Trim;

/// `HorizontalPodAutoscaler`s and `PodDisruptionBudget`s: all that they are told.
pub(super) fn trim(trim: &mut Trim<'_>) {
    trim.walk("", trim.part("/spec"));
}
