#![allow(clippy::unwrap_used, missing_docs)]

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The oldest first.
    OldestFirst,
    /// The newest first.
    NewestFirst,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Range {
    /// From this line.
    from: u32,
    /// To that line.
    #[serde(default)]
    to: Option<u32>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Kind, as Pod.
    kind: String,
    /// Lines from the end.
    #[serde(default)]
    tail_lines: Option<u32>,
    /// Of the run before.
    #[serde(default)]
    previous: bool,
    /// Which first.
    #[serde(default)]
    order: Option<Order>,
    /// Names.
    #[serde(default)]
    names: Vec<String>,
    /// A range.
    #[serde(default)]
    range: Option<Range>,
}

fn read(arguments: Value) -> Result<Arguments, String> {
    parse("look", arguments).map_err(|error| error.to_string())
}

#[test]
fn a_schema_holds_what_a_model_needs_and_nothing_else() {
    assert_eq!(
        spec::<Arguments>("look", "Looks.", Effect::Read).parameters,
        json!({
            "type": "object",
            "properties": {
                "kind": {"type": "string", "description": "Kind, as Pod."},
                "tail_lines": {"type": "integer", "description": "Lines from the end."},
                "previous": {"type": "boolean", "description": "Of the run before."},
                "order": {"type": "string", "description": "Which first.", "enum": ["oldest_first", "newest_first"]},
                "names": {"type": "array", "items": {"type": "string"}, "description": "Names."},
                "range": {
                    "type": "object",
                    "description": "A range.",
                    "properties": {
                        "from": {"type": "integer", "description": "From this line."},
                        "to": {"type": "integer", "description": "To that line."}
                    },
                    "required": ["from"]
                }
            },
            "required": ["kind"]
        })
    );
}

#[test]
fn null_absent_and_empty_mean_the_same() {
    let absent = read(json!({"kind": "Pod"})).unwrap();
    assert_eq!(
        read(json!({"kind": "Pod", "tail_lines": null, "previous": "", "order": null, "names": null, "range": null})),
        Ok(absent)
    );
}

#[test]
fn values_in_strings_and_single_values_for_lists_are_taken() {
    let sent = json!({"kind": 5, "tail_lines": "20", "previous": "True", "order": "NEWEST_FIRST", "names": "a", "range": {"from": 3.0}});
    let wanted = Arguments {
        kind: "5".to_owned(),
        tail_lines: Some(20),
        previous: true,
        order: Some(Order::NewestFirst),
        names: vec!["a".to_owned()],
        range: Some(Range { from: 3, to: None }),
    };
    assert_eq!(read(Value::String(sent.to_string())), Ok(wanted));
}

#[test]
fn an_error_names_the_argument_what_came_and_what_is_wanted() {
    let faults = [
        json!({}),
        json!({"kind": "Pod", "tail_line": 5}),
        json!({"kind": "Pod", "tail_lines": "many"}),
        json!({"kind": "Pod", "tail_lines": -1}),
        json!({"kind": "Pod", "order": "random"}),
        json!({"kind": ["Pod"]}),
        json!({"kind": "Pod", "range": {"to": 1}}),
        json!([1]),
    ]
    .map(|arguments| read(arguments).unwrap_err());
    insta::assert_snapshot!(faults.join("\n"), @r#"
    look: argument `kind` is missing: Kind, as Pod.
    look: there is no argument `tail_line`; did you mean `tail_lines`? the arguments are kind (required), tail_lines, previous, order, names, range
    look: argument `tail_lines` is "many"; a whole number from 0 on is wanted
    look: argument `tail_lines` is -1; a whole number from 0 on is wanted
    look: argument `order` is "random"; one of oldest_first, newest_first is wanted
    look: argument `kind` is ["Pod"]; a string is wanted
    look: argument `range.from` is missing: From this line.
    look: the arguments are [1]; a JSON object is wanted
    "#);
}
