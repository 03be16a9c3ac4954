// The list of samples and what it is filtered and sorted by. The address says what is shown, so that back and forward work.

const AT_ONCE = 60;
const listing = { filters: {}, found: [], shown: AT_ONCE };
const yesNo = (value) => (value === null || value === undefined ? "" : value ? "yes" : "no");

// What a list can be filtered by: the label, what a sample has of it, how a value reads. The first row is always in sight.
const FACETS = {
  run: { name: "model", of: (s) => s.run, shown: (v) => runLabel(Number(v)), first: true },
  suite: { name: "suite", of: (s) => s.suite, first: true },
  style: { name: "style", of: (s) => s.style, first: true },
  level: { name: "level", of: (s) => s.level, first: true },
  outcome: { name: "outcome", of: (s) => s.outcome ?? "unknown", shown: words, first: true, more: [["failed", "not passed"]] },
  kind: { name: "kind of failure", of: (s) => s.kind },
  finding: { name: "finding", of: (s) => Object.keys(s.efficiency?.findings ?? {}), shown: (v) => FINDINGS[v] ?? v },
  measured: { name: "CPU time", of: (s) => s.efficiency?.status, shown: words },
  growth: { name: "CPU time grows", of: (s) => growthOf(s.efficiency, "growth") },
  memory_growth: { name: "memory grows", of: (s) => growthOf(s.efficiency, "memory_growth") },
  lines: { name: "lines of reference", of: (s) => thirdOf(problemOf(s).lines), shown: (v) => page.lengths[0]?.thirds.find((t) => endsOf(t) === v)?.name ?? v },
  format: { name: "format kept", of: (s) => yesNo(s.format_ok) },
  finish: { name: "ended by", of: (s) => s.finish_reason, shown: endedWords },
};
const endsOf = ({ low, high }) => `${low}-${high ?? ""}`;

function thirdOf(lines) {
  const third = lines && page.lengths[0]?.thirds.find((t) => lines >= t.low && (t.high === null || lines <= t.high));
  return third ? endsOf(third) : "";
}

// What a list can be sorted by, the largest first; samples without the value come last.
const SORTS = {
  seconds: { name: "seconds", of: (s) => s.cost_s },
  tokens: { name: "tokens", of: (s) => s.completion_tokens },
  ratio: { name: "CPU time v reference", of: (s) => s.efficiency?.cpu_ratio?.value, shown: (v, s) => `${bound(s)}${number(v)}×` },
  memory: { name: "peak memory of the code", of: (s) => s.efficiency?.memory_bytes },
  ...Object.fromEntries(["complexity", "maintainability", "sloc", "halstead_volume", "halstead_difficulty", "halstead_effort"].map((metric) => [metric, { name: words(metric), of: (s) => s.efficiency?.radon?.[metric] }])),
};
const sortOf = (filters) => (Object.hasOwn(SORTS, filters.sort ?? "") ? SORTS[filters.sort] : null); // the address may hold anything
const IN_LIST = ["seconds", "tokens", "ratio", "complexity"];
const canFilter = (name) => name === "problem" || name === "sort" || Object.hasOwn(FACETS, name);

function valuesOf(sample, name) {
  return [FACETS[name].of(sample)].flat().filter((value) => value !== null && value !== undefined && value !== "").map(String);
}

function matches(sample, filters) {
  return Object.entries(filters).every(([name, value]) => {
    if (name === "sort" || value === "") return true;
    if (name === "problem") return sample.problem.includes(value);
    if (name === "outcome" && value === "failed") return sample.outcome !== "passed";
    return valuesOf(sample, name).includes(value);
  });
}

function openList(filters) {
  listing.filters = filters;
  listing.found = page.samples.map((sample, number) => ({ sample, number })).filter(({ sample }) => matches(sample, filters));
  const by = sortOf(filters)?.of;
  if (by) listing.found.sort((a, b) => (by(b.sample) ?? -Infinity) - (by(a.sample) ?? -Infinity) || a.number - b.number);
  listing.shown = AT_ONCE;
  drawList();
}

function filterControls() {
  const { filters } = listing, names = Object.keys(FACETS), seldom = names.filter((name) => !FACETS[name].first);
  const measured = Object.entries(SORTS).filter(([, sort]) => page.samples.some((s) => sort.of(s) !== undefined && sort.of(s) !== null));
  const order = chooser("sort by", [["", "the run's order"], ...measured.map(([name, sort]) => [name, `${sort.name}, largest first`])], filters.sort ?? "", (v) => change("sort", v));
  order.dataset.filter = "sort";
  const problem = el("label", { "data-filter": "problem" }, "problem ", el("input", { type: "search", size: 14, value: filters.problem ?? "", on: { change: (e) => change("problem", e.target.value) } }));
  const more = seldom.map(facetControl).filter(Boolean);
  return [el("div", { class: "controls" }, names.filter((name) => FACETS[name].first).map(facetControl), problem, order),
    more.length ? el("details", { open: seldom.some((name) => filters[name]) }, el("summary", {}, "more filters"), el("div", { class: "controls" }, more)) : null];
}

function facetControl(name) {
  const facet = FACETS[name], values = [...new Set(page.samples.flatMap((s) => valuesOf(s, name)))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (values.length < 2 && !listing.filters[name] && (!values.length || facet.first)) return null;
  const choices = [["", "all"], ...(facet.more ?? []), ...values.map((value) => [value, facet.shown ? facet.shown(value) : value])];
  const node = chooser(facet.name, choices, listing.filters[name] ?? "", (value) => change(name, value));
  node.dataset.filter = name;
  return node;
}

function change(name, value) {
  const filters = Object.fromEntries(Object.entries({ ...listing.filters, [name]: value }).filter(([, v]) => v));
  history.replaceState(null, "", samplesLink(filters));
  openList(filters);
  byId("samples").querySelector(`[data-filter="${name}"]`)?.querySelector("select, input").focus();
}

function measureOf(name, sample) {
  const value = SORTS[name].of(sample);
  return typeof value === "number" && SORTS[name].shown ? SORTS[name].shown(value, sample) : number(value);
}

// A column's name sorts the whole list, not only what is in sight; chosen again, the run's order is back.
function sortButton(name) {
  const choose = () => {
    change("sort", listing.filters.sort === name ? "" : name);
    byId("samples").querySelector(`thead [data-sort="${name}"]`)?.focus();
  };
  return el("button", { type: "button", "data-sort": name, on: { click: choose } }, SORTS[name].name);
}

// In words what the list is of, so that a reader who followed a figure sees which.
function listTitle() {
  const { filters, found } = listing;
  const parts = Object.entries(filters).filter(([name]) => name in FACETS && (name !== "suite" || severalSuites())).map(([name, value]) => (FACETS[name].more ?? []).find(([v]) => v === value)?.[1] ?? `${FACETS[name].name} ${FACETS[name].shown ? FACETS[name].shown(value) : value}`);
  return [plural(found.length, "sample"), ...parts].join(" · ");
}

function drawList() {
  const { found, shown, filters } = listing, several = severalRuns(), sorted = sortOf(filters) && !IN_LIST.includes(filters.sort) ? [filters.sort] : [];
  const measures = [...IN_LIST, ...sorted].filter((name) => page.samples.some((s) => typeof SORTS[name].of(s) === "number"));
  const rows = found.slice(0, shown).map(({ sample: s, number: n }) => [
    el("a", { href: `#sample=${n}` }, nameOf(s)), badge(s), ...(several ? [runLabel(s.run)] : []), s.style, s.kind === s.outcome ? "" : s.kind, s.level,
    `${s.tests_passed}/${s.tests_total}`, ...measures.map((name) => measureOf(name, s)),
  ]);
  const columns = ["problem", "outcome", ...(several ? ["model"] : []), "style", "kind", "level", { name: "tests", n: 1 }, ...measures.map((name) => ({ name: sortButton(name), n: 1, sorted: filters.sort === name ? "descending" : null }))];
  const more = found.length > shown ? el("button", { type: "button", on: { click: () => { listing.shown += 240; drawList(); } } }, `show more (${found.length - shown} left)`) : null;
  fill("samples", filterControls(), el("p", { role: "status" }, listTitle()), dataTable("Answers; choose one to see it whole", columns, rows, { sorts: false }), more);
}

// Without the suite's name where all problems are of one.
const nameOf = (sample) => (!severalSuites() && sample.problem.startsWith(`${sample.suite}/`) ? sample.problem.slice(sample.suite.length + 1) : sample.problem);

function badge(sample) {
  const outcome = sample.outcome ?? "not judged yet";
  const node = el("span", { class: "badge" }, words(outcome));
  if (sample.outcome) node.style.setProperty("color", `var(--${outcome})`);
  return node;
}
