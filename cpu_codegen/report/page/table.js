// The table of results is plain HTML already; this makes it sortable and filterable.

function sortableTable() {
  const table = byId("results"), body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => row.cells[column].dataset.v ?? null;
  function sort(column) {
    const descending = heads[column].getAttribute("aria-sort") === "ascending";
    const rows = [...body.rows].sort((a, b) => compareKeys(key(a, column), key(b, column), descending));
    heads.forEach((head, i) => (i === column ? head.setAttribute("aria-sort", descending ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    heads.forEach((head) => head.querySelector("span").textContent = { ascending: " ▲", descending: " ▼" }[head.getAttribute("aria-sort")] ?? "");
    body.append(...rows);
  }
  heads.forEach((head, column) => {
    const button = el("button", { type: "button", on: { click: () => sort(column) } }, head.textContent, el("span", { "aria-hidden": "true" }));
    head.replaceChildren(button);
  });
  byId("filter").addEventListener("input", filterRows);
  filterRows();
}

// Numbers by size, words by alphabet, absent values last whichever way.
function compareKeys(a, b, descending) {
  if (a === null || b === null) return (a === null) - (b === null);
  const numeric = a !== "" && b !== "" && Number.isFinite(Number(a)) && Number.isFinite(Number(b));
  const order = numeric ? Number(a) - Number(b) : a.localeCompare(b);
  return descending ? -order : order;
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
