// What every part uses: the data, elements made without markup, numbers as people read them.

const SVG = "http://www.w3.org/2000/svg";
const OUTCOMES = ["passed", "wrong", "error", "timeout", "memory", "syntax", "no_code", "harness_error"];
const page = { runs: [], cells: [], pairs: [], levels: [], fidelity: [], efficiency: [], lengths: [], kinds: [], advised: null, problems: {}, samples: [], strings: [] };

const byId = (id) => document.getElementById(id);
const text = (number) => (number === null || number === undefined ? "" : page.strings[number]);
const words = (name) => name.replaceAll("_", " ");

// How an answer came to its end, in words.
const FINISHES = {
  answer_complete: "a complete answer", stop_string: "a stop string", eos: "the model", length: "--max-tokens", loop: "the look for loops",
  prompt_too_long: "a prompt longer than the context", engine_error: "an engine error",
};
const endedWords = (name) => FINISHES[name] ?? words(name ?? "unknown");

// An element with attributes and children; strings become text, never markup.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "on") for (const [event, action] of Object.entries(value)) node.addEventListener(event, action);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

async function inflate(base64) {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old to unpack the data (2023 or newer is needed)");
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString("en", { maximumSignificantDigits: digits });
}

function bytes(value) {
  if (value === null || value === undefined) return "–";
  return value < 1e9 ? `${number(value / 1e6)} MB` : `${number(value / 1e9)} GB`;
}

const fixed = (value) => value.toFixed(2);
const signed = (value) => (fixed(Math.abs(value)) === "0.00" ? "0.00" : (value < 0 ? "−" : "+") + fixed(Math.abs(value)));
const difference = (e) => `${signed(e.value)} [${e.low === null ? "?" : signed(e.low)}, ${e.high === null ? "?" : signed(e.high)}]`;
const share = (e) => (e ? `${fixed(e.value)} [${fixed(e.low)}, ${fixed(e.high)}]` : "–");
function ratio(e) {
  return !e ? "–" : e.low === null || e.high === null ? `${fixed(e.value)}×` : `${fixed(e.value)}× [${fixed(e.low)}, ${fixed(e.high)}]`;
}

const sameCell = (row, cell) => row.run === cell.run && row.style === cell.style && row.suite === cell.suite;
const isAdvised = (cell) => page.advised !== null && sameCell(page.advised, cell);
const overall = () => page.cells.filter((cell) => cell.level === "all");
const modelColour = (run) => `var(--c${run % 8})`;
const problemOf = (sample) => page.problems[`${sample.suite} ${sample.problem}`] ?? {};
const severalRuns = () => page.runs.length > 1;
const severalSuites = () => new Set(page.cells.map((cell) => cell.suite)).size > 1;

// What tells a row from the others, as short as it can be.
function label(cell) {
  const parts = severalRuns() ? [runLabel(cell.run), cell.style] : [cell.style];
  return severalSuites() ? `${parts.join(", ")}, ${cell.suite}` : parts.join(", ");
}

function runLabel(index) {
  const run = page.runs[index];
  if (!run) return `no run ${index}`; // an address of another page
  const twice = page.runs.filter((other) => other.model === run.model).length > 1;
  return `${twice ? run.name : run.model}${run.stopped ? " (stopped)" : ""}`;
}

const samplesLink = (filters) => "#samples?" + new URLSearchParams(filters).toString();
const ofCell = (cell) => ({ run: cell.run, style: cell.style, suite: cell.suite });

// A figure that leads to the samples it stands for; a count of nothing leads nowhere.
const leads = (shown, filters) => (shown === "–" ? shown : el("a", { href: samplesLink(filters) }, String(shown)));
const counted = (count, filters) => (count ? leads(count, filters) : "0");
const pages = new Intl.PluralRules("en");
const plural = (count, one) => `${count.toLocaleString("en")} ${one}${pages.select(count) === "one" ? "" : "s"}`;

// A table that scrolls by itself and sorts by its columns' names; its first column stays in sight.
function dataTable(caption, columns, rows, { sorts = rows.length > 1 } = {}) {
  const head = el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c.n ? (c.wrap ? "n wrap" : "n") : null, "aria-sort": c.sorted }, c.name ?? c)));
  const body = rows.map((row) =>
    el("tr", {}, row.map((value, i) => (i === 0 ? el("th", { scope: "row" }, value) : el("td", { class: columns[i].n ? "n" : null }, value)))));
  const table = el("table", {}, el("caption", {}, el("span", {}, caption)), el("thead", {}, head), el("tbody", {}, body));
  if (sorts) sortable(table, (cell, column) => (columns[column].n ? figureOf(cell.textContent) : wordsOf(cell.textContent)));
  return el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
}

const folded = (title, ...children) => el("details", {}, el("summary", {}, title), ...children);

// A select with a label; `choices` are [value, text] pairs.
function chooser(name, choices, value, onChange) {
  const select = el("select", { on: { change: (event) => onChange(event.target.value) } },
    choices.map(([v, t]) => el("option", { value: v, selected: String(v) === String(value) }, t)));
  return el("label", {}, `${name} `, select);
}
