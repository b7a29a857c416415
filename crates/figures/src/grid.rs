//! Where panels, headings, axes and legend stand.

use crate::canvas::{Anchor, Canvas, Type, text_width};
use crate::drawing::Drawing;
use crate::legend::Legend;
use crate::scale::Scale;
use crate::theme::{FRAME, GRID, HEADING, INK, LABEL, MUTED, NOTE, TICK, TITLE};

/// Space around everything.
const MARGIN: f64 = 12.0;
/// Between panels.
const GAP: f64 = 14.0;
/// Line height of text, in sizes.
const LEADING: f64 = 1.4;
/// Length of a tick.
const TICK_LENGTH: f64 = 4.0;

/// Texts around the panels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    pub title: String,
    pub subtitle: String,
    pub x: String,
    pub y: String,
    /// One per column; empty texts take no room.
    pub columns: Vec<String>,
    /// One per row, at the right.
    pub rows: Vec<String>,
    /// Small print.
    pub notes: Vec<String>,
    /// What else could be drawn, for whoever asked for the figure; not on it.
    pub hints: Vec<String>,
}

/// A grid of panels that share both scales.
pub(crate) struct Grid<'a> {
    pub texts: Texts,
    pub x: &'a Scale,
    pub y: &'a Scale,
    pub legend: Legend,
    /// Height of a panel over its width.
    pub aspect: f64,
}

/// Left, top, width and height of a panel.
pub(crate) type Place = [f64; 4];

impl Grid<'_> {
    /// Draws everything; `panel` draws the inside of the panel in a column and a row, clipped to
    /// it.
    pub(crate) fn draw(
        self,
        label: String,
        mut panel: impl FnMut(&mut Canvas, usize, usize, Place),
    ) -> Drawing {
        let (columns, rows) = (self.texts.columns.len().max(1), self.texts.rows.len().max(1));
        let panel_width: f64 = match columns {
            1 => 380.0,
            2 => 280.0,
            3 => 206.0,
            4 => 170.0,
            _ => 150.0,
        };
        let panel_height = (panel_width * self.aspect).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count of labels"
        )]
        let fits = |length: f64, each: f64| (length / each).floor().max(2.0) as usize;
        let (y_major, y_minor) = self.y.ticks(fits(panel_height, 26.0).min(7));
        let widest = y_major.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max);
        let (x_major, x_minor) = self.x.ticks(x_label_count(self.x, panel_width));

        let has = |texts: &[String]| texts.iter().any(|text| !text.is_empty());
        let line = |size: u32| f64::from(size) * LEADING;
        let left = MARGIN + line(LABEL) + 6.0 + widest + TICK_LENGTH + 3.0;
        let right = MARGIN + if has(&self.texts.rows) { line(HEADING) + 4.0 } else { 0.0 };
        let panels_width = columns as f64 * panel_width + (columns - 1) as f64 * GAP;
        let width = (left + panels_width + right).ceil();
        let inner = width - 2.0 * MARGIN;

        let subtitle = wrap(&self.texts.subtitle, NOTE, inner);
        let mut top = MARGIN;
        top += if self.texts.title.is_empty() { 0.0 } else { line(TITLE) };
        top += subtitle.len() as f64 * line(NOTE);
        top += if top > MARGIN { 6.0 } else { 0.0 };
        let headings_at = top;
        let heading_lines: Vec<Vec<String>> =
            self.texts.columns.iter().map(|text| wrap(text, HEADING, panel_width + GAP)).collect();
        let most_lines = heading_lines.iter().map(Vec::len).max().unwrap_or(0);
        top += most_lines as f64 * line(HEADING) + 2.0;
        let bottom_of_panels = top + rows as f64 * panel_height + (rows - 1) as f64 * GAP;
        let x_label_at = bottom_of_panels + TICK_LENGTH + line(TICK) + line(LABEL);
        let legend_at = x_label_at + 12.0;
        let legend = self.legend.layout(inner);
        let notes: Vec<String> = self.texts.notes.iter().flat_map(|note| wrap(note, NOTE, inner)).collect();
        let notes_at = legend_at + legend.height() + if notes.is_empty() { 0.0 } else { 4.0 };
        let height = notes_at + notes.len() as f64 * line(NOTE) + MARGIN;

        let mut canvas = Canvas::new(width, height);
        let place = |column: usize, row: usize| {
            let x = left + column as f64 * (panel_width + GAP);
            let y = top + row as f64 * (panel_height + GAP);
            [x.round(), y.round(), panel_width, panel_height]
        };
        canvas.group("heading", None, |canvas| {
            let mut at = MARGIN;
            if !self.texts.title.is_empty() {
                at += line(TITLE);
                canvas.text(MARGIN, at - 5.0, &self.texts.title, Type::new(TITLE, Anchor::Start).bold());
            }
            for text in &subtitle {
                at += line(NOTE);
                canvas.text(MARGIN, at - 4.0, text, Type::new(NOTE, Anchor::Start).color(MUTED));
            }
            for (column, lines) in heading_lines.iter().enumerate() {
                let [x, ..] = place(column, 0);
                for (row, text) in lines.iter().enumerate() {
                    // The last line stands on the panel.
                    let below = (most_lines - lines.len() + row + 1) as f64;
                    let y = headings_at + below * line(HEADING) - 4.0;
                    canvas.text(x + panel_width / 2.0, y, text, Type::new(HEADING, Anchor::Middle).bold());
                }
            }
            for (row, text) in self.texts.rows.iter().enumerate() {
                let [.., y, _, _] = place(0, row);
                let x = left + panels_width + 6.0 + f64::from(HEADING) * 0.3;
                let look = Type::new(fitting(text, panel_height), Anchor::Middle).color(MUTED).rotated(90.0);
                canvas.text(x, y + panel_height / 2.0, text, look);
            }
        });
        for row in 0..rows {
            for column in 0..columns {
                let spot = place(column, row);
                canvas.group("panel", None, |canvas| {
                    draw_grid(canvas, spot, self.x, self.y, &x_major, &y_major);
                    canvas.clipped(spot, |canvas| panel(canvas, column, row, spot));
                    canvas.rect(spot, None, Some(FRAME));
                    draw_ticks(
                        canvas,
                        spot,
                        (self.x, self.y),
                        (&x_major, &x_minor),
                        (&y_major, &y_minor),
                        [row + 1 == rows, column == 0],
                    );
                });
            }
        }
        canvas.group("axes", None, |canvas| {
            let middle = left + panels_width / 2.0;
            canvas.text(middle, x_label_at - 3.0, &self.texts.x, Type::new(LABEL, Anchor::Middle));
            let y_middle = (top + bottom_of_panels) / 2.0;
            let size =
                if text_width(&self.texts.y, LABEL) > bottom_of_panels - top + 40.0 { TICK } else { LABEL };
            let look = Type::new(size, Anchor::Middle).rotated(-90.0);
            canvas.text(MARGIN + f64::from(LABEL), y_middle, &self.texts.y, look);
        });
        canvas.group("legend", None, |canvas| legend.draw(canvas, MARGIN, legend_at, inner));
        canvas.group("notes", None, |canvas| {
            for (at, note) in notes.iter().enumerate() {
                let y = notes_at + (at + 1) as f64 * line(NOTE) - 3.0;
                canvas.text(MARGIN, y, note, Type::new(NOTE, Anchor::Start).color(MUTED));
            }
        });
        canvas.finish(label, self.texts.notes, self.texts.hints)
    }
}

/// A value's place in a panel, if the scales have one.
pub(crate) fn point(
    [x, y, width, height]: Place,
    scales: (&Scale, &Scale),
    value: (f64, f64),
) -> Option<(f64, f64)> {
    let (across, up) = (scales.0.share(value.0)?, scales.1.share(value.1)?);
    Some((x + across * width, y + (1.0 - up) * height))
}

/// As many labels as fit side by side.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count of labels")]
fn x_label_count(scale: &Scale, width: f64) -> usize {
    (2..=9)
        .rev()
        .find(|&count| {
            let labels = scale.ticks(count).0;
            let widest = labels.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max);
            let places: Vec<f64> =
                labels.iter().filter_map(|(value, _)| Some(scale.share(*value)? * width)).collect();
            let closest =
                places.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
            widest + 8.0 <= closest
        })
        .unwrap_or(2)
        .min((width / 24.0).max(2.0) as usize)
}

fn draw_grid(
    canvas: &mut Canvas,
    place @ [x, y, width, height]: Place,
    x_scale: &Scale,
    y_scale: &Scale,
    x_ticks: &[(f64, String)],
    y_ticks: &[(f64, String)],
) {
    canvas.group("grid", None, |canvas| {
        for across in x_ticks.iter().filter_map(|(value, _)| inside(x_scale, *value)) {
            canvas.line((x + across * width, y), (x + across * width, y + height), GRID, 1.0);
        }
        for up in y_ticks.iter().filter_map(|(value, _)| inside(y_scale, *value)) {
            let level = y + (1.0 - up) * height;
            canvas.line((x, level), (x + width, level), GRID, 1.0);
        }
    });
    let _ = place;
}

fn inside(scale: &Scale, value: f64) -> Option<f64> {
    scale.share(value).filter(|share| (-1e-6..=1.0 + 1e-6).contains(share))
}

type Ticks<'a> = (&'a [(f64, String)], &'a [f64]);

/// Ticks on the lower and the left side; labels where asked for (below, left).
fn draw_ticks(
    canvas: &mut Canvas,
    [x, y, width, height]: Place,
    scales: (&Scale, &Scale),
    (x_major, x_minor): Ticks<'_>,
    (y_major, y_minor): Ticks<'_>,
    [below, beside]: [bool; 2],
) {
    canvas.group("ticks", None, |canvas| {
        let bottom = y + height;
        for across in x_minor.iter().filter_map(|value| inside(scales.0, *value)) {
            canvas.line(
                (x + across * width, bottom),
                (x + across * width, bottom + TICK_LENGTH * 0.5),
                FRAME,
                0.8,
            );
        }
        for (value, label) in x_major {
            let Some(across) = inside(scales.0, *value) else { continue };
            canvas.line((x + across * width, bottom), (x + across * width, bottom + TICK_LENGTH), FRAME, 1.0);
            if below {
                let baseline = bottom + TICK_LENGTH + f64::from(TICK) + 1.0;
                canvas.text(x + across * width, baseline, label, Type::new(TICK, Anchor::Middle).color(INK));
            }
        }
        for up in y_minor.iter().filter_map(|value| inside(scales.1, *value)) {
            let level = y + (1.0 - up) * height;
            canvas.line((x - TICK_LENGTH * 0.5, level), (x, level), FRAME, 0.8);
        }
        for (value, label) in y_major {
            let Some(up) = inside(scales.1, *value) else { continue };
            let level = y + (1.0 - up) * height;
            canvas.line((x - TICK_LENGTH, level), (x, level), FRAME, 1.0);
            if beside {
                let look = Type::new(TICK, Anchor::End).color(INK);
                canvas.text(x - TICK_LENGTH - 3.0, level + f64::from(TICK) * 0.36, label, look);
            }
        }
    });
}

/// The size at which a text fits a length.
fn fitting(text: &str, length: f64) -> u32 {
    (8..=HEADING).rev().find(|&size| text_width(text, size) <= length).unwrap_or(8)
}

/// Breaks a text at spaces into lines that fit.
pub(crate) fn wrap(text: &str, size: u32, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(last)
                if text_width(last, size) + text_width(word, size) + text_width(" ", size) <= width =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
