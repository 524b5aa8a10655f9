//! Goes through texts of any length, a chunk or a line at a time.

use std::ops::ControlFlow;

use marple_core::EvidenceId;

use super::{ChunkExtent, EvidenceError, EvidenceLog};

/// How much of one line is given at once, in bytes: a longer one comes in stretches, each under the line's number.
const LINE: usize = 8 << 20;

/// Gives each chunk of a text to `each`, in order, until it breaks off.
pub async fn chunks(
    log: &dyn EvidenceLog,
    id: EvidenceId,
    layout: &[ChunkExtent],
    mut each: impl FnMut(&str) -> ControlFlow<()> + Send,
) -> Result<(), EvidenceError> {
    for number in 0..layout.len() {
        if each(&log.chunk(id, number).await?).is_break() {
            break;
        }
        // A text in memory gives no other chance to whoever cancels.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Gives each line of a text to `each` with its number from 0, beginning with the line `from`, until it breaks off. What
/// is before is read only where its lines can't be told apart otherwise.
pub async fn lines(
    log: &dyn EvidenceLog,
    id: EvidenceId,
    layout: &[ChunkExtent],
    from: u64,
    mut each: impl FnMut(u64, &str) -> ControlFlow<()> + Send,
) -> Result<(), EvidenceError> {
    let (first, mut number) = start(layout, from);
    // A line that the next chunk goes on with.
    let mut open = String::new();
    let mut give = |number: u64, line: &str| {
        if number < from { ControlFlow::Continue(()) } else { each(number, line.strip_suffix('\r').unwrap_or(line)) }
    };
    for index in first..layout.len() {
        let chunk = log.chunk(id, index).await?;
        let mut rest = chunk.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            let given = if open.is_empty() {
                give(number, line)
            } else {
                open.push_str(line);
                give(number, &std::mem::take(&mut open))
            };
            if given.is_break() {
                return Ok(());
            }
            number += 1;
        }
        open.push_str(rest);
        if open.len() > LINE && give(number, &std::mem::take(&mut open)).is_break() {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    if !open.is_empty() {
        // Nothing comes after it that could be broken off.
        let _ = give(number, &open);
    }
    Ok(())
}

/// The last chunk that begins with a line at or before the one that is wanted, and that line's number.
fn start(layout: &[ChunkExtent], from: u64) -> (usize, u64) {
    let (mut start, mut lines) = ((0, 0), 0);
    for (index, chunk) in layout.iter().enumerate() {
        lines += chunk.feeds;
        if lines > from {
            break;
        }
        if chunk.ended {
            start = (index + 1, lines);
        }
    }
    start
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::kept;
    use super::*;

    async fn from(text: &str, from: u64, most: usize) -> Vec<(u64, String)> {
        let log = kept(&[text]).await;
        let id = EvidenceId(1);
        let layout = log.layout(id).await.unwrap().unwrap();
        let mut given = Vec::new();
        lines(log.as_ref(), id, &layout, from, |number, line| {
            given.push((number, line.to_owned()));
            if given.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await
        .unwrap();
        given
    }

    #[tokio::test]
    async fn lines_are_those_of_the_text_wherever_its_chunks_end() {
        let line = |number: usize| {
            let length = if number == 7 { 3 << 20 } else { number * 97 % 40_000 };
            format!("{number} {}\r\n", "x".repeat(length))
        };
        let text: String = (0..200).map(line).collect::<String>() + "end";
        let wanted: Vec<(u64, String)> =
            text.lines().enumerate().map(|(number, line)| (number as u64, line.to_owned())).collect();
        for start in [0, 1, 7, 8, 100, 199, 200] {
            assert_eq!(from(&text, start as u64, usize::MAX).await, wanted[start..], "from {start}");
        }
        assert_eq!(from(&text, 100, 2).await, wanted[100..102]);
        assert_eq!(from(&text, 201, 1).await, []);
        assert_eq!(from("", 0, 1).await, []);
    }

    #[tokio::test]
    async fn a_line_of_many_megabytes_comes_in_stretches() {
        let text = format!("{}\nend\n", "x".repeat(20 << 20));
        let given = from(&text, 0, usize::MAX).await;
        let lengths: Vec<(u64, usize)> = given.iter().map(|(number, line)| (*number, line.len())).collect();
        assert_eq!(lengths, [(0, 9 << 20), (0, 9 << 20), (0, 2 << 20), (1, 3)]);
    }

    #[test]
    fn chunks_before_the_first_wanted_line_are_passed_over() {
        let chunk = |feeds, ended| ChunkExtent { bytes: 1, feeds, ended };
        let layout = [chunk(3, true), chunk(2, false), chunk(0, false), chunk(1, true), chunk(4, true)];
        let of = |from| start(&layout, from);
        assert_eq!([of(0), of(2), of(3), of(5), of(6), of(9)], [(0, 0), (0, 0), (1, 3), (1, 3), (4, 6), (4, 6)]);
        assert_eq!(start(&layout, 10), (5, 10));
    }
}
