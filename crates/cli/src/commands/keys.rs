//! `keys`: the table of keys, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets};
use eigensweep_job::chains;
use eigensweep_job::keys::{self, KEYS};
use eigensweep_theory::views::stages::KINDS;

use super::table;
use crate::exit::Exit;

/// Columns where standard output is no terminal.
const WIDTH: u16 = 100;

pub(crate) fn call(chosen: Option<&str>) -> Exit {
    let width = table::terminal_width().unwrap_or(WIDTH);
    let tables = keys::tables().into_iter().filter(|table| chosen.is_none_or(|chosen| chosen == *table));
    let mut pages: Vec<String> = tables.map(|table| format!("[{table}]\n{}", page(table, width))).collect();
    if chosen.is_none_or(|chosen| chosen == chains::STAGES) {
        pages.push(format!("kinds of stages\n{}", kinds(width)));
    }
    table::print(&pages.join("\n\n"));
    Exit::Success
}

/// A table's keys in so many columns.
fn page(name: &str, width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width).set_header(["key", "where", "value", "default", "meaning"]);
    for key in KEYS.iter().filter(|key| key.table == name) {
        let cells =
            [key.name.to_owned(), key.condition(), key.allowed(), key.unless_given(), key.help.clone()];
        // As in the documentation, without its marks.
        table.add_row(cells.map(|cell| cell.replace(['`', '*'], "")));
    }
    table
}

/// The kinds of stages and their keys in so many columns.
fn kinds(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width).set_header(["kind", "key", "value", "default", "meaning"]);
    for kind in KINDS {
        table.add_row([kind.name, "", "", "", kind.help].map(|cell| cell.replace('`', "")));
        for key in kind.keys {
            let cells = [
                String::new(),
                key.name.to_owned(),
                chains::takes(key),
                chains::unless_given(key),
                key.help.to_owned(),
            ];
            table.add_row(cells.map(|cell| cell.replace(['`', '*'], "")));
        }
    }
    table
}
