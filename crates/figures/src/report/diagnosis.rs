//! The page about a diagnosis, and the part of it that a notebook shows.

use std::io::Write;
use std::path::Path;

use askama::Template;
use eigensweep_engine::diagnose::Found;
use eigensweep_engine::diagnose::statistics::{
    Answer, AtAlignment, AtDimension, Compared, Estimate, Limit, MARGIN, PARADIGMS,
};
use eigensweep_inputs::whole_file;
use eigensweep_store::StoreError;
use eigensweep_store::format::{coordinate, digits};

use super::table::{Table, Value};
use super::{CSS, Figure, JS, name_colors};
use crate::FigureError;
use crate::canvas::{Canvas, Marker};
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Legend, Swatch};
use crate::scale::{Scale, Spacing};
use crate::theme::{CATEGORIES, FRAME, INK, MUTED, Rgb, paradigm_color};

/// What the answer was computed from, as terms with their values.
pub type Facts = [(String, String)];

#[derive(Template)]
#[template(path = "diagnosis.html")]
struct Page<'a> {
    version: &'static str,
    css: &'static str,
    js: &'static str,
    dark: String,
    title: String,
    setting: String,
    headline: String,
    paragraphs: Vec<String>,
    numbers: String,
    probed: bool,
    figures: Vec<Figure>,
    alignments: Vec<String>,
    findings: Vec<String>,
    changes: Vec<String>,
    warnings: Vec<String>,
    by_dimension: String,
    found_dimension: Option<String>,
    limits: Vec<String>,
    batches: bool,
    facts: &'a Facts,
}

#[derive(Template)]
#[template(path = "diagnosis-part.html")]
struct Part {
    headline: String,
    setting: String,
    numbers: Vec<[String; 4]>,
    notes: Vec<String>,
    figures: Vec<Figure>,
}

const PLUG_IN: &[f64] = &[1.5, 3.0];
const GIVEN: &[f64] = &[4.0, 3.0];

/// The page, as HTML that needs nothing else. `title` is what was asked about, `facts` its
/// provenance.
///
/// # Errors
///
/// [`FigureError::Figure`] if the page cannot be made.
pub fn html(found: &Found, title: &str, facts: &Facts) -> Result<String, FigureError> {
    let mut figures = figures(found);
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        css: CSS,
        js: JS,
        dark: name_colors(&mut figures),
        title: title.to_owned(),
        setting: found.setting(),
        headline: unbroken(&found.headline()),
        paragraphs: found.paragraphs().iter().map(|text| unbroken(text)).collect(),
        numbers: numbers(found).html(),
        probed: found.diagnosis.probe.is_some(),
        figures,
        alignments: found.alignments(),
        findings: found.findings(),
        changes: found.changes(),
        warnings: found.diagnosis.warnings.iter().map(ToString::to_string).collect(),
        by_dimension: by_dimension(found).html(),
        found_dimension: found.dimension_found(),
        limits: limits(found),
        batches: found.of == "batches",
        facts,
    };
    page.render().map_err(|error| FigureError::Figure { reason: format!("the page cannot be made: {error}") })
}

/// Writes the page to a file that ends in `.html`; it appears whole or not at all.
///
/// # Errors
///
/// [`FigureError::Extension`], or what writing gives.
pub fn write(found: &Found, title: &str, facts: &Facts, path: &Path) -> Result<(), FigureError> {
    check_name(path)?;
    let page = html(found, title, facts)?;
    let written = whole_file::write(path, |file| file.write_all(page.as_bytes()));
    Ok(written.map_err(StoreError::from)?)
}

/// Whether a page may be called so.
///
/// # Errors
///
/// [`FigureError::Extension`].
pub fn check_name(path: &Path) -> Result<(), FigureError> {
    match path.extension().is_some_and(|extension| extension == "html") {
        true => Ok(()),
        false => Err(FigureError::Extension { path: path.to_path_buf(), allowed: ".html" }),
    }
}

/// What a notebook shows: the answer, the numbers and the curves, without a style of its own.
///
/// # Errors
///
/// [`FigureError::Figure`] if it cannot be made.
pub fn part(found: &Found) -> Result<String, FigureError> {
    let notes = [found.findings(), found.changes(), found.alignments()].concat();
    let mut figures = figures(found);
    figures.truncate(1);
    let part = Part {
        headline: found.headline(),
        setting: found.setting(),
        numbers: found.numbers(),
        notes,
        figures,
    };
    part.render().map_err(|error| FigureError::Figure { reason: format!("it cannot be shown: {error}") })
}

/// A number and its unit stay together.
fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

fn numbers(found: &Found) -> Table {
    let headings = ["", PARADIGMS[0].name, PARADIGMS[1].name, "difference"];
    let rows = found.numbers().into_iter().map(|row| row.map(Value::Text).to_vec());
    Table {
        caption: "The numbers behind the answer, with 95 % intervals".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

fn by_dimension(found: &Found) -> Table {
    let headings = ["k", "answer", "kept, joint-embedding", "kept, reconstruction", "difference", "±"];
    let row = |at: &AtDimension| {
        let number = |value: f64| Value::Number(value, format!("{value:.3}"));
        vec![
            Value::Number(at.dimension as f64, at.dimension.to_string()),
            Value::Text(at.answer.name().to_owned()),
            number(at.kept.each[0].value),
            number(at.kept.each[1].value),
            number(at.kept.difference.value),
            at.kept.difference.half.map_or(Value::Missing, number),
        ]
    };
    Table {
        caption: "The comparison at other dimensions".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: found.diagnosis.by_dimension.iter().map(row).collect(),
    }
}

/// What the model says of recovery, a sentence each.
fn limits(found: &Found) -> Vec<String> {
    let Some(model) = &found.diagnosis.model else { return Vec::new() };
    let said = |(limit, paradigm): (&Limit, &&eigensweep_theory::Paradigm)| {
        let when = match limit {
            Limit::Always => "at every α".to_owned(),
            Limit::From(alignment) => format!("from α = {} on", coordinate(*alignment)),
            Limit::Never => "at no α that was tried".to_owned(),
        };
        format!("{paradigm} comes within half a component of the least possible leakage {when}.")
    };
    let least = format!(
        "In the model no linear map to so many dimensions leaks less than {}.",
        digits(model.least_leakage.max(0.0), 3)
    );
    std::iter::once(least).chain(model.limits.iter().zip(&PARADIGMS).map(said)).collect()
}

/// Curves in α, the strip over k, and spectra, as far as they are known.
fn figures(found: &Found) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut add = |name, caption, drawing: Drawing| {
        figures.push(Figure { name, caption, svg: drawing.svg_in_page() });
    };
    if found.diagnosis.by_alignment.len() > 1 {
        add(
            "Alignment",
            "How much of the signal each paradigm keeps, and how much noise its representation holds, as the alignment α of \
             the views with the noise grows. Higher is better on the left, lower on the right. Bands are 95 % intervals; the \
             dashed line is the α of the answer. The dotted curves are the model's, learnt from the same rows: always cleaner \
             than what is held out, and no answer. Leakage falls nearly always with α, also where signal is thrown away: \
             choose α on the left.",
            curves(found),
        );
    }
    if found.diagnosis.by_dimension.len() > 1 {
        add(
            "Dimension",
            "By how much joint-embedding keeps more than reconstruction at other dimensions k, with 95 % intervals. Points \
             above the grey band speak for joint-embedding, below it for reconstruction; what crosses it tells nothing. A \
             verdict that changes within this range hangs on k.",
            strip(found),
        );
    }
    if found.diagnosis.model.is_some() {
        add(
            "Spectra",
            "Eigenvalues of what is learnt: the clean signal, the noise, and what the views add at the α of the answer. Where \
             noise is above the signal at the same rank, reconstruction is drawn to it; views that are strong where the noise \
             is, teach both paradigms to leave it out. Estimates of the signal below zero are not drawn.",
            spectra(found),
        );
    }
    figures
}

/// A band, a line and its points in a panel.
fn curve(
    canvas: &mut Canvas,
    place: Place,
    scales: (&Scale, &Scale),
    (color, marker): (Rgb, Marker),
    points: &[(f64, Estimate, String)],
) {
    let ends: Vec<_> = points
        .iter()
        .filter_map(|(x, estimate, _)| {
            let (low, high) = (estimate.low()?, estimate.high()?);
            Some((point(place, scales, (*x, low))?, point(place, scales, (*x, high))?))
        })
        .collect();
    let outline: Vec<_> =
        ends.iter().map(|(low, _)| *low).chain(ends.iter().rev().map(|(_, high)| *high)).collect();
    canvas.group("band", None, |canvas| canvas.polygon(&outline, color, 0.15));
    let way: Vec<_> = points.iter().filter_map(|(x, of, _)| point(place, scales, (*x, of.value))).collect();
    canvas.group("curve", None, |canvas| canvas.polyline(&way, color, 2.0, &[]));
    for (x, estimate, tip) in points {
        let Some(at) = point(place, scales, (*x, estimate.value)) else { continue };
        canvas.group("point", Some(tip.clone()), |canvas| canvas.marker(marker, at, 3.0, color, false));
    }
}

fn curves(found: &Found) -> Drawing {
    let diagnosis = &found.diagnosis;
    let alignments: Vec<f64> = diagnosis.by_alignment.iter().map(|at| at.alignment).collect();
    let x = Scale::fit_axis(&alignments, None, 0.04);
    let least = diagnosis.by_alignment.iter().flat_map(|at| at.kept.each.iter().map(|of| of.value));
    // Far below zero there is nothing to tell apart.
    let low = least.fold(0.0, f64::min).max(-0.3) - 0.04;
    let y = Scale::Linear { low, high: 1.04, whole: false };
    let scales = (&x, &y);
    let texts = Texts {
        x: "alignment α".to_owned(),
        y: "share".to_owned(),
        columns: vec!["kept at your n".to_owned(), "leakage".to_owned()],
        ..Texts::default()
    };
    type Of = fn(&AtAlignment) -> &Compared;
    type PlugIn = fn(&AtAlignment) -> [f64; 2];
    let panels: [(Of, PlugIn, &str); 2] = [
        (|at| &at.kept, |at| at.plug_in_kept, "kept"),
        (|at| &at.leakage, |at| at.plug_in_leakage, "leakage"),
    ];
    let entry = |at: usize| {
        let (color, marker) = look(at);
        (Swatch::Line { color, dashes: &[], marker: Some(marker) }, PARADIGMS[at].name.to_owned())
    };
    let legend = Legend {
        lines: vec![vec![
            entry(0),
            entry(1),
            (Swatch::Line { color: MUTED, dashes: PLUG_IN, marker: None }, "model".to_owned()),
            (Swatch::Line { color: FRAME, dashes: GIVEN, marker: None }, "α of the answer".to_owned()),
        ]],
        bars: Vec::new(),
    };
    let grid = Grid { texts, x: &x, y: &y, legend, aspect: 0.85 };
    grid.draw("kept and leakage against alignment".to_owned(), |canvas, column, _, place| {
        let (of, plug_in, name) = panels[column];
        let given = [low, 1.04].map(|end| point(place, scales, (diagnosis.alignment_used, end)));
        if let [Some(from), Some(to)] = given {
            canvas.group("given", None, |canvas| canvas.polyline(&[from, to], FRAME, 1.2, GIVEN));
        }
        for at in 0..2 {
            let model = diagnosis.by_alignment.iter();
            let model: Vec<_> =
                model.filter_map(|one| point(place, scales, (one.alignment, plug_in(one)[at]))).collect();
            canvas.group("model", None, |canvas| canvas.polyline(&model, look(at).0, 1.2, PLUG_IN));
        }
        for (at, paradigm) in PARADIGMS.into_iter().enumerate() {
            let points = diagnosis.by_alignment.iter().map(|one| {
                let estimate = of(one).each[at];
                let tip = format!(
                    "{}, α = {}: {name} {}",
                    paradigm.name,
                    coordinate(one.alignment),
                    eigensweep_engine::diagnose::interval(&estimate)
                );
                (one.alignment, estimate, tip)
            });
            curve(canvas, place, scales, look(at), &points.collect::<Vec<_>>());
        }
    })
}

fn strip(found: &Found) -> Drawing {
    let diagnosis = &found.diagnosis;
    let of = |at: &AtDimension| (at.dimension as f64, at.kept.difference);
    let ks: Vec<f64> = diagnosis.by_dimension.iter().map(|at| of(at).0).collect();
    let ends = diagnosis.by_dimension.iter().flat_map(|at| {
        let difference = of(at).1;
        let half = difference.half.unwrap_or(0.0);
        [difference.value - half, difference.value + half]
    });
    let (low, high) = ends.fold((-0.06_f64, 0.06_f64), |(low, high), end| (low.min(end), high.max(end)));
    let pad = 0.06 * (high - low);
    let y = Scale::Linear { low: low - pad, high: high + pad, whole: false };
    let (first, last) = (ks.first().copied().unwrap_or(1.0), ks.last().copied().unwrap_or(1.0));
    let x = Scale::Linear { low: first - 0.6, high: last + 0.6, whole: true };
    let scales = (&x, &y);
    let texts = Texts {
        x: "dimension k".to_owned(),
        y: "kept, difference".to_owned(),
        columns: vec![String::new()],
        ..Texts::default()
    };
    let answers = [Answer::JointEmbedding, Answer::Reconstruction, Answer::TooClose];
    let mut line: Vec<_> = answers
        .iter()
        .map(|answer| {
            let (color, marker) = of_answer(*answer);
            (Swatch::Point { color, marker, hollow: false }, answer.name().to_owned())
        })
        .collect();
    let (color, marker) = of_answer(Answer::NotEnoughData);
    line.push((Swatch::Point { color, marker, hollow: true }, "other".to_owned()));
    line.push((Swatch::Line { color: FRAME, dashes: GIVEN, marker: None }, "k of the answer".to_owned()));
    let grid =
        Grid { texts, x: &x, y: &y, legend: Legend { lines: vec![line], bars: Vec::new() }, aspect: 0.55 };
    grid.draw("difference in kept against dimension".to_owned(), |canvas, _, _, place| {
        let at = |x: f64, y: f64| point(place, scales, (x, y));
        let corners =
            [(first - 0.6, -MARGIN), (last + 0.6, -MARGIN), (last + 0.6, MARGIN), (first - 0.6, MARGIN)];
        let band: Vec<_> = corners.into_iter().filter_map(|(x, y)| at(x, y)).collect();
        canvas.group("margin", None, |canvas| canvas.polygon(&band, MUTED, 0.18));
        if let (Some(from), Some(to)) = (at(first - 0.6, 0.0), at(last + 0.6, 0.0)) {
            canvas.group("zero", None, |canvas| canvas.line(from, to, FRAME, 1.0));
        }
        let k = diagnosis.dimension as f64;
        if let (Some(from), Some(to)) = (at(k, y.low()), at(k, y.high())) {
            canvas.group("given", None, |canvas| canvas.polyline(&[from, to], FRAME, 1.2, GIVEN));
        }
        for one in &diagnosis.by_dimension {
            let (k, difference) = of(one);
            let Some(spot) = at(k, difference.value) else { continue };
            let (color, marker) = of_answer(one.answer);
            let tip = format!(
                "k = {k}: {}, difference {}",
                one.answer.name(),
                eigensweep_engine::diagnose::interval(&difference)
            );
            let hollow = matches!(one.answer, Answer::NotEnoughData | Answer::ItDepends | Answer::Identical);
            canvas.group("point", Some(tip), |canvas| {
                if let (Some(low), Some(high)) = (difference.low(), difference.high())
                    && let (Some(from), Some(to)) = (at(k, low), at(k, high))
                {
                    canvas.line(from, to, color, 1.6);
                }
                canvas.marker(marker, spot, 4.0, color, hollow);
            });
        }
    })
}

fn spectra(found: &Found) -> Drawing {
    let none = [];
    let of = |at: usize| match (&found.diagnosis.model, at) {
        (Some(model), 0) => &model.signal[..],
        (Some(model), 1) => &model.noise[..],
        (Some(model), _) => &model.views[..],
        (None, _) => &none[..],
    };
    let names = ["signal", "noise", "views"];
    let looks =
        [(CATEGORIES[0], Marker::Circle), (CATEGORIES[1], Marker::Triangle), (CATEGORIES[3], Marker::Square)];
    let largest = (0..3).flat_map(&of).copied().fold(0.0, f64::max);
    // Below it there is rounding.
    let shown = |value: f64| value > 1e-9 * largest;
    let values: Vec<f64> = (0..3).flat_map(&of).copied().filter(|value| shown(*value)).collect();
    let y = Scale::fit(&values, Some(Spacing::Log), 0.06);
    let most = (0..3).map(|at| of(at).len()).max().unwrap_or(1) as f64;
    let x = Scale::Linear { low: 1.0 - 0.03 * most, high: 1.03 * most, whole: true };
    let scales = (&x, &y);
    let texts = Texts {
        x: "rank of the eigenvalue".to_owned(),
        y: "variance".to_owned(),
        columns: vec![String::new()],
        ..Texts::default()
    };
    let mut line: Vec<_> = (0..3)
        .map(|at| {
            let (color, marker) = looks[at];
            (Swatch::Line { color, dashes: &[], marker: Some(marker) }, names[at].to_owned())
        })
        .collect();
    line.push((Swatch::Line { color: INK, dashes: GIVEN, marker: None }, "k".to_owned()));
    let grid =
        Grid { texts, x: &x, y: &y, legend: Legend { lines: vec![line], bars: Vec::new() }, aspect: 0.6 };
    grid.draw("eigenvalues of signal, noise and views".to_owned(), |canvas, _, _, place| {
        let k = found.diagnosis.dimension as f64 + 0.5;
        if let (Some(from), Some(to)) =
            (point(place, scales, (k, y.low())), point(place, scales, (k, y.high())))
        {
            canvas.group("given", None, |canvas| canvas.polyline(&[from, to], INK, 1.2, GIVEN));
        }
        for at in 0..3 {
            let (color, marker) = looks[at];
            let points: Vec<_> = of(at)
                .iter()
                .enumerate()
                .filter(|(_, value)| shown(**value))
                .filter_map(|(rank, value)| {
                    Some((rank + 1, *value, point(place, scales, ((rank + 1) as f64, *value))?))
                })
                .collect();
            let way: Vec<_> = points.iter().map(|(.., spot)| *spot).collect();
            canvas.group("curve", None, |canvas| canvas.polyline(&way, color, 1.4, &[]));
            // Few enough to be told apart.
            for (rank, value, spot) in points.into_iter().take(60) {
                let tip = format!("{} {rank}: {}", names[at], digits(value, 4));
                canvas.group("point", Some(tip), |canvas| canvas.marker(marker, spot, 2.4, color, false));
            }
        }
    })
}

/// The look of a paradigm.
fn look(at: usize) -> (Rgb, Marker) {
    (paradigm_color(PARADIGMS[at]), Marker::SERIES[at])
}

/// The look of an answer: a paradigm's own, or none.
fn of_answer(answer: Answer) -> (Rgb, Marker) {
    match answer {
        Answer::JointEmbedding => look(0),
        Answer::Reconstruction => look(1),
        Answer::TooClose | Answer::Identical => (MUTED, Marker::Diamond),
        Answer::ItDepends | Answer::NotEnoughData => (MUTED, Marker::Diamond),
    }
}
