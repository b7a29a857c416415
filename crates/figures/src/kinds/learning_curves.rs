//! Learning curves: a metric against n, a curve per alignment, panels by paradigm and noise scale;
//! Figure 3 of the paper.
//!
//! A curve is the mean over replicates with its 95 % interval, or the median with the 5 % and 95 %
//! quantiles. Its dashes say what theory says of each point, half-way to the next: solid where α²
//! exceeds the threshold of every replicate's spectra (Propositions 4.3 and 4.4; supervised
//! learning recovers always, Proposition 4.2), dashed where it exceeds none, dash-dotted in
//! between. Along α itself there are no dashes: the threshold is a line.

use std::collections::BTreeMap;

use super::{Kind, Shows};
use crate::Source;
use crate::canvas::{Canvas, Marker};
use crate::data::{Key, Lines, Stats, known_metric};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Bar, Legend, Swatch};
use crate::scale::Scale;
use crate::spec::{Band, FigureSpec};
use crate::theme::{CATEGORIES, FEW, INK, Rgb, curve_color, paradigm_color, sequence};
use crate::verdict::{BEYOND, Verdict};
use crate::{Facets, FigureError, common, title, unfinished};
use eigensweep_store::columns::DATASET;
use eigensweep_store::format::{coordinate, digits};
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::Metric;

/// Learning curves, Figure 3 of the paper.
pub static LEARNING_CURVES: Kind = Kind {
    name: "learning-curves",
    title: "Learning curves",
    help: "Distance against n, a curve per alignment: Figure 3 of the paper",
    caption: "Dashes tell what theory says of a curve as n → ∞.",
    needs: &[],
    reads: &["--x", "--y", "--color", "--facet", "--band", "--x-scale", "--y-scale"],
    shows: Shows::Replicates,
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
    fn choose(rows: &mut Lines<'_>, spec: &FigureSpec, metric: &'static Metric) -> Result<Self, FigureError> {
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
        let facets = Facets::choose(rows, &spec.facet, Some("paradigm"), &taken, 2)?;
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
    paradigm: Option<&'static Paradigm>,
    label: String,
    points: Vec<(f64, Stats)>,
}

impl Curve {
    /// What theory says of one of its points.
    fn verdict(&self, stats: &Stats) -> Option<Verdict> {
        Verdict::of(self.paradigm, stats)
    }
}

/// How curves say what theory says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// By dashes; a curve whose verdict is not known has `UNKNOWN` where others' are.
    Dashes { known: bool },
    /// By lines at the thresholds: α runs to the right.
    Thresholds,
}

/// Dashes of a curve of which theory says nothing, beside others of which it does.
const UNKNOWN: &[f64] = &[1.5, 3.0];

impl Style {
    fn dashes(self, verdict: Option<Verdict>) -> &'static [f64] {
        match (self, verdict) {
            (Self::Thresholds, _) => &[],
            (Self::Dashes { .. }, Some(verdict)) => verdict.dashes(),
            (Self::Dashes { known }, None) => {
                if known {
                    UNKNOWN
                } else {
                    &[]
                }
            }
        }
    }
}

/// A line at a threshold.
struct Mark {
    color: Rgb,
    /// Where median, 5 % and 95 % quantile of α* stand.
    places: [Stand; 3],
    /// How many marks of the panel stand on the same edge, and nearer to it.
    rank: usize,
}

/// Where a threshold stands on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
    /// At or below the low end: every α that is shown exceeds it.
    Left,
    /// At this share of the length.
    At(f64),
    /// Beyond the high end: no α that is shown exceeds it.
    Right,
}

impl Stand {
    fn of(alpha: f64, x: &Scale) -> Self {
        match x.share(alpha) {
            // Neither infinity nor 0 on a logarithmic axis has a place.
            None if alpha > x.low() => Self::Right,
            None => Self::Left,
            Some(share) if share <= 0.0 => Self::Left,
            Some(share) if share < 1.0 => Self::At(share),
            Some(_) => Self::Right,
        }
    }

    fn share(self) -> f64 {
        match self {
            Self::Left => 0.0,
            Self::At(share) => share,
            Self::Right => 1.0,
        }
    }
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let metric = known_metric(sources, spec.y.as_deref())?;
    let band = spec.band.unwrap_or_default();
    let mut rows = Lines::read(sources, spec.filter.as_deref(), Some(metric))?;
    let placement = Placement::choose(&mut rows, spec, metric)?;
    let placed = placement.names();
    rows.slice_free(&placed)?;
    // One paradigm needs no panel of its own, but its name decides the verdict.
    let mut keyed = placed.clone();
    if !keyed.contains(&"paradigm") {
        keyed.push("paradigm");
    }
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

    let style = match placement.x.as_str() {
        "alignment" => Style::Thresholds,
        _ => Style::Dashes { known: verdicts(all()).any(|verdict| verdict.is_some()) },
    };
    let marks: Vec<Vec<Vec<Mark>>> = panels
        .iter()
        .map(|row| {
            row.iter()
                .map(|curves| if style == Style::Thresholds { marks(curves, &x) } else { Vec::new() })
                .collect()
        })
        .collect();
    let mut notes = unfinished(sources);
    notes.extend(rows.thinned.iter().cloned());
    notes.extend(hidden);
    notes.extend(remarks(all(), &y, band));
    notes.extend(beyond(marks.iter().flatten().flatten()));
    notes.extend(verdicts(all()).any(|it| it == Some(Verdict::NoThreshold)).then(|| BEYOND.to_owned()));
    let mut hints: Vec<String> = rows.hint().into_iter().collect();
    if spec.facet.is_empty() && placement.facets.names().any(|name| name == DATASET) {
        hints.push("`dataset` has taken a place for panels; --facet gives it to another axis".to_owned());
    }
    let texts = Texts {
        hints,
        title: title(sources, spec),
        subtitle: format!("{} · {}", common(&rows, &placed), what(band)),
        x: rows.title(&placement.x),
        y: placement.metric.title.to_owned(),
        columns: Facets::headings(&rows, placement.facets.columns.as_ref()),
        rows: Facets::headings(&rows, placement.facets.rows.as_ref()),
        notes,
    };
    let label = format!("{} against {}, {}", texts.y, texts.x, texts.title);
    let mut legend = legend(&rows, &placement);
    legend.lines.extend(match style {
        Style::Dashes { .. } => verdict_legend(all(), style),
        Style::Thresholds => threshold_legend(marks.iter().flatten().flatten()),
    });
    let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.82 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        for mark in &marks[row][column] {
            draw_mark(canvas, place, mark);
        }
        for curve in &panels[row][column] {
            draw_curve(canvas, place, (&x, &y), curve, (band, style));
        }
    }))
}

/// The verdicts of all points.
fn verdicts<'a>(curves: impl Iterator<Item = &'a Curve>) -> impl Iterator<Item = Option<Verdict>> {
    curves.flat_map(|curve| curve.points.iter().map(|(_, stats)| curve.verdict(stats)))
}

/// The thresholds of a panel's curves: one, in the paradigm's colour, where they share it to less
/// than a line's width; else one a curve, in the curve's.
fn marks(curves: &[Curve], x: &Scale) -> Vec<Mark> {
    const SAME: f64 = 0.01;
    let found: Vec<(&Curve, [Stand; 3])> = curves
        .iter()
        .filter_map(|curve| Some((curve, curve.points.iter().find_map(|(_, stats)| stats.alpha())?)))
        .map(|(curve, alpha)| (curve, alpha.map(|alpha| Stand::of(alpha, x))))
        .collect();
    let Some(&(last, places)) = found.last() else { return Vec::new() };
    let same = |(curve, other): &(&Curve, [Stand; 3])| {
        curve.paradigm == last.paradigm
            && match (other[0], places[0]) {
                (Stand::At(one), Stand::At(other)) => (one - other).abs() < SAME,
                (one, other) => one == other,
            }
    };
    if found.iter().all(same) {
        let color = last.paradigm.map_or(INK, paradigm_color);
        return vec![Mark { color, places, rank: 0 }];
    }
    let mut marks: Vec<Mark> = Vec::new();
    for (curve, places) in found {
        let beside = |mark: &&Mark| mark.places[0] == places[0] && !matches!(places[0], Stand::At(_));
        let rank = marks.iter().filter(beside).count();
        marks.push(Mark { color: curve.color, places, rank });
    }
    marks
}

/// A line at the threshold, and a band over its 5 % to 95 % quantiles where spectra are drawn.
/// Thresholds beyond the axis stand on its edge, side by side.
fn draw_mark(canvas: &mut Canvas, [left, top, width, height]: Place, mark: &Mark) {
    const LINE: f64 = 2.0;
    // Within the frame, whose line is as wide.
    let inset = 1.5 / width;
    let at = |place: Stand| left + place.share().clamp(inset, 1.0 - inset) * width;
    let [middle, low, high] = mark.places.map(at);
    let middle = match mark.places[0] {
        Stand::Left => middle + mark.rank as f64 * LINE,
        Stand::At(_) => middle,
        Stand::Right => middle - mark.rank as f64 * LINE,
    };
    canvas.group("threshold", None, |canvas| {
        if high - low > 2.0 {
            let corners = [(low, top), (high, top), (high, top + height), (low, top + height)];
            canvas.polygon(&corners, mark.color, 0.12);
        }
        canvas.line((middle, top), (middle, top + height), mark.color, LINE);
    });
}

/// What lines on the edge mean.
fn beyond<'a>(marks: impl Iterator<Item = &'a Mark> + Clone) -> Vec<String> {
    let any = |place: Stand| marks.clone().any(|mark| mark.places[0] == place);
    let note = |edge: &str, what: &str| {
        format!("A threshold on the {edge} edge: the paradigm recovers at {what} α shown.")
    };
    let left = any(Stand::Left).then(|| note("left", "every"));
    left.into_iter().chain(any(Stand::Right).then(|| note("right", "no"))).collect()
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
        gone.extend(empty.iter().map(|value| rows.valued(name, value)));
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
        let value = |name: &Option<String>, key: &Option<Key>| {
            name.as_ref().zip(key.as_ref()).map(|(name, key)| rows.valued(name, key))
        };
        let parts = [
            value(&placement.facets.columns, column),
            value(&placement.facets.rows, row),
            value(&placement.color, color),
        ];
        let (color, marker) = look(color.as_ref(), at, &colors);
        found.push(Curve {
            color,
            marker,
            paradigm,
            label: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            points,
        });
    }
    found
}

/// Colour and marker of curve `at`, of the value `key` among `all`: of few numbers by their order,
/// of many by their place on the colour bar.
fn look(key: Option<&Key>, at: usize, all: &[Option<Key>]) -> (Rgb, Option<Marker>) {
    let marker = (all.len() <= FEW).then(|| Marker::SERIES[at % Marker::SERIES.len()]);
    let color = match key {
        Some(key @ Key::Text(_)) => key.paradigm().map_or(CATEGORIES[at % CATEGORIES.len()], paradigm_color),
        Some(Key::Number(_)) if marker.is_some() => sequence(at, all.len()),
        Some(Key::Number(value)) => {
            let numbers: Vec<f64> = all.iter().flatten().filter_map(Key::number).collect();
            curve_color(bar_scale(&numbers).share(*value).unwrap_or(0.0))
        }
        None => CATEGORIES[0],
    };
    (color, marker)
}

/// The scale of a colour bar.
fn bar_scale(numbers: &[f64]) -> Scale {
    Scale::fit_axis(numbers, None, 0.0)
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
        Scale::Linear { low: from, high: to, whole } => {
            Scale::Linear { low: from + low * (to - from), high: from + high * (to - from), whole }
        }
        steps @ Scale::Steps(_) => steps,
    }
}

fn draw_curve(
    canvas: &mut Canvas,
    place: Place,
    scales: (&Scale, &Scale),
    curve: &Curve,
    (band, style): (Band, Style),
) {
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
            let line: Vec<((f64, f64), &[f64])> = run
                .iter()
                .filter_map(|(x, stats)| {
                    Some((at(*x, centre(stats, band)?)?, style.dashes(curve.verdict(stats))))
                })
                .collect();
            for (piece, dashes) in pieces(&line) {
                canvas.polyline(&piece, curve.color, 1.8, dashes);
            }
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

/// Points of a line, and its dashes.
type Piece<'d> = (Vec<(f64, f64)>, &'d [f64]);

/// Cuts a line half-way between points of different dashes.
fn pieces<'d>(line: &[((f64, f64), &'d [f64])]) -> Vec<Piece<'d>> {
    let mut pieces: Vec<Piece<'d>> = Vec::new();
    for &(spot, dashes) in line {
        match pieces.last_mut() {
            Some((piece, own)) if *own == dashes => piece.push(spot),
            Some((piece, _)) => {
                let (x, y) = piece.last().copied().unwrap_or(spot);
                let middle = (f64::midpoint(x, spot.0), f64::midpoint(y, spot.1));
                piece.push(middle);
                pieces.push((vec![middle, spot], dashes));
            }
            None => pieces.push((vec![spot], dashes)),
        }
    }
    pieces
}

/// What shows when one points at a point.
fn tip(curve: &Curve, x: f64, stats: &Stats, band: Band) -> String {
    let value = centre(stats, band).map_or_else(|| "–".to_owned(), |value| digits(value, 4));
    let spread = match (band, stats.error, edges(stats, band)) {
        (Band::Quantiles, _, Some((low, high))) => format!(" ({} to {})", digits(low, 3), digits(high, 3)),
        (_, Some(error), _) => format!(" ± {}", digits(error, 2)),
        _ => String::new(),
    };
    let verdict =
        curve.verdict(stats).map_or_else(String::new, |verdict| format!("; n → ∞: {}", verdict.name()));
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

fn legend(rows: &Lines<'_>, placement: &Placement) -> Legend {
    let mut legend = Legend::default();
    if let Some(name) = &placement.color {
        let values = rows.axis(name);
        let numbers: Vec<f64> = values.iter().filter_map(Key::number).collect();
        if values.len() <= FEW || numbers.len() < values.len() {
            let all = Facets::values(rows, Some(name));
            let mut line = vec![(Swatch::Heading, format!("{}:", rows.title(name)))];
            for (at, value) in values.iter().enumerate() {
                let (color, marker) = look(Some(value), at, &all);
                line.push((Swatch::Line { color, dashes: &[], marker }, value.text()));
            }
            legend.lines.push(line);
        } else {
            let bar =
                Bar { title: rows.title(name), scale: bar_scale(&numbers), color: curve_color, lines: true };
            legend.bars.push(bar);
        }
    }
    legend
}

/// What dashes mean.
fn verdict_legend<'a>(
    curves: impl Iterator<Item = &'a Curve>,
    style: Style,
) -> Option<Vec<(Swatch, String)>> {
    let mut found: Vec<Option<Verdict>> = verdicts(curves).collect();
    found.sort_unstable_by_key(|verdict| (verdict.is_none(), *verdict));
    found.dedup();
    if style == (Style::Dashes { known: false }) {
        return None;
    }
    let mut line = vec![(Swatch::Heading, "theory, n → ∞:".to_owned())];
    line.extend(found.into_iter().map(|verdict| {
        let text = verdict.map_or("not known", Verdict::legend);
        (Swatch::Line { color: INK, dashes: style.dashes(verdict), marker: None }, text.to_owned())
    }));
    Some(line)
}

/// What lines at thresholds mean.
fn threshold_legend<'a>(marks: impl Iterator<Item = &'a Mark> + Clone) -> Option<Vec<(Swatch, String)>> {
    let first = marks.clone().next()?;
    let color = if marks.clone().all(|mark| mark.color == first.color) { first.color } else { INK };
    let mut line = vec![
        (Swatch::Heading, "theory, n → ∞:".to_owned()),
        (Swatch::Upright(color), "threshold α*; to its right the paradigm recovers".to_owned()),
    ];
    if marks.clone().any(|mark| mark.places[1] != mark.places[2]) {
        line.push((Swatch::Band(color), "5 % to 95 % of the drawn spectra".to_owned()));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Solid means that theory says so of the points on it.
    #[test]
    fn a_line_changes_its_dashes_half_way_between_two_verdicts() {
        let [solid, dashed]: [&[f64]; 2] = [Verdict::Recovers, Verdict::Fails].map(Verdict::dashes);
        let line = [((0.0, 0.0), dashed), ((2.0, 0.0), dashed), ((4.0, 2.0), solid), ((6.0, 2.0), solid)];
        let found = pieces(&line);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (vec![(0.0, 0.0), (2.0, 0.0), (3.0, 1.0)], dashed));
        assert_eq!(found[1], (vec![(3.0, 1.0), (4.0, 2.0), (6.0, 2.0)], solid));
        assert_eq!(pieces(&line[..2]).len(), 1);
        assert!(pieces(&[]).is_empty());
    }

    #[test]
    fn dashes_are_for_axes_other_than_the_alignment() {
        assert_eq!(Style::Thresholds.dashes(Some(Verdict::Fails)), Style::Thresholds.dashes(None));
        let known = Style::Dashes { known: true };
        assert_ne!(known.dashes(None), known.dashes(Some(Verdict::Recovers)));
    }
}
