//! Numbers as Prometheus writes them.

/// Below this, JSON answers use an exponent.
const SMALL: f64 = 1e-6;

/// From this on, JSON answers use an exponent.
const LARGE: f64 = 1e21;

/// All digits, never an exponent: the form of label values.
pub(super) fn plain(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

/// The form of answers in JSON (`jsonutil.MarshalFloat`).
pub fn json(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(SMALL..LARGE).contains(&magnitude) {
        let text = format!("{value:e}");
        return if magnitude >= LARGE { text.replace('e', "e+") } else { text };
    }
    plain(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.25, "-0.25"),
            (1_764_000_000.5, "1764000000.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (0.000_001, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(json(value), text);
        }
        assert_eq!(plain(1e21), "1000000000000000000000");
    }
}
