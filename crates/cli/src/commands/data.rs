//! Facts about data as lines of a plan.

use eigensweep_engine::facts::{Facts, LabelFacts, Listed, MOST_FEATURES, Spectrum};
use eigensweep_store::format::counted;
use indicatif::{HumanBytes, HumanCount};

use super::table;

/// Classes that are named.
const NAMED: usize = 6;

/// Prints what the data are like.
pub(super) fn print(facts: &Facts) {
    let Facts { samples, features, bytes, extremes, zeros, labels, groups, constant, spectrum } = facts;
    let line = |name: &str, value: String| table::print(&format!("{name:<10}{value}"));
    let groups = groups.map_or_else(String::new, |groups| format!(", {}", counted(groups as u64, "group")));
    line(
        "data",
        format!(
            "{} × {}{groups}, {} in memory; values from {} to {}, {:.1} % of them zero",
            counted(*samples as u64, "sample"),
            counted(*features as u64, "feature"),
            HumanBytes(*bytes),
            table::number(extremes[0]),
            table::number(extremes[1]),
            100.0 * zeros,
        ),
    );
    line("classes", in_words(labels));
    let mut useless = vec![format!("{} constant", with_names(constant))];
    match spectrum {
        Some(Spectrum { leading, total, dependent }) => {
            let values: Vec<String> = leading.iter().map(|&value| table::number(value)).collect();
            let of = if leading.len() < *features { "…, " } else { "" };
            let share = 100.0 * leading.iter().sum::<f64>() / total;
            let share = if share.is_finite() { format!(" ({share:.0} % in these)") } else { String::new() };
            line(
                "variances",
                format!("{}, {of}of {} in all{share}", values.join(", "), table::number(*total)),
            );
            useless.push(if samples > features {
                format!("{} collinear with others", with_names(dependent))
            } else {
                "collinear with others as fewer samples than features are".to_owned()
            });
        }
        None => useless.push(format!("spectrum and collinearity: of up to {MOST_FEATURES} features only")),
    }
    line("features", useless.join("; "));
}

fn with_names(features: &Listed) -> String {
    let Listed { count, first } = features;
    if first.is_empty() {
        return "none".to_owned();
    }
    let more = if *count > first.len() { ", …" } else { "" };
    format!("{} ({}{more})", HumanCount(*count as u64), first.join(", "))
}

/// Classes by name, if they are few, with their sizes.
fn in_words(labels: &LabelFacts) -> String {
    let classes = match labels {
        LabelFacts::Targets(count) => return format!("none: {}", counted(*count as u64, "real target")),
        LabelFacts::Classes(classes) => classes,
    };
    let sizes = || classes.iter().map(|(_, size)| *size as u64);
    let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let named: Vec<&str> = classes.iter().take(NAMED).map(|(name, _)| &**name).collect();
    let more = if classes.len() > NAMED { ", …" } else { "" };
    let size = if least == most {
        format!("{} samples each", HumanCount(most))
    } else {
        format!("{} to {} samples each", HumanCount(least), HumanCount(most))
    };
    format!("{} ({}{more}), {size}", classes.len(), named.join(", "))
}
