//! Numbers for people.

/// A number with six significant digits, in scientific notation where it is very large or small;
/// `–` for NaN.
#[must_use]
pub fn number(value: f64) -> String {
    digits(value, 6)
}

/// A number with so many significant digits.
#[must_use]
pub fn digits(value: f64, significant: usize) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value == 0.0 || value.is_infinite() {
        return format!("{value}");
    }
    let shortest =
        [format!("{value}"), format!("{value:e}")].into_iter().find(|text| text.len() <= significant + 2);
    if let Some(text) = shortest {
        return text;
    }
    let rounded = format!("{value:.*e}", significant.saturating_sub(1));
    // The exponent of the rounded number: 9.9999999 is 1e1.
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if !(-4..=6).contains(&exponent) {
        return rounded;
    }
    let decimals = usize::try_from(i32::try_from(significant).unwrap_or(6) - 1 - exponent).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A number to twelve significant digits. Sums of the same numbers in another order, as several
/// threads give them, differ beyond that: what is shown must not.
#[must_use]
pub fn settled(value: f64) -> f64 {
    let settled = format!("{value:.11e}").parse().unwrap_or(value);
    // No negative zero.
    if settled == 0.0 { 0.0 } else { settled }
}

/// A standard error, or 0 where it is rounding: below 10⁻¹⁰ of the mean that it belongs to.
#[must_use]
pub fn settled_error(error: f64, mean: f64) -> f64 {
    if error <= 1e-10 * mean.abs() { 0.0 } else { settled(error) }
}

/// A coordinate as it would be typed: `0.1`, `51200`, `1e6`.
#[must_use]
pub fn coordinate(value: f64) -> String {
    const LONGEST: usize = 6;
    [format!("{value}"), format!("{value:e}")]
        .into_iter()
        .find(|text| text.len() <= LONGEST)
        .unwrap_or_else(|| digits(value, 4))
}

/// The nearest whole number to one that is not negative; saturates.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; counts are positive")]
pub fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// A whole number with its thousands apart: `36,000`.
#[must_use]
pub fn count(value: u128) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with what is counted: `1 part`, `36,000 rows`. `one` is a noun whose plural ends in `s`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {one}{ending}", self::count(count.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits() {
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(51200.0), "51200");
        assert_eq!(number(1e6), "1000000");
        assert_eq!(number(1.0 / 3.0), "0.333333");
        assert_eq!(number(-1234.5678), "-1234.57");
        assert_eq!(number(0.000_012_345_678_9), "1.23457e-5");
        assert_eq!(number(9.999_999_99), "10.0000");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(f64::NAN), "–");
        assert_eq!(number(f64::INFINITY), "inf");
        assert!((settled(0.1 + 0.2) - 0.3).abs() < f64::MIN_POSITIVE);
        assert_eq!(coordinate(1e6), "1e6");
        assert_eq!(coordinate(0.316_227_766), "0.3162");
        assert_eq!(count(36_000), "36,000");
        assert_eq!(count(999), "999");
        assert_eq!(
            [0, 1, 2, 36_000].map(|n| counted(n, "row")),
            ["0 rows", "1 row", "2 rows", "36,000 rows"]
        );
    }
}
