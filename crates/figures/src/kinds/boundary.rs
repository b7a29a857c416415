//! Critical alignments: from which α on a paradigm recovers, against any axis, and between the curves
//! of two paradigms what both, one or none of them does.
//!
//! A point is a cell's α* with its interval; the band is what its further quantiles enclose, the
//! transition. Thin lines are theory: dashed the threshold of infinite samples (the propositions), dotted
//! the law of finite samples.

use std::collections::BTreeSet;

use eigensweep_store::boundary::{self, ALPHA, HIGH, LAW, LOW, Line, THEORY};
use eigensweep_store::columns::{PARADIGM, VERDICT};
use eigensweep_store::filter::{Filter, Value};
use eigensweep_store::format::digits;
use eigensweep_theory::{Metric, Paradigm, paradigms};

use super::Kind;
use crate::canvas::{Anchor, Canvas, Marker, Type, text_width};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Legend, Swatch};
use crate::names::{self, pretty};
use crate::scale::{Scale, Spacing};
use crate::spec::FigureSpec;
use crate::theme::{MUTED, TICK, paradigm_color};
use crate::{FigureError, MOST_PANELS, Source, title, unfinished};

/// Critical alignments.
pub static BOUNDARY: Kind = Kind {
    name: "boundary",
    title: "Boundary",
    help: "Critical alignments with their intervals, of a data set of `eigensweep boundary`",
    caption: "The alignment at which half of the replicates recover, with its interval, the width of the transition, and theory.",
    needs: &[],
    reads: &["--x", "--facet", "--x-scale", "--y-scale"],
    of_boundaries: true,
    draw,
};

const THEORY_DASHES: &[f64] = &[6.0, 4.0];
const LAW_DASHES: &[f64] = &[1.5, 3.0];

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let [source] = sources else {
        let reason =
            format!("critical alignments are drawn of one data set, and {} are given", sources.len());
        return Err(FigureError::Figure { reason });
    };
    let lines = selected(source, spec.filter.as_deref())?;
    let axes: Vec<&'static str> = lines.first().map_or_else(Vec::new, |line| names_of(line).collect());
    let values = |name: &str| -> Vec<f64> {
        let mut values: Vec<f64> = lines.iter().filter_map(|line| coordinate(line, name)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let varying: Vec<&'static str> = axes.iter().copied().filter(|name| values(name).len() > 1).collect();
    let known = |asked: &str| match axes.iter().find(|name| **name == asked) {
        Some(name) => Ok(*name),
        None => Err(FigureError::Figure {
            reason: format!("no axis is called `{asked}` here: there are {}", axes.join(", ")),
        }),
    };
    let x_name = match &spec.x {
        Some(asked) => known(asked)?,
        None => varying
            .iter()
            .copied()
            .max_by_key(|name| (*name == "samples", values(name).len()))
            .unwrap_or("samples"),
    };
    let facets: Vec<&'static str> = match spec.facet.as_slice() {
        [] => varying.iter().copied().filter(|name| *name != x_name).take(2).collect(),
        asked if asked.len() <= 2 => asked.iter().map(|name| known(name)).collect::<Result<_, _>>()?,
        _ => {
            let reason = "--facet takes at most two axes: columns, then rows".to_owned();
            return Err(FigureError::Figure { reason });
        }
    };
    let placed = |name: &&'static str| *name == x_name || facets.contains(name);
    if let Some(free) = varying.iter().find(|name| !placed(name)) {
        let example = values(free).last().copied().unwrap_or(0.0);
        let reason = format!(
            "`{free}` has {} values and no place in the figure: choose one, as in --where '{free} = {}', or give it a place with \
             --x or --facet",
            values(free).len(),
            pretty(example)
        );
        return Err(FigureError::Figure { reason });
    }
    let panels: Vec<Vec<f64>> =
        (0..2).map(|at| facets.get(at).map_or_else(Vec::new, |name| values(name))).collect();
    if let Some(at) = panels.iter().position(|values| values.len() > MOST_PANELS) {
        let reason = format!(
            "`{name}` has {} values, and at most {MOST_PANELS} panels stand side by side: choose some, as in --where \
             '{name} IN (…)', or give another place with --x",
            panels[at].len(),
            name = facets[at]
        );
        return Err(FigureError::Figure { reason });
    }

    let relative: BTreeSet<&str> =
        source.job().axes().iter().filter(|axis| axis.relative).map(|axis| axis.name).collect();
    let valued = |name: &str, value: f64| names::valued(name, &pretty(value), relative.contains(name));
    let x = Scale::fit_axis(&values(x_name), spec.x_spacing, 0.04);
    let shown: Vec<f64> = lines.iter().flat_map(heights).filter(|value| *value > 0.0).collect();
    let y = Scale::fit(&shown, spec.y_spacing.or(Some(Spacing::Log)), 0.08);
    let learned: Vec<&'static Paradigm> = paradigms::ALL
        .into_iter()
        .filter(|paradigm| lines.iter().any(|line| line.paradigm == *paradigm))
        .collect();
    let constants = axes.iter().filter(|name| !varying.contains(name)).filter_map(|name| {
        let worth = ["samples", "noise_scale", "augmentation_scale", "dimension"].contains(name);
        Some(valued(name, values(name).first().copied().filter(|_| worth)?))
    });
    let mut notes = unfinished(sources);
    notes.extend(verdict_notes(&lines));
    let texts = Texts {
        hints: Vec::new(),
        title: title(sources, spec),
        subtitle: std::iter::once("α* with its interval".to_owned())
            .chain(constants)
            .collect::<Vec<_>>()
            .join(" · "),
        x: names::title(x_name, relative.contains(x_name)),
        y: "critical alignment α*".to_owned(),
        columns: headings(&facets, &panels, 0, &valued),
        rows: headings(&facets, &panels, 1, &valued),
        notes,
    };
    let label = format!("critical alignments against {}, {}", texts.x, texts.title);
    let legend = legend(&learned, &lines);
    let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.85 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        let here = |line: &&Line| {
            facets.iter().zip(&panels).zip([column, row]).all(|((name, values), at)| {
                coordinate(line, name).is_some_and(|value| value.total_cmp(&values[at]).is_eq())
            })
        };
        let mut curves = Vec::new();
        for paradigm in &learned {
            let mut own: Vec<&Line> =
                lines.iter().filter(|line| line.paradigm == *paradigm).filter(here).collect();
            own.sort_by(|one, other| {
                let at = |line: &Line| coordinate(line, x_name).unwrap_or(f64::NAN);
                at(one).total_cmp(&at(other))
            });
            curves.push((*paradigm, own));
        }
        for (paradigm, own) in &curves {
            curve(canvas, place, (&x, &y), x_name, paradigm, own);
        }
        if let [(one, low), (other, high)] = curves.as_slice() {
            regions(canvas, place, (&x, &y), x_name, [(one, low), (other, high)]);
        }
    }))
}

/// The rows for which a condition holds.
fn selected(source: &Source, filter: Option<&str>) -> Result<Vec<Line>, FigureError> {
    let mut lines = boundary::read(&source.dataset)?;
    let Some(first) = lines.first() else {
        return Err(FigureError::Figure { reason: format!("{} has no rows yet", source.name) });
    };
    if let Some(text) = filter {
        let axes = names_of(first).map(|name| (name, false));
        let numbers = [&ALPHA, &LOW, &HIGH, &THEORY, &LAW].map(|metric: &Metric| (metric.name, false));
        let columns: Vec<(&str, bool)> =
            axes.chain(numbers).chain([(PARADIGM, true), (VERDICT, true)]).collect();
        let condition = Filter::parse(text, &columns)
            .map_err(|source| FigureError::Condition { text: text.to_owned(), source })?;
        let kept = lines.iter().map(|line| {
            let value = |name: &str| match name {
                PARADIGM => Value::Text(line.paradigm.name),
                VERDICT => Value::Text(&line.verdict),
                _ => coordinate(line, name)
                    .or_else(|| {
                        [&ALPHA, &LOW, &HIGH, &THEORY, &LAW]
                            .into_iter()
                            .find(|metric| metric.name == name)
                            .and_then(|metric| line.value(metric))
                    })
                    .map_or(Value::Unknown, Value::Number),
            };
            condition.holds(&value) == Some(true)
        });
        let kept: Vec<bool> = kept.collect();
        let mut kept = kept.into_iter();
        lines.retain(|_| kept.next() == Some(true));
        if lines.is_empty() {
            return Err(FigureError::Figure { reason: format!("no row is left by --where '{text}'") });
        }
    }
    Ok(lines)
}

fn names_of(line: &Line) -> impl Iterator<Item = &'static str> + '_ {
    line.axes.iter().map(|(name, _)| *name)
}

fn coordinate(line: &Line, name: &str) -> Option<f64> {
    line.axes.iter().find(|(axis, _)| *axis == name).map(|(_, value)| *value)
}

/// All that a figure shows of a row.
fn heights(line: &Line) -> Vec<f64> {
    let of = [&ALPHA, &LOW, &HIGH, &THEORY, &LAW].into_iter().filter_map(|metric| line.value(metric));
    of.chain(line.transition().into_iter().flatten()).filter(|value| value.is_finite()).collect()
}

fn headings(
    facets: &[&'static str],
    panels: &[Vec<f64>],
    at: usize,
    valued: &dyn Fn(&str, f64) -> String,
) -> Vec<String> {
    match facets.get(at) {
        Some(name) => panels[at].iter().map(|value| valued(name, *value)).collect(),
        None => vec![String::new()],
    }
}

/// A paradigm's curve: transition, theory, and α* with its interval.
fn curve(
    canvas: &mut Canvas,
    place: Place,
    scales: (&Scale, &Scale),
    x_name: &str,
    paradigm: &'static Paradigm,
    lines: &[&Line],
) {
    let color = paradigm_color(paradigm);
    let spot = |line: &Line, value: Option<f64>| {
        point(place, scales, (coordinate(line, x_name)?, value.filter(|value| *value > 0.0)?))
    };
    let bands: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            let [low, high] = line.transition()?;
            Some((spot(line, Some(low))?, spot(line, Some(high))?))
        })
        .collect();
    if bands.len() > 1 {
        let outline: Vec<_> =
            bands.iter().map(|(low, _)| *low).chain(bands.iter().rev().map(|(_, high)| *high)).collect();
        canvas.group("transition", None, |canvas| canvas.polygon(&outline, color, 0.12));
    }
    for (class, metric, dashes) in [("theory", &THEORY, THEORY_DASHES), ("law", &LAW, LAW_DASHES)] {
        let way: Vec<_> = lines.iter().filter_map(|line| spot(line, line.value(metric))).collect();
        if way.len() > 1 {
            canvas.group(class, None, |canvas| canvas.polyline(&way, color, 1.2, dashes));
        }
    }
    let way: Vec<_> = lines.iter().filter_map(|line| spot(line, line.value(&ALPHA))).collect();
    canvas.group("curve", None, |canvas| canvas.polyline(&way, color, 2.0, &[]));
    for line in lines {
        let number = |metric: &Metric| line.value(metric).map_or("–".to_owned(), |value| digits(value, 4));
        let tip = format!(
            "{paradigm}: α* = {} ({} to {}), {}",
            number(&ALPHA),
            number(&LOW),
            number(&HIGH),
            line.verdict
        );
        let [left, top, width, height] = place;
        let edge = |up: bool| {
            let across = scales.0.share(coordinate(line, x_name)?)?;
            Some((left + across * width, if up { top + 7.0 } else { top + height - 7.0 }))
        };
        // What recovers at α = 0 stands on the lower edge, what never does on the upper.
        let never = line.verdict == "never";
        let (at, marker, hollow) = match spot(line, line.value(&ALPHA)) {
            Some(at) => (Some(at), Marker::Circle, false),
            None if never => (edge(true), Marker::Triangle, true),
            None if line.verdict == "always" || line.value(&ALPHA) == Some(0.0) => {
                (edge(false), Marker::Down, true)
            }
            None => (None, Marker::Circle, false),
        };
        let Some(at) = at else { continue };
        canvas.group("point", Some(tip), |canvas| {
            if let (Some(from), Some(to)) = (spot(line, line.value(&LOW)), spot(line, line.value(&HIGH))) {
                canvas.line(from, to, color, 1.4);
            }
            canvas.marker(marker, at, 2.8, color, hollow);
        });
    }
}

/// Names what both, one and none of two paradigms do, where there is room.
fn regions(
    canvas: &mut Canvas,
    place: Place,
    scales: (&Scale, &Scale),
    x_name: &str,
    curves: [(&'static Paradigm, &Vec<&Line>); 2],
) {
    let [left, top, width, height] = place;
    let level = |line: &Line| -> f64 {
        match line.value(&ALPHA).filter(|alpha| *alpha > 0.0).and_then(|alpha| scales.1.share(alpha)) {
            Some(share) => (top + (1.0 - share) * height).clamp(top, top + height),
            None if line.verdict == "never" => top,
            None => top + height,
        }
    };
    // Where both have a cell: its place, and the upper and the lower of the two levels.
    let columns: Vec<(f64, f64, f64, usize)> = curves[0]
        .1
        .iter()
        .filter_map(|one| {
            let at = coordinate(one, x_name)?;
            let same =
                |line: &&&Line| coordinate(line, x_name).is_some_and(|other| other.total_cmp(&at).is_eq());
            let levels = [level(one), level(curves[1].1.iter().find(same)?)];
            // Upwards is more alignment: the lower curve's paradigm recovers first.
            let first = usize::from(levels[0] <= levels[1]);
            let x = left + scales.0.share(at)? * width;
            Some((x, levels[0].min(levels[1]), levels[0].max(levels[1]), first))
        })
        .collect();
    let names = [
        "both".to_owned(),
        format!("{} only", curves[0].0),
        format!("{} only", curves[1].0),
        "neither".to_owned(),
    ];
    let bottom = top + height;
    let place_of = |region: usize| {
        let half = text_width(&names[region], TICK) / 2.0 + 5.0;
        let span = |&(_, upper, lower, first): &(f64, f64, f64, usize)| match region {
            0 => [top, upper],
            3 => [lower, bottom],
            _ if region == 1 + first => [upper, lower],
            _ => [top, top],
        };
        let inside = columns.iter().filter(|(x, ..)| *x - half >= left && *x + half <= left + width);
        // As much room as the text has from end to end.
        let rooms = inside.map(|(x, ..)| {
            let under = columns.iter().filter(|(other, ..)| (other - x).abs() <= half).map(span);
            let [from, to] = under.fold([top, bottom], |[from, to], [other_from, other_to]| {
                [from.max(other_from), to.min(other_to)]
            });
            (to - from, (*x, f64::midpoint(from, to)))
        });
        rooms.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(room, _)| *room >= 30.0)
    };
    canvas.group("regions", None, |canvas| {
        for (region, name) in names.iter().enumerate() {
            if let Some((_, (x, y))) = place_of(region) {
                canvas.text(x, y + 4.0, name, Type::new(TICK, Anchor::Middle).color(MUTED));
            }
        }
    });
}

/// How many cells have no point, and why.
fn verdict_notes(lines: &[Line]) -> Vec<String> {
    let of = |verdict: &str| lines.iter().filter(|line| line.verdict == verdict).count();
    let mut notes = Vec::new();
    if of("always") > 0 {
        notes.push(format!("▽ {} cells recover at every α.", of("always")));
    }
    if of("never") > 0 {
        notes.push(format!("△ {} cells recover at no α.", of("never")));
    }
    let known = ["traced", "always", "never"];
    let failed = lines.iter().filter(|line| !known.contains(&line.verdict.as_str())).count();
    if failed > 0 {
        notes.push(format!("{failed} cells have no answer: a problem had no solution."));
    }
    notes
}

fn legend(learned: &[&'static Paradigm], lines: &[Line]) -> Legend {
    let mut entries: Vec<(Swatch, String)> = learned
        .iter()
        .map(|paradigm| {
            let color = paradigm_color(paradigm);
            (Swatch::Line { color, dashes: &[], marker: Some(Marker::Circle) }, paradigm.name.to_owned())
        })
        .collect();
    let some = |metric: &Metric| lines.iter().any(|line| line.value(metric).is_some());
    if some(&THEORY) {
        let swatch = Swatch::Line { color: MUTED, dashes: THEORY_DASHES, marker: None };
        entries.push((swatch, "n → ∞".to_owned()));
    }
    if some(&LAW) {
        let swatch = Swatch::Line { color: MUTED, dashes: LAW_DASHES, marker: None };
        entries.push((swatch, "law of finite samples".to_owned()));
    }
    if let Some([from, to]) = lines.first().and_then(Line::transition_shares) {
        let share = |share: f64| digits(100.0 * share, 3);
        entries.push((Swatch::Band(MUTED), format!("{} to {} % recover", share(from), share(to))));
    }
    Legend { lines: vec![entries], bars: Vec::new() }
}
