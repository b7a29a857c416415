//! Colours, type and sizes of all figures.
//!
//! Files are dark on white paper, so that a figure reads the same in print and on any page; on the
//! page of a report, which may be dark, each colour has a twin. Colours come from
//! palettes made for colour-blind readers; series differ in marker or dash as well.

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
/// A cell where no paradigm is clearly better.
pub(crate) const UNDECIDED: Rgb = (214, 216, 220);
/// A cell where no paradigm recovers; it is hatched as well.
pub(crate) const NONE_RECOVERS: Rgb = (250, 250, 251);

/// What is neither data nor text has twins on a dark page, on `PAPER`'s.
const DARK: [(Rgb, Rgb); 8] = [
    (PAPER, (21, 23, 27)),
    (INK, (232, 234, 238)),
    (MUTED, (170, 176, 186)),
    (GRID, (47, 51, 59)),
    (FRAME, (138, 144, 154)),
    (MISSING, (38, 41, 47)),
    (UNDECIDED, (72, 77, 87)),
    (NONE_RECOVERS, (26, 28, 33)),
];

/// The twin of a colour on a dark page; `None` of a colour that stays. Lines and points become
/// light enough to be seen (3 : 1), in their own hue; the colours of areas stay.
pub(crate) fn on_dark(color: Rgb, area: bool) -> Option<Rgb> {
    const CONTRAST: f64 = 3.0;
    let known = DARK.iter().find(|(light, _)| *light == color).map(|(_, dark)| *dark);
    if area || known.is_some() {
        return known;
    }
    let paper = luminance(DARK[0].1);
    let contrast = |color: Rgb| (luminance(color) + 0.05) / (paper + 0.05);
    let mixed = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
        let mix = |byte: u8| (f64::from(byte) + share * (255.0 - f64::from(byte))).round() as u8;
        (mix(color.0), mix(color.1), mix(color.2))
    };
    if contrast(color) >= CONTRAST {
        return None;
    }
    (1..=20).map(|step| mixed(f64::from(step) / 20.0)).find(|color| contrast(*color) >= CONTRAST)
}

/// Relative luminance (WCAG 2).
fn luminance((red, green, blue): Rgb) -> f64 {
    let linear = |byte: u8| {
        let share = f64::from(byte) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

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
    curve_color(if count > 1 { at as f64 / (count - 1) as f64 } else { 0.0 })
}

/// Colour of a curve at `share` of a colour bar, in 0 … 1: the same part of viridis.
pub(crate) fn curve_color(share: f64) -> Rgb {
    gradient(0.82 * share.clamp(0.0, 1.0) + 0.02)
}

/// Viridis at `share` in 0 … 1.
pub(crate) fn gradient(share: f64) -> Rgb {
    ColorMap::Viridis.map_rgb(share.clamp(0.0, 1.0)).unwrap_or(INK)
}
