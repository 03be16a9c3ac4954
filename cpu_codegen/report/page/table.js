// Tables sort by their columns' names. The table of results is plain HTML already: its cells carry what they sort by (data-v).

function sortable(table, keyOf) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = el("button", { type: "button", on: { click: () => sortRows(table.tBodies[0], heads, column, keyOf) } }, head.textContent);
    head.replaceChildren(button);
  });
}

// Rising first; the state is told to screen readers, and the style sheet draws it.
function sortRows(body, heads, column, keyOf) {
  const descending = heads[column].getAttribute("aria-sort") === "ascending", key = (row) => keyOf(row.cells[column], column);
  const rows = [...body.rows].sort((a, b) => compareKeys(key(a), key(b), descending));
  heads.forEach((head, i) => (i === column ? head.setAttribute("aria-sort", descending ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
  body.append(...rows);
}

// Numbers by size, words by alphabet, absent values last whichever way.
function compareKeys(a, b, descending) {
  if (a === null || b === null) return (a === null) - (b === null);
  const numeric = a !== "" && b !== "" && Number.isFinite(Number(a)) && Number.isFinite(Number(b));
  const order = numeric ? Number(a) - Number(b) : a.localeCompare(b);
  return descending ? -order : order;
}

const UNITS = { MB: 1e6, GB: 1e9 };
const wordsOf = (shown) => (shown === "" || shown === "–" ? null : shown);

// The figure that a cell begins with: "≥ 1.41× [1.12, 1.88]", "−0.10 [−0.21, +0.01]", "1,640", "412 MB", "n^1.02 v n^1.00", "12 of 60".
function figureOf(shown) {
  const found = /^(?:≥ |n\^)?([−+-]?)(\d[\d,]*(?:\.\d+)?)(?: (MB|GB))?/.exec(shown);
  if (!found) return null;
  return (found[1] === "−" || found[1] === "-" ? -1 : 1) * Number(found[2].replaceAll(",", "")) * (UNITS[found[3]] ?? 1);
}

function setUpResults() {
  sortable(byId("results"), (cell) => cell.dataset.v ?? null);
  byId("filter").addEventListener("input", filterRows);
  filterRows();
}

function filterRows() {
  const wanted = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...byId("results").tBodies[0].rows];
  for (const row of rows) {
    const shown = `${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase();
    row.hidden = !wanted.every((word) => shown.includes(word));
  }
  byId("shown").textContent = `${rows.filter((row) => !row.hidden).length} of ${plural(rows.length, "row")}`;
}
