//! Measured against theoretical thresholds.
//!
//! Where k × leakage, the number of irrelevant components in the representation, falls below ½ as α
//! grows, the paradigm has become blind to the noise. The measured α* is that α for the *median*
//! over replicates, interpolated in log α between the two values of the grid that it lies between;
//! the theoretical one is `√max(0, α²)` at the median (Propositions 4.3 and 4.4). Medians on both
//! sides, because spectra and with them thresholds may be drawn per replicate. One point per
//! combination of the other axes.

use std::collections::BTreeMap;

use eigensweep_store::columns::PARADIGM;
use eigensweep_theory::metrics::LEAKAGE;

use super::{Kind, Shows};
use crate::Source;
use crate::canvas::{Anchor, Marker, Type};
use crate::data::{Key, Lines, Stats, known_metric};
use crate::drawing::Drawing;
use crate::grid::{Grid, Texts, point, wrap};
use crate::legend::{Legend, Swatch};
use crate::scale::{Scale, Spacing};
use crate::spec::FigureSpec;
use crate::theme::{CATEGORIES, FEW, FRAME, MUTED, Rgb, TICK, paradigm_color, sequence};
use crate::verdict::BEYOND;
use crate::{Facets, FigureError, common, title, unfinished};
use eigensweep_store::format::digits;

/// Measured against theoretical thresholds.
pub static THRESHOLD: Kind = Kind {
    name: "threshold",
    title: "Thresholds",
    help: "Measured against theoretical alignment thresholds",
    caption: "The alignment from which on the representation holds no irrelevant component, measured against theory.",
    needs: &[("alignment", 5)],
    reads: &["--color", "--facet", "--x-scale"],
    shows: Shows::Replicates,
    draw,
};

/// Irrelevant components in the representation at which it counts as having lost the signal:
/// half-way from none to one.
const LOST: f64 = 0.5;
const IDENTITY_DASHES: &[f64] = &[5.0, 4.0];

/// Where the measured threshold lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measured {
    /// Interpolated, and the values of the grid on either side.
    At(f64, [f64; 2]),
    /// The smallest α of the grid already recovers.
    Below(f64),
    /// The largest does not.
    Above(f64),
}

struct Spot {
    theory: [f64; 3],
    measured: Measured,
    color: Rgb,
    marker: Marker,
    label: String,
    /// Column and row.
    panel: [Option<Key>; 2],
}

/// A combination without a point: every α exceeds its theoretical threshold, or there is none.
struct Hidden {
    never: bool,
    panel: [Option<Key>; 2],
}

/// Why a panel has no point, of its combinations that have none by theory.
fn why_empty(never: impl Iterator<Item = bool>) -> &'static str {
    let found: Vec<bool> = never.collect();
    match (found.contains(&false), found.contains(&true)) {
        (true, false) => "every α recovers (α* = 0)",
        (false, true) => "k > k₀: there is no threshold",
        (true, true) => "α* is 0, or there is none (k > k₀)",
        (false, false) => "no rows",
    }
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let metric = known_metric(sources, Some(LEAKAGE.name))?;
    let mut rows = Lines::read(sources, spec.filter.as_deref(), Some(metric))?;
    rows.keep_paradigms(|paradigm| paradigm.threshold.is_some())?;
    if rows.axis("alignment").len() < 2 {
        let reason =
            "a measured threshold needs several values of `alignment`: make it an axis of the job".to_owned();
        return Err(FigureError::Figure { reason });
    }
    let varying: Vec<String> = rows.varying().into_iter().map(str::to_owned).collect();
    let mut color = match &spec.color {
        Some(name) => Some(rows.known_axis(name)?),
        None => varying.iter().find(|name| *name == "samples").cloned(),
    };
    let facets = match spec.facet.as_slice() {
        [] => Facets { columns: Some(PARADIGM.to_owned()), rows: None },
        asked => {
            // Paradigms have thresholds of their own, and are always told apart.
            let mut asked = asked.to_vec();
            let place = |asked: &[String], color: &Option<String>| {
                asked.iter().chain(color).any(|name| name == PARADIGM) || rows.axis(PARADIGM).len() < 2
            };
            if !place(&asked, &color) && asked.len() < 2 {
                asked.push(PARADIGM.to_owned());
            }
            if !place(&asked, &color) && spec.color.is_none() {
                color = Some(PARADIGM.to_owned());
            }
            if !place(&asked, &color) {
                let reason = "paradigms would not be told apart: give `paradigm` to --facet or --color, or choose one as in \
                              `--where 'paradigm = \"joint-embedding\"'`";
                return Err(FigureError::Figure { reason: reason.to_owned() });
            }
            Facets::choose(&mut rows, &asked, None, &[], 2)?
        }
    };
    // Every other axis gives points of its own: nothing is averaged but replicates.
    let by: Vec<&str> =
        varying.iter().map(String::as_str).filter(|name| *name != "alignment" && *name != PARADIGM).collect();
    let mut keyed = vec!["alignment", PARADIGM];
    keyed.extend(&by);
    let table = rows.grouped(&keyed, metric)?;
    let (spots, hidden) = spots(&rows, &table, &keyed, color.as_deref(), &facets);
    if spots.is_empty() {
        let why = if hidden.is_empty() {
            "the job's metrics leave `leakage` out, or every row failed"
        } else {
            why_empty(hidden.iter().map(|one| one.never))
        };
        let reason = format!("no combination has a positive theoretical threshold and a leakage: {why}");
        return Err(FigureError::Figure { reason });
    }

    let shown = |spot: &Spot| match spot.measured {
        Measured::At(value, _) | Measured::Below(value) | Measured::Above(value) => value,
    };
    let values: Vec<f64> = spots
        .iter()
        .flat_map(|spot| spot.theory.into_iter().chain([shown(spot)]))
        .filter(|value| *value > 0.0)
        .collect();
    // One scale for both axes: the diagonal is agreement.
    let scale = Scale::fit(&values, spec.x_spacing.or(Some(Spacing::Log)), 0.06);
    let mut notes = unfinished(sources);
    let [always, never] = [false, true].map(|never| hidden.iter().filter(|one| one.never == never).count());
    if always > 0 {
        notes.push(format!("{always} combinations recover at every α in theory and have no point."));
    }
    if never > 0 {
        notes.push(format!("{never} combinations have no theoretical threshold, as k > k₀, and no point."));
        notes.push(BEYOND.to_owned());
    }
    notes.extend(coarse(rows.axis("alignment")));
    if spots.iter().any(|spot| !matches!(spot.measured, Measured::At(..))) {
        notes.push(
            "Hollow points lie beyond the job's values of α: △ above the largest, ▽ below the smallest."
                .to_owned(),
        );
    }
    let mut placed = vec!["alignment", PARADIGM];
    placed.extend(&by);
    let told = |name: &&str| color.as_deref() != Some(*name) && facets.names().all(|facet| facet != *name);
    let pooled: Vec<String> = by
        .iter()
        .copied()
        .filter(told)
        .map(|name| format!("{} values of {}", rows.axis(name).len(), name.replace('_', " ")))
        .collect();
    if !pooled.is_empty() {
        notes.push(format!("A panel's points of one colour are {}.", pooled.join(" × ")));
    }
    let texts = Texts {
        hints: Vec::new(),
        title: title(sources, spec),
        subtitle: format!(
            "{} · median over replicates; bars: neighbouring α of the grid (upright), 5 % to 95 % of the drawn spectra (level)",
            common(&rows, &placed)
        ),
        x: "theoretical threshold α*".to_owned(),
        y: "measured threshold α*".to_owned(),
        columns: Facets::headings(&rows, facets.columns.as_ref()),
        rows: Facets::headings(&rows, facets.rows.as_ref()),
        notes,
    };
    let label = format!("measured against theoretical alignment thresholds, {}", texts.title);
    let columns = Facets::values(&rows, facets.columns.as_ref());
    let panel_rows = Facets::values(&rows, facets.rows.as_ref());
    let legend = legend(&rows, color.as_deref());
    let grid = Grid { texts, x: &scale, y: &scale, legend, aspect: 1.0 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        let scales = (&scale, &scale);
        let ends = [scale.low(), scale.high()].map(|end| point(place, scales, (end, end)));
        let diagonal: Vec<_> = ends.into_iter().flatten().collect();
        canvas.group("identity", None, |canvas| canvas.polyline(&diagonal, FRAME, 1.2, IDENTITY_DASHES));
        let here = |spot: &[Option<Key>; 2]| *spot == [columns[column].clone(), panel_rows[row].clone()];
        if !spots.iter().any(|spot| here(&spot.panel)) {
            // In the corner that the diagonal leaves free.
            let [left, top, width, _] = place;
            let why = why_empty(hidden.iter().filter(|one| here(&one.panel)).map(|one| one.never));
            for (line, text) in wrap(why, TICK, width * 0.75).iter().enumerate() {
                let down = 18.0 + line as f64 * f64::from(TICK) * 1.4;
                canvas.text(left + 7.0, top + down, text, Type::new(TICK, Anchor::Start).color(MUTED));
            }
        }
        for spot in spots.iter().filter(|spot| here(&spot.panel)) {
            let value = shown(spot);
            let Some(at) = point(place, scales, (spot.theory[0], value)) else { continue };
            let across = [spot.theory[1].max(scale.low()), spot.theory[2].min(scale.high())]
                .map(|end| point(place, scales, (end, value)));
            canvas.group("point", Some(spot.label.clone()), |canvas| {
                if let [Some(from), Some(to)] = across {
                    canvas.line(from, to, spot.color, 1.2);
                }
                if let Measured::At(_, between) = spot.measured {
                    let up = between.map(|end| point(place, scales, (spot.theory[0], end.max(scale.low()))));
                    if let [Some(from), Some(to)] = up {
                        canvas.line(from, to, spot.color, 1.2);
                    }
                }
                let (marker, hollow) = match spot.measured {
                    Measured::At(..) => (spot.marker, false),
                    Measured::Below(_) => (Marker::Down, true),
                    Measured::Above(_) => (Marker::Triangle, true),
                };
                canvas.marker(marker, at, 3.2, spot.color, hollow);
            });
        }
    }))
}

/// What a grid of α whose neighbours are far apart leaves open.
fn coarse(alignment: &[Key]) -> Option<String> {
    const FINE: f64 = 1.5;
    let values: Vec<f64> = alignment.iter().filter_map(Key::number).filter(|value| *value > 0.0).collect();
    let widest = values.windows(2).map(|pair| pair[1] / pair[0]).fold(1.0, f64::max);
    (widest > FINE).then(|| {
        format!(
            "The grid of α is coarse: neighbours are up to a factor {} apart, and a measured α* is known no better.",
            digits(widest, 3)
        )
    })
}

/// One spot per combination with a positive theoretical threshold, and the others.
fn spots(
    rows: &Lines<'_>,
    table: &BTreeMap<Vec<Key>, Stats>,
    keyed: &[&str],
    color: Option<&str>,
    facets: &Facets,
) -> (Vec<Spot>, Vec<Hidden>) {
    let mut curves: BTreeMap<&[Key], Vec<(f64, &Stats)>> = BTreeMap::new();
    for (key, stats) in table {
        if let Some(alpha) = key[0].number() {
            curves.entry(&key[1..]).or_default().push((alpha, stats));
        }
    }
    let dimension = |key: &[Key]| {
        value(keyed, key, "dimension").or_else(|| rows.axis("dimension").first()).and_then(Key::number)
    };
    let colors = color.map_or(&[][..], |name| rows.axis(name));
    let (mut spots, mut hidden) = (Vec::new(), Vec::new());
    for (key, mut curve) in curves {
        curve.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(theory) = curve.iter().find_map(|(_, stats)| stats.alpha()) else { continue };
        let facet = |name: &Option<String>| {
            name.as_deref()
                .and_then(|name| value(keyed, key, name).or_else(|| rows.axis(name).first()))
                .cloned()
        };
        let panel = [facet(&facets.columns), facet(&facets.rows)];
        if theory[0] <= 0.0 || theory[0].is_infinite() {
            hidden.push(Hidden { never: theory[0] > 0.0, panel });
            continue;
        }
        let lost: Vec<(f64, f64)> = curve
            .iter()
            .filter_map(|(alpha, stats)| Some((*alpha, stats.median? * dimension(key)?)))
            .collect();
        let Some(measured) = crossing(&lost) else { continue };
        let at = color
            .and_then(|name| colors.iter().position(|known| Some(known) == value(keyed, key, name)))
            .unwrap_or(0);
        let place: Vec<String> =
            keyed[1..].iter().zip(key).map(|(name, value)| rows.valued(name, value)).collect();
        let (color, marker) = look(colors.get(at), at, colors.len());
        let text = match measured {
            Measured::At(alpha, [low, high]) => {
                format!("{} (between {} and {})", digits(alpha, 4), digits(low, 4), digits(high, 4))
            }
            Measured::Below(alpha) => format!("below {}", digits(alpha, 4)),
            Measured::Above(alpha) => format!("above {}", digits(alpha, 4)),
        };
        spots.push(Spot {
            theory,
            measured,
            color,
            marker,
            label: format!("{}: measured α* {text}, theory {}", place.join(", "), digits(theory[0], 4)),
            panel,
        });
    }
    (spots, hidden)
}

/// Colour and marker of the value `key`, the one `at` of `all`.
fn look(key: Option<&Key>, at: usize, all: usize) -> (Rgb, Marker) {
    let color = match key.and_then(Key::paradigm) {
        Some(paradigm) => paradigm_color(paradigm),
        None if all > 1 => sequence(at, all),
        None => CATEGORIES[0],
    };
    (color, if all <= FEW { Marker::SERIES[at % FEW] } else { Marker::Circle })
}

/// The coordinate called `name` in a key that leaves the alignment out.
fn value<'a>(keyed: &[&str], key: &'a [Key], name: &str) -> Option<&'a Key> {
    keyed[1..].iter().position(|known| *known == name).map(|at| &key[at])
}

/// Where a curve that falls with α goes through [`LOST`] for the last time; α ascending.
fn crossing(curve: &[(f64, f64)]) -> Option<Measured> {
    let (first, last) = (curve.first()?, curve.last()?);
    if last.1 > LOST {
        return Some(Measured::Above(last.0));
    }
    let Some(at) = curve.iter().rposition(|(_, lost)| *lost > LOST) else {
        return Some(Measured::Below(first.0));
    };
    let ((low, before), (high, after)) = (curve[at], curve[at + 1]);
    let share = (before - LOST) / (before - after);
    // Between 0 and the first positive α there is no logarithm.
    let at = if low > 0.0 { low * (high / low).powf(share) } else { low + share * (high - low) };
    Some(Measured::At(at, [low, high]))
}

fn legend(rows: &Lines<'_>, color: Option<&str>) -> Legend {
    let mut legend = Legend::default();
    if let Some(name) = color {
        let values = rows.axis(name);
        let mut line = vec![(Swatch::Heading, format!("{}:", rows.title(name)))];
        line.extend(values.iter().enumerate().map(|(at, value)| {
            let (color, marker) = look(Some(value), at, values.len());
            (Swatch::Point { color, marker, hollow: false }, value.text())
        }));
        legend.lines.push(line);
    }
    legend.lines.push(vec![(
        Swatch::Line { color: FRAME, dashes: IDENTITY_DASHES, marker: None },
        "measured = theory".to_owned(),
    )]);
    legend
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_lies_where_half_a_component_is_lost() {
        assert_eq!(crossing(&[(0.1, 1.0), (1.0, 1.0), (100.0, 0.0)]), Some(Measured::At(10.0, [1.0, 100.0])));
        assert_eq!(crossing(&[(0.1, 0.2), (1.0, 0.0)]), Some(Measured::Below(0.1)));
        assert_eq!(crossing(&[(0.1, 3.0), (1.0, 0.9)]), Some(Measured::Above(1.0)));
        assert_eq!(crossing(&[(0.0, 1.0), (1.0, 0.0)]), Some(Measured::At(0.5, [0.0, 1.0])));
        assert_eq!(crossing(&[]), None);
    }

    #[test]
    fn a_coarse_grid_says_so() {
        let keys = |ratio: f64| (0..5).map(|at| Key::Number(ratio.powi(at))).collect::<Vec<_>>();
        assert_eq!(coarse(&keys(1.2)), None);
        assert!(coarse(&keys(10.0)).is_some_and(|note| note.contains("a factor 10 apart")));
    }
}
