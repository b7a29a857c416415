//! What columns are called on a figure.

use crate::format::coordinate;

/// A value as a figure shows it: powers of ten from 10³ up and 10⁻³ down as such, `2·10⁵`, anything else as typed.
pub(super) fn pretty(value: f64) -> String {
    if value.is_nan() {
        // An axis that one of several data sets does not have.
        return "–".to_owned();
    }
    let text = format!("{value:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let Ok(exponent) = exponent.parse::<i32>() else { return text };
    match mantissa {
        "1" if exponent.abs() >= 3 => format!("10{}", superscript(exponent)),
        short if exponent.abs() >= 5 && short.len() <= 3 => format!("{short}·10{}", superscript(exponent)),
        _ => coordinate(value),
    }
}

/// An exponent in superscript digits.
pub(super) fn superscript(exponent: i32) -> String {
    let digit = |letter: char| match letter {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    exponent.to_string().chars().map(digit).collect()
}

/// Title of an axis or a metric.
pub(super) fn title(column: &str) -> String {
    match column {
        "samples" => "samples n",
        "noise_scale" => "noise scale, max λ(Γ)",
        "augmentation_scale" => "augmentation scale, max λ(Θ)",
        "alignment" => "alignment α",
        "dimension" => "dimension k",
        "signal_components" => "signal components",
        "noise_components" => "noise components",
        "distance" => "|clean − corrupted| loss",
        "loss_clean" => "probing loss, clean",
        "loss_corrupted" => "probing loss, corrupted",
        "leakage" => "leakage",
        "gap" => "relative spectral gap",
        "threshold_squared" => "threshold on α²",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

/// `α = 0.1`, `noise scale = 1e6`, or the text itself.
pub(super) fn valued(column: &str, value: &str) -> String {
    match column {
        "paradigm" | "dataset" => value.to_owned(),
        "samples" => format!("n = {value}"),
        "alignment" => format!("α = {value}"),
        "dimension" => format!("k = {value}"),
        "signal_components" => format!("k₀ = {value}"),
        "noise_components" => format!("p = {value}"),
        "noise_scale" => format!("max λ(Γ) = {value}"),
        "augmentation_scale" => format!("max λ(Θ) = {value}"),
        other => format!("{} = {value}", other.replace('_', " ")),
    }
}
