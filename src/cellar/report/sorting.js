// Heads of sortable tables become buttons: sorted one way, the other way, as it was. What has no value stays last.
const NUMBERS = ["descending", "ascending", "none"];
const NAMES = ["ascending", "descending", "none"];

function arranged(rows, column, order) {
  if (order === "none") return rows;
  const value = (row) => row.cells[column].dataset.value;
  const sign = order === "ascending" ? 1 : -1;
  const compare = (a, b) => column ? value(a) - value(b) : value(a).localeCompare(value(b));
  const filled = rows.filter((row) => value(row) !== undefined).sort((a, b) => sign * compare(a, b));
  return [...filled, ...rows.filter((row) => value(row) === undefined)];
}

for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    const orders = column ? NUMBERS : NAMES;
    button.type = "button";
    button.append(...head.firstElementChild.childNodes);
    head.firstElementChild.replaceWith(button);
    button.addEventListener("click", () => {
      const next = orders[(orders.indexOf(head.getAttribute("aria-sort") ?? "none") + 1) % orders.length];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next !== "none") head.setAttribute("aria-sort", next);
      table.tBodies[0].append(...arranged(rows, column, next));
    });
  });
}
