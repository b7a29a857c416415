//! The generalized eigenvalues that decide what a representation holds, signal and noise components
//! told apart.
//!
//! In the limit n → ∞ everything is diagonal in one basis (Section 4.1), so each eigenvalue belongs
//! to one component. With m its second moment (κ²/n of an important one, λ^Γ of an irrelevant one)
//! and s = m + λ^Θ + α²λ^Γ its second moment over the views: joint-embedding ranks by ω = m/s
//! (Theorem 3.2, pencil (G, S)), reconstruction by φ² = m²/s (Theorem 3.1, pencil (CᵀC, S)). The
//! first k are kept; the gap after the k-th decides how well the row space is determined. Spectra
//! are those of replicate 0.

use std::collections::BTreeMap;

use eigensweep_engine::theory::SpectraRow;
use eigensweep_store::columns::PARADIGM;
use eigensweep_theory::{Paradigm, relative_gap};

use super::{Kind, Shows};
use crate::Source;
use crate::canvas::{Anchor, Canvas, Marker, Type};
use crate::data::Lines;
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Legend, Swatch};
use crate::scale::{Scale, Spacing};
use crate::spec::FigureSpec;
use crate::theme::{CATEGORIES, FRAME, INK, TICK};
use crate::{FigureError, common, theory, title, unfinished};
use eigensweep_store::format::digits;

/// Generalized eigenvalues.
pub static SPECTRUM: Kind = Kind {
    name: "spectrum",
    title: "Spectrum",
    help: "Generalized eigenvalues of signal and noise components, and the gap after the k-th",
    caption: "Generalized eigenvalues as n → ∞; the representation keeps the first k, and a gap after the k-th makes it well determined.",
    needs: &[],
    reads: &["--facet", "--y-scale"],
    shows: Shows::Replicates,
    draw,
};

/// Most alignments that are shown side by side.
const MOST_COLUMNS: usize = 4;
const CUT_DASHES: &[f64] = &[4.0, 3.0];

/// The eigenvalues of one panel, descending, each with whether it is a signal component's.
#[derive(PartialEq)]
struct Panel {
    values: Vec<(f64, bool)>,
    kept: usize,
}

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let [source] = sources else {
        let reason = format!("a spectrum is of one data set, and {} are given: name one", sources.len());
        return Err(FigureError::Figure { reason });
    };
    let mut rows = Lines::read(sources, spec.filter.as_deref(), None)?;
    rows.keep_paradigms(|paradigm| paradigm.spectrum.is_some())?;
    let mut notes = unfinished(sources);
    // The limit has no n; of other axes the middle value, unless --where or --facet says otherwise.
    let facet = match spec.facet.as_slice() {
        [] => "alignment".to_owned(),
        [only] => rows.known_axis(only)?,
        _ => {
            let reason = "--facet of a spectrum takes one axis, for the columns: its rows are the paradigms"
                .to_owned();
            return Err(FigureError::Figure { reason });
        }
    };
    let varying: Vec<String> = rows.varying().into_iter().map(str::to_owned).collect();
    for name in varying.iter().filter(|name| *name != PARADIGM && **name != facet) {
        if let ("samples", Some(largest)) = (name.as_str(), rows.axis(name).last().cloned()) {
            rows.keep(name, vec![largest]);
        } else {
            rows.slice(name);
        }
    }
    rows.thin(&facet, MOST_COLUMNS);
    notes.extend(rows.thinned.iter().cloned());
    let columns = rows.axis(&facet).to_vec();
    let paradigms = rows.paradigms();
    let mut panels = Vec::new();
    for paradigm in &paradigms {
        for column in &columns {
            let fixed = theory::fixed(&rows, &[(facet.as_str(), column)]);
            let panel = panel(source, &fixed, paradigm).ok_or_else(|| FigureError::Figure {
                reason: format!(
                    "the spectra of {} cannot be had: they need the files of its [data] where its job.toml says, and \
                     principal components (`components = …`)",
                    source.name
                ),
            })?;
            panels.push(panel);
        }
    }
    if columns.len() > 1 && panels.chunks(columns.len()).all(|row| row.iter().all(|panel| *panel == row[0])) {
        let reason = format!(
            "spectra do not depend on `{facet}`: its panels would be the same; --facet takes another axis"
        );
        return Err(FigureError::Figure { reason });
    }

    let most = panels.iter().map(|panel| panel.values.len()).max().unwrap_or(1);
    let x = Scale::Linear { low: 1.0 - 0.03 * most as f64, high: most as f64 * 1.03, whole: true };
    let values: Vec<f64> = panels
        .iter()
        .flat_map(|panel| &panel.values)
        .map(|(value, _)| *value)
        .filter(|value| *value > 0.0)
        .collect();
    // Both paradigms' eigenvalues are shares of the largest: on one scale.
    let y = Scale::fit(&values, spec.y_spacing.or(Some(Spacing::Log)), 0.06);
    let placed = [PARADIGM, facet.as_str(), "samples"];
    let texts = Texts {
        title: title(sources, spec),
        hints: rows.hint().into_iter().collect(),
        subtitle: format!("{} · n → ∞, spectra of replicate 0", common(&rows, &placed)),
        x: "rank of the generalized eigenvalue".to_owned(),
        y: "eigenvalue over the largest".to_owned(),
        columns: columns.iter().map(|value| rows.valued(&facet, value)).collect(),
        rows: paradigms.iter().map(|paradigm| paradigm.name.to_owned()).collect(),
        notes,
    };
    let label = format!("generalized eigenvalues of signal and noise components, {}", texts.title);
    let grid = Grid { texts, x: &x, y: &y, legend: legend(), aspect: 0.8 };
    let count = columns.len();
    Ok(grid.draw(label, |canvas, column, row, place| {
        let panel = &panels[row * count + column];
        let scales = (&x, &y);
        let cut = panel.kept as f64 + 0.5;
        if panel.kept < panel.values.len() {
            let ends = [y.low(), y.high()].map(|end| point(place, scales, (cut, end)));
            canvas.group("cut", None, |canvas| {
                canvas.polyline(&ends.into_iter().flatten().collect::<Vec<_>>(), FRAME, 1.2, CUT_DASHES);
            });
            mark_gap(canvas, place, scales, panel);
        }
        for (at, (value, signal)) in panel.values.iter().enumerate() {
            let Some(spot) = point(place, scales, ((at + 1) as f64, *value)) else { continue };
            let (color, marker) = look(*signal);
            let kind = if *signal { "signal" } else { "noise" };
            let kept = if at < panel.kept { "kept" } else { "left out" };
            let tip =
                format!("rank {}, {kind} component, {kept}: {} of the largest", at + 1, digits(*value, 4));
            canvas.group("point", Some(tip), |canvas| canvas.marker(marker, spot, 2.6, color, !signal));
        }
        let lost = panel.values.iter().take(panel.kept).filter(|(_, signal)| !signal).count();
        let verdict = match lost {
            0 => "signal only".to_owned(),
            1 => "1 noise component kept".to_owned(),
            many => format!("{many} noise components kept"),
        };
        let gap = panel.gap().map_or_else(String::new, |gap| format!("gap {}", digits(gap, 2)));
        let [left, top, _, height] = place;
        for (line, text) in [verdict, gap].iter().enumerate() {
            let baseline = top + height - 22.0 + line as f64 * 14.0;
            canvas.text(left + 7.0, baseline, text, Type::new(TICK, Anchor::Start).color(INK));
        }
    }))
}

impl Panel {
    /// (kth − (k+1)th) over the first, as the rows' column `gap`.
    fn gap(&self) -> Option<f64> {
        let values: Vec<f64> = self.values.iter().map(|(value, _)| *value).collect();
        relative_gap(&values, self.kept)
    }
}

/// A bracket from the k-th eigenvalue down to the next.
fn mark_gap(canvas: &mut Canvas, place: Place, scales: (&Scale, &Scale), panel: &Panel) {
    let at = |rank: usize| {
        let (value, _) = panel.values.get(rank.checked_sub(1)?)?;
        point(place, scales, (panel.kept as f64 + 0.5, *value))
    };
    let (Some(above), Some(below)) = (at(panel.kept), at(panel.kept + 1)) else { return };
    canvas.group("gap", None, |canvas| {
        canvas.line(above, below, INK, 2.0);
        for (x, y) in [above, below] {
            canvas.line((x - 4.0, y), (x + 4.0, y), INK, 2.0);
        }
    });
}

fn panel(source: &Source, fixed: &BTreeMap<String, f64>, paradigm: &'static Paradigm) -> Option<Panel> {
    let SpectraRow { signal, theta_signal, gamma, theta_noise, .. } = theory::first_spectra(source, fixed)?;
    let alpha = fixed.get("alignment").copied()?;
    let kept = fixed.get("dimension").copied()?;
    let eigenvalue = paradigm.spectrum.as_ref()?.population;
    let signals = signal?
        .into_iter()
        .zip(theta_signal)
        .map(|(moment, theta)| (eigenvalue(moment, moment + theta), true));
    let noises = gamma
        .into_iter()
        .zip(theta_noise)
        .map(|(gamma, theta)| (eigenvalue(gamma, gamma + theta + alpha * alpha * gamma), false));
    let mut values: Vec<(f64, bool)> = signals.chain(noises).collect();
    values.sort_by(|a, b| b.0.total_cmp(&a.0));
    let largest = values.first()?.0;
    values.iter_mut().for_each(|(value, _)| *value /= largest);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a dimension, at least 1")]
    Some(Panel { values, kept: kept as usize })
}

fn look(signal: bool) -> ((u8, u8, u8), Marker) {
    if signal { (CATEGORIES[0], Marker::Circle) } else { (CATEGORIES[1], Marker::Triangle) }
}

fn legend() -> Legend {
    let entry = |signal: bool, text: &str| {
        let (color, marker) = look(signal);
        (Swatch::Point { color, marker, hollow: !signal }, text.to_owned())
    };
    let cut = Swatch::Line { color: FRAME, dashes: CUT_DASHES, marker: None };
    let gap = Swatch::Line { color: INK, dashes: &[], marker: None };
    let line = vec![
        entry(true, "signal component"),
        entry(false, "noise component"),
        (cut, "the first k are kept".to_owned()),
        (gap, "gap".to_owned()),
    ];
    Legend { lines: vec![line], bars: Vec::new() }
}
