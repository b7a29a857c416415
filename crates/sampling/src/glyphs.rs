//! Glyphs: an unlimited source of 28 × 28 images of handwritten digits, drawn stroke by stroke.
//!
//! Image number i is a pure function of the seed and of i: samples are prefixes, or any other
//! subset, of one sequence without an end, and no file is needed. A stroke is a quadratic B-spline
//! of a few control points, jittered and moved by a random affine map; its edge is soft over a
//! pixel.
//!
//! Format, amount of ink, spectrum and difficulty are about those of MNIST (`tests/glyphs.rs` has
//! the numbers of both), so that what runs on one runs on the other.
//!
//! # The same bytes on every machine
//!
//! An image is made of uniform numbers by +, −, ×, ÷, √, rounding and comparisons of IEEE doubles,
//! which have one right result each. Sines, exponentials and logarithms have not: their last bits
//! are the platform's. So a rotation is computed from the tangent of half of its angle, and a
//! jitter is a sum of uniforms, not a normal variate.
//!
//! Nothing allocates. Cost: 6 µs an image.
//!
//! Source of the format: LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to
//! document recognition* (1998).

use std::ops::Range;

use rand::RngExt;

use crate::streams::{Draw, Stream, Streams};

/// Rows, and columns, of an image.
pub const SIDE: usize = 28;

/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;

/// Classes: the digits 0 to 9, equally likely.
pub const CLASSES: usize = 10;

/// Control points of one stroke: (to the right, down) from the centre, in hundredths of the height
/// of a digit. At least three; a point given twice is a corner.
type Stroke = &'static [[i8; 2]];

/// The strokes of one way to write a digit.
type Hand = &'static [Stroke];

/// Each digit in several hands, all equally likely.
#[rustfmt::skip] // A stroke a line; one point a line would be two hundred.
const HANDS: [&[Hand]; CLASSES] = [
    // 0: round; wide, and not quite closed.
    &[
        &[&[[0, -50], [-38, -50], [-38, 50], [38, 50], [38, -50], [0, -50]]],
        &[&[[16, -44], [-28, -64], [-44, 46], [24, 66], [46, -44], [2, -46]]],
    ],
    // 1: a stroke, as often as not; with a flag; with a flag and a foot.
    &[
        &[&[[0, -50], [0, 0], [0, 50]]],
        &[&[[2, -50], [-2, 0], [0, 50]]],
        &[&[[-18, -30], [-6, -38], [4, -50], [4, -50], [3, 0], [4, 50]]],
        &[&[[-18, -32], [2, -50], [2, -50], [1, 0], [0, 48]],
          &[[-22, 50], [0, 49], [24, 49]]],
    ],
    // 2: with a corner; with a loop; rounded.
    &[
        &[&[[-32, -28], [-26, -52], [32, -54], [30, -6], [-32, 48], [-32, 48], [0, 46], [36, 46]]],
        &[&[[-30, -34], [-22, -54], [32, -54], [30, 0], [-14, 58], [-42, 40], [-22, 14], [0, 40], [38, 44]]],
        &[&[[-24, -42], [-4, -54], [32, -50], [24, -4], [-34, 34], [-36, 54], [0, 44], [34, 50]]],
    ],
    // 3: two bows; a flat top; one bend for the middle.
    &[
        &[&[[-28, -42], [-8, -54], [32, -52], [28, -6], [-10, -4], [-10, -4], [38, -6], [38, 50], [-6, 56], [-32, 36]]],
        &[&[[-28, -48], [0, -48], [28, -48], [28, -48], [-4, -8], [-4, -8], [40, -8], [34, 52], [-6, 54], [-32, 38]]],
        &[&[[-22, -46], [26, -62], [36, -12], [0, -4], [34, 2], [40, 52], [-8, 56], [-30, 44]]],
    ],
    // 4: open; closed; open and rounded.
    &[
        &[&[[-24, -46], [-30, -20], [-34, 6], [-34, 6], [0, 4], [34, 2]],
          &[[20, -46], [18, 0], [16, 50]]],
        &[&[[14, 50], [16, 0], [18, -50], [18, -50], [-10, -18], [-36, 16], [-36, 16], [0, 15], [36, 14]]],
        &[&[[-26, -44], [-40, 12], [-14, 12], [16, 2], [22, -48], [22, -48], [18, 0], [14, 50]]],
    ],
    // 5: in one stroke; with a bar of its own; rounded.
    &[
        &[&[[30, -48], [0, -47], [-20, -46], [-20, -46], [-26, -8], [-26, -8], [36, -26], [40, 50], [-8, 56], [-32, 36]]],
        &[&[[-18, -46], [-22, -24], [-24, -4], [-24, -4], [30, -22], [42, 36], [4, 56], [-30, 44]],
          &[[-18, -48], [8, -47], [36, -50]]],
        &[&[[32, -46], [-18, -56], [-26, -14], [-6, -10], [36, 0], [24, 54], [-12, 52], [-30, 44]]],
    ],
    // 6: bent; straight; with a small loop.
    &[
        &[&[[22, -50], [-22, -40], [-46, 46], [22, 66], [42, 4], [-2, 2], [-28, 28]]],
        &[&[[2, -50], [-18, -16], [-40, 44], [10, 62], [38, 22], [2, -2], [-26, 24]]],
        &[&[[14, -50], [-28, -10], [-36, 52], [22, 58], [30, 10], [-4, 10], [-20, 34]]],
    ],
    // 7: straight; with a bar; bent.
    &[
        &[&[[-32, -46], [0, -47], [32, -48], [32, -48], [10, 0], [-6, 50]]],
        &[&[[-30, -46], [0, -46], [30, -48], [30, -48], [8, -4], [-8, 50]],
          &[[-16, 4], [4, 2], [26, 0]]],
        &[&[[-34, -28], [-30, -48], [-4, -46], [32, -48], [32, -48], [4, -8], [4, 50]]],
    ],
    // 8: crossing in the middle; wide at the top; of two loops.
    &[
        &[&[[26, -38], [10, -56], [-34, -50], [-28, -8], [26, 8], [30, 54], [-32, 54], [-28, 8], [34, -20], [26, -42]]],
        &[&[[22, -44], [-30, -62], [-38, -18], [24, 10], [26, 56], [-30, 54], [-22, 10], [20, -16], [34, -46]]],
        &[&[[0, -50], [-28, -50], [-24, -4], [24, -4], [28, -50], [0, -50]],
          &[[0, -4], [-30, -4], [-30, 50], [30, 50], [30, -4], [0, -4]]],
    ],
    // 9: a straight stem; a bent one; in one bow.
    &[
        &[&[[26, -32], [6, -60], [-38, -46], [-30, 6], [14, 0], [24, -42], [24, -42], [20, 0], [16, 50]]],
        &[&[[26, -30], [10, -60], [-38, -48], [-30, 4], [24, 4], [28, -40], [28, -40], [32, 40], [10, 54], [-24, 46]]],
        &[&[[24, -34], [2, -58], [-34, -44], [-24, 0], [18, -2], [26, -36], [22, -12], [-2, 50]]],
    ],
];

/// Height of a digit in pixels, between the middles of its strokes.
const HEIGHT: f64 = 17.0;

/// Standard deviation of the jitter of a control point, in hundredths of the height.
const JITTER: f64 = 6.0;

/// Line segments of an arc: chords depart from it by about a tenth of a pixel at most.
const CHORDS: u32 = 6;

/// Half of the width of the edge over which ink falls from full to none, in pixels.
const EDGE: f64 = 0.6;

/// Draws image number `index` of `streams` into `image`, and returns its digit.
///
/// Pixels are row-major from the top left; 0 is no ink, 255 is full ink. Whatever `image` held is
/// overwritten.
///
/// Draws the digit, its hand and its style, and then the jitter of each control point that differs
/// from the one before it.
#[expect(clippy::cast_possible_truncation, reason = "ten classes")]
pub fn draw(streams: &Streams, index: u64, image: &mut [u8; PIXELS]) -> u8 {
    let mut rng = streams.stream(Draw::Glyph, &[index]);
    let digit = rng.random_range(0..CLASSES);
    let hands = HANDS[digit];
    let hand = hands[rng.random_range(0..hands.len())];
    let style = Style::draw(&mut rng);
    let mut ink = Ink::new(style.pen);
    for stroke in hand {
        let mut control = style.place(stroke[0], &mut rng);
        let mut start = control;
        for (i, pair) in stroke.windows(2).enumerate() {
            let next = if pair[0] == pair[1] { control } else { style.place(pair[1], &mut rng) };
            // The first control point begins the first arc and has none of its own.
            if i > 0 {
                let end = if i + 2 == stroke.len() { next } else { between(control, next, 0.5) };
                ink.arc(start, control, end);
                start = end;
            }
            control = next;
        }
    }
    ink.develop(image);
    digit as u8
}

/// Uniform on [−1, 1).
fn uniform(rng: &mut Stream) -> f64 {
    2.0 * rng.random::<f64>() - 1.0
}

/// A bell of mean 0 and variance 1 within ±3: the sum of three uniforms.
fn bell(rng: &mut Stream) -> f64 {
    uniform(rng) + uniform(rng) + uniform(rng)
}

fn between(a: [f64; 2], b: [f64; 2], share: f64) -> [f64; 2] {
    [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
}

/// What the strokes of an image share: size, slant, place and pen.
struct Style {
    /// From hundredths of the height to pixels.
    map: [[f64; 2]; 2],
    /// The centre of the digit: column and row, in pixels.
    centre: [f64; 2],
    /// Half of the width of a stroke, in pixels.
    pen: f64,
}

impl Style {
    fn draw(rng: &mut Stream) -> Self {
        // The tangent of half of an angle within ±15°.
        let t = 0.13 * uniform(rng);
        let (cosine, sine) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        // Handwriting leans to the right.
        let slant = 0.15 + 0.14 * bell(rng);
        let unit = HEIGHT / 100.0 * (1.0 + 0.05 * bell(rng));
        let (across, down) = (unit * (1.0 + 0.12 * bell(rng)), unit);
        let shear = -slant * down;
        let middle = (SIDE - 1) as f64 / 2.0;
        Self {
            map: [
                [cosine * across, cosine * shear - sine * down],
                [sine * across, sine * shear + cosine * down],
            ],
            centre: [middle + 0.7 * bell(rng), middle + 0.7 * bell(rng)],
            pen: 1.15 + 0.3 * bell(rng),
        }
    }

    /// A control point in pixels, jittered.
    fn place(&self, point: [i8; 2], rng: &mut Stream) -> [f64; 2] {
        let [x, y] = point.map(|at| f64::from(at) + JITTER * bell(rng));
        [0, 1].map(|i| self.centre[i] + self.map[i][0] * x + self.map[i][1] * y)
    }
}

/// The squared distance of each pixel from the nearest stroke, as far as the pen reaches.
struct Ink {
    pen: f64,
    squares: [f64; PIXELS],
}

impl Ink {
    fn new(pen: f64) -> Self {
        Self { pen, squares: [f64::INFINITY; PIXELS] }
    }

    /// Draws a quadratic Bézier arc.
    fn arc(&mut self, start: [f64; 2], control: [f64; 2], end: [f64; 2]) {
        let mut from = start;
        for i in 1..=CHORDS {
            let share = f64::from(i) / f64::from(CHORDS);
            let to = between(between(start, control, share), between(control, end, share), share);
            self.segment(from, to);
            from = to;
        }
    }

    /// Draws a straight line.
    fn segment(&mut self, a: [f64; 2], b: [f64; 2]) {
        let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        let square = dx * dx + dy * dy;
        // A segment of no length is a point: its share is 0 whatever is divided by.
        let scale = if square > 0.0 { 1.0 / square } else { 1.0 };
        let [columns, rows] = [0, 1].map(|i| self.reach(a[i], b[i]));
        for row in rows {
            let y = row as f64 - a[1];
            for column in columns.clone() {
                let x = column as f64 - a[0];
                let share = ((x * dx + y * dy) * scale).clamp(0.0, 1.0);
                let (left, up) = (x - share * dx, y - share * dy);
                let nearest = &mut self.squares[row * SIDE + column];
                *nearest = nearest.min(left * left + up * up);
            }
        }
    }

    /// The columns, or rows, that a line from `a` to `b` may touch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates: a line beyond the image touches nothing"
    )]
    fn reach(&self, a: f64, b: f64) -> Range<usize> {
        let reach = self.pen + EDGE;
        let first = (a.min(b) - reach).ceil() as usize;
        let end = (a.max(b) + reach).floor() + 1.0;
        first..SIDE.min(end as usize)
    }

    /// Turns distances into ink.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.5 to 255.5")]
    fn develop(&self, image: &mut [u8; PIXELS]) {
        for (pixel, &square) in image.iter_mut().zip(&self.squares) {
            let cover = (self.pen + EDGE - square.sqrt()) / (2.0 * EDGE);
            *pixel = (255.0 * cover.clamp(0.0, 1.0) + 0.5) as u8;
        }
    }
}
