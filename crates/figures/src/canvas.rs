//! A sheet to draw on: shapes and text in pixels, kept as a kuva scene.

use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use crate::drawing::Drawing;
use crate::theme::{FONT_FAMILY, FRAME, INK, PAPER, Rgb};

/// Where text stands on its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// It starts there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    /// Size in pixels.
    pub size: u32,
    /// Anchor.
    pub anchor: Anchor,
    /// Bold or not.
    pub bold: bool,
    /// Degrees, clockwise.
    pub rotate: Option<f64>,
    /// Colour.
    pub color: Rgb,
}

impl Type {
    pub(crate) fn new(size: u32, anchor: Anchor) -> Self {
        Self { size, anchor, bold: false, rotate: None, color: INK }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) fn rotated(self, degrees: f64) -> Self {
        Self { rotate: Some(degrees), ..self }
    }

    pub(crate) fn color(self, color: Rgb) -> Self {
        Self { color, ..self }
    }
}

/// Shapes of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Down,
}

impl Marker {
    /// Markers that tell few curves apart without colour.
    pub(crate) const SERIES: [Self; 5] =
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond, Self::Down];
}

/// The sheet while it is drawn on.
pub(crate) struct Canvas {
    scene: Scene,
    clips: usize,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let (red, green, blue) = PAPER;
        let mut scene = Scene::new(width.ceil(), height.ceil());
        scene.background_color = Some(format!("#{red:02x}{green:02x}{blue:02x}"));
        scene.font_family = Some(FONT_FAMILY.to_owned());
        Self { scene, clips: 0 }
    }

    pub(crate) fn finish(self, label: String, notes: Vec<String>, hints: Vec<String>) -> Drawing {
        Drawing::new(self.scene, label, notes, hints)
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, content: &str, look: Type) {
        if content.is_empty() {
            return;
        }
        let anchor = match look.anchor {
            Anchor::Start => TextAnchor::Start,
            Anchor::Middle => TextAnchor::Middle,
            Anchor::End => TextAnchor::End,
        };
        self.scene.add(Primitive::Text {
            x,
            y,
            // kuva reads $…$ as mathematics.
            content: readable(content).replace('$', "\\$"),
            size: look.size,
            anchor,
            rotate: look.rotate,
            bold: look.bold,
            color: Some(paint(look.color)),
        });
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: Rgb, width: f64) {
        self.scene.add(Primitive::Line {
            x1: from.0,
            y1: from.1,
            x2: to.0,
            y2: to.1,
            stroke: paint(color),
            stroke_width: width,
            stroke_dasharray: None,
        });
    }

    /// A line through points, with dashes and gaps of the given lengths if there are any.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], color: Rgb, width: f64, dashes: &[f64]) {
        let dashes: Vec<String> = dashes.iter().map(f64::to_string).collect();
        self.scene.add(Primitive::PolyLine {
            points: points.to_vec(),
            stroke: paint(color),
            stroke_width: width,
            stroke_dasharray: (!dashes.is_empty()).then(|| dashes.join(" ")),
        });
    }

    /// A filled area without an outline.
    pub(crate) fn polygon(&mut self, points: &[(f64, f64)], fill: Rgb, opacity: f64) {
        if points.len() < 3 {
            return;
        }
        self.scene.add(Primitive::Path(Box::new(PathData {
            d: format!("{} Z", path(points)),
            fill: Some(paint(fill)),
            stroke: kuva::render::color::Color::None,
            stroke_width: 0.0,
            opacity: Some(opacity),
            stroke_dasharray: None,
        })));
    }

    /// A rectangle: left, top, width, height.
    pub(crate) fn rect(&mut self, place: [f64; 4], fill: Option<Rgb>, stroke: Option<Rgb>) {
        let [x, y, width, height] = place;
        self.scene.add(Primitive::Rect {
            x,
            y,
            width,
            height,
            fill: fill.map_or(kuva::render::color::Color::None, paint),
            stroke: stroke.map(paint),
            stroke_width: stroke.map(|_| 1.0),
            opacity: None,
        });
    }

    /// Hatches a rectangle (left, top, width, height), so that neighbours' lines meet.
    pub(crate) fn hatch(&mut self, [left, top, width, height]: [f64; 4]) {
        const APART: f64 = 6.0;
        let (right, bottom) = (left + width, top + height);
        // Lines x + y = m · APART.
        let mut sum = ((left + top) / APART).ceil() * APART;
        let mut pieces = Vec::new();
        while sum < right + bottom {
            let from = (left.max(sum - bottom), bottom.min(sum - left));
            let to = (right.min(sum - top), top.max(sum - right));
            if to.0 - from.0 > 0.5 {
                pieces.push(path(&[from, to]));
            }
            sum += APART;
        }
        if !pieces.is_empty() {
            self.scene.add(Primitive::Path(Box::new(PathData {
                d: pieces.join(" "),
                fill: Some(kuva::render::color::Color::None),
                stroke: paint(FRAME),
                stroke_width: 1.0,
                opacity: None,
                stroke_dasharray: None,
            })));
        }
    }

    /// A point; hollow ones are filled with paper.
    pub(crate) fn marker(&mut self, shape: Marker, (x, y): (f64, f64), size: f64, color: Rgb, hollow: bool) {
        let fill = paint(if hollow { PAPER } else { color });
        let corners: &[(f64, f64)] = match shape {
            Marker::Circle => {
                self.scene.add(Primitive::Circle {
                    cx: x,
                    cy: y,
                    r: size,
                    fill,
                    fill_opacity: None,
                    stroke: Some(paint(color)),
                    stroke_width: Some(1.2),
                });
                return;
            }
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Triangle => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Marker::Down => &[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)],
            Marker::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
        };
        let corners: Vec<(f64, f64)> =
            corners.iter().map(|(dx, dy)| (x + dx * size, y + dy * size)).collect();
        self.scene.add(Primitive::Path(Box::new(PathData {
            d: format!("{} Z", path(&corners)),
            fill: Some(fill),
            stroke: paint(color),
            stroke_width: 1.2,
            opacity: None,
            stroke_dasharray: None,
        })));
    }

    /// Draws within a group that has a class, and a text that shows when one points at it.
    pub(crate) fn group(&mut self, class: &str, title: Option<String>, draw: impl FnOnce(&mut Self)) {
        let class =
            if title.is_some() { format!("class=\"tt {class}\"") } else { format!("class=\"{class}\"") };
        let title = title.map(|title| readable(&title));
        self.scene.add(Primitive::GroupStart { transform: None, title, extra_attrs: Some(class) });
        draw(self);
        self.scene.add(Primitive::GroupEnd);
    }

    /// Draws only what lies in a rectangle: left, top, width, height.
    pub(crate) fn clipped(&mut self, [x, y, width, height]: [f64; 4], draw: impl FnOnce(&mut Self)) {
        self.clips += 1;
        let id = format!("panel-{}", self.clips);
        self.scene.defs.push(format!(
            "<clipPath id=\"{id}\"><rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/></clipPath>"
        ));
        self.scene.add(Primitive::ClipStart { x, y, width, height, id });
        draw(self);
        self.scene.add(Primitive::ClipEnd);
    }
}

fn paint((red, green, blue): Rgb) -> kuva::render::color::Color {
    kuva::render::color::Color::Rgb(red, green, blue)
}

fn path(points: &[(f64, f64)]) -> String {
    kuva::render::render::build_path(points).trim_end().to_owned()
}

/// A text without the characters that XML has no place for.
fn readable(text: &str) -> String {
    let known = |letter: char| matches!(letter, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|letter| if known(letter) { letter } else { '\u{fffd}' }).collect()
}

/// About how wide a text is, in pixels: DejaVu Sans' advances, by kind of letter.
pub(crate) fn text_width(text: &str, size: u32) -> f64 {
    let em = |letter: char| match letter {
        'i' | 'j' | 'l' | '\'' | '|' => 0.28,
        ' ' | '.' | ',' | ':' | ';' | '!' => 0.32,
        't' | 'f' | 'r' | '(' | ')' | '-' | '/' => 0.40,
        'm' | 'w' | 'M' | 'W' => 0.92,
        '⁰' | '¹' | '²' | '³' | '⁴' | '⁵' | '⁶' | '⁷' | '⁸' | '⁹' | '⁻' => 0.41,
        '=' | '+' | '±' | '<' | '>' | '≤' | '≥' | '→' | '×' => 0.84,
        letter if letter.is_uppercase() => 0.70,
        _ => 0.625,
    };
    f64::from(size) * text.chars().map(em).sum::<f64>()
}
