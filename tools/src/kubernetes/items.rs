//! Takes the items of a list out of its answer while it comes in, so that no more than one of them is held.

/// The largest item: etcd holds none beyond 1.5 MB unless it is told to.
const ITEM: usize = 16 << 20;

/// The most of an answer beside its items.
const REST: usize = 4 << 20;

/// Splits the JSON of a list, or of a table, into its items and the rest.
#[derive(Debug, Default)]
pub(super) struct Items {
    depth: usize,
    /// Whether the next byte is inside of a string, and whether a backslash stands before it.
    text: bool,
    escaped: bool,
    /// Whether the next byte is inside of the array of items.
    within: bool,
    /// The string that stood last on the top level: a key, where a colon follows.
    key: Vec<u8>,
    item: Vec<u8>,
    rest: Vec<u8>,
}

/// An answer that is too large.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge(pub(super) &'static str);

impl Items {
    /// Takes the next bytes of the answer, and gives each item that ends in them.
    pub(super) fn feed<E: From<TooLarge>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = 0;
        for (at, byte) in bytes.iter().copied().enumerate() {
            if self.text {
                self.in_text(byte);
                continue;
            }
            match byte {
                b'"' => {
                    self.text = true;
                    if self.depth == 1 {
                        self.key.clear();
                    }
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth == 2 && byte == b'[' && matches!(self.key.as_slice(), b"items" | b"rows") {
                        self.keep(bytes.get(from..=at).unwrap_or_default())?;
                        from = at + 1;
                        self.within = true;
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.within && self.depth == 2 {
                        self.keep(bytes.get(from..=at).unwrap_or_default())?;
                        from = at + 1;
                        each(self.item.trim_ascii())?;
                        self.item.clear();
                    } else if self.within && self.depth == 1 {
                        // What stands between the last item and the end of the array is only space.
                        self.item.clear();
                        from = at;
                        self.within = false;
                    }
                }
                b',' if self.within && self.depth == 2 => {
                    self.item.clear();
                    from = at + 1;
                }
                _ => {}
            }
        }
        self.keep(bytes.get(from..).unwrap_or_default())
    }

    fn in_text(&mut self, byte: u8) {
        match (self.escaped, byte) {
            (true, _) => self.escaped = false,
            (false, b'\\') => self.escaped = true,
            (false, b'"') => self.text = false,
            (false, _) if self.depth == 1 && self.key.len() < 16 => self.key.push(byte),
            (false, _) => {}
        }
    }

    fn keep<E: From<TooLarge>>(&mut self, bytes: &[u8]) -> Result<(), E> {
        let (into, most, what) = if self.within {
            (&mut self.item, ITEM, "one object of the answer has more than 16 MiB")
        } else {
            (&mut self.rest, REST, "the answer has more than 4 MiB beside its objects")
        };
        if into.len() + bytes.len() > most {
            return Err(TooLarge(what).into());
        }
        into.extend_from_slice(bytes);
        Ok(())
    }

    /// The answer without its items.
    pub(super) fn rest(self) -> Vec<u8> {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn split(text: &[u8], piece: usize) -> (Vec<Value>, Value) {
        let mut items = Items::default();
        let mut found = Vec::new();
        for piece in text.chunks(piece) {
            items
                .feed::<TooLarge>(piece, |item| {
                    found.push(serde_json::from_slice(item).unwrap());
                    Ok(())
                })
                .unwrap();
        }
        (found, serde_json::from_slice(&items.rest()).unwrap())
    }

    proptest! {
        #[test]
        fn a_list_is_split_wherever_the_pieces_end(
            names in prop::collection::vec("[a-z\\\\\"{}\\[\\], é]{0,8}", 0..6), piece in 1usize..40, pretty in any::<bool>(), last in any::<bool>(),
        ) {
            let all: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name, "items": [1, {"a": "]"}]}})).collect();
            let list = if last {
                json!({"apiVersion": "v1", "items": all, "kind": "items", "metadata": {"continue": "x"}})
            } else {
                json!({"kind": "rows", "metadata": {"continue": "x"}, "rows": all})
            };
            let text = if pretty { serde_json::to_vec_pretty(&list).unwrap() } else { serde_json::to_vec(&list).unwrap() };
            let (found, rest) = split(&text, piece);
            prop_assert_eq!(found, all);
            prop_assert_eq!(rest.pointer("/metadata/continue"), Some(&json!("x")));
        }
    }

    #[test]
    fn an_answer_that_is_no_list_is_the_rest() {
        let (found, rest) = split(br#"{"kind":"Status","items":null}"#, 7);
        assert_eq!((found, rest), (vec![], json!({"kind": "Status", "items": null})));
    }

    #[test]
    fn an_object_without_end_is_refused() {
        let mut items = Items::default();
        items.feed::<TooLarge>(br#"{"items":[{"a":""#, |_| Ok(())).unwrap();
        let piece = vec![b'x'; 1 << 20];
        let fed = (0..40).find_map(|_| items.feed::<TooLarge>(&piece, |_| Ok(())).err());
        assert_eq!(fed, Some(TooLarge("one object of the answer has more than 16 MiB")));
    }
}
