//! The evidence that is kept already, as the first message tells of it.

use marple_core::EvidenceId;

use crate::EvidenceTitle;
use crate::case::Small;

/// A piece that is shown whole: its name and title, and its text, each line of which stands in from the margin, so that it
/// reads as no part of the message.
pub(super) fn whole(small: &Small, titles: &[EvidenceTitle]) -> String {
    let title = titles.iter().find(|one| one.id == small.id).map(|one| one.title.as_str()).unwrap_or_default();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = small.text.trim_end().lines().map(|line| format!("\n  {line}")).collect::<String>();
    format!("[{}] {title}{lines}", small.id)
}

/// Pieces of one kind together, so that none is hidden: `e41–e43 logs of Pod shop/: cart-1 container app; …`.
pub(super) fn grouped(pieces: &[EvidenceTitle]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<EvidenceId>, Vec<&str>)> = Vec::new();
    for piece in pieces {
        // What it is of, up to the namespace.
        let (head, rest) = match piece.title.find('/') {
            Some(slash) => piece.title.split_at(slash + 1),
            None => (piece.title.as_str(), ""),
        };
        match groups.iter_mut().find(|(known, ..)| *known == head) {
            Some((_, ids, rests)) => {
                ids.push(piece.id);
                rests.push(rest);
            }
            None => groups.push((head, vec![piece.id], vec![rest])),
        }
    }
    let named = |(head, ids, rests): (&str, Vec<EvidenceId>, Vec<&str>)| {
        let rests = rests.into_iter().filter(|rest| !rest.is_empty()).collect::<Vec<_>>().join("; ");
        format!("{} {head}{}{rests}", ranges(&ids), if rests.is_empty() { "" } else { ": " })
    };
    groups.into_iter().map(named).collect()
}

/// Names one after the other as ranges: `e3, e5–e7`.
fn ranges(ids: &[EvidenceId]) -> String {
    let mut ranges: Vec<(EvidenceId, EvidenceId)> = Vec::new();
    for id in ids {
        match ranges.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(id.0) => *last = *id,
            _ => ranges.push((*id, *id)),
        }
    }
    let told =
        ranges.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(id: u32, title: &str) -> EvidenceTitle {
        EvidenceTitle { id: EvidenceId(id), title: title.to_owned(), size: 9 }
    }

    #[test]
    fn what_is_not_listed_one_by_one_is_told_by_kind_with_all_its_names() {
        let pieces = [
            titled(41, "logs of Pod shop/cart-1 container app"),
            titled(42, "logs of Pod shop/cart-2 container app"),
            titled(43, "events of Node worker-1"),
            titled(44, "logs of Pod shop/cart-3 container app, previous"),
        ];
        assert_eq!(
            grouped(&pieces),
            [
                "e41–e42, e44 logs of Pod shop/: cart-1 container app; cart-2 container app; cart-3 container app, previous",
                "e43 events of Node worker-1",
            ]
        );
    }
}
