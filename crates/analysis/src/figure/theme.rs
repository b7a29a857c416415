//! Colours, type and sizes of all figures.
//!
//! Text is dark on white paper whatever the page is, so a figure reads the same in print and on a dark page. Colours come from
//! palettes made for colour-blind readers; series differ in marker or dash as well.

use kuva::prelude::ColorMap;

use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms;

/// Viewers without DejaVu Sans have Verdana, which has the same widths, or something like it. PNGs carry DejaVu's shapes.
pub(super) const FONT_FAMILY: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

/// A colour, red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

pub(super) const PAPER: Rgb = (255, 255, 255);
pub(super) const INK: Rgb = (28, 30, 34);
/// Secondary text; 7 : 1 on paper.
pub(super) const MUTED: Rgb = (84, 88, 96);
pub(super) const GRID: Rgb = (229, 231, 235);
pub(super) const FRAME: Rgb = (120, 124, 132);
/// A cell without a value.
pub(super) const MISSING: Rgb = (238, 238, 240);

/// Sizes of type, in pixels of the SVG; a figure of three columns set at 5.5 inches prints them at 0.72 of their size in points.
pub(super) const TICK: u32 = 11;
pub(super) const LABEL: u32 = 13;
pub(super) const HEADING: u32 = 13;
pub(super) const TITLE: u32 = 15;
pub(super) const NOTE: u32 = 11;

/// Most series that have a colour and a marker of their own; more get a colour bar.
pub(super) const FEW: usize = 5;

/// Okabe and Ito (2008): blue, vermilion and bluish green, distinct with every common kind of colour vision.
pub(super) fn paradigm_color(paradigm: &'static Paradigm) -> Rgb {
    const COLORS: [Rgb; 3] = [(0, 158, 115), (0, 114, 178), (213, 94, 0)];
    let at = paradigms::ALL.iter().position(|known| *known == paradigm);
    at.and_then(|at| COLORS.get(at)).copied().unwrap_or(INK)
}

/// Okabe and Ito's colours for categories without an order, the darkest first.
pub(super) const CATEGORIES: [Rgb; 7] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (230, 159, 0), (0, 0, 0)];

/// Colour of position `at` of `count` along an ordered axis: viridis without its palest fifth, which is illegible on paper.
pub(super) fn sequence(at: usize, count: usize) -> Rgb {
    let share = if count > 1 { at as f64 / (count - 1) as f64 } else { 0.0 };
    gradient(0.82 * share + 0.02)
}

/// Viridis at `share` in 0 … 1.
pub(super) fn gradient(share: f64) -> Rgb {
    ColorMap::Viridis.map_rgb(share.clamp(0.0, 1.0)).unwrap_or(INK)
}
