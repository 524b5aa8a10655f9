//! Label and annotation sets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Names and values, sorted by name, as Prometheus and Kubernetes use them. A copy costs a count.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Option<Arc<Set>>);

/// All names and values in one text, in the order of the names: alerts have some fifteen labels each and come by the
/// thousand, so that a text for each name and value would cost more than all else that is done with an alert.
#[derive(PartialEq, Eq, Hash)]
struct Set {
    text: Box<str>,
    /// Where in the text each name and each value ends. A name begins where the value before it ends.
    ends: Box<[(usize, usize)]>,
}

impl Labels {
    /// An empty set.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value of `name`, where it is there and not empty: to Prometheus an empty label is an absent one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// The value of `name`, where it is there, though it be empty: to Kubernetes an empty label is there.
    pub fn value(&self, name: &str) -> Option<&str> {
        let set = self.0.as_deref()?;
        let place = |index: usize| set.name(index).map(|found| found.cmp(name));
        let (mut low, mut high) = (0, set.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match place(middle)? {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return set.pair(middle).map(|(_, value)| value),
            }
        }
        None
    }

    /// Sets `name` to `value`.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) {
        let pairs = self.iter().chain([(name.as_ref(), value.as_ref())]);
        *self = pairs.collect();
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self.0.as_deref();
        (0..self.len()).filter_map(move |index| set?.pair(index))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |set| set.ends.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether each label of `selector` is here with the same value (an equality selector of Kubernetes).
    pub fn matches(&self, selector: &Self) -> bool {
        selector.iter().all(|(name, value)| self.value(name) == Some(value))
    }
}

impl Set {
    fn name(&self, index: usize) -> Option<&str> {
        self.pair(index).map(|(name, _)| name)
    }

    fn pair(&self, index: usize) -> Option<(&str, &str)> {
        let begin = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let (name, value) = self.ends.get(index)?;
        Some((self.text.get(begin..*name)?, self.text.get(*name..*value)?))
    }
}

/// Labels that are being read.
#[derive(Default)]
struct Draft {
    text: String,
    ends: Vec<(usize, usize)>,
}

impl Draft {
    fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let end = self.text.len();
        self.text.push_str(value);
        self.ends.push((end, self.text.len()));
    }

    /// The set of them; of equal names the last counts.
    fn set(self) -> Labels {
        if self.ends.is_empty() {
            return Labels::new();
        }
        let set = Set { text: self.text.into_boxed_str(), ends: self.ends.into_boxed_slice() };
        let pairs = || (0..set.ends.len()).filter_map(|index| set.pair(index));
        // Nearly all come sorted: JSON of Go has its keys so.
        if pairs().is_sorted_by(|(one, _), (next, _)| one < next) {
            return Labels(Some(Arc::new(set)));
        }
        let mut sorted = Self::default();
        for (name, value) in pairs().collect::<BTreeMap<_, _>>() {
            sorted.push(name, value);
        }
        sorted.set()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut draft = Draft::default();
        for (name, value) in pairs {
            draft.push(name.as_ref(), value.as_ref());
        }
        draft.set()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

impl JsonSchema for Labels {
    fn schema_name() -> Cow<'static, str> {
        "Labels".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": "string" },
            "description": "Names and values, sorted by name, as Prometheus and Kubernetes use them.",
        })
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Labels;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut draft = Draft::default();
        while map.next_key_seed(Append(&mut draft.text))?.is_some() {
            let end = draft.text.len();
            map.next_value_seed(Append(&mut draft.text))?;
            draft.ends.push((end, draft.text.len()));
        }
        Ok(draft.set())
    }
}

/// Puts a text behind another.
struct Append<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Append<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn they_are_sorted_and_the_last_of_equal_names_counts() {
        let set = labels(&[("b", "2"), ("a", "0"), ("c", ""), ("a", "1")]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("c", "")]);
        assert_eq!(set, labels(&[("a", "1"), ("b", "2"), ("c", "")]));
        assert_eq!(set.len(), 3);
        assert_eq!(format!("{set:?}"), r#"{"a": "1", "b": "2", "c": ""}"#);
    }

    #[test]
    fn an_empty_value_is_there_for_kubernetes_and_absent_for_prometheus() {
        let set = labels(&[("node-role.kubernetes.io/control-plane", ""), ("zone", "a")]);
        assert_eq!(set.value("node-role.kubernetes.io/control-plane"), Some(""));
        assert_eq!(set.get("node-role.kubernetes.io/control-plane"), None);
        assert_eq!((set.get("zone"), set.get("zonf"), set.get("")), (Some("a"), None, None));
        assert!(set.matches(&labels(&[("node-role.kubernetes.io/control-plane", "")])));
        assert!(!set.matches(&labels(&[("zone", "b")])));
    }

    #[test]
    fn names_and_values_that_run_together_the_same_are_not_the_same() {
        assert_ne!(labels(&[("ab", "c")]), labels(&[("a", "bc")]));
        assert!(labels(&[("a", "bc")]) < labels(&[("ab", "c")]));
        assert!(Labels::new() < labels(&[("a", "")]));
    }

    #[test]
    fn they_are_read_as_they_are_written() {
        let set: Labels = serde_json::from_str(r#"{"z":"1","a":"\"\u00e4\n","b":""}"#).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"{"a":"\"ä\n","b":"","z":"1"}"#);
        let value = serde_json::to_value(&set).unwrap();
        assert_eq!(serde_json::from_value::<Labels>(value).unwrap(), set);
        assert_eq!(serde_json::from_str::<Labels>("{}").unwrap(), Labels::new());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let refused = |text: &str| serde_json::from_str::<Labels>(text).unwrap_err().to_string();
        assert!(refused(r#"{"a":1}"#).starts_with("invalid type: integer `1`, expected a string"));
        assert!(refused("[]").starts_with("invalid type: sequence, expected an object of texts"));
        assert!(refused(r#"{"a":null}"#).starts_with("invalid type: null, expected a string"));
    }

    #[test]
    fn a_value_is_set_and_replaced() {
        let mut set = Labels::new();
        set.insert("b", "1");
        set.insert("a", String::from("2"));
        set.insert("b", "3");
        assert_eq!(set, labels(&[("a", "2"), ("b", "3")]));
    }
}
