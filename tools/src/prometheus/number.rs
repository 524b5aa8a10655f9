//! Values as people read them.

/// What a value measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whatever the query says.
    #[default]
    Plain,
    /// Bytes.
    Bytes,
    /// A part of the whole, from 0 to 1.
    Share,
    /// Processors.
    Cores,
    /// Times a second.
    PerSecond,
}

impl Unit {
    /// The value with its unit. Whole numbers are told exactly, others in four digits.
    pub(super) fn told(self, value: f64) -> String {
        if !value.is_finite() {
            return plain(value);
        }
        match self {
            Self::Plain => plain(value),
            Self::Bytes => bytes(value),
            Self::Share => format!("{}%", plain(rounded(value * 100.0, 3))),
            Self::Cores => format!("{} cores", plain(rounded(value, 3))),
            Self::PerSecond => format!("{}/s", plain(rounded(value, 4))),
        }
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut scaled, mut unit) = (value, "bytes");
    for next in UNITS {
        if scaled.abs() < 1024.0 {
            break;
        }
        (scaled, unit) = (scaled / 1024.0, next);
    }
    format!("{} {unit}", plain(rounded(scaled, 4)))
}

/// As Prometheus writes it where it is whole, else in four digits.
fn plain(value: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() < 1e-4 || value.abs() >= EXACT {
        return format!("{value:.3e}");
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    format!("{}", rounded(value, 4))
}

/// To so many digits, none of those before the point being lost.
fn rounded(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a finite number is below 400")]
    let size = value.abs().log10().floor() as i32;
    let decimals = (digits - 1 - size).max(0);
    if decimals > 300 {
        return value;
    }
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_and_others_short() {
        let told = [0.0, -0.0, 1.0, 1_795_571_504.0, 0.012_345_6, 12_345.678, 0.3, 1.0 / 3.0, 2e-7, 1e300, f64::NAN];
        assert_eq!(
            told.map(|value| Unit::Plain.told(value)),
            ["0", "0", "1", "1795571504", "0.01235", "12346", "0.3", "0.3333", "2.000e-7", "1.000e300", "NaN"]
        );
        assert_eq!(Unit::Bytes.told(f64::NEG_INFINITY), "-Inf");
    }

    #[test]
    fn units_are_those_of_the_cluster() {
        assert_eq!(Unit::Bytes.told(50_331_648.0), "48 MiB");
        assert_eq!(Unit::Bytes.told(1_528_766_464.0), "1.424 GiB");
        assert_eq!(Unit::Bytes.told(512.0), "512 bytes");
        assert_eq!(Unit::Share.told(0.957_31), "95.7%");
        assert_eq!(Unit::Cores.told(0.001_234_5), "0.00123 cores");
        assert_eq!(Unit::PerSecond.told(3.0), "3/s");
    }
}
