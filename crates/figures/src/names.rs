//! What columns are called on a figure.

use eigensweep_job::{JobSpec, SpectrumShape};
use eigensweep_store::columns::{DATASET, PARADIGM};
use eigensweep_store::format::coordinate;

/// A value as a figure shows it: powers of ten from 10³ up and 10⁻³ down as such, `2·10⁵`, anything
/// else as typed.
pub(crate) fn pretty(value: f64) -> String {
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
pub(crate) fn superscript(exponent: i32) -> String {
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

/// Axes: column, title, and the symbol before a value.
const AXES: [(&str, &str, &str); 7] = [
    ("samples", "samples n", "n"),
    ("noise_scale", "noise scale, max λ(Γ)", "max λ(Γ)"),
    ("augmentation_scale", "augmentation scale, max λ(Θ)", "max λ(Θ)"),
    ("alignment", "alignment α", "α"),
    ("dimension", "dimension k", "k"),
    ("signal_components", "signal components", "k₀"),
    ("noise_components", "noise components", "p"),
];

/// What the values of a relative axis are multiples of, in symbols and in words: those of
/// covariances by their spectrum of the largest eigenvalue of the clean data, those of stages of a
/// mean variance.
fn reference(column: &str) -> [&'static str; 2] {
    match column {
        "noise_scale" | "augmentation_scale" => {
            [" / max λ(signal)", "the largest eigenvalue of the clean data"]
        }
        _ => [" / the data's", "the mean variance of a feature of the clean data"],
    }
}

/// What the values of a relative axis are multiples of.
pub(crate) fn multiples(column: &str) -> &'static str {
    reference(column)[1]
}

fn unit(column: &str, relative: bool) -> &'static str {
    if relative { reference(column)[0] } else { "" }
}

/// What an axis is called in a table; its values may be multiples (`relative`).
pub(crate) fn heading(column: &str, relative: bool) -> String {
    column.replace('_', " ") + unit(column, relative)
}

/// Title of an axis, whose values may be multiples (`relative`).
pub(crate) fn title(column: &str, relative: bool) -> String {
    let known = AXES.iter().find(|(name, ..)| *name == column);
    known.map_or_else(
        || heading(column, relative),
        |(_, title, _)| format!("{title}{}", unit(column, relative)),
    )
}

/// `α = 0.1`, `max λ(Γ) = 10⁶`, or the text itself; the value may be a multiple (`relative`).
pub(crate) fn valued(column: &str, value: &str, relative: bool) -> String {
    match (column, AXES.iter().find(|(name, ..)| *name == column)) {
        (PARADIGM | DATASET, _) => value.to_owned(),
        (_, Some((_, _, symbol))) => format!("{symbol}{} = {value}", unit(column, relative)),
        (other, None) => format!("{} = {value}", heading(other, relative)),
    }
}

/// Whether an axis of scale multiplies a spectrum that is listed by 1: its value says nothing.
pub(crate) fn is_plain_list(job: &JobSpec, axis: &str) -> bool {
    let spectrum = job.spectral().and_then(|(corruption, augmentation)| match axis {
        "noise_scale" => Some(&corruption.spectrum),
        "augmentation_scale" => Some(&augmentation.spectrum),
        _ => None,
    });
    spectrum.is_some_and(|spectrum| {
        matches!(spectrum.shape, SpectrumShape::List(_)) && spectrum.scale.only() == Some(1.0)
    })
}
