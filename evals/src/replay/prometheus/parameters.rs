//! Parameters of the Prometheus API.

use jiff::Timestamp;

use super::answer::Failure;
use crate::replay::pairs::Pairs;

/// The farthest time from 1970 that is one, in seconds: the end of the year 9999, as in RFC 3339.
const FARTHEST: f64 = 253_402_300_799.0;

/// The parameters of a request, from its query and its form.
#[derive(Clone)]
pub(super) struct Parameters(Pairs);

impl Parameters {
    pub(super) fn parse(query: &str, form: &str) -> Self {
        Self(Pairs::parse([query, form]))
    }

    /// All of them.
    pub(super) fn all_of(&self) -> &[(String, String)] {
        self.0.all_of()
    }

    /// Gives a parameter another value, and no second one.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.set(name, value);
    }

    /// A parameter's value.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.0.get(name)
    }

    /// All values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.all(name)
    }

    /// A time in milliseconds, given as seconds or in RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Failure> {
        let parse = |text: &str| {
            let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.abs() <= FARTHEST).map(milliseconds);
            let time = seconds.or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond));
            time.ok_or_else(|| {
                Failure::bad_data(&format!(
                    "invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"
                ))
            })
        };
        self.get(name).map(parse).transpose()
    }

    /// A time that must be there.
    pub(super) fn required_time(&self, name: &str) -> Result<i64, Failure> {
        self.time(name)?.ok_or_else(|| {
            Failure::bad_data(&format!("invalid parameter \"{name}\": cannot parse \"\" to a valid timestamp"))
        })
    }

    /// A length of time in milliseconds, given as seconds or as `1m30s`.
    pub(super) fn duration(&self, name: &str) -> Result<i64, Failure> {
        let text = self.get(name).unwrap_or_default();
        let length = match text.parse::<f64>() {
            Ok(seconds) => (seconds.abs() <= FARTHEST).then(|| milliseconds(seconds)),
            Err(_) => {
                promql_parser::util::parse_duration(text).ok().and_then(|length| length.as_millis().try_into().ok())
            }
        };
        length.ok_or_else(|| {
            Failure::bad_data(&format!("invalid parameter \"{name}\": cannot parse \"{text}\" to a valid duration"))
        })
    }

    /// The parameter `limit`; 0 means none.
    pub(super) fn limit(&self) -> Result<Option<usize>, Failure> {
        let parse = |text: &str| text.parse::<usize>().map_err(|_| Failure::bad_data("limit must be a number"));
        Ok(self.get("limit").map(parse).transpose()?.filter(|limit| *limit > 0))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of this century are far inside the range")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_dates_and_the_form_adds_to_the_query() {
        let parameters =
            Parameters::parse("start=1764000000.5&match[]=up", "end=2025-11-24T16%3A00%3A00Z&match%5B%5D=b");
        assert_eq!(parameters.time("start").unwrap(), Some(1_764_000_000_500));
        assert_eq!(parameters.time("end").unwrap(), Some(1_764_000_000_000));
        assert_eq!(parameters.all("match[]").collect::<Vec<_>>(), ["up", "b"]);
        assert_eq!(parameters.time("time").unwrap(), None);
    }

    #[test]
    fn steps_are_seconds_or_durations() {
        let parameters = Parameters::parse("a=15&b=1m30s&c=soon", "");
        assert_eq!(parameters.duration("a").unwrap(), 15_000);
        assert_eq!(parameters.duration("b").unwrap(), 90_000);
        assert!(parameters.duration("c").is_err());
        assert!(parameters.required_time("d").is_err());
        let far = Parameters::parse("time=-1e30&step=1e30", "");
        assert!(far.time("time").is_err() && far.duration("step").is_err());
    }
}
