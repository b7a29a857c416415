//! The shared legend below the panels: entries in lines, and a colour bar where colours are many.

use crate::canvas::{Anchor, Canvas, Marker, Type, text_width};
use crate::scale::Scale;
use crate::theme::{FRAME, INK, MUTED, PAPER, Rgb, TICK};

const ROW: f64 = 19.0;
const SWATCH: f64 = 26.0;
const BETWEEN: f64 = 16.0;
/// Size of a colour bar.
const BAR: (f64, f64) = (220.0, 11.0);
/// Shades of a colour bar: more than the eye tells apart at that length.
const SHADES: u32 = 110;

/// What stands before an entry's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Swatch {
    /// A heading of what follows.
    Heading,
    /// A curve.
    Line { color: Rgb, dashes: &'static [f64], marker: Option<Marker> },
    /// A curve over a map: with an edge of paper.
    Cased { color: Rgb, dashes: &'static [f64] },
    /// A point.
    Point { color: Rgb, marker: Marker, hollow: bool },
    /// An area.
    Patch(Rgb),
    /// A hatched area.
    Hatched(Rgb),
    /// A line from below to above.
    Upright(Rgb),
    /// A band around it.
    Band(Rgb),
}

/// A colour bar: title, scale, and the colour of a share.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub title: String,
    pub scale: Scale,
    pub color: fn(f64) -> Rgb,
    /// Whether the colours are those of lines, and not of areas.
    pub lines: bool,
}

/// Lines of entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Legend {
    /// Each inner list starts on a line of its own.
    pub lines: Vec<Vec<(Swatch, String)>>,
    pub bars: Vec<Bar>,
}

/// A legend with its line breaks.
pub(crate) struct Placed {
    lines: Vec<Vec<(Swatch, String)>>,
    bars: Vec<Bar>,
}

fn entry_width((swatch, text): &(Swatch, String)) -> f64 {
    let before = match swatch {
        Swatch::Heading => 0.0,
        Swatch::Line { .. } | Swatch::Cased { .. } => SWATCH + 6.0,
        Swatch::Point { .. }
        | Swatch::Patch(_)
        | Swatch::Hatched(_)
        | Swatch::Upright(_)
        | Swatch::Band(_) => 18.0,
    };
    before + text_width(text, TICK) + BETWEEN
}

impl Legend {
    /// Breaks lines at `width`.
    pub(crate) fn layout(self, width: f64) -> Placed {
        let mut lines = Vec::new();
        for line in self.lines {
            let mut current = Vec::new();
            let mut used = 0.0;
            for entry in line {
                let each = entry_width(&entry);
                if used + each > width + BETWEEN && !current.is_empty() {
                    lines.push(std::mem::take(&mut current));
                    used = 0.0;
                }
                used += each;
                current.push(entry);
            }
            if !current.is_empty() {
                lines.push(current);
            }
        }
        Placed { lines, bars: self.bars }
    }
}

impl Placed {
    pub(crate) fn height(&self) -> f64 {
        self.lines.len() as f64 * ROW + self.bars.len() as f64 * (BAR.1 + 24.0)
    }

    /// Draws the lines, each in the middle of `width`.
    pub(crate) fn draw(self, canvas: &mut Canvas, left: f64, top: f64, width: f64) {
        let mut y = top;
        for bar in &self.bars {
            draw_bar(canvas, bar, left, y, width);
            y += BAR.1 + 24.0;
        }
        for line in &self.lines {
            let used: f64 = line.iter().map(entry_width).sum::<f64>() - BETWEEN;
            let mut x = left + ((width - used) / 2.0).max(0.0);
            for entry in line {
                draw_entry(canvas, entry, x, y + ROW / 2.0);
                x += entry_width(entry);
            }
            y += ROW;
        }
    }
}

fn draw_entry(canvas: &mut Canvas, (swatch, text): &(Swatch, String), x: f64, middle: f64) {
    let baseline = middle + f64::from(TICK) * 0.36;
    let ends = [(x, middle), (x + SWATCH, middle)];
    let look = Type::new(TICK, Anchor::Start);
    match swatch {
        Swatch::Heading => canvas.text(x, baseline, text, look.color(MUTED)),
        Swatch::Line { color, dashes, marker } => {
            canvas.polyline(&ends, *color, 2.0, dashes);
            if let Some(marker) = marker {
                canvas.marker(*marker, (x + SWATCH / 2.0, middle), 3.2, *color, false);
            }
            canvas.text(x + SWATCH + 6.0, baseline, text, look);
        }
        Swatch::Cased { color, dashes } => {
            canvas.rect([x, middle - 6.0, SWATCH, 12.0], Some((150, 152, 158)), None);
            canvas.polyline(&ends, PAPER, 4.6, dashes);
            canvas.polyline(&ends, *color, 2.2, dashes);
            canvas.text(x + SWATCH + 6.0, baseline, text, look);
        }
        Swatch::Point { color, marker, hollow } => {
            canvas.marker(*marker, (x + 6.0, middle), 3.6, *color, *hollow);
            canvas.text(x + 18.0, baseline, text, look);
        }
        Swatch::Patch(color) => {
            canvas.rect([x, middle - 5.5, 12.0, 11.0], Some(*color), Some(FRAME));
            canvas.text(x + 18.0, baseline, text, look);
        }
        Swatch::Hatched(color) => {
            let place = [x, middle - 5.5, 12.0, 11.0];
            canvas.rect(place, Some(*color), None);
            canvas.hatch(place);
            canvas.rect(place, None, Some(FRAME));
            canvas.text(x + 18.0, baseline, text, look);
        }
        Swatch::Upright(color) => {
            canvas.line((x + 6.0, middle - 6.5), (x + 6.0, middle + 6.5), *color, 2.0);
            canvas.text(x + 18.0, baseline, text, look);
        }
        Swatch::Band(color) => {
            let [top, bottom] = [middle - 6.5, middle + 6.5];
            canvas.polygon(&[(x, top), (x + 12.0, top), (x + 12.0, bottom), (x, bottom)], *color, 0.12);
            canvas.text(x + 18.0, baseline, text, look);
        }
    }
}

fn draw_bar(canvas: &mut Canvas, bar: &Bar, left: f64, top: f64, width: f64) {
    let title = text_width(&bar.title, TICK) + 12.0;
    let x = left + ((width - BAR.0 - title) / 2.0).max(0.0);
    canvas.text(x, top + BAR.1 - 1.5, &bar.title, Type::new(TICK, Anchor::Start).color(MUTED));
    let (start, top) = ((x + title).round(), top.round());
    let step = BAR.0 / f64::from(SHADES);
    for shade in 0..SHADES {
        let color = (bar.color)((f64::from(shade) + 0.5) / f64::from(SHADES));
        let left = start + f64::from(shade) * step;
        if bar.lines {
            let middle = left + step / 2.0;
            // A little wider, so that no page shows through.
            canvas.line((middle, top), (middle, top + BAR.1), color, step + 0.7);
        } else {
            canvas.rect([left, top, step, BAR.1], Some(color), None);
        }
    }
    canvas.rect([start, top, BAR.0, BAR.1], None, Some(FRAME));
    for (value, label) in bar.scale.ticks(6).0 {
        let Some(share) = bar.scale.share(value).filter(|share| (0.0..=1.0).contains(share)) else {
            continue;
        };
        let at = start + share * BAR.0;
        canvas.line((at, top + BAR.1), (at, top + BAR.1 + 3.0), FRAME, 1.0);
        canvas.text(at, top + BAR.1 + 14.0, &label, Type::new(TICK, Anchor::Middle).color(INK));
    }
}
