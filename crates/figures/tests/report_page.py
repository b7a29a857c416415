"""Checks a report in headless Chromium at the widths of a phone and a desk: no errors on the console, nothing wider than the page,
tables that sort and keep their first column in sight, figures that fit, show their values by pointer and by keyboard, and are dark on a
dark page.

    pip install playwright
    python crates/figures/tests/report_page.py REPORT.html [--screenshots DIR]

It uses the Chromium on PATH (Debian: apt-get install chromium).
"""

import argparse
import pathlib
import shutil
import sys

from playwright.sync_api import sync_playwright

WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def sort(table, column):
    """Clicks a heading; returns the values of its column in the order shown, without missing ones."""
    table.locator("thead button").nth(column).click()
    values = table.locator("tbody tr").evaluate_all("(rows, column) => rows.map((row) => row.cells[column].dataset.v)", column)
    return [float(value) for value in values if value]


def visit(browser, path, name, scheme, screenshots):
    width, height = WIDTHS[name]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    errors, requests = [], []
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.resolve().as_uri())
    check(len(requests) == 1, f"the page fetches more than itself: {requests}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    check(wide <= width, f"{name}: the page is {wide} px wide in a window of {width}")

    table = page.locator("table").first
    numbers = table.locator("thead th.n").evaluate_all("(heads) => heads.map((head) => head.cellIndex)")
    check(numbers, "no table has a column of numbers")
    up = sort(table, numbers[0])
    check(up == sorted(up), f"a heading does not sort: {up[:5]}")
    down = sort(table, numbers[0])
    check(down == sorted(up, reverse=True), "a second click does not turn the order")
    check(table.locator("th[aria-sort=descending]").count() == 1, "the order is not announced")

    # A table that scrolls keeps its first column, where the verdict is, in sight.
    kept = page.evaluate(
        """() => [...document.querySelectorAll("section .scroll")].slice(0, 2).every((box) => {
            box.scrollLeft = 9999;
            const cell = box.querySelector("tbody td").getBoundingClientRect();
            box.scrollLeft = 0;
            return Math.abs(cell.left - box.getBoundingClientRect().left) < 4;
        })"""
    )
    check(kept, f"{name}: the first column of a table scrolls out of sight")
    narrow = page.evaluate("[...document.querySelectorAll('.sheet svg')].every((svg) => svg.clientWidth <= innerWidth)")
    check(narrow, f"{name}: a figure is wider than the window")
    paper = page.evaluate("getComputedStyle(document.querySelector('.sheet svg > rect')).fill")
    check(paper == ("rgb(21, 23, 27)" if scheme == "dark" else "rgb(255, 255, 255)"), f"{scheme}: figures are on {paper}")
    order = page.evaluate("[...document.querySelectorAll('#finding, #figures, #best, #verdicts')].map((part) => part.id)")
    check(order == [part for part in ("finding", "figures", "best", "verdicts") if part in order], f"the page has {order}")

    sheets = page.locator(".sheet")
    check(sheets.count() >= 1, "there is no figure")
    tip = page.locator("#tip")
    for at in range(sheets.count()):
        sheet = sheets.nth(at)
        sheet.focus()
        page.keyboard.press("ArrowRight")
        # Focus and the key scroll; what comes under the resting mouse must not hide the value.
        page.wait_for_timeout(100)
        check(tip.is_visible() and tip.inner_text(), f"figure {at}: an arrow key shows no value")
        page.keyboard.press("Escape")
        check(not tip.is_visible(), f"figure {at}: Escape does not hide the value")
        marks = sheet.locator(".tt")
        mark = marks.nth(marks.count() // 2)
        mark.scroll_into_view_if_needed()
        page.wait_for_timeout(450)
        # The marker itself: its group may hold error bars around an empty middle.
        mark.locator("> *").last.hover(force=True)
        check(tip.is_visible() and tip.inner_text(), f"figure {at}: pointing at a mark shows no value")
        page.mouse.move(1, 1)
    check(not errors, f"the console says {errors}")
    if screenshots:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=screenshots / f"{name}-{scheme}.png", full_page=True)
    context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    check(chromium, "there is no Chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in WIDTHS:
            for scheme in ("light", "dark"):
                visit(browser, arguments.report, name, scheme, arguments.screenshots)
        browser.close()
    print(f"{arguments.report}: fine at {', '.join(f'{w} px' for w, _ in WIDTHS.values())}, light and dark")


main()
