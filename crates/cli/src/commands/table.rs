//! Tables and text on standard output.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::output;

/// A table with these headings; the first `text` columns hold words, the others numbers.
pub(crate) fn new(headings: &[String], text: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    for column in table.column_iter_mut().skip(text) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A number with four significant digits, in scientific notation where it is very large or small.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=8")]
    let decimals = (3.0 - magnitude).clamp(0.0, 8.0) as usize;
    format!("{value:.decimals$}")
}

/// A coordinate as it would be typed: `0.1`, `51200`, `1e6`.
pub(crate) fn coordinate(value: f64) -> String {
    const LONGEST: usize = 8;
    [format!("{value}"), format!("{value:e}")]
        .into_iter()
        .find(|text| text.len() <= LONGEST)
        .unwrap_or_else(|| number(value))
}

/// A table in the widest of some forms that fits `width`, else in the last of them, and that form.
pub(crate) fn fitting<F: Copy>(
    widest: F,
    narrower: &[F],
    width: Option<usize>,
    of: impl Fn(F) -> String,
) -> (String, F) {
    let fits = |text: &str| width.is_none_or(|width| text.lines().all(|line| line.chars().count() <= width));
    let mut found = (of(widest), widest);
    for &form in narrower {
        if fits(&found.0) {
            break;
        }
        found = (of(form), form);
    }
    found
}

/// Columns of the terminal that standard output is; `None` of anything else.
pub(crate) fn terminal_width() -> Option<u16> {
    let terminal = console::Term::stdout();
    let size = if terminal.is_term() { terminal.size_checked() } else { None };
    size.map(|(_, columns)| columns)
}

/// Prints a line on standard output.
pub(crate) fn print(text: &str) {
    output::write(format!("{text}\n").as_bytes());
}
