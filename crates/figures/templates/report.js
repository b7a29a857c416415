(() => {
  "use strict";
  // Tables: a heading sorts by its column, numbers by value, and again the other way.
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, column) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => {
          const cell = row.cells[column];
          const value = cell.dataset.v;
          return value === undefined ? cell.textContent : value === "" ? null : Number(value);
        };
        const order = (a, b) => {
          const [x, y] = [key(a), key(b)];
          // What has no value comes last either way.
          if (x === null || y === null) return (x === null) - (y === null);
          const by = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
          return down ? -by : by;
        };
        body.append(...[...body.rows].sort(order));
      });
    });
  }
  // Figures: values under the pointer, the finger or the arrow keys.
  const tip = document.getElementById("tip");
  let marked = null;
  let stepping = 0;
  const hide = () => {
    marked?.classList.remove("at");
    marked = null;
    tip.hidden = true;
  };
  const show = (mark) => {
    if (mark === marked) return;
    hide();
    marked = mark;
    mark.classList.add("at");
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const [box, size] = [mark.getBoundingClientRect(), tip.getBoundingClientRect()];
    const left = Math.min(Math.max(8, box.left + box.width / 2 - size.width / 2), innerWidth - size.width - 8);
    const above = box.top - size.height - 10;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 4 ? above : box.bottom + 10}px`;
  };
  // Focus and arrow keys scroll the page, and what then comes under a mouse that rests is over it: that is no pointing.
  let place = [];
  const rests = ({ pointerType, clientX, clientY }) =>
    pointerType === "mouse" && clientX === place[0] && clientY === place[1];
  addEventListener("pointermove", (event) => (place = [event.clientX, event.clientY]), { capture: true, passive: true });
  // A step of the arrow keys may scroll; its value stays.
  const moved = () => {
    if (Date.now() - stepping > 400) hide();
  };
  for (const sheet of document.querySelectorAll(".sheet")) {
    const marks = [...sheet.querySelectorAll(".tt")];
    for (const mark of marks) {
      const title = mark.querySelector("title");
      mark.dataset.tip = title?.textContent ?? "";
      title?.remove();
    }
    sheet.addEventListener("pointerover", (event) => {
      if (rests(event)) return;
      const mark = event.target.closest(".tt");
      mark ? show(mark) : hide();
    });
    sheet.addEventListener("pointerleave", (event) => rests(event) || hide());
    sheet.addEventListener("blur", hide);
    sheet.addEventListener("scroll", moved);
    let at = -1;
    sheet.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step || marks.length === 0) return;
      event.preventDefault();
      stepping = Date.now();
      at = (at + step + marks.length) % marks.length;
      marks[at].scrollIntoView({ block: "nearest", inline: "nearest" });
      show(marks[at]);
    });
  }
  addEventListener("scroll", moved, { passive: true });
})();
