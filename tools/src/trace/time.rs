//! Lengths of time as traces have them.

use std::time::Duration;

/// As `1.23 s`, `90 ms` or `0.4 ms`.
pub(super) fn told(length: Duration) -> String {
    let millis = length.as_secs_f64() * 1_000.0;
    match millis {
        0.0 => "0 ms".to_owned(),
        ..10.0 => format!("{millis:.1} ms"),
        10.0..1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", length.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_as_exactly_as_matters() {
        let told_of = |micros| told(Duration::from_micros(micros));
        assert_eq!([0, 400, 12_345, 999_400, 1_234_567].map(told_of), ["0 ms", "0.4 ms", "12 ms", "999 ms", "1.23 s"]);
    }
}
