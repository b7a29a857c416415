//! Phase diagram: a metric over two axes, a map per paradigm, and which paradigm is closer, with
//! the theoretical thresholds on top.
//!
//! The curves are medians over replicates of `α* = √max(0, α²)` with α_JE² (Proposition 4.4) and
//! α_RC² (Proposition 4.3) as the rows have them; the vertical line is the crossover `max λ^Γ =
//! η²/δ` of Corollary 4.5, left of which reconstruction is preferable. A winner counts where the
//! paired difference within replicates is more than 1.96 of its standard errors from 0.

use std::collections::BTreeMap;

use eigensweep_job::Detail;
use eigensweep_store::columns::{DATASET, PARADIGM};
use eigensweep_store::format::digits;
use eigensweep_theory::metrics::{DISTANCE, Metric};
use eigensweep_theory::{Paradigm, paradigms};

use super::Kind;
use crate::canvas::Canvas;
use crate::data::{Key, Lines, Pair, Stats, known_metric};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Bar, Legend, Swatch};
use crate::scale::Scale;
use crate::spec::FigureSpec;
use crate::theme::{INK, MISSING, PAPER, Rgb, gradient, paradigm_color};
use crate::{Facets, FigureError, Source, common, names, theory, title, unfinished};

/// Phase diagram of two axes.
pub static PHASE: Kind = Kind {
    name: "phase",
    title: "Phase diagram",
    help: "A metric over two axes per paradigm, which paradigm wins, and the theoretical thresholds",
    caption: "The metric over two axes for each paradigm, which of the two self-supervised paradigms is closer, and the theoretical \
              thresholds (Propositions 4.3 and 4.4, Corollary 4.5).",
    needs: &[("noise_scale", 3), ("alignment", 3)],
    reads: &["--x", "--y", "--color", "--facet", "--x-scale", "--y-scale"],
    draw,
};

/// A difference counts beyond so many standard errors: 95 % of a normal distribution.
const NORMAL_95: f64 = 1.96;
/// Where neither paradigm is clearly closer.
const UNDECIDED: Rgb = (214, 216, 220);
/// Dashes of the thresholds, by position among the paradigms that have one.
const THRESHOLD_DASHES: [&[f64]; 3] = [&[], &[7.0, 4.0], &[1.5, 3.0]];
const CROSSOVER_DASHES: &[f64] = &[2.0, 3.0];

/// Everything that is drawn.
struct Phase<'s> {
    rows: Lines<'s>,
    x: String,
    y: String,
    metric: &'static Metric,
    facet: Option<String>,
    paradigms: Vec<&'static Paradigm>,
    /// The two that compete.
    rivals: Option<[&'static Paradigm; 2]>,
    /// By paradigm, x, y and facet.
    cells: BTreeMap<Vec<Key>, Stats>,
    /// By x, y and facet.
    pairs: BTreeMap<Vec<Key>, Pair>,
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let metric = known_metric(sources, spec.color.as_deref().unwrap_or(DISTANCE.name))?;
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
    let mut notes = unfinished(sources);
    // One map is one n: the largest, unless asked otherwise.
    if x != "samples" && y != "samples" && !spec.facet.iter().any(|name| name == "samples") {
        let samples = rows.axis("samples");
        if let (true, Some(largest)) = (samples.len() > 1, samples.last().cloned()) {
            notes.push(format!(
                "The largest of {} sample sizes; --where 'samples = …' or --facet samples shows others.",
                samples.len()
            ));
            rows.keep("samples", vec![largest]);
        }
    }
    if spec.facet.len() > 1 {
        let reason = "--facet of a phase diagram takes one axis, for the rows: its columns are the paradigms"
            .to_owned();
        return Err(FigureError::Figure { reason });
    }
    let facet = Facets::choose(&rows, &spec.facet, None, &[&x, &y, PARADIGM])?.columns;
    let mut placed = vec![PARADIGM, x.as_str(), y.as_str()];
    placed.extend(facet.as_deref());
    rows.refuse_free(&placed)?;
    let cells = rows.grouped(&placed, metric)?;
    let paradigms = rows.paradigms();
    let mut learned = paradigms.iter().copied().filter(|paradigm| paradigm.spectrum.is_some());
    let rivals = match paradigms.as_slice() {
        [first, second] => Some([*first, *second]),
        _ => learned.next().zip(learned.next()).map(|(first, second)| [first, second]),
    };
    let pairs = rivals.map(|rivals| rows.pairs(&placed[1..], metric, rivals)).unwrap_or_default();
    if rivals.is_some() && rows.detail == Detail::Summary {
        notes.push("Margins are not paired: the data set keeps a summary in place of rows.".to_owned());
    }
    let subtitle = common(sources, &rows, &placed);
    let phase = Phase { rows, x: x.clone(), y: y.clone(), metric, facet, paradigms, rivals, cells, pairs };
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
        let fit = |values: &[f64], spacing| {
            let half = if values.len() > 1 { 0.5 / (values.len() - 1) as f64 } else { 0.0 };
            Scale::fit_axis(values, spacing, half)
        };
        let (x, y) = (fit(&xs, spec.x_spacing), fit(&ys, spec.y_spacing));
        let means: Vec<f64> = self.cells.values().filter_map(|stats| stats.mean).collect();
        if means.is_empty() {
            return Err(FigureError::Figure {
                reason: format!("no row has a value of `{}`", self.metric.name),
            });
        }
        let heat = Scale::fit(&means, None, 0.0);
        let facets = Facets::values(&self.rows, self.facet.as_ref());
        let crossings = self.crossings(sources, &facets, &mut notes);
        let missing = xs.len() * ys.len() * facets.len() * self.paradigms.len() - means.len();
        if missing > 0 {
            notes.push(format!("{missing} cells have no value (grey)."));
        }
        let mut columns: Vec<String> =
            self.paradigms.iter().map(|paradigm| paradigm.name.to_owned()).collect();
        columns.extend(self.rivals.map(|_| "which is closer".to_owned()));
        let texts = Texts {
            title: title(sources, spec),
            subtitle,
            x: names::title(&self.x),
            y: names::title(&self.y),
            columns,
            rows: Facets::headings(&self.rows, self.facet.as_ref()),
            notes,
        };
        let label = format!("{} over {} and {}, {}", self.metric.title, texts.x, texts.y, texts.title);
        let legend = self.legend(heat.clone(), crossings.iter().any(Option::is_some));
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
                    let (color, tip) = match paradigm {
                        Some(paradigm) => self.cell(paradigm, &key, &heat),
                        None => self.winner(&key),
                    };
                    canvas.group("cell", Some(tip), |canvas| canvas.rect(spot, Some(color), None));
                }
            }
            let shown: Vec<&'static Paradigm> =
                paradigm.map_or_else(|| self.paradigms.clone(), |paradigm| vec![paradigm]);
            for paradigm in shown {
                self.threshold(canvas, place, scales, paradigm, facet);
            }
            if let (None, Some(at)) = (paradigm, crossings[row]) {
                let ends = [(at, y.low()), (at, y.high())];
                let line: Vec<_> = ends.into_iter().filter_map(|end| point(place, scales, end)).collect();
                cased(canvas, "crossover", &line, CROSSOVER_DASHES);
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
        names.zip(key).map(|(name, value)| names::valued(name, &value.text())).collect::<Vec<_>>().join(", ")
    }

    fn cell(&self, paradigm: &'static Paradigm, key: &[Key], heat: &Scale) -> (Rgb, String) {
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
                )
            }
            None => (MISSING, format!("{paradigm}, {place}: no value")),
        }
    }

    fn winner(&self, key: &[Key]) -> (Rgb, String) {
        let place = self.place(key);
        let (Some([first, second]), Some(&Pair { mean, error, count })) = (self.rivals, self.pairs.get(key))
        else {
            return (MISSING, format!("{place}: no value"));
        };
        // One replicate has no spread: its difference stands as it is.
        let error = error.unwrap_or(0.0);
        let how = if count.is_some() { "paired" } else { "not paired" };
        let margin = format!("by {} ± {} ({how})", digits(mean.abs(), 3), digits(error, 2));
        let closer = if mean < 0.0 { first } else { second };
        if mean.abs() <= NORMAL_95 * error {
            return (UNDECIDED, format!("{place}: neither is clearly closer, {closer} {margin}"));
        }
        (paradigm_color(closer), format!("{place}: {closer} is closer {margin}"))
    }

    /// The threshold of a paradigm along x (or along y, where α runs to the right).
    fn threshold(
        &self,
        canvas: &mut Canvas,
        place: Place,
        scales: (&Scale, &Scale),
        paradigm: &'static Paradigm,
        facet: &Option<Key>,
    ) {
        let swapped = self.x == "alignment";
        if !swapped && self.y != "alignment" {
            return;
        }
        let along = if swapped { 2 } else { 1 };
        let mut curve: BTreeMap<Key, f64> = BTreeMap::new();
        for (key, stats) in &self.cells {
            let here =
                key[0].paradigm() == Some(paradigm) && facet.as_ref().is_none_or(|facet| key[3] == *facet);
            if let (true, Some([median, ..])) = (here, stats.threshold) {
                curve.insert(key[along].clone(), median.max(0.0).sqrt());
            }
        }
        let alpha = if swapped { scales.0 } else { scales.1 };
        // α* = 0 has no place on a logarithmic axis: it runs along the edge.
        let lifted = |value: f64| if alpha.is_log() { value.max(alpha.low()) } else { value };
        let points = curve.into_iter().filter_map(|(key, value)| {
            let other = key.number()?;
            let value = if swapped { (lifted(value), other) } else { (other, lifted(value)) };
            point(place, scales, value)
        });
        let points: Vec<(f64, f64)> = points.collect();
        // A single value of the axis has a threshold all the same: across the panel.
        let points = match points.as_slice() {
            [(_, level)] if !swapped => vec![(place[0], *level), (place[0] + place[2], *level)],
            [(across, _)] => vec![(*across, place[1]), (*across, place[1] + place[3])],
            _ => points,
        };
        cased(canvas, "threshold", &points, dashes(paradigm));
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
        if self.x != "noise_scale" || self.rivals.is_none() {
            return vec![None; facets.len()];
        }
        let found: Vec<Option<f64>> = facets
            .iter()
            .map(|facet| {
                let given: Vec<(&str, &Key)> =
                    self.facet.iter().zip(facet).map(|(name, key)| (name.as_str(), key)).collect();
                theory::crossover(source, &theory::fixed(&self.rows, &given))
            })
            .collect();
        if found.iter().all(Option::is_none) {
            notes.push(
                "The crossover η²/δ is not drawn: the job's input is not there, or its spectra have none."
                    .to_owned(),
            );
        }
        found
    }

    fn legend(&self, heat: Scale, crossover: bool) -> Legend {
        let mut legend = Legend::default();
        legend.bars.push(Bar { title: format!("{}, mean", self.metric.title), scale: heat, color: gradient });
        if let Some(rivals) = self.rivals {
            let mut line = vec![(Swatch::Heading, "closer:".to_owned())];
            line.extend(
                rivals.map(|paradigm| (Swatch::Patch(paradigm_color(paradigm)), paradigm.name.to_owned())),
            );
            line.push((Swatch::Patch(UNDECIDED), "neither, at 95 %".to_owned()));
            legend.lines.push(line);
        }
        if self.x == "alignment" || self.y == "alignment" {
            let mut line = vec![(Swatch::Heading, "theory:".to_owned())];
            for paradigm in self.paradigms.iter().filter(|paradigm| paradigm.threshold.is_some()) {
                let swatch = Swatch::Cased { color: INK, dashes: dashes(paradigm) };
                line.push((swatch, format!("α* of {paradigm}")));
            }
            if crossover {
                line.push((
                    Swatch::Cased { color: INK, dashes: CROSSOVER_DASHES },
                    "crossover η²/δ".to_owned(),
                ));
            }
            legend.lines.push(line);
        }
        legend
    }
}

fn dashes(paradigm: &'static Paradigm) -> &'static [f64] {
    let mut with = paradigms::ALL.iter().filter(|paradigm| paradigm.threshold.is_some());
    let at = with.position(|known| *known == paradigm).unwrap_or(0);
    THRESHOLD_DASHES[at % THRESHOLD_DASHES.len()]
}

/// A line that reads on every colour.
fn cased(canvas: &mut Canvas, class: &str, points: &[(f64, f64)], dashes: &[f64]) {
    if points.len() < 2 {
        return;
    }
    canvas.group(class, None, |canvas| {
        canvas.polyline(points, PAPER, 4.6, dashes);
        canvas.polyline(points, INK, 2.2, dashes);
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
