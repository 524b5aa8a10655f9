//! The elements with the highest or lowest values.

use super::aggregate::order;
use super::store::Element;

/// The first so many elements by value, in their order.
///
/// Which of equal ones are among them is told by the heap in which Prometheus keeps them, for it takes an element in only
/// where that is beyond the one at the heap's top.
pub(super) fn first(count: f64, members: Vec<Element>, descending: bool) -> Vec<Element> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, as is meant")]
    let count = (count.max(0.0) as usize).min(members.len());
    if count == 0 {
        return Vec::new();
    }
    let mut heap = Heap { elements: Vec::with_capacity(count), descending };
    for element in members {
        if heap.elements.len() < count {
            heap.push(element);
        } else if heap.elements.first().is_some_and(|top| heap.is_beyond(&element, top)) {
            heap.replace(element);
        }
    }
    let mut elements = heap.elements;
    elements.sort_by(|a, b| order(a.value, b.value, descending));
    elements
}

/// A binary heap with the element at its top that is the first to go; as Go's `container/heap` moves its elements.
struct Heap {
    elements: Vec<Element>,
    descending: bool,
}

impl Heap {
    /// Whether an element takes the place of another.
    fn is_beyond(&self, element: &Element, other: &Element) -> bool {
        let (value, other) = (element.value, other.value);
        let beyond = if self.descending { value > other } else { value < other };
        beyond || other.is_nan() && !value.is_nan()
    }

    /// Whether the element at one place goes before the one at another.
    fn goes_before(&self, one: usize, other: usize) -> bool {
        match (self.elements.get(one), self.elements.get(other)) {
            (Some(one), Some(other)) => {
                one.value.is_nan()
                    || !other.value.is_nan()
                        && if self.descending { one.value < other.value } else { one.value > other.value }
            }
            _ => false,
        }
    }

    fn push(&mut self, element: Element) {
        self.elements.push(element);
        let mut place = self.elements.len() - 1;
        while place > 0 {
            let parent = (place - 1) / 2;
            if !self.goes_before(place, parent) {
                break;
            }
            self.elements.swap(place, parent);
            place = parent;
        }
    }

    /// Puts an element in the place of the top.
    fn replace(&mut self, element: Element) {
        if let Some(top) = self.elements.first_mut() {
            *top = element;
        }
        let mut place = 0;
        loop {
            let left = 2 * place + 1;
            if left >= self.elements.len() {
                break;
            }
            let right = left + 1;
            let child = if right < self.elements.len() && self.goes_before(right, left) { right } else { left };
            if !self.goes_before(child, place) {
                break;
            }
            self.elements.swap(place, child);
            place = child;
        }
    }
}
