//! Dates and times of day, in UTC.

use jiff::{Timestamp, tz::TimeZone};

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    Month,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    DaysInMonth,
    Hour,
    Minute,
}

impl Field {
    pub(super) fn of(function: &str) -> Option<Self> {
        Some(match function {
            "year" => Self::Year,
            "month" => Self::Month,
            "day_of_month" => Self::DayOfMonth,
            "day_of_week" => Self::DayOfWeek,
            "day_of_year" => Self::DayOfYear,
            "days_in_month" => Self::DaysInMonth,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            _ => return None,
        })
    }
}

/// The part of the time that is so many seconds after 1970; not a number where that is no time.
pub(super) fn of(field: Field, seconds: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are meant, and the cast saturates")]
    let Ok(time) = Timestamp::from_second(seconds as i64) else { return f64::NAN };
    let time = time.to_zoned(TimeZone::UTC);
    match field {
        Field::Year => f64::from(time.year()),
        Field::Month => f64::from(time.month()),
        Field::DayOfMonth => f64::from(time.day()),
        Field::DayOfWeek => f64::from(time.weekday().to_sunday_zero_offset()),
        Field::DayOfYear => f64::from(time.day_of_year()),
        Field::DaysInMonth => f64::from(time.days_in_month()),
        Field::Hour => f64::from(time.hour()),
        Field::Minute => f64::from(time.minute()),
    }
}
