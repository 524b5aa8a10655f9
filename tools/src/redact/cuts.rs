//! Places at which a text may be cut, while secrets are taken out of it.

use super::Span;

/// Places at which a text may be cut. They move with the text when secrets are taken out; one that is within a secret is
/// none.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// From where on the text is wanted; within a secret, from behind that.
    pub(super) from: usize,
    /// Where each place was at first and where it is now, in order.
    pub(super) places: Vec<(usize, usize)>,
    /// The first secret that made the last place none, as the text was at first.
    pub(super) over_last: Option<(usize, usize)>,
    passes: usize,
}

impl Cuts {
    /// These places of a text that is wanted from one on.
    pub(super) fn new(from: usize, places: impl IntoIterator<Item = usize>) -> Self {
        Self { from, places: places.into_iter().map(|place| (place, place)).collect(), ..Self::default() }
    }

    /// Moves them with a text in which each of the spans, which are in order, was replaced by so many bytes.
    pub(super) fn moved(&mut self, replaced: &[(Span, usize)]) {
        let last = self.places.last().map(|(_, now)| *now);
        let over = |place: usize| replaced.iter().find(|(span, _)| span.start < place && place < span.end);
        if self.passes == 0
            && let Some((span, _)) = last.and_then(over)
        {
            self.over_last = Some((span.start, span.end));
        }
        self.passes += 1;
        let mut walk = Walk { replaced, at: 0, gone: 0, come: 0 };
        self.from = match walk.moved(self.from) {
            Ok(from) | Err(from) => from,
        };
        let mut walk = Walk { replaced, at: 0, gone: 0, come: 0 };
        self.places.retain_mut(|(_, now)| match walk.moved(*now) {
            Ok(moved) => {
                *now = moved;
                true
            }
            Err(_) => false,
        });
    }
}

/// Goes along a text in which spans were replaced.
struct Walk<'a> {
    replaced: &'a [(Span, usize)],
    at: usize,
    gone: usize,
    come: usize,
}

impl Walk<'_> {
    /// Where a place is now, which is behind the last one that was asked for; for one within a span, where that ends.
    fn moved(&mut self, place: usize) -> Result<usize, usize> {
        while let Some((span, length)) = self.replaced.get(self.at).filter(|(span, _)| span.end <= place) {
            self.gone += span.end - span.start;
            self.come += length;
            self.at += 1;
        }
        let moved = |place: usize| place + self.come - self.gone;
        match self.replaced.get(self.at) {
            Some((span, length)) if span.start < place => Err(moved(span.start) + length),
            _ => Ok(moved(place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_with_the_text_and_go_where_a_secret_stood() {
        let span = |start, end| Span::new(start, end, "x");
        let mut cuts = Cuts::new(12, [10, 15, 20, 30, 35, 50]);
        cuts.moved(&[(span(10, 20), 3), (span(31, 40), 4)]);
        assert_eq!((cuts.from, cuts.over_last), (13, None));
        assert_eq!(cuts.places, [(10, 10), (20, 13), (30, 23), (50, 38)]);
        let mut within = Cuts::new(0, [15]);
        within.moved(&[(span(10, 20), 3)]);
        assert_eq!((within.places, within.over_last), (vec![], Some((10, 20))));
    }
}
