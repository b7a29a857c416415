//! Learning curves: a metric against n, a curve per alignment, panels by paradigm and noise scale;
//! Figure 3 of the paper.
//!
//! A curve is the mean over replicates with its 95 % interval, or the median with the 5 % and 95 %
//! quantiles. Its dashes say what theory says of it: solid where α² exceeds the threshold of every
//! replicate's spectra (Propositions 4.3 and 4.4; supervised learning recovers always, Proposition
//! 4.2), dashed where it exceeds none, dash-dotted in between.

use std::collections::BTreeMap;

use super::Kind;
use crate::Source;
use crate::canvas::{Canvas, Marker};
use crate::data::{Key, Lines, Stats, known_metric};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Bar, Legend, Swatch};
use crate::scale::Scale;
use crate::spec::{Band, FigureSpec};
use crate::theme::{CATEGORIES, FEW, INK, Rgb, gradient, sequence};
use crate::verdict::Verdict;
use crate::{Facets, FigureError, common, names, title, unfinished};
use eigensweep_store::format::{coordinate, digits};
use eigensweep_theory::metrics::{DISTANCE, Metric};

/// Learning curves, Figure 3 of the paper.
pub static LEARNING_CURVES: Kind = Kind {
    name: "learning-curves",
    title: "Learning curves",
    help: "Distance against n, a curve per alignment: Figure 3 of the paper",
    caption: "A curve per alignment; dashes tell what theory says of it as n → ∞.",
    needs: &[],
    reads: &["--x", "--y", "--color", "--facet", "--band", "--x-scale", "--y-scale"],
    draw,
};

/// Half the width of a 95 % interval in standard errors of a normal mean.
const NORMAL_95: f64 = 1.96;

/// Which axis stands where.
struct Placement {
    x: String,
    metric: &'static Metric,
    color: Option<String>,
    facets: Facets,
}

impl Placement {
    fn choose(rows: &Lines<'_>, spec: &FigureSpec, metric: &'static Metric) -> Result<Self, FigureError> {
        let varying = rows.varying();
        let numeric = |name: &&str| rows.axis(name).iter().all(|value| value.number().is_some());
        let first = |wanted: &[&str], taken: &[&str]| {
            let preferred = wanted.iter().copied().filter(|name| varying.contains(name));
            let others = varying.iter().copied().filter(numeric);
            preferred.chain(others).find(|name| !taken.contains(name)).map(str::to_owned)
        };
        let asked: Vec<&str> = spec.facet.iter().chain(&spec.color).map(String::as_str).collect();
        let x = match &spec.x {
            Some(name) => rows.known_axis(name)?,
            None => first(&["samples", "alignment", "noise_scale"], &asked)
                .unwrap_or_else(|| "samples".to_owned()),
        };
        if !numeric(&x.as_str()) {
            return Err(FigureError::Figure {
                reason: format!("`{x}` holds text: --x takes an axis of numbers"),
            });
        }
        let mut taken: Vec<&str> = spec.facet.iter().map(String::as_str).collect();
        taken.push(&x);
        let color = match &spec.color {
            Some(name) => Some(rows.known_axis(name)?),
            None => first(&["alignment", "noise_scale", "samples"], &taken),
        };
        let taken: Vec<&str> = [x.as_str()].into_iter().chain(color.as_deref()).collect();
        let facets = Facets::choose(rows, &spec.facet, Some("paradigm"), &taken)?;
        Ok(Self { x, metric, color, facets })
    }

    fn names(&self) -> Vec<&str> {
        self.facets.names().chain(self.color.as_deref()).chain([self.x.as_str()]).collect()
    }
}

/// A curve: its points in order of x.
struct Curve {
    color: Rgb,
    marker: Option<Marker>,
    verdict: Option<Verdict>,
    label: String,
    points: Vec<(f64, Stats)>,
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let metric = known_metric(sources, spec.y.as_deref().unwrap_or(DISTANCE.name))?;
    let band = spec.band.unwrap_or_default();
    let mut rows = Lines::read(sources, spec.filter.as_deref(), Some(metric))?;
    let placement = Placement::choose(&rows, spec, metric)?;
    let by = placement.names();
    // One paradigm needs no panel of its own, but its name decides the verdict.
    let mut keyed = by.clone();
    if !keyed.contains(&"paradigm") {
        keyed.push("paradigm");
    }
    let placed: Vec<&str> = by.clone();
    rows.refuse_free(&placed)?;
    let mut table = rows.grouped(&keyed, metric)?;
    let hidden = hide_empty(&mut rows, &placement, &keyed, &mut table);
    let column_values = Facets::values(&rows, placement.facets.columns.as_ref());
    let row_values = Facets::values(&rows, placement.facets.rows.as_ref());
    let panels: Vec<Vec<Vec<Curve>>> = row_values
        .iter()
        .map(|row| {
            column_values
                .iter()
                .map(|column| curves(&rows, &placement, &keyed, &table, column, row))
                .collect()
        })
        .collect();

    let all = || panels.iter().flatten().flatten();
    let x_values: Vec<f64> = rows.axis(&placement.x).iter().filter_map(Key::number).collect();
    let x = Scale::fit_axis(&x_values, spec.x_spacing, 0.03);
    let centres: Vec<f64> =
        all().flat_map(|curve| &curve.points).filter_map(|(_, stats)| centre(stats, band)).collect();
    if centres.is_empty() {
        return Err(FigureError::Figure {
            reason: format!(
                "no row has a value of `{}`: the job's [output] metrics leave it out, or every row failed (`SELECT status, \
                 COUNT(*) FROM results GROUP BY status` tells)",
                metric.name
            ),
        });
    }
    let y = Scale::fit(&centres, spec.y_spacing, 0.05);
    // A band may reach beyond the curves, but not so far that it squeezes them.
    let y = widened(y, all().flat_map(|curve| &curve.points).filter_map(|(_, stats)| edges(stats, band)));

    let mut notes = unfinished(sources);
    notes.extend(hidden);
    notes.extend(remarks(all(), &y, band));
    let texts = Texts {
        title: title(sources, spec),
        subtitle: format!("{} · {}", common(sources, &rows, &placed), what(band)),
        x: names::title(&placement.x),
        y: placement.metric.title.to_owned(),
        columns: Facets::headings(&rows, placement.facets.columns.as_ref()),
        rows: Facets::headings(&rows, placement.facets.rows.as_ref()),
        notes,
    };
    let label = format!("{} against {}, {}", texts.y, texts.x, texts.title);
    let legend = legend(&rows, &placement, all());
    let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.82 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        for curve in &panels[row][column] {
            draw_curve(canvas, place, (&x, &y), curve, band);
        }
    }))
}

/// Takes out values of the facets and of the colour that have no value of the metric at all
/// (supervised learning has no leakage).
fn hide_empty(
    rows: &mut Lines<'_>,
    placement: &Placement,
    keyed: &[&str],
    table: &mut BTreeMap<Vec<Key>, Stats>,
) -> Option<String> {
    let mut gone = Vec::new();
    for name in placement.facets.names().chain(placement.color.as_deref()) {
        let Some(at) = keyed.iter().position(|known| *known == name) else { continue };
        let (full, empty): (Vec<Key>, Vec<Key>) = rows
            .axis(name)
            .iter()
            .cloned()
            .partition(|value| table.iter().any(|(key, stats)| key[at] == *value && stats.count > 0.0));
        if full.is_empty() || empty.is_empty() {
            continue;
        }
        table.retain(|key, _| !empty.contains(&key[at]));
        gone.extend(empty.iter().map(|value| names::valued(name, &value.text())));
        rows.values.insert(name.to_owned(), full);
    }
    let metric = placement.metric.title;
    (!gone.is_empty()).then(|| format!("Without a value of {metric}, and not shown: {}.", gone.join(", ")))
}

/// Curves of one panel.
fn curves(
    rows: &Lines<'_>,
    placement: &Placement,
    keyed: &[&str],
    table: &BTreeMap<Vec<Key>, Stats>,
    column: &Option<Key>,
    row: &Option<Key>,
) -> Vec<Curve> {
    let position = |name: &str| keyed.iter().position(|known| *known == name);
    let is = |key: &[Key], name: Option<&String>, value: &Option<Key>| match (
        name.and_then(|name| position(name)),
        value,
    ) {
        (Some(at), Some(value)) => key[at] == *value,
        _ => true,
    };
    let colors: Vec<Option<Key>> = Facets::values(rows, placement.color.as_ref());
    let mut found = Vec::new();
    for (at, color) in colors.iter().enumerate() {
        let mut points: Vec<(f64, Stats)> = Vec::new();
        let mut paradigm = None;
        for (key, stats) in table {
            let here = is(key, placement.facets.columns.as_ref(), column)
                && is(key, placement.facets.rows.as_ref(), row)
                && is(key, placement.color.as_ref(), color);
            if let (true, Some(x)) = (here, position(&placement.x).and_then(|at| key[at].number())) {
                paradigm = position("paradigm").and_then(|at| key[at].paradigm());
                points.push((x, stats.clone()));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if points.is_empty() {
            continue;
        }
        // Thresholds depend on spectra, not on n; where x is α itself, the verdict changes along
        // the curve.
        let verdicts: Vec<Option<Verdict>> =
            points.iter().map(|(_, stats)| Verdict::of(paradigm, stats.above)).collect();
        let same = verdicts.windows(2).all(|pair| pair[0] == pair[1]);
        let value = |name: &Option<String>, key: &Option<Key>| {
            name.as_ref().zip(key.as_ref()).map(|(name, key)| names::valued(name, &key.text()))
        };
        let parts = [
            value(&placement.facets.columns, column),
            value(&placement.facets.rows, row),
            value(&placement.color, color),
        ];
        let (color, marker) = look(color.as_ref(), at, colors.len());
        found.push(Curve {
            color,
            marker,
            verdict: verdicts.first().copied().flatten().filter(|_| same),
            label: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            points,
        });
    }
    found
}

/// Colour and marker of curve `at` of `count`.
fn look(key: Option<&Key>, at: usize, count: usize) -> (Rgb, Option<Marker>) {
    let marker = (count <= FEW).then(|| Marker::SERIES[at % Marker::SERIES.len()]);
    let color = match key {
        Some(key @ Key::Text(_)) => {
            key.paradigm().map_or(CATEGORIES[at % CATEGORIES.len()], crate::theme::paradigm_color)
        }
        Some(Key::Number(_)) => sequence(at, count),
        None => CATEGORIES[0],
    };
    (color, marker)
}

fn centre(stats: &Stats, band: Band) -> Option<f64> {
    if band == Band::Quantiles { stats.median } else { stats.mean }
}

fn edges(stats: &Stats, band: Band) -> Option<(f64, f64)> {
    match band {
        Band::Mean => Some((stats.mean? - NORMAL_95 * stats.error?, stats.mean? + NORMAL_95 * stats.error?)),
        Band::Quantiles => Some((stats.low?, stats.high?)),
        Band::None => None,
    }
}

fn what(band: Band) -> &'static str {
    match band {
        Band::Mean => "mean and its 95 % interval",
        Band::Quantiles => "median, 5 % to 95 % quantiles",
        Band::None => "mean",
    }
}

/// A scale that also holds the bands, up to a quarter of its length beyond the curves at each end.
fn widened(scale: Scale, edges: impl Iterator<Item = (f64, f64)>) -> Scale {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for (below, above) in edges {
        if let Some(share) = scale.share(below) {
            low = low.min(share - 0.02);
        }
        if let Some(share) = scale.share(above) {
            high = high.max(share + 0.02);
        }
    }
    let (low, high) = (low.max(-0.25), high.min(1.25));
    match scale {
        Scale::Log { low: from, high: to } => {
            let at = |share: f64| from * (to / from).powf(share);
            Scale::Log { low: at(low), high: at(high) }
        }
        Scale::Linear { low: from, high: to } => {
            Scale::Linear { low: from + low * (to - from), high: from + high * (to - from) }
        }
        steps @ Scale::Steps(_) => steps,
    }
}

fn draw_curve(canvas: &mut Canvas, place: Place, scales: (&Scale, &Scale), curve: &Curve, band: Band) {
    canvas.group("curve", None, |canvas| {
        let floor = scales.1.low();
        let at = |x: f64, y: f64| point(place, scales, (x, if scales.1.is_log() { y.max(floor) } else { y }));
        // Gaps in the curve are gaps in the band.
        for run in curve.points.split(|(_, stats)| edges(stats, band).is_none()) {
            let upper = run.iter().filter_map(|(x, stats)| at(*x, edges(stats, band)?.1));
            let lower = run.iter().rev().filter_map(|(x, stats)| at(*x, edges(stats, band)?.0));
            canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), curve.color, 0.18);
        }
        for run in curve.points.split(|(_, stats)| centre(stats, band).is_none()) {
            let line: Vec<(f64, f64)> =
                run.iter().filter_map(|(x, stats)| at(*x, centre(stats, band)?)).collect();
            canvas.polyline(&line, curve.color, 1.8, curve.verdict.map_or(&[], Verdict::dashes));
        }
        let alone = curve.points.len() == 1;
        for (x, stats) in &curve.points {
            let Some(value) = centre(stats, band) else { continue };
            let Some(spot) = at(*x, value) else { continue };
            let below = scales.1.is_log() && value <= 0.0;
            canvas.group("point", Some(tip(curve, *x, stats, band)), |canvas| {
                let marker = if below { Some(Marker::Down) } else { curve.marker };
                let size = if curve.marker.is_some() || alone || below { 2.8 } else { 1.6 };
                canvas.marker(marker.unwrap_or(Marker::Circle), spot, size, curve.color, below);
            });
        }
    });
}

/// What shows when one points at a point.
fn tip(curve: &Curve, x: f64, stats: &Stats, band: Band) -> String {
    let value = centre(stats, band).map_or_else(|| "–".to_owned(), |value| digits(value, 4));
    let spread = match (band, stats.error, edges(stats, band)) {
        (Band::Quantiles, _, Some((low, high))) => format!(" ({} to {})", digits(low, 3), digits(high, 3)),
        (_, Some(error), _) => format!(" ± {}", digits(error, 2)),
        _ => String::new(),
    };
    let verdict = curve.verdict.map_or_else(String::new, |verdict| format!("; n → ∞: {}", verdict.name()));
    let failed = stats.rows - stats.count;
    let failed = if failed > 0.0 { format!(", {failed} without a value") } else { String::new() };
    let label = if curve.label.is_empty() { String::new() } else { format!("{}, ", curve.label) };
    format!("{label}at {}: {value}{spread}, {} replicates{failed}{verdict}", coordinate(x), stats.count)
}

/// What is not, or not fully, shown.
fn remarks<'a>(curves: impl Iterator<Item = &'a Curve>, y: &Scale, band: Band) -> Vec<String> {
    let (mut at_zero, mut failed) = (0, 0.0);
    for (_, stats) in curves.flat_map(|curve| &curve.points) {
        at_zero += usize::from(y.is_log() && centre(stats, band).is_some_and(|value| value <= 0.0));
        failed += stats.rows - stats.count;
    }
    let mut notes = Vec::new();
    if at_zero > 0 {
        notes.push(format!("{at_zero} values at or below 0 lie on the lower edge (▽)."));
    }
    if failed > 0.0 {
        notes.push(format!("{failed} rows have no value and are left out."));
    }
    notes
}

fn legend<'a>(rows: &Lines<'_>, placement: &Placement, curves: impl Iterator<Item = &'a Curve>) -> Legend {
    let mut legend = Legend::default();
    if let Some(name) = &placement.color {
        let values = rows.axis(name);
        let numbers: Vec<f64> = values.iter().filter_map(Key::number).collect();
        if values.len() <= FEW || numbers.len() < values.len() {
            let mut line = vec![(Swatch::Heading, format!("{}:", names::title(name)))];
            for (at, value) in values.iter().enumerate() {
                let (color, marker) = look(Some(value), at, values.len());
                line.push((Swatch::Line { color, dashes: &[], marker }, value.text()));
            }
            legend.lines.push(line);
        } else {
            // The curves' colours are equally spaced by rank: so is the bar.
            let scale = Scale::Steps(numbers);
            legend.bars.push(Bar {
                title: names::title(name),
                scale,
                color: |share| gradient(0.82 * share + 0.02),
            });
        }
    }
    let mut verdicts: Vec<Verdict> = curves.filter_map(|curve| curve.verdict).collect();
    verdicts.sort_unstable();
    verdicts.dedup();
    if !verdicts.is_empty() {
        let mut line = vec![(Swatch::Heading, "theory, n → ∞:".to_owned())];
        line.extend(verdicts.into_iter().map(|verdict| {
            (Swatch::Line { color: INK, dashes: verdict.dashes(), marker: None }, verdict.legend().to_owned())
        }));
        legend.lines.push(line);
    }
    legend
}
