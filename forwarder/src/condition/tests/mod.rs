//! Each condition: an object that shows it, and one that almost does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unnecessary_box_returns, reason = "objects hold their views boxed")]
#![allow(clippy::needless_pass_by_value, reason = "literals of JSON read better without a borrow")]

mod cluster;
mod event;
mod node;
mod pod;
mod workload;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Conditions, Context, Restarts, Sighting, Stage};
use crate::object::Object;

fn view<T: DeserializeOwned>(json: Value) -> Box<T> {
    Box::new(serde_json::from_value(json).unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What the default conditions see of an object, with the restarts of its container `app`.
fn see_with(object: &Object, restarts: &[&str]) -> Vec<Sighting> {
    let restarts: Vec<Restarts> =
        [Restarts { container: "app".to_owned(), at: restarts.iter().map(|text| at(text)).collect() }]
            .into_iter()
            .filter(|restarts| !restarts.at.is_empty())
            .collect();
    let waiting_classes: BTreeSet<Box<str>> = ["local".into()].into();
    let key = object.key();
    let context = Context {
        key: &key,
        restarts: &restarts,
        owner_succeeded: None,
        waiting_classes: &waiting_classes,
        pods_unseen: false,
    };
    Conditions::default().see(object, &context)
}

fn see(object: &Object) -> Vec<Sighting> {
    see_with(object, &[])
}

/// The one thing that is seen.
fn one(object: &Object) -> Sighting {
    let mut sightings = see(object);
    assert_eq!(sightings.len(), 1, "{sightings:#?}");
    sightings.remove(0)
}

/// Name, stage, start and end of all that is seen: what the tracker acts on.
fn course(sightings: &[Sighting]) -> Vec<(&'static str, Stage, Option<String>, Option<String>)> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    sightings.iter().map(|it| (it.name, it.stage, text(it.since), text(it.until))).collect()
}

const AT_ONCE: Stage = Stage::Holds(Duration::ZERO);

#[allow(clippy::unnecessary_wraps, reason = "an optional text is what is compared")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
