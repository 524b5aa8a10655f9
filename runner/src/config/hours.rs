//! Hours of the week.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    const fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// Hours of the week, as 08:00 to 18:00 from Monday to Friday. Where they end before they begin, they go on into the next
/// day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// When they begin, as `08:00`.
    #[serde(default = "midnight")]
    #[schemars(with = "String")]
    pub from: Time,
    /// When they end, as `18:00`; `00:00` is the end of the day.
    #[serde(default = "midnight")]
    #[schemars(with = "String")]
    pub until: Time,
    /// The days on which they begin; absent: every day.
    #[serde(default)]
    pub days: Option<BTreeSet<Day>>,
    /// The time zone, by its name in the IANA database, as `Europe/Berlin`, or as `UTC`.
    #[serde(default = "utc")]
    pub time_zone: String,
}

const fn midnight() -> Time {
    Time::midnight()
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Hours {
    pub(super) fn fault(&self) -> Option<String> {
        if self.days.as_ref().is_some_and(BTreeSet::is_empty) {
            return Some("days: no day is named; leave it out for every day".to_owned());
        }
        let known = TimeZone::get(&self.time_zone).is_ok();
        (!known).then(|| {
            format!(
                "time_zone: there is no time zone {:?} on this machine; write its IANA name, as Europe/Berlin (in a container \
                 without a database of time zones, UTC alone is known)",
                self.time_zone
            )
        })
    }

    /// Whether a moment is in them.
    pub fn hold(&self, at: Timestamp) -> bool {
        // It was looked up when the configuration was read.
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        let local = at.to_zoned(zone);
        let (day, time) = (local.date().weekday(), local.time());
        let on = |day: Weekday| self.days.as_ref().is_none_or(|days| days.contains(&Day::of(day)));
        let over_midnight = self.until <= self.from;
        let today = on(day) && time >= self.from && (over_midnight || time < self.until);
        let since_yesterday = over_midnight && on(day.previous()) && time < self.until;
        today || since_yesterday
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hours(text: &str) -> Hours {
        serde_json::from_str(text).unwrap()
    }

    fn holds(hours: &Hours, at: &str) -> bool {
        hours.hold(at.parse().unwrap())
    }

    #[test]
    fn office_hours_are_those_of_their_days_and_zone() {
        let office = hours(
            r#"{"from": "08:00", "until": "18:00", "days": ["mon", "tue", "wed", "thu", "fri"], "time_zone": "UTC"}"#,
        );
        assert!(holds(&office, "2026-01-30T08:00:00Z"), "a Friday");
        assert!(!holds(&office, "2026-01-30T18:00:00Z"));
        assert!(!holds(&office, "2026-01-30T07:59:59Z"));
        assert!(!holds(&office, "2026-01-31T12:00:00Z"), "a Saturday");
    }

    #[test]
    fn a_night_goes_on_into_the_next_day() {
        let night = hours(r#"{"from": "22:00", "until": "06:00", "days": ["fri"]}"#);
        assert!(holds(&night, "2026-01-30T23:00:00Z"));
        assert!(holds(&night, "2026-01-31T05:59:00Z"), "Friday's night");
        assert!(!holds(&night, "2026-01-31T23:00:00Z"));
        assert!(!holds(&night, "2026-01-30T05:00:00Z"), "Thursday's night");
    }

    #[test]
    fn a_whole_day_has_no_end_before_midnight() {
        let sunday = hours(r#"{"days": ["sun"]}"#);
        assert!(holds(&sunday, "2026-02-01T00:00:00Z") && holds(&sunday, "2026-02-01T23:59:59Z"));
        assert!(!holds(&sunday, "2026-02-02T00:00:00Z"));
    }

    #[test]
    fn a_zone_that_is_none_and_no_days_are_faults() {
        assert!(hours(r#"{"time_zone": "Europe/Atlantis"}"#).fault().unwrap().contains("\"Europe/Atlantis\""));
        assert!(hours(r#"{"days": []}"#).fault().unwrap().contains("no day is named"));
        assert_eq!(hours("{}").fault(), None);
    }
}
