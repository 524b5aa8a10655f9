//! Schemas as the docs have them.

use serde_json::Value;

/// Checks that `docs/schemas/NAME.schema.json` is this schema; with `UPDATE_GENERATED` in the environment it is written.
pub(crate) fn assert_published(name: &str, schema: &Value) {
    let path = format!("{}/../docs/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "run the tests with UPDATE_GENERATED=1");
}
