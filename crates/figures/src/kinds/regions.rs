//! The phase diagram of a data set of critical alignments: the traced curves of two paradigms, α
//! upwards, with the regions in which both, one or none of them recovers, and where the curves
//! cross.
//!
//! Between two cells a curve is straight on the figure's scales. Thin dashed lines are theory's
//! curves, n → ∞, which cross where `max λ^Γ = η²/δ` (Corollary 4.5).

use eigensweep_store::boundary::{ALPHA, HIGH, LOW, Line, THEORY};
use eigensweep_store::columns::PARADIGM;
use eigensweep_store::format::digits;
use eigensweep_theory::{Metric, Paradigm};

use super::boundary::{Curve, Panels, heights, notes, paradigm_legend, subtitle, theory_legend};
use crate::canvas::{Anchor, Canvas, Marker, Type, text_width};
use crate::cells::{Cells, coordinate};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts};
use crate::legend::{Legend, Swatch};
use crate::names::pretty;
use crate::scale::Scale;
use crate::spec::FigureSpec;
use crate::theme::{INK, PAPER, Rgb, TICK, UNDECIDED, paradigm_color};
use crate::{FigureError, Source};

const THEORY_DASHES: &[f64] = &[6.0, 4.0];
/// Opacity of the areas of one paradigm, and of none.
const ONLY: f64 = 0.2;
const NEITHER: f64 = 0.6;
/// So many crossings of a panel are told; curves that touch cross at every other cell.
const MOST_CROSSINGS: usize = 3;

pub(super) fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let refuse = |reason: &str| Err(FigureError::Figure { reason: reason.to_owned() });
    let cells = Cells::read(sources, spec.filter.as_deref())?;
    if spec.color.is_some() {
        return refuse(
            "--color means nothing for traced curves, whose colours are the paradigms': leave it out",
        );
    }
    if spec.y.as_deref().is_some_and(|name| name != "alignment") {
        return refuse("critical alignments have α upwards: leave --y out, and give --x another axis");
    }
    let [one, other] = cells.paradigms()[..] else {
        return refuse(
            "a phase diagram of critical alignments needs those of two paradigms: draw --figure boundary, or trace both",
        );
    };
    let across = || Ok(cells.across(&["noise_scale", "samples"]));
    let x_name = spec.x.as_deref().map_or_else(across, |name| cells.known_axis(name))?;
    if x_name == PARADIGM || cells.axis(x_name).len() < 2 {
        return refuse("a phase diagram needs an axis with several values to the right: name one with --x");
    }
    let panels = Panels::choose(&cells, &spec.facet, x_name, &mut None, false)?;
    let x = Scale::fit_axis(&cells.numbers(x_name), spec.x_spacing, 0.02);
    let y = heights(&cells, spec, |line| {
        [&ALPHA, &LOW, &HIGH, &THEORY].into_iter().filter_map(|metric| line.value(metric)).collect()
    });
    let [columns, rows] = panels.size();
    let traced = |column: usize, row: usize, metric: &Metric| {
        Gap::between([one, other], &panels.here(column, row), x_name, (&x, &y), metric)
    };
    let mut notes = notes(sources, &cells);
    for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))) {
        let [found, theory] = [&ALPHA, &THEORY].map(|metric| traced(column, row, metric).crossings);
        notes.extend(crossing_note(&panels.name(column, row), &found, &theory, &x));
    }
    let texts = Texts {
        subtitle: subtitle(&cells),
        notes,
        y: "alignment α".to_owned(),
        ..panels.texts(sources, spec, x_name)
    };
    let label = format!("regions of recovery over {} and alignment, {}", texts.x, texts.title);
    // Names that find no room in a panel are here all the same.
    let only = |paradigm: &'static Paradigm| {
        (Swatch::Patch(tint(paradigm_color(paradigm), ONLY)), format!("{paradigm} only"))
    };
    let regions = vec![
        (Swatch::Patch(PAPER), "both".to_owned()),
        only(one),
        only(other),
        (Swatch::Patch(tint(UNDECIDED, NEITHER)), "neither".to_owned()),
        (Swatch::Point { color: INK, marker: Marker::Diamond, hollow: true }, "the curves cross".to_owned()),
    ];
    let mut entries = paradigm_legend(&cells);
    entries.extend(theory_legend(&cells, false));
    let legend = Legend { lines: vec![entries, regions], bars: Vec::new() };
    let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.85 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        let here = panels.here(column, row);
        let gap = traced(column, row, &ALPHA);
        gap.fill(canvas, place, [one, other]);
        for paradigm in [one, other] {
            let lines = here.iter().copied().filter(|line| line.paradigm == paradigm).collect();
            let color = paradigm_color(paradigm);
            let curve = Curve { place, scales: (&x, &y), x_name, color, marker: Marker::Circle, lines };
            curve.band(canvas, "interval", |line| Some([line.value(&LOW)?, line.value(&HIGH)?]), 0.3);
            curve.theory(canvas, &[("theory", &THEORY, THEORY_DASHES)]);
            curve.alignments(canvas);
        }
        gap.name_regions(canvas, place, [one, other]);
        canvas.group("crossing", None, |canvas| {
            for &at in &gap.crossings {
                canvas.marker(Marker::Diamond, spot(place, at), 4.2, INK, true);
            }
        });
    }))
}

/// A colour as it looks on paper with that opacity.
fn tint(color: Rgb, opacity: f64) -> Rgb {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
    let mix =
        |paper: u8, ink: u8| (f64::from(paper) + opacity * (f64::from(ink) - f64::from(paper))).round() as u8;
    (mix(PAPER.0, color.0), mix(PAPER.1, color.1), mix(PAPER.2, color.2))
}

/// A place in a panel from its shares, to the right and up.
fn spot([left, top, width, height]: Place, (across, up): (f64, f64)) -> (f64, f64) {
    (left + across * width, top + (1.0 - up) * height)
}

/// Where the curves of a panel cross, as measured and by theory.
fn crossing_note(panel: &str, found: &[(f64, f64)], theory: &[(f64, f64)], x: &Scale) -> Option<String> {
    let at = |places: &[(f64, f64)]| -> Vec<String> {
        places.iter().filter_map(|(across, _)| x.value(*across)).map(short).collect()
    };
    let [found, theory] = [found, theory].map(at);
    let theirs = match theory.as_slice() {
        [] => String::new(),
        places if places.len() <= MOST_CROSSINGS => format!("; theory's (n → ∞) at {}", places.join(", ")),
        places => format!("; theory's {} times", places.len()),
    };
    let panel = if panel.is_empty() { String::new() } else { format!("{panel}: ") };
    match found.as_slice() {
        [] if theirs.is_empty() => None,
        [] => Some(format!("{panel}the curves do not cross{theirs}.")),
        places if places.len() <= MOST_CROSSINGS => {
            Some(format!("{panel}the curves cross at {}{theirs}.", places.join(", ")))
        }
        places => Some(format!("{panel}the curves cross {} times{theirs}.", places.len())),
    }
}

fn short(value: f64) -> String {
    digits(value, 3).parse().map_or_else(|_| digits(value, 3), pretty)
}

/// The curves of two paradigms over the places to the right at which both have a cell, crossings
/// among them, all in shares of the panel.
struct Gap {
    /// To the right, and the two levels, upwards.
    places: Vec<(f64, [f64; 2])>,
    /// Where the levels of traced cells cross.
    crossings: Vec<(f64, f64)>,
}

impl Gap {
    fn between(
        paradigms: [&'static Paradigm; 2],
        here: &[&Line],
        x_name: &str,
        (x, y): (&Scale, &Scale),
        metric: &Metric,
    ) -> Self {
        // A cell that recovers at every α lies below the panel, one that never does above it.
        let level = |line: &Line| {
            let found = line.value(metric);
            match found.filter(|alpha| *alpha > 0.0 && alpha.is_finite()).and_then(|alpha| y.share(alpha)) {
                Some(share) => Some((share.clamp(0.0, 1.0), true)),
                None if line.verdict == "never" || found == Some(f64::INFINITY) => Some((1.0, false)),
                None if ["always", "traced"].contains(&line.verdict.as_str()) => Some((0.0, false)),
                None => None,
            }
        };
        let mut cells: Vec<(f64, [(f64, bool); 2])> = here
            .iter()
            .filter(|line| line.paradigm == paradigms[0])
            .filter_map(|one| {
                let at = coordinate(one, x_name)?;
                let same = |line: &&&Line| {
                    line.paradigm == paradigms[1]
                        && coordinate(line, x_name).is_some_and(|other| other.total_cmp(&at).is_eq())
                };
                Some((x.share(at)?, [level(one)?, level(here.iter().find(same)?)?]))
            })
            .collect();
        cells.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut gap = Self { places: Vec::new(), crossings: Vec::new() };
        // The last cell at which the levels differ.
        let mut last: Option<(usize, f64)> = None;
        for (at, &(across, levels)) in cells.iter().enumerate() {
            let difference = levels[0].0 - levels[1].0;
            if let Some((before, other)) = last.filter(|(_, other)| other * difference < 0.0) {
                let from = cells[before];
                let (place, up) = if before + 1 == at {
                    let share = other / (other - difference);
                    let mix = |one: f64, two: f64| one + share * (two - one);
                    (mix(from.0, across), mix(from.1[0].0, levels[0].0))
                } else {
                    // Cells between them at which the curves are one.
                    (cells[before + 1].0, cells[before + 1].1[0].0)
                };
                if from.1.iter().chain(&levels).all(|(_, traced)| *traced) {
                    gap.crossings.push((place, up));
                }
                if before + 1 == at {
                    gap.places.push((place, [up; 2]));
                }
            }
            if difference != 0.0 {
                last = Some((at, difference));
            }
            gap.places.push((across, levels.map(|(level, _)| level)));
        }
        // Regions reach to the frame, whose margins have room for the markers of the outermost
        // cells.
        let edge = |place: Option<&(f64, [f64; 2])>, across| place.map(|(_, levels)| (across, *levels));
        let [first, last] = [edge(gap.places.first(), 0.0), edge(gap.places.last(), 1.0)];
        gap.places = first.into_iter().chain(gap.places).chain(last).collect();
        gap
    }

    /// Fills what one paradigm alone or none recovers.
    fn fill(&self, canvas: &mut Canvas, place: Place, paradigms: [&'static Paradigm; 2]) {
        let area = |canvas: &mut Canvas, class: &str, color, opacity, ends: &dyn Fn([f64; 2]) -> [f64; 2]| {
            let side = |end: usize| {
                let of = move |&(across, levels): &(f64, [f64; 2])| spot(place, (across, ends(levels)[end]));
                self.places.iter().map(of)
            };
            let outline: Vec<_> = side(0).chain(side(1).rev()).collect();
            canvas.group(class, None, |canvas| canvas.polygon(&outline, color, opacity));
        };
        canvas.group("areas", None, |canvas| {
            area(canvas, "neither", UNDECIDED, NEITHER, &|[one, other]| [0.0, one.min(other)]);
            for (at, paradigm) in paradigms.into_iter().enumerate() {
                // From its own curve up to the other's, where that is the upper one.
                let ends = |levels: [f64; 2]| [levels[at], levels[at].max(levels[1 - at])];
                area(canvas, "only", paradigm_color(paradigm), ONLY, &ends);
            }
        });
    }

    /// Names the regions where there is room.
    fn name_regions(&self, canvas: &mut Canvas, place: Place, paradigms: [&'static Paradigm; 2]) {
        let [left, top, width, height] = place;
        let names = [
            "both".to_owned(),
            format!("{} only", paradigms[0]),
            format!("{} only", paradigms[1]),
            "neither".to_owned(),
        ];
        let level = |across: f64, of: usize| {
            let after =
                self.places.partition_point(|(other, _)| *other < across).clamp(1, self.places.len() - 1);
            let ((from, low), (to, high)) = (self.places[after - 1], self.places[after]);
            let share = if to > from { (across - from) / (to - from) } else { 0.0 };
            low[of] + share * (high[of] - low[of])
        };
        let span = |across: f64, region: usize| {
            let levels = [level(across, 0), level(across, 1)];
            match region {
                0 => [levels[0].max(levels[1]), 1.0],
                3 => [0.0, levels[0].min(levels[1])],
                only => [levels[only - 1], levels[2 - only]],
            }
        };
        canvas.group("regions", None, |canvas| {
            for (region, name) in names.iter().enumerate() {
                if self.places.len() < 2 {
                    continue;
                }
                let half = (text_width(name, TICK) / 2.0 + 6.0) / width;
                // As much room as the text has from end to end, at the place that has most.
                let rooms = (0..=100)
                    .map(|step| f64::from(step) / 100.0)
                    .filter(|at| *at >= half && at + half <= 1.0);
                let rooms = rooms.map(|at| {
                    let [low, high] = (-4..=4)
                        .map(|step| span(at + half * f64::from(step) / 4.0, region))
                        .fold([0.0_f64, 1.0_f64], |[low, high], [from, to]| [low.max(from), high.min(to)]);
                    (high - low, at, f64::midpoint(low, high))
                });
                let best = rooms.max_by(|one, other| one.0.total_cmp(&other.0));
                if let Some((_, at, up)) = best.filter(|(room, ..)| room * height >= 26.0) {
                    let look = Type::new(TICK, Anchor::Middle).color(INK);
                    canvas.text(left + at * width, top + (1.0 - up) * height + 4.0, name, look);
                }
            }
        });
    }
}
