//! Colours, type and sizes of all figures.
//!
//! Text is dark on white paper whatever the page is, so a figure reads the same in print and on a
//! dark page. Colours come from palettes made for colour-blind readers; series differ in marker or
//! dash as well.

use kuva::prelude::ColorMap;

use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms;

/// Viewers without DejaVu Sans have Verdana, which has the same widths, or something like it. PNGs
/// carry DejaVu's shapes.
pub(crate) const FONT_FAMILY: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

/// A colour, red, green and blue.
pub(crate) type Rgb = (u8, u8, u8);

pub(crate) const PAPER: Rgb = (255, 255, 255);
pub(crate) const INK: Rgb = (28, 30, 34);
/// Secondary text; 7 : 1 on paper.
pub(crate) const MUTED: Rgb = (84, 88, 96);
pub(crate) const GRID: Rgb = (229, 231, 235);
pub(crate) const FRAME: Rgb = (120, 124, 132);
/// A cell without a value.
pub(crate) const MISSING: Rgb = (238, 238, 240);

/// Sizes of type, in pixels of the SVG; a figure of three columns set at 5.5 inches prints them at
/// 0.72 of their size in points.
pub(crate) const TICK: u32 = 11;
pub(crate) const LABEL: u32 = 13;
pub(crate) const HEADING: u32 = 13;
pub(crate) const TITLE: u32 = 15;
pub(crate) const NOTE: u32 = 11;

/// Most series that have a colour and a marker of their own; more get a colour bar.
pub(crate) const FEW: usize = 5;

/// The colour of a paradigm, by its position in the table: Okabe and Ito's (2008), distinct with
/// every common kind of colour vision.
pub(crate) fn paradigm_color(paradigm: &'static Paradigm) -> Rgb {
    // Of the categories' colours: bluish green, blue, vermilion, and then the others.
    const ORDER: [usize; CATEGORIES.len()] = [2, 0, 1, 3, 4, 5, 6];
    let at = paradigms::ALL.iter().position(|known| *known == paradigm);
    at.map_or(INK, |at| CATEGORIES[ORDER[at % ORDER.len()]])
}

/// Okabe and Ito's colours for categories without an order, the darkest first.
pub(crate) const CATEGORIES: [Rgb; 7] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (230, 159, 0), (0, 0, 0)];

/// Colour of position `at` of `count` along an ordered axis: viridis without its palest fifth,
/// which is illegible on paper.
pub(crate) fn sequence(at: usize, count: usize) -> Rgb {
    let share = if count > 1 { at as f64 / (count - 1) as f64 } else { 0.0 };
    gradient(0.82 * share + 0.02)
}

/// Viridis at `share` in 0 … 1.
pub(crate) fn gradient(share: f64) -> Rgb {
    ColorMap::Viridis.map_rgb(share.clamp(0.0, 1.0)).unwrap_or(INK)
}
