//! Kubernetes' quantities, as `250m` and `64Mi`.

/// A quantity as a number of its base unit (cores, bytes); nothing where it is none. Its grammar is that of
/// `resource.Quantity` in Kubernetes' API conventions.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    // An exponent's `e` is also the suffix of exa; digits behind it tell.
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']).filter(|rest| !rest.is_empty()) {
        return format!("{number}e{exponent}").parse().ok();
    }
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Bytes as `1.5Gi`, with as many digits as people compare.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = [("Ti", 1_099_511_627_776.0), ("Gi", 1_073_741_824.0), ("Mi", 1_048_576.0), ("Ki", 1024.0)];
    match units.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{}{unit}", rounded(bytes / size)),
        None => format!("{bytes:.0}"),
    }
}

/// Cores as `250m` or `1.5`.
pub(crate) fn cores(cores: f64) -> String {
    if cores != 0.0 && cores < 1.0 { format!("{:.0}m", cores * 1_000.0) } else { rounded(cores) }
}

fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_by_their_suffix() {
        let read = ["250m", "2", "64Mi", "1e3", "1.5G", "2n", "1E", "x", "5Zi"].map(parse);
        assert_eq!(
            read,
            [Some(0.25), Some(2.0), Some(67_108_864.0), Some(1000.0), Some(1.5e9), Some(2e-9), Some(1e18), None, None]
        );
    }

    #[test]
    fn quantities_are_written_as_people_compare_them() {
        assert_eq!([bytes(67_108_864.0), bytes(1.55e9), bytes(12.0)], ["64Mi", "1.4Gi", "12"]);
        assert_eq!([cores(0.25), cores(1.5), cores(2.0), cores(0.0)], ["250m", "1.5", "2", "0"]);
    }
}
