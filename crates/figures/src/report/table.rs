//! Sortable tables.

use std::fmt::Write;

use crate::data::Key;
use eigensweep_store::format::{digits, settled};

/// A cell: what is shown, and by which number it is sorted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Missing,
    Text(String),
    Number(f64, String),
}

impl Value {
    /// A number to four digits.
    pub(crate) fn number(value: Option<f64>) -> Self {
        let settled = value.filter(|value| value.is_finite()).map(settled);
        settled.map_or(Self::Missing, |value| Self::Number(value, digits(value, 4)))
    }

    /// A threshold α*: its median, and its 5 % and 95 % quantiles where they differ.
    pub(crate) fn threshold([median, low, high]: [f64; 3]) -> Self {
        if median.is_infinite() {
            return Self::Number(f64::MAX, "none".to_owned());
        }
        let settled = settled(median);
        let spread = match [low, high].map(|end| digits(end, 3)) {
            [low, high] if low != high => format!(" ({low} to {high})"),
            _ => String::new(),
        };
        Self::Number(settled, format!("{}{spread}", digits(settled, 4)))
    }

    /// A coordinate, as figures show it.
    pub(crate) fn coordinate(key: &Key) -> Self {
        match key {
            // An axis that one of several data sets does not have.
            Key::Number(value) if value.is_nan() => Self::Missing,
            Key::Number(value) => Self::Number(*value, key.text()),
            Key::Text(text) => Self::Text(text.clone()),
        }
    }
}

/// A table with a caption for those who cannot see it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub caption: String,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The table in HTML; it scrolls on its own where it is wider than the page.
    pub(crate) fn html(&self) -> String {
        let caption = escape(&self.caption);
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table><thead><tr>"
        );
        for (at, heading) in self.headings.iter().enumerate() {
            let class = if self.is_number(at) { " class=\"n\"" } else { "" };
            let _ = write!(
                html,
                "<th scope=\"col\"{class}><button type=\"button\">{}</button></th>",
                escape(heading)
            );
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (at, value) in row.iter().enumerate() {
                let _ = match value {
                    Value::Text(text) => write!(html, "<td>{}</td>", escape(text)),
                    Value::Number(value, text) => {
                        write!(html, "<td class=\"n\" data-v=\"{value:.6e}\">{}</td>", escape(text))
                    }
                    Value::Missing if self.is_number(at) => {
                        write!(html, "<td class=\"n\" data-v=\"\">–</td>")
                    }
                    Value::Missing => write!(html, "<td>–</td>"),
                };
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
        html
    }

    fn is_number(&self, column: usize) -> bool {
        !self.rows.iter().any(|row| matches!(row.get(column), Some(Value::Text(_))))
    }
}

/// Text within HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_and_numbers_keep_their_value() {
        let table = Table {
            caption: "a \"b\"".to_owned(),
            headings: vec!["<x>".to_owned(), "y".to_owned()],
            rows: vec![
                vec![Value::Text("</td>&".to_owned()), Value::number(Some(1.0 / 3.0))],
                vec![Value::Text("b".to_owned()), Value::number(None)],
            ],
        };
        let html = table.html();
        assert!(html.contains("<button type=\"button\">&lt;x&gt;</button>"), "{html}");
        assert!(html.contains("<td>&lt;/td&gt;&amp;</td>"), "{html}");
        assert!(html.contains("data-v=\"3.333333e-1\">0.3333</td>"), "{html}");
        assert!(html.contains("data-v=\"\">–</td>"), "{html}");
    }
}
