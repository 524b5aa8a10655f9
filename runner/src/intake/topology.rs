//! What hangs together with what, as a forwarder sends it.

use marple_core::Links;
use marple_forwarder::topology::Batch;

use super::PayloadFault;

/// Reads a batch of links. What of an object is beyond the bounds is left out.
pub fn read_topology(body: &[u8]) -> Result<Batch, PayloadFault> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let mut batch: Batch = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| PayloadFault::at_path(error.path(), format!("links can't be read: {}", error.inner())))?;
    for entry in &mut batch.entries {
        entry.links = entry.links.take().map(Links::bounded);
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_can_not_be_read_is_told_by_where_it_is() {
        let body =
            br#"{"cluster": "test", "entries": [{"object": {"kind": "Pod", "name": "a"}, "listing": 1, "link": {}}]}"#;
        let fault = read_topology(body).unwrap_err();
        assert_eq!(fault.pointer, "/entries/0/link");
        assert!(fault.reason.starts_with("links can't be read: unknown field `link`"), "{}", fault.reason);
    }

    #[test]
    fn what_is_beyond_the_bounds_is_left_out() {
        let object = r#"{"kind": "Pod", "namespace": "shop", "name": "a"}"#;
        let body = format!(
            r#"{{"cluster": "test", "entries": [{{"object": {object}, "listing": 1, "links": {{"node": "{}"}}}}]}}"#,
            "n".repeat(400)
        );
        let batch = read_topology(body.as_bytes()).unwrap();
        assert_eq!(batch.entries[0].links, Some(Links::default()));
    }
}
