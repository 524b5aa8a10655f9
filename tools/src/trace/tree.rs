//! Where a trace's time went.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{Span, Trace};

/// Spans of a trace that are looked at.
const MOST: usize = 20_000;

/// The spans of a trace, each with those that it called for.
pub(super) struct Tree<'a> {
    spans: &'a [Span],
    children: HashMap<usize, Vec<usize>>,
    roots: Vec<usize>,
}

/// A span on the way from the beginning down.
pub(super) struct Step<'a> {
    pub(super) span: &'a Span,
    /// The time that it spent itself.
    pub(super) own: Duration,
}

impl<'a> Tree<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let spans = trace.spans.get(..MOST.min(trace.spans.len())).unwrap_or_default();
        let places: HashMap<&str, usize> =
            spans.iter().enumerate().map(|(place, span)| (span.id.as_str(), place)).collect();
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut roots = Vec::new();
        for (place, span) in spans.iter().enumerate() {
            let parent =
                span.parent.as_deref().and_then(|parent| places.get(parent)).filter(|parent| **parent != place);
            match parent {
                Some(parent) => children.entry(*parent).or_default().push(place),
                // Its caller is missing, or it has none.
                None => roots.push(place),
            }
        }
        Self { spans, children, roots }
    }

    fn children(&self, place: usize) -> &[usize] {
        self.children.get(&place).map(Vec::as_slice).unwrap_or_default()
    }

    /// The time in which none of those that it called for were at work.
    fn own(&self, place: usize) -> Duration {
        let Some(span) = self.spans.get(place) else { return Duration::ZERO };
        let (start, end) = interval(span);
        let mut busy: Vec<(i128, i128)> = self
            .children(place)
            .iter()
            .filter_map(|child| self.spans.get(*child))
            .map(interval)
            .map(|(from, to)| (from.clamp(start, end), to.clamp(start, end)))
            .collect();
        busy.sort_unstable();
        let (mut idle, mut until) = (0, start);
        for (from, to) in busy {
            idle += (from - until).max(0);
            until = until.max(to);
        }
        duration(idle + (end - until).max(0))
    }

    /// The own time of each service, the most first.
    pub(super) fn by_service(&self) -> Vec<(&'a str, Duration)> {
        let mut services: BTreeMap<&str, Duration> = BTreeMap::new();
        for (place, span) in self.spans.iter().enumerate() {
            *services.entry(&span.service).or_default() += self.own(place);
        }
        let mut services: Vec<(&str, Duration)> = services.into_iter().collect();
        services.sort_by_key(|(_, own)| std::cmp::Reverse(*own));
        services
    }

    /// From the longest beginning to the longest of what it called for, and so on.
    pub(super) fn path(&self) -> Vec<Step<'a>> {
        let longest = |places: &[usize]| {
            places.iter().copied().max_by_key(|place| self.spans.get(*place).map(|span| span.duration))
        };
        let (mut steps, mut seen) = (Vec::new(), HashSet::new());
        let mut next = longest(&self.roots);
        while let Some(place) = next.filter(|place| seen.insert(*place)) {
            let Some(span) = self.spans.get(place) else { break };
            steps.push(Step { span, own: self.own(place) });
            next = longest(self.children(place));
        }
        steps
    }

    /// The spans that failed without one that they called for failing: where failures came from. The earliest first.
    pub(super) fn failures(&self) -> Vec<&'a Span> {
        let failed = |place: &usize| self.spans.get(*place).is_some_and(|span| span.failure.is_some());
        let origin =
            |(place, span): &(usize, &'a Span)| span.failure.is_some() && !self.children(*place).iter().any(failed);
        let mut origins: Vec<&Span> = self.spans.iter().enumerate().filter(origin).map(|(_, span)| span).collect();
        origins.sort_by_key(|span| span.start);
        origins
    }

    /// How many spans there are, and how many failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.spans.len(), self.spans.iter().filter(|span| span.failure.is_some()).count())
    }
}

/// The span that began a trace: the first of those whose caller isn't in it.
pub(super) fn root(trace: &Trace) -> Option<&Span> {
    let tree = Tree::of(trace);
    let roots = tree.roots.iter().filter_map(|place| trace.spans.get(*place));
    roots.min_by_key(|span| (span.parent.is_some(), span.start)).or_else(|| trace.spans.first())
}

/// When a trace began and ended.
pub(super) fn extent(trace: &Trace) -> Option<(Timestamp, Timestamp)> {
    let start = trace.spans.iter().map(|span| span.start).min()?;
    let end = trace.spans.iter().map(|span| interval(span).1).max()?;
    Some((start, Timestamp::from_nanosecond(end).unwrap_or(start)))
}

/// Start and end in nanoseconds.
fn interval(span: &Span) -> (i128, i128) {
    let start = span.start.as_nanosecond();
    (start, start.saturating_add(i128::try_from(span.duration.as_nanos()).unwrap_or_default()))
}

fn duration(nanoseconds: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(id: &str, parent: Option<&str>, service: &str, start: i64, length: u64, failure: Option<&str>) -> Span {
        Span {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            service: service.to_owned(),
            name: format!("work {id}"),
            start: Timestamp::from_millisecond(1_767_323_400_000 + start).unwrap(),
            duration: Duration::from_millis(length),
            failure: failure.map(str::to_owned),
        }
    }

    fn trace(spans: Vec<Span>) -> Trace {
        Trace { id: "1".to_owned(), spans }
    }

    #[test]
    fn the_own_time_is_what_is_left_of_calls_that_overlap() {
        let trace = trace(vec![
            span("a", None, "cart", 0, 100, Some("")),
            span("b", Some("a"), "pay", 10, 50, None),
            span("c", Some("a"), "stock", 40, 40, Some("gone")),
            // It goes on after its caller.
            span("d", Some("a"), "mail", 90, 500, None),
            span("e", Some("b"), "db", 15, 40, None),
        ]);
        let tree = Tree::of(&trace);
        let own: Vec<(&str, u128)> =
            tree.by_service().iter().map(|(service, own)| (*service, own.as_millis())).collect();
        assert_eq!(own, [("mail", 500), ("db", 40), ("stock", 40), ("cart", 20), ("pay", 10)]);
        let path: Vec<&str> = tree.path().iter().map(|step| step.span.id.as_str()).collect();
        assert_eq!(path, ["a", "d"]);
        assert_eq!(tree.failures().iter().map(|span| span.id.as_str()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(tree.counts(), (5, 2));
        assert_eq!(root(&trace).map(|span| span.id.as_str()), Some("a"));
    }

    #[test]
    fn a_span_whose_caller_is_missing_is_a_beginning_of_its_own() {
        let trace = trace(vec![span("b", Some("gone"), "pay", 10, 50, None), span("c", Some("b"), "db", 20, 10, None)]);
        let tree = Tree::of(&trace);
        assert_eq!(tree.path().iter().map(|step| step.span.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    }

    proptest! {
        #[test]
        fn no_tangle_of_callers_can_do_harm(spans in prop::collection::vec((0u8..9, prop::option::of(0u8..9), 0i64..99, 0u64..99), 0..12)) {
            let spans = spans.iter().map(|(id, parent, start, length)| {
                span(&id.to_string(), parent.map(|parent| parent.to_string()).as_deref(), "s", *start, *length, None)
            });
            let trace = trace(spans.collect());
            let tree = Tree::of(&trace);
            prop_assert!(tree.path().len() <= trace.spans.len());
            let own: Duration = tree.by_service().iter().map(|(_, own)| *own).sum();
            let all: Duration = trace.spans.iter().map(|span| span.duration).sum();
            prop_assert!(own <= all);
        }
    }
}
