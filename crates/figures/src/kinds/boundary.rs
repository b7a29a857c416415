//! Critical alignments: from which α on a paradigm recovers, against n or any axis.
//!
//! A point is a cell's α* with its interval; the band is what its further quantiles enclose, the
//! transition. Thin lines are theory: dashed the threshold of infinite samples (the propositions),
//! dotted the law of finite samples. A hollow marker at an edge is a cell that recovers at every α
//! or at none.

use eigensweep_store::boundary::{ALPHA, HIGH, LAW, LOW, Line, THEORY};
use eigensweep_store::columns::PARADIGM;
use eigensweep_store::format::digits;
use eigensweep_theory::Metric;

use super::{Kind, Shows};
use crate::canvas::{Canvas, Marker};
use crate::cells::{Cells, coordinate, verdict_counts};
use crate::data::Key;
use crate::drawing::Drawing;
use crate::grid::{Grid, Place, Texts, point};
use crate::legend::{Bar, Legend, Swatch};
use crate::scale::{Scale, Spacing};
use crate::spec::FigureSpec;
use crate::theme::{FEW, MUTED, Rgb, curve_color, paradigm_color, sequence};
use crate::{FigureError, MOST_PANELS, Source, title, unfinished};

/// Critical alignments.
pub static BOUNDARY: Kind = Kind {
    name: "boundary",
    title: "Boundary",
    help: "Critical alignments with their intervals, of a data set of `eigensweep boundary`",
    caption: "The alignment at which half of the replicates recover, with its interval, the width of the transition, and theory.",
    needs: &[],
    reads: &["--x", "--color", "--facet", "--x-scale", "--y-scale"],
    shows: Shows::Boundaries,
    draw,
};

const THEORY_DASHES: &[f64] = &[6.0, 4.0];
const LAW_DASHES: &[f64] = &[1.5, 3.0];

fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    let cells = Cells::read(sources, spec.filter.as_deref())?;
    let x_name =
        spec.x.as_deref().map_or_else(|| Ok(cells.across(&["samples"])), |name| cells.known_axis(name))?;
    let mut color = spec.color.as_deref().map(|name| cells.known_axis(name)).transpose()?;
    let panels = Panels::choose(&cells, &spec.facet, x_name, &mut color, true)?;
    let x = Scale::fit_axis(&cells.numbers(x_name), spec.x_spacing, 0.04);
    let shown = |line: &Line| {
        let lines = [&ALPHA, &LOW, &HIGH, &THEORY, &LAW].map(|metric| line.value(metric));
        lines.into_iter().flatten().chain(line.transition().into_iter().flatten()).collect()
    };
    let y = heights(&cells, spec, shown);
    let shades = color.map_or_else(Vec::new, |name| cells.axis(name));
    let look = |line: &Line| match color {
        None | Some(PARADIGM) => (paradigm_color(line.paradigm), Marker::Circle),
        Some(name) => {
            let at = shades.iter().position(|value| *value == Cells::key(line, name)).unwrap_or(0);
            let few = shades.len() <= FEW;
            (sequence(at, shades.len()), if few { Marker::SERIES[at] } else { Marker::Circle })
        }
    };
    let texts = Texts {
        subtitle: subtitle(&cells),
        notes: notes(sources, &cells),
        y: "critical alignment α*".to_owned(),
        ..panels.texts(sources, spec, x_name)
    };
    let label = format!("critical alignments against {}, {}", texts.x, texts.title);
    let grid = Grid { texts, x: &x, y: &y, legend: legend(&cells, color, &shades), aspect: 0.85 };
    Ok(grid.draw(label, |canvas, column, row, place| {
        let here = panels.here(column, row);
        let mut series: Vec<(Key, Key)> = here
            .iter()
            .map(|line| (Cells::key(line, PARADIGM), Cells::key(line, color.unwrap_or(PARADIGM))))
            .collect();
        series.sort();
        series.dedup();
        for (paradigm, shade) in series {
            let mut own = here.clone();
            own.retain(|line| {
                Cells::key(line, PARADIGM) == paradigm && Cells::key(line, color.unwrap_or(PARADIGM)) == shade
            });
            let Some((paint, marker)) = own.first().map(|line| look(line)) else { continue };
            let curve = Curve { place, scales: (&x, &y), x_name, color: paint, marker, lines: own };
            curve.band(canvas, "transition", Line::transition, 0.12);
            curve.theory(canvas, &[("theory", &THEORY, THEORY_DASHES), ("law", &LAW, LAW_DASHES)]);
            curve.alignments(canvas);
        }
    }))
}

/// The vertical scale of what is shown of cells; logarithmic unless asked otherwise.
pub(super) fn heights(cells: &Cells<'_>, spec: &FigureSpec, shown: impl Fn(&Line) -> Vec<f64>) -> Scale {
    let shown = cells.lines.iter().flat_map(shown).filter(|value| *value > 0.0 && value.is_finite());
    Scale::fit(&shown.collect::<Vec<f64>>(), spec.y_spacing.or(Some(Spacing::Log)), 0.08)
}

/// What all panels have in common.
pub(super) fn subtitle(cells: &Cells<'_>) -> String {
    let constants = cells.constants();
    std::iter::once("α* with its interval".to_owned()).chain(constants).collect::<Vec<_>>().join(" · ")
}

/// How many cells have no point, and why; and what is not finished.
pub(super) fn notes(sources: &[Source], cells: &Cells<'_>) -> Vec<String> {
    let [always, never, failed] = verdict_counts(&cells.lines);
    let mut notes = unfinished(sources);
    for (mark, verb, (count, how)) in
        [("▽ ", "recover", always), ("△ ", "recover", never), ("", "are", failed)]
    {
        if count > 0 {
            let verb = if count == 1 {
                verb.replace("recover", "recovers").replace("are", "is")
            } else {
                verb.into()
            };
            notes.push(format!("{mark}{count} cell{} {verb} {how}.", if count == 1 { "" } else { "s" }));
        }
    }
    notes
}

/// Which axes tell panels apart.
pub(super) struct Panels<'c, 's> {
    cells: &'c Cells<'s>,
    /// Columns and rows.
    facets: [Option<&'static str>; 2],
    values: [Vec<Key>; 2],
}

impl<'c, 's> Panels<'c, 's> {
    /// The axes that were asked for, or what varies and has no place yet: the paradigm first (where
    /// `apart`, paradigms do not share a panel), then `color`, then rows.
    pub(super) fn choose(
        cells: &'c Cells<'s>,
        asked: &[String],
        x: &'static str,
        color: &mut Option<&'static str>,
        apart: bool,
    ) -> Result<Self, FigureError> {
        let refuse = |reason: String| Err(FigureError::Figure { reason });
        if asked.len() > 2 {
            return refuse("--facet takes at most two axes: columns, then rows".to_owned());
        }
        let mut facets: Vec<&'static str> =
            asked.iter().map(|name| cells.known_axis(name)).collect::<Result<_, _>>()?;
        let mut free = cells.varying();
        let mut taken: Vec<&str> = facets.iter().copied().chain(*color).chain([x]).collect();
        taken.extend((!apart).then_some(PARADIGM));
        free.retain(|name| !taken.contains(name));
        // The paradigm is the last of those that vary.
        let last = usize::from(free.last() == Some(&PARADIGM));
        free.rotate_right(last);
        let mut free = free.into_iter();
        if asked.is_empty() {
            facets.extend(free.next());
        }
        if apart && color.is_none() {
            *color = free.next();
        }
        if asked.is_empty() && !facets.is_empty() {
            facets.extend(free.next());
        }
        let mut places: Vec<&str> = facets.iter().copied().chain(*color).chain([x]).collect();
        places.sort_unstable();
        if let Some(twice) = places.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse(format!("`{}` has two places in the figure: give it one", twice[0]));
        }
        if let Some(name) = free.next() {
            let values = cells.axis(name);
            let example = values.last().map_or_else(String::new, |key| match key {
                Key::Number(value) => format!("{name} = {value}"),
                Key::Text(text) => format!("{name} = \"{text}\""),
            });
            return refuse(format!(
                "`{name}` has {} values and no place in the figure: choose one, as in --where '{example}', or give it a place \
                 with --x, --color or --facet",
                values.len()
            ));
        }
        let facets = [facets.first().copied(), facets.get(1).copied()];
        let values = facets.map(|name| name.map_or_else(Vec::new, |name| cells.axis(name)));
        for (name, values) in facets.iter().zip(&values) {
            if let (Some(name), MOST_PANELS..) = (name, values.len().saturating_sub(1)) {
                return refuse(format!(
                    "`{name}` has {} values, and at most {MOST_PANELS} panels stand side by side: choose some, as in --where \
                     '{name} IN (…)', or give it another place with --x",
                    values.len()
                ));
            }
        }
        Ok(Self { cells, facets, values })
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> [usize; 2] {
        [0, 1].map(|side| self.values[side].len().max(1))
    }

    /// The cells of a panel, from left to right.
    pub(super) fn here(&self, column: usize, row: usize) -> Vec<&'c Line> {
        let mut here: Vec<&Line> = self.cells.lines.iter().collect();
        for ((name, values), at) in self.facets.iter().zip(&self.values).zip([column, row]) {
            here.retain(|line| name.is_none_or(|name| Cells::key(line, name) == values[at]));
        }
        here
    }

    /// What a panel is called: what tells it apart.
    pub(super) fn name(&self, column: usize, row: usize) -> String {
        let of =
            |side: usize, at: usize| Some(self.cells.valued(self.facets[side]?, self.values[side].get(at)?));
        [of(0, column), of(1, row)].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Title, axis and headings.
    pub(super) fn texts(&self, sources: &[Source], spec: &FigureSpec, x: &str) -> Texts {
        let headings = |side: usize| match self.facets[side] {
            Some(name) => self.values[side].iter().map(|value| self.cells.valued(name, value)).collect(),
            None => vec![String::new()],
        };
        Texts {
            title: title(sources, spec),
            x: self.cells.title(x),
            columns: headings(0),
            rows: headings(1),
            ..Texts::default()
        }
    }
}

/// The cells of one curve in a panel.
pub(super) struct Curve<'c> {
    pub place: Place,
    pub scales: (&'c Scale, &'c Scale),
    pub x_name: &'static str,
    pub color: Rgb,
    pub marker: Marker,
    pub lines: Vec<&'c Line>,
}

impl Curve<'_> {
    fn spot(&self, line: &Line, value: Option<f64>) -> Option<(f64, f64)> {
        let value = value.filter(|value| *value > 0.0)?;
        point(self.place, self.scales, (coordinate(line, self.x_name)?, value))
    }

    /// Runs of cells beside each other that have what `of` gives: between others nothing is known.
    fn runs<T>(&self, of: impl Fn(&Line) -> Option<T>) -> Vec<Vec<T>> {
        let mut lines = self.lines.clone();
        lines.sort_by(|one, other| Cells::key(one, self.x_name).cmp(&Cells::key(other, self.x_name)));
        let mut runs = vec![Vec::new()];
        for line in lines {
            match (of(line), runs.last_mut()) {
                (Some(found), Some(run)) => run.push(found),
                _ => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| run.len() > 1);
        runs
    }

    /// The area between two values of each cell.
    pub(super) fn band(
        &self,
        canvas: &mut Canvas,
        class: &str,
        of: impl Fn(&Line) -> Option<[f64; 2]>,
        opacity: f64,
    ) {
        let ends = |line: &Line| {
            let [low, high] = of(line)?;
            Some((self.spot(line, Some(low))?, self.spot(line, Some(high))?))
        };
        for run in self.runs(ends) {
            let back = run.iter().rev().map(|(_, high)| *high);
            let outline: Vec<_> = run.iter().map(|(low, _)| *low).chain(back).collect();
            canvas.group(class, None, |canvas| canvas.polygon(&outline, self.color, opacity));
        }
    }

    /// Thin lines: what theory says.
    pub(super) fn theory(&self, canvas: &mut Canvas, of: &[(&str, &Metric, &[f64])]) {
        for (class, metric, dashes) in of {
            for way in self.runs(|line| self.spot(line, line.value(metric))) {
                canvas.group(class, None, |canvas| canvas.polyline(&way, self.color, 1.2, dashes));
            }
        }
    }

    /// α* with its intervals; cells without one on an edge.
    pub(super) fn alignments(&self, canvas: &mut Canvas) {
        for way in self.runs(|line| self.spot(line, line.value(&ALPHA))) {
            canvas.group("curve", None, |canvas| canvas.polyline(&way, self.color, 2.0, &[]));
        }
        let [left, top, width, height] = self.place;
        for line in &self.lines {
            let number =
                |metric: &Metric| line.value(metric).map_or("–".to_owned(), |value| digits(value, 4));
            let tip = format!(
                "{}, {}: α* = {} ({} to {}), {}",
                line.paradigm,
                crate::names::valued(self.x_name, &Cells::key(line, self.x_name).text(), false),
                number(&ALPHA),
                number(&LOW),
                number(&HIGH),
                line.verdict
            );
            let edge = |level: f64| {
                let across = self.scales.0.share(coordinate(line, self.x_name)?)?;
                Some((left + across * width, level))
            };
            // What recovers at α = 0 stands on the lower edge, what never does on the upper.
            let (at, marker, hollow) = match (self.spot(line, line.value(&ALPHA)), line.verdict.as_str()) {
                (Some(at), _) => (Some(at), self.marker, false),
                (None, "never") => (edge(top + 7.0), Marker::Triangle, true),
                (None, "always" | "traced") => (edge(top + height - 7.0), Marker::Down, true),
                (None, _) => (None, self.marker, false),
            };
            let Some(at) = at else { continue };
            canvas.group("point", Some(tip), |canvas| {
                if let (Some(from), Some(to)) =
                    (self.spot(line, line.value(&LOW)), self.spot(line, line.value(&HIGH)))
                {
                    canvas.line(from, to, self.color, 1.4);
                }
                canvas.marker(marker, at, 2.8, self.color, hollow);
            });
        }
    }
}

/// Entries of the lines that theory gives, where there are any.
pub(super) fn theory_legend(cells: &Cells<'_>, law: bool) -> Vec<(Swatch, String)> {
    let lines = [(&THEORY, THEORY_DASHES, "n → ∞"), (&LAW, LAW_DASHES, "law of finite samples")];
    let entry = |(metric, dashes, name): (&Metric, &'static [f64], &str)| {
        let there = cells.lines.iter().any(|line| line.value(metric).is_some());
        there.then(|| (Swatch::Line { color: MUTED, dashes, marker: None }, name.to_owned()))
    };
    lines.into_iter().take(1 + usize::from(law)).filter_map(entry).collect()
}

fn legend(cells: &Cells<'_>, color: Option<&str>, shades: &[Key]) -> Legend {
    let mut legend = Legend::default();
    match color {
        Some(name) if name != PARADIGM && shades.len() > FEW => legend.bars.push(Bar {
            title: cells.title(name),
            scale: Scale::Steps(cells.numbers(name)),
            color: curve_color,
            lines: true,
        }),
        Some(name) if name != PARADIGM => {
            let entries = shades.iter().enumerate().map(|(at, value)| {
                let marker = Some(Marker::SERIES[at]);
                (Swatch::Line { color: sequence(at, shades.len()), dashes: &[], marker }, value.text())
            });
            legend.lines.push(
                std::iter::once((Swatch::Heading, format!("{}:", cells.title(name))))
                    .chain(entries)
                    .collect(),
            );
        }
        _ => legend.lines.push(paradigm_legend(cells)),
    }
    let mut entries = theory_legend(cells, true);
    if let Some([from, to]) = cells.lines.first().and_then(Line::transition_shares) {
        let share = |share: f64| digits(100.0 * share, 3);
        entries.push((Swatch::Band(MUTED), format!("{} to {} % recover", share(from), share(to))));
    }
    legend.lines.push(entries);
    legend
}

/// An entry for each paradigm.
pub(super) fn paradigm_legend(cells: &Cells<'_>) -> Vec<(Swatch, String)> {
    let entry = |paradigm: &'static eigensweep_theory::Paradigm| {
        let swatch =
            Swatch::Line { color: paradigm_color(paradigm), dashes: &[], marker: Some(Marker::Circle) };
        (swatch, paradigm.name.to_owned())
    };
    cells.paradigms().into_iter().map(entry).collect()
}
