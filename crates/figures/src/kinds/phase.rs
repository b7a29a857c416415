//! Phase diagram: a metric over two axes, a map per paradigm, and which paradigm is better, with
//! the theoretical thresholds on top.
//!
//! The curves are `α* = √max(0, α²)` at the medians over replicates of α_JE² (Proposition 4.4) and
//! α_RC² (Proposition 4.3) as the rows have them; the vertical line is the crossover
//! `max λ^Γ = η²/δ` of Corollary 4.5, left of which reconstruction is preferable. Nobody is better
//! where theory says that no rival recovers ([`contest`](crate::contest)). A threshold that no
//! panel can hold is a line along the edge beyond which it lies; for k > k₀ there is none.

use std::collections::BTreeMap;

use eigensweep_job::Detail;
use eigensweep_store::columns::{DATASET, PARADIGM};
use eigensweep_store::format::digits;
use eigensweep_theory::metrics::Metric;
use eigensweep_theory::{Paradigm, paradigms};

use super::{Kind, Shows, regions};
use crate::canvas::Canvas;
use crate::contest::{Contest, Outcome};
use crate::data::{Key, Lines, Stats, known_metric};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Bar, Legend, Swatch};
use crate::scale::Scale;
use crate::spec::FigureSpec;
use crate::theme::{INK, MISSING, NONE_RECOVERS, PAPER, Rgb, UNDECIDED, gradient, paradigm_color};
use crate::verdict::BEYOND;
use crate::{Facets, FigureError, Source, common, theory, title, unfinished};

/// Phase diagram of two axes.
pub static PHASE: Kind = Kind {
    name: "phase",
    title: "Phase diagram",
    help: "A metric over two axes per paradigm, which paradigm wins, and the theoretical thresholds",
    caption: "The metric over two axes for each paradigm, which of the self-supervised paradigms is better where one recovers, and \
              the theoretical thresholds (Propositions 4.3 and 4.4, Corollary 4.5).",
    needs: &[("noise_scale", 3), ("alignment", 3)],
    reads: &["--x", "--y", "--color", "--facet", "--x-scale", "--y-scale"],
    shows: Shows::Either,
    draw,
};

/// Dashes of the thresholds, by position among the paradigms that have one.
const THRESHOLD_DASHES: [&[f64]; 3] = [&[], &[7.0, 4.0], &[1.5, 3.0]];
const CROSSOVER_DASHES: &[f64] = &[2.0, 3.0];
const ALIGNMENT: &str = "alignment";

/// A paradigm's threshold in one row of panels.
struct Line {
    paradigm: &'static Paradigm,
    row: usize,
    /// Points as shares of the panel, to the right and up.
    pieces: Vec<Vec<(f64, f64)>>,
    /// Cells of whose threshold there is nothing within the panel: of α* below the low end, and
    /// above the high end.
    edges: [bool; 2],
    /// Whether α runs to the right.
    swapped: bool,
}

impl Line {
    /// The threshold `curve`, by the values `along` that run across α, on the axis of α; `None`
    /// where no value has one. An α* of 0 and one of infinity are ends of the line, between whose
    /// neighbours nothing is interpolated.
    fn new(
        paradigm: &'static Paradigm,
        row: usize,
        curve: &BTreeMap<Key, f64>,
        (other, along): (&Scale, &[f64]),
        (alpha, swapped): (&Scale, bool),
    ) -> Option<Self> {
        let turned = |(along, up): (f64, f64)| if swapped { (up, along) } else { (along, up) };
        let (mut pieces, mut run) = (Vec::new(), Vec::new());
        // Cells beside each other, along the low and the high end.
        let mut along_edges: [Vec<[f64; 2]>; 2] = [Vec::new(), Vec::new()];
        let finish = |run: &mut Vec<(f64, f64, usize)>, pieces: &mut Vec<Vec<(f64, f64)>>| {
            let piece = match run.as_slice() {
                // One value alone has a threshold all the same: across its cell.
                [(_, up, at)] => edges(other, along, *at).map(|end| turned((end, *up))).to_vec(),
                many => many.iter().map(|(across, up, _)| turned((*across, *up))).collect(),
            };
            run.clear();
            pieces.push(piece);
        };
        for (at, value) in along.iter().enumerate() {
            let found = curve.get(&Key::Number(*value)).copied().filter(|alpha| alpha.is_finite());
            let share = found.filter(|alpha| *alpha > 0.0).and_then(|found| alpha.share(found));
            match share.zip(other.share(*value)) {
                Some((up, across)) => run.push((across, up, at)),
                None => finish(&mut run, &mut pieces),
            }
            let Some(found) = found else { continue };
            let beyond = match share {
                Some(share) => [share <= 0.0, share >= 1.0],
                None => [found <= alpha.low(), found > alpha.low()],
            };
            let [from, to] = edges(other, along, at);
            for (runs, _) in along_edges.iter_mut().zip(beyond).filter(|(_, beyond)| *beyond) {
                match runs.last_mut() {
                    Some([_, end]) if end.to_bits() == from.to_bits() => *end = to,
                    _ => runs.push([from, to]),
                }
            }
        }
        finish(&mut run, &mut pieces);
        for (runs, edge) in along_edges.iter().zip([0.0, 1.0]) {
            pieces.extend(runs.iter().map(|run| run.map(|across| turned((across, edge))).to_vec()));
        }
        let ends = along_edges.map(|runs| !runs.is_empty());
        pieces.retain(|piece| piece.len() > 1);
        (!pieces.is_empty()).then_some(Self { paradigm, row, pieces, edges: ends, swapped })
    }

    /// Draws the line; in a panel that is `shared`, paradigms stand side by side on an edge.
    fn draw(&self, canvas: &mut Canvas, [left, top, width, height]: Place, shared: bool) {
        // Within the frame.
        let beside = 2.0 + if shared { 5.0 * position(self.paradigm) as f64 } else { 0.0 };
        let [x, y] = if self.swapped { [beside, 0.0] } else { [0.0, beside] };
        let at = |share: f64, length: f64, inset: f64| match share {
            0.0 => inset,
            1.0 => length - inset,
            within => within * length,
        };
        let point = |&(across, up): &(f64, f64)| (left + at(across, width, x), top + at(1.0 - up, height, y));
        let pieces: Vec<Vec<_>> = self.pieces.iter().map(|piece| piece.iter().map(point).collect()).collect();
        cased(canvas, "threshold", &pieces, dashes(self.paradigm));
    }
}

/// What threshold lines along the edges mean; α runs to the right or up.
fn edge_notes(lines: &[Line], to_the_right: bool) -> Vec<String> {
    let names = if to_the_right { ["left", "right"] } else { ["lower", "upper"] };
    let note = |(end, what): (usize, &str)| {
        lines
            .iter()
            .any(|line| line.edges[end])
            .then(|| format!("α* along the {} edge: the paradigm recovers at {what} α shown.", names[end]))
    };
    ["every", "no"].into_iter().enumerate().filter_map(note).collect()
}

/// Everything that is drawn.
struct Phase<'s> {
    rows: Lines<'s>,
    x: String,
    y: String,
    metric: &'static Metric,
    facet: Option<String>,
    paradigms: Vec<&'static Paradigm>,
    /// By paradigm, x, y and facet.
    cells: BTreeMap<Vec<Key>, Stats>,
    /// By x, y and facet.
    contest: Option<Contest>,
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    if sources.iter().all(Source::has_boundaries) {
        return regions::draw(sources, spec);
    }
    let metric = known_metric(sources, spec.color.as_deref())?;
    let mut rows = Lines::read(sources, spec.filter.as_deref(), Some(metric))?;
    let pick = |asked: &Option<String>, wanted: &[&str], taken: Option<&str>| match asked {
        Some(name) => rows.known_axis(name),
        None => {
            let varying = rows.varying();
            let axes = varying.iter().copied().filter(|name| *name != PARADIGM && *name != DATASET);
            let found = wanted.iter().copied().filter(|name| varying.contains(name)).chain(axes);
            let fallback = wanted.first().copied().unwrap_or("alignment");
            Ok(found.into_iter().find(|name| Some(*name) != taken).unwrap_or(fallback).to_owned())
        }
    };
    // The vertical axis first: α is its natural place.
    let y = pick(&spec.y, &["alignment", "dimension"], spec.x.as_deref())?;
    let x = pick(&spec.x, &["noise_scale", "samples"], Some(&y))?;
    if x == y {
        let reason =
            format!("a phase diagram needs two axes, and only `{x}` is given: name them with --x and --y");
        return Err(FigureError::Figure { reason });
    }
    if let Some(name) = [&x, &y].into_iter().find(|name| rows.axis(name).is_empty()) {
        let reason = format!(
            "a phase diagram needs two axes, and no row has `{name}`: name two axes of the job with --x and --y"
        );
        return Err(FigureError::Figure { reason });
    }
    let mut notes = unfinished(sources);
    if spec.facet.len() > 1 {
        let reason = "--facet of a phase diagram takes one axis, for the rows: its columns are the paradigms"
            .to_owned();
        return Err(FigureError::Figure { reason });
    }
    // One map is one n: the largest, unless asked otherwise.
    if x != "samples" && y != "samples" && !spec.facet.iter().any(|name| name == "samples") {
        rows.slice("samples");
    }
    let facet = Facets::choose(&mut rows, &spec.facet, None, &[&x, &y, PARADIGM], 1)?.columns;
    let mut placed = vec![PARADIGM, x.as_str(), y.as_str()];
    placed.extend(facet.as_deref());
    rows.slice_free(&placed)?;
    notes.extend(rows.thinned.iter().cloned());
    let cells = rows.grouped(&placed, metric)?;
    let paradigms = rows.paradigms();
    let contest = Contest::new(&rows, &placed[1..], metric)?;
    if contest.is_some() && rows.detail == Detail::Summary {
        notes.push("Margins are not paired: the data set keeps a summary in place of rows.".to_owned());
    }
    let subtitle = common(&rows, &placed);
    let phase = Phase { rows, x: x.clone(), y: y.clone(), metric, facet, paradigms, cells, contest };
    phase.draw(sources, spec, subtitle, notes)
}

impl Phase<'_> {
    fn draw(
        self,
        sources: &[Source],
        spec: &FigureSpec,
        subtitle: String,
        mut notes: Vec<String>,
    ) -> Result<Drawing, FigureError> {
        let values = |name: &str| self.rows.axis(name).iter().filter_map(Key::number).collect::<Vec<f64>>();
        let (xs, ys) = (values(&self.x), values(&self.y));
        let (x, y) = (Scale::around(&xs, spec.x_spacing), Scale::around(&ys, spec.y_spacing));
        let means: Vec<f64> = self.cells.values().filter_map(|stats| stats.mean).collect();
        if means.is_empty() {
            return Err(FigureError::Figure {
                reason: format!("no row has a value of `{}`", self.metric.name),
            });
        }
        let heat = Scale::fit(&means, None, 0.0);
        let facets = Facets::values(&self.rows, self.facet.as_ref());
        let crossings = self.crossings(sources, &facets, &mut notes);
        let lines = self.lines(&facets, (&x, &xs), (&y, &ys));
        notes.extend(edge_notes(&lines, self.x == ALIGNMENT));
        if self.cells.values().any(Stats::has_no_threshold) {
            notes.push(BEYOND.to_owned());
        }
        let all = xs.len() * ys.len() * facets.len() * self.paradigms.len();
        let missing = all.saturating_sub(means.len());
        if missing > 0 {
            notes.push(format!("{missing} cells have no value (grey)."));
        }
        let mut columns: Vec<String> =
            self.paradigms.iter().map(|paradigm| paradigm.name.to_owned()).collect();
        columns.extend(self.contest.as_ref().map(|contest| format!("which is {}", contest.words[0])));
        let texts = Texts {
            hints: self.rows.hint().into_iter().collect(),
            title: title(sources, spec),
            subtitle,
            x: self.rows.title(&self.x),
            y: self.rows.title(&self.y),
            columns,
            rows: Facets::headings(&self.rows, self.facet.as_ref()),
            notes,
        };
        let label = format!("{} over {} and {}, {}", self.metric.title, texts.x, texts.y, texts.title);
        let legend = self.legend(heat.clone(), &lines, crossings.iter().any(Option::is_some));
        let scales = (&x, &y);
        let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.9 };
        Ok(grid.draw(label, |canvas, column, row, place| {
            let facet = &facets[row];
            let paradigm = self.paradigms.get(column).copied();
            for (at_x, &x_value) in xs.iter().enumerate() {
                for (at_y, &y_value) in ys.iter().enumerate() {
                    let [left, right] = edges(&x, &xs, at_x);
                    let [below, above] = edges(&y, &ys, at_y);
                    // Whole pixels: neighbours meet without a seam.
                    let across = |share: f64| (place[0] + share * place[2]).round();
                    let down = |share: f64| (place[1] + (1.0 - share) * place[3]).round();
                    let spot =
                        [across(left), down(above), across(right) - across(left), down(below) - down(above)];
                    let key = self.key(x_value, y_value, facet);
                    let (color, tip, hatched) = match paradigm {
                        Some(paradigm) => self.cell(paradigm, &key, &heat),
                        None => self.winner(&key),
                    };
                    canvas.group("cell", Some(tip), |canvas| {
                        canvas.rect(spot, Some(color), None);
                        if hatched {
                            canvas.hatch(spot);
                        }
                    });
                }
            }
            for line in lines.iter().filter(|line| line.row == row) {
                if paradigm.is_none_or(|paradigm| paradigm == line.paradigm) {
                    line.draw(canvas, place, paradigm.is_none());
                }
            }
            if let (None, Some(at)) = (paradigm, crossings[row]) {
                let ends = [(at, y.low()), (at, y.high())];
                let line: Vec<_> = ends.into_iter().filter_map(|end| point(place, scales, end)).collect();
                cased(canvas, "crossover", &[line], CROSSOVER_DASHES);
            }
        }))
    }

    fn key(&self, x: f64, y: f64, facet: &Option<Key>) -> Vec<Key> {
        let mut key = vec![Key::Number(x), Key::Number(y)];
        key.extend(facet.clone());
        key
    }

    fn place(&self, key: &[Key]) -> String {
        let names = [&self.x, &self.y].into_iter().chain(&self.facet);
        names.zip(key).map(|(name, value)| self.rows.valued(name, value)).collect::<Vec<_>>().join(", ")
    }

    fn cell(&self, paradigm: &'static Paradigm, key: &[Key], heat: &Scale) -> (Rgb, String, bool) {
        let mut full = vec![Key::Text(paradigm.name.to_owned())];
        full.extend_from_slice(key);
        let found = self.cells.get(&full).and_then(|stats| Some((stats, stats.mean?)));
        let place = self.place(key);
        match found {
            Some((stats, mean)) => {
                // 0 on a logarithmic scale is the low end.
                let color = gradient(heat.share(mean).unwrap_or(0.0));
                let error = stats.error.map_or_else(String::new, |error| format!(" ± {}", digits(error, 2)));
                (
                    color,
                    format!("{paradigm}, {place}: {}{error}, {} replicates", digits(mean, 4), stats.count),
                    false,
                )
            }
            None => (MISSING, format!("{paradigm}, {place}: no value"), false),
        }
    }

    /// Colour, text and whether it is hatched, of a cell of the map that tells who is better.
    fn winner(&self, key: &[Key]) -> (Rgb, String, bool) {
        let place = self.place(key);
        let Some((contest, cell)) = self.contest.as_ref().and_then(|it| Some((it, it.cells.get(key)?)))
        else {
            return (MISSING, format!("{place}: no value"), false);
        };
        let margin = cell.margin.map_or_else(String::new, |pair| {
            let how = if pair.count.is_some() { "paired" } else { "not paired" };
            format!(" by {} ± {} ({how})", digits(pair.mean, 3), digits(pair.error.unwrap_or(0.0), 2))
        });
        let means = || {
            let each = cell.ranked.iter().map(|(paradigm, mean)| format!("{paradigm} {}", digits(*mean, 3)));
            each.collect::<Vec<_>>().join(", ")
        };
        let [comparative, _] = contest.words;
        let name = contest.name(cell.outcome);
        match cell.outcome {
            Outcome::Better(paradigm) => {
                (paradigm_color(paradigm), format!("{place}: {name} is {comparative}{margin}"), false)
            }
            Outcome::Unclear => (UNDECIDED, format!("{place}: {name}, {}{margin}", means()), false),
            Outcome::NoneRecovers => (NONE_RECOVERS, format!("{place}: {name}, {}", means()), true),
            Outcome::NoThreshold => (UNDECIDED, format!("{place}: {name}, {}", means()), true),
            Outcome::Missing => (MISSING, format!("{place}: {name}"), false),
        }
    }

    /// The thresholds of all paradigms along x (or along y, where α runs to the right).
    fn lines(
        &self,
        facets: &[Option<Key>],
        (x, xs): (&Scale, &[f64]),
        (y, ys): (&Scale, &[f64]),
    ) -> Vec<Line> {
        let swapped = self.x == ALIGNMENT;
        if !swapped && self.y != ALIGNMENT {
            return Vec::new();
        }
        let (along, other, alpha) = if swapped { (2, (y, ys), x) } else { (1, (x, xs), y) };
        let of = |row: usize, paradigm: &'static Paradigm| {
            let mut curve: BTreeMap<Key, f64> = BTreeMap::new();
            for (key, stats) in &self.cells {
                let here = key[0].paradigm() == Some(paradigm)
                    && facets[row].as_ref().is_none_or(|facet| key[3] == *facet);
                if let (true, Some([median, ..])) = (here, stats.alpha()) {
                    curve.insert(key[along].clone(), median);
                }
            }
            Line::new(paradigm, row, &curve, other, (alpha, swapped))
        };
        let panels = (0..facets.len()).flat_map(|row| self.paradigms.iter().map(move |it| (row, *it)));
        panels.filter_map(|(row, paradigm)| of(row, paradigm)).collect()
    }

    /// Where each row of panels has its crossover, if x is the scale of the noise and theory can
    /// tell.
    fn crossings(
        &self,
        sources: &[Source],
        facets: &[Option<Key>],
        notes: &mut Vec<String>,
    ) -> Vec<Option<f64>> {
        let [source] = sources else { return vec![None; facets.len()] };
        // It is one line for all of a panel where nothing in it but α and n moves.
        let one = [ALIGNMENT, "samples"].contains(&self.y.as_str());
        if self.x != "noise_scale" || self.contest.is_none() || !one {
            return vec![None; facets.len()];
        }
        let found: Vec<Result<f64, &str>> = facets
            .iter()
            .map(|facet| {
                let given: Vec<(&str, &Key)> =
                    self.facet.iter().zip(facet).map(|(name, key)| (name.as_str(), key)).collect();
                theory::crossover(source, &theory::fixed(&self.rows, &given))
            })
            .collect();
        if let Some(why) = found.iter().find_map(|crossover| crossover.err()) {
            let some = if found.iter().any(Result::is_ok) { " everywhere" } else { "" };
            notes.push(format!("The crossover η²/δ is not drawn{some}: {why}."));
        }
        found.into_iter().map(Result::ok).collect()
    }

    fn legend(&self, heat: Scale, lines: &[Line], crossover: bool) -> Legend {
        let mut legend = Legend::default();
        let title = format!("{}, mean", self.metric.title);
        legend.bars.push(Bar { title, scale: heat, color: gradient, lines: false });
        if let Some(contest) = &self.contest {
            let mut line = vec![(Swatch::Heading, format!("{}:", contest.words[0]))];
            let named = |paradigm: &&'static Paradigm| {
                (Swatch::Patch(paradigm_color(paradigm)), paradigm.name.to_owned())
            };
            let is_there = |outcome| contest.cells.values().any(|cell| cell.outcome == outcome);
            let winners = contest.rivals.iter().filter(|rival| is_there(Outcome::Better(rival)));
            line.extend(winners.map(named));
            for (outcome, swatch) in [
                (Outcome::NoneRecovers, Swatch::Hatched(NONE_RECOVERS)),
                (Outcome::NoThreshold, Swatch::Hatched(UNDECIDED)),
                (Outcome::Unclear, Swatch::Patch(UNDECIDED)),
            ] {
                if is_there(outcome) {
                    line.push((swatch, contest.name(outcome).to_owned()));
                }
            }
            legend.lines.push(line);
        }
        let mut line = vec![(Swatch::Heading, "theory:".to_owned())];
        for paradigm in &self.paradigms {
            if lines.iter().any(|line| line.paradigm == *paradigm) {
                let swatch = Swatch::Cased { color: INK, dashes: dashes(paradigm) };
                line.push((swatch, format!("α* of {paradigm}")));
            }
        }
        if crossover {
            line.push((Swatch::Cased { color: INK, dashes: CROSSOVER_DASHES }, "crossover η²/δ".to_owned()));
        }
        legend.lines.push(line);
        // A heading alone tells nothing.
        legend.lines.retain(|line| line.len() > 1);
        legend
    }
}

fn dashes(paradigm: &'static Paradigm) -> &'static [f64] {
    THRESHOLD_DASHES[position(paradigm) % THRESHOLD_DASHES.len()]
}

/// The position of a paradigm among those that have a threshold.
fn position(paradigm: &'static Paradigm) -> usize {
    let mut with = paradigms::ALL.iter().filter(|paradigm| paradigm.threshold.is_some());
    with.position(|known| *known == paradigm).unwrap_or(0)
}

/// A line that reads on every colour, in one or several pieces.
fn cased(canvas: &mut Canvas, class: &str, pieces: &[Vec<(f64, f64)>], dashes: &[f64]) {
    canvas.group(class, None, |canvas| {
        for points in pieces {
            canvas.polyline(points, PAPER, 4.6, dashes);
            canvas.polyline(points, INK, 2.2, dashes);
        }
    });
}

/// Where the cell of a value begins and ends, as shares: half-way to its neighbours, and out to the
/// frame at the ends.
fn edges(scale: &Scale, values: &[f64], at: usize) -> [f64; 2] {
    let share = |at: usize| values.get(at).and_then(|value| scale.share(*value));
    let here = share(at).unwrap_or(0.5);
    let before = at.checked_sub(1).and_then(share).map_or(0.0, |other| f64::midpoint(other, here));
    let after = share(at + 1).map_or(1.0, |other| f64::midpoint(other, here));
    [before, after]
}

#[cfg(test)]
mod tests {
    use eigensweep_theory::paradigms::RECONSTRUCTION;

    use super::*;

    const ALONG: [f64; 5] = [1.0, 10.0, 100.0, 1e3, 1e4];

    fn line(thresholds: [f64; 5]) -> Option<Line> {
        let curve = ALONG.into_iter().map(Key::Number).zip(thresholds).collect();
        let (x, alpha) = (Scale::around(&ALONG, None), Scale::around(&[0.1, 1.0, 10.0], None));
        Line::new(&RECONSTRUCTION, 0, &curve, (&x, &ALONG), (&alpha, false))
    }

    fn close(one: &[(f64, f64)], other: &[(f64, f64)]) -> bool {
        let same = |(one, other): (&(f64, f64), &(f64, f64))| {
            (one.0 - other.0).abs() < 1e-9 && (one.1 - other.1).abs() < 1e-9
        };
        one.len() == other.len() && one.iter().zip(other).all(same)
    }

    /// Between a finite α* and 0, or none, nothing is known.
    #[test]
    fn a_threshold_line_ends_at_its_last_finite_point() {
        let found = line([0.0, 0.0, 1.0, 10.0, f64::INFINITY]).unwrap();
        assert_eq!(found.pieces.len(), 2);
        let edge = [(0.0, 0.0), (0.4, 0.0)];
        assert!(found.pieces.iter().any(|piece| close(piece, &edge)), "{:?}", found.pieces);
        let points = [(0.5, 0.5), (0.7, 0.5 + 1.0 / 3.0)];
        assert!(found.pieces.iter().any(|piece| close(piece, &points)), "{:?}", found.pieces);
        assert_eq!(found.edges, [true, false]);
        assert_eq!(
            edge_notes(&[found], false),
            ["α* along the lower edge: the paradigm recovers at every α shown."]
        );
    }

    #[test]
    fn a_threshold_alone_stands_across_its_cell() {
        let found = line([f64::INFINITY, 1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY]).unwrap();
        assert!(found.pieces.len() == 1 && close(&found.pieces[0], &[(0.2, 0.5), (0.4, 0.5)]));
        assert!(line([f64::INFINITY; 5]).is_none(), "without a threshold there is no line");
    }

    #[test]
    fn a_threshold_above_the_panel_stands_on_its_edge() {
        let found = line([1.0, 1.0, 1.0, 1.0, 1e3]).unwrap();
        assert_eq!(found.edges, [false, true]);
        assert!(found.pieces.iter().any(|piece| close(piece, &[(0.8, 1.0), (1.0, 1.0)])));
    }
}
