//! Kinds that Kubernetes itself doesn't know.

use crate::change::trim::Trim;

/// All that somebody wanted of it: its specification under the names that its fields have there, and what some kinds have
/// beside one. What its controller says of it (`status`), and who wrote it when, is none.
pub(super) fn trim(trim: &mut Trim<'_>) {
    let specification = trim.part("/spec");
    for (key, value) in trim.part("").as_object().into_iter().flatten() {
        match key.as_str() {
            "spec" => trim.walk("", value),
            "status" => {}
            key if specification.get(key).is_some() => trim.walk(&format!("({key} of the object)"), value),
            key => trim.walk(key, value),
        }
    }
    trim.labels();
    trim.annotations();
}
