// How good the code that passed is: CPU time, growth, complexity, findings; the figures are those of `cpu-codegen efficiency`.

const view = { cell: 0 };
const ROWS_AT_MOST = 60; // of the picture by problem; the list of samples has them all
const FINDINGS = {
  unreached_lines: "lines that no test executes", unknown_imports: "imports of unknown packages", third_party_imports: "imports beyond the standard library",
  dangerous_calls: "calls that deserve a look (eval, open …)", unused_imports: "unused imports", bare_excepts: "bare except", mutable_defaults: "mutable defaults",
  bandit: "security rules of ruff (bandit's)", ruff: "other rules of ruff",
};
const METRICS = {
  complexity: "cyclomatic", maintainability: "maintainability", sloc: "source lines", halstead_volume: "Halstead volume", halstead_difficulty: "difficulty", halstead_effort: "effort",
};

function drawEfficiency() {
  const cells = overall(), cell = cells[view.cell];
  const measured = samplesOf(cell).filter((s) => s.efficiency?.cpu_ratio?.value > 0).sort((a, b) => a.efficiency.cpu_ratio.value - b.efficiency.cpu_ratio.value);
  const choice = cells.length > 1 ? el("div", { class: "controls" }, chooser("answers of", cells.map((c, i) => [i, label(c)]), view.cell, (v) => { view.cell = Number(v); drawEfficiency(); })) : null;
  fill("efficiency", ratioTable(cells), complexityTable(), growthTable(), findingsTable(), literatureTable(),
    el("h3", {}, "CPU time by problem"), choice, measured.length ? ratioFigure(cell, measured.slice(-ROWS_AT_MOST)) : el("p", {}, "No answer of this row has a measured ratio."),
    measured.length > ROWS_AT_MOST ? el("p", { class: "fine" }, `The ${ROWS_AT_MOST} slowest of ${plural(measured.length, "answer")}: `, leads("all, the slowest first", { ...ofCell(cell), sort: "ratio" })) : null);
}

// What was measured, what was left out and why; each leads to its answers.
function ratioTable(cells) {
  const statuses = (c) => Object.entries(page.efficiency.find((row) => sameCell(row, c))?.statuses ?? {}).flatMap(([status, n], i) => [i ? ", " : "", leads(`${n} ${words(status)}`, { ...ofCell(c), measured: status })]);
  const rows = cells.map((c) => {
    const e = c.efficiency, found = statuses(c);
    return [label(c), e.cpu_ratio ? leads((e.censored ? "≥ " : "") + ratio(e.cpu_ratio), { ...ofCell(c), sort: "ratio" }) : "–", e.verdict ?? "–", e.cpu_ratio?.n ?? 0, found.length ? found : e.why || "–"];
  });
  return dataTable("CPU time of passed answers over the reference's: geometric mean over problems; over 1 is slower",
    ["model and style", { name: "ratio [95 %]", n: 1 }, "verdict", { name: "problems", n: 1 }, "the passed answers"], rows);
}

function complexityTable() {
  const known = page.efficiency.filter((row) => Object.keys(row.complexity).length);
  if (!known.length) return null;
  const pair = (row, name) => leads(`${number(row.complexity[name].answers)} v ${number(row.complexity[name].references)}`, { ...ofCell(row), sort: name });
  return dataTable("Static complexity of passed answers: median answer v median reference (radon)", ["model and style", ...Object.values(METRICS).map((name) => ({ name, n: 1 }))],
    known.map((row) => [label(row), ...Object.keys(METRICS).map((name) => pair(row, name))]));
}

const GROWTHS = [["growth", "CPU time"], ["memory_growth", "memory"]];

function growthTable() {
  const known = page.efficiency.filter((row) => GROWTHS.some(([name]) => row[name]));
  const shown = (row, name) => {
    const g = row[name], count = (n, way) => counted(n, { ...ofCell(row), [name]: way });
    return g ? [`n^${fixed(g.median_exponent)} v n^${fixed(g.reference_median_exponent)}`, [count(g.faster, "faster"), " / ", count(g.no_difference, "alike"), " / ", count(g.slower, "slower")]] : ["–", "–"];
  };
  return known.length ? dataTable("Growth with the size of the input: median answer v median reference, and how many answers surely grow faster / cannot be told apart / surely grow slower",
    ["model and style", ...GROWTHS.flatMap(([, of]) => [{ name: of, n: 1 }, { name: "faster / alike / slower", n: 1 }])], known.map((row) => [label(row), ...GROWTHS.flatMap(([name]) => shown(row, name))])) : null;
}

// Programs with a finding, of those looked at; "–" where nobody looked.
function findingsTable() {
  const known = page.efficiency.filter((row) => Object.keys(row.findings).length);
  if (!known.length) return null;
  const part = (row, name) => (row.findings[name] ? [counted(row.findings[name][0], { ...ofCell(row), finding: name }), ` of ${row.findings[name][1]}`] : "–");
  const looked = Object.keys(FINDINGS).filter((name) => known.some((row) => row.findings[name])), found = looked.filter((name) => known.some((row) => row.findings[name]?.[0]));
  if (!found.length) return el("p", { class: "fine" }, `The text of ${plural(d3.sum(known, (row) => Math.max(...Object.values(row.findings).map(([, n]) => n))), "passed answer")} shows none of: ${looked.map((name) => FINDINGS[name]).join("; ")}.`);
  const none = looked.filter((name) => !found.includes(name)).map((name) => FINDINGS[name]);
  return dataTable(`What the text of passed answers shows: programs with such a finding (never a verdict; – = not looked for)${none.length ? `. In none: ${none.join("; ")}` : ""}`,
    ["model and style", ...found.map((name) => ({ name: FINDINGS[name], n: 1, wrap: 1 }))], known.map((row) => [label(row), ...found.map((name) => part(row, name))]));
}

function literatureTable() {
  const names = [...new Set(page.efficiency.flatMap((row) => Object.keys(row.literature)))];
  const shown = (value) => (value === undefined ? "–" : typeof value === "number" ? number(value) : share(value));
  const units = { ET: "ET, s", MU: "MU, MB", TMU: "TMU, MB·s" };
  return names.length ? folded("metrics of the literature: ENAMEL's eff@k, Mercury's Beyond, EffiBench's sums", dataTable("Formulas and what they do not say: docs/metrics.md", ["model and style", ...names.map((name) => ({ name: units[name] ?? name, n: 1 }))],
    page.efficiency.map((row) => [label(row), ...names.map((name) => leads(shown(row.literature[name]), { ...ofCell(row), sort: "ratio" }))]))) : null;
}

// As growthTable counts: the intervals of the two exponents do not touch.
function growthOf(efficiency, name) {
  const mine = efficiency?.[name], theirs = efficiency?.[`reference_${name}`];
  if (!mine || !theirs) return "";
  return mine.low > theirs.high ? "faster" : mine.high < theirs.low ? "slower" : "alike";
}

const bound = (s) => (s.efficiency.status === "censored" ? "≥ " : ""); // stopped by the limit: at least so much

function ratioFigure(cell, measured) {
  const width = across(), rowHeight = 16, left = labelRoom(), height = measured.length * rowHeight + 62;
  const ends = measured.flatMap((s) => [s.efficiency.cpu_ratio.low, s.efficiency.cpu_ratio.high, s.efficiency.cpu_ratio.value]).filter((v) => v > 0);
  const x = d3.scaleLog([Math.min(0.5, ...ends), Math.max(2, ...ends)], [left, width - 70]), colour = modelColour(cell.run);
  const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group").attr("aria-label", `CPU time over the reference's, by problem, ${label(cell)}`);
  svg.append("line").attr("class", "front").attr("x1", x(1)).attr("x2", x(1)).attr("y1", 0).attr("y2", height - 44);
  measured.forEach((s, i) => {
    const e = s.efficiency.cpu_ratio, mid = i * rowHeight + 10;
    svg.append("text").attr("class", "soft").attr("x", left - 8).attr("y", mid + 4).attr("text-anchor", "end").text(shortened(s.problem.replace(/^.*?\//, "")));
    const [least, most] = x.domain(); // an end that the data do not bound is null: the bar goes to the edge
    line(svg, x(Math.max(e.low ?? least, least)), mid, x(Math.min(e.high ?? most, most)), mid, colour, e.low === null || e.high === null);
    mark(svg, { x: x(e.value), y: mid, style: cell.style, colour, size: 55, href: `#sample=${s.number}`, name: `${s.problem}: ${bound(s)}${ratio(e)}` });
    svg.append("text").attr("x", width - 62).attr("y", mid + 4).text(`${bound(s)}${fixed(e.value)}×`);
  });
  const [least, most] = x.domain(), ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((tick) => tick >= least && tick <= most);
  const axis = d3.axisBottom(x).tickSizeOuter(0).tickValues(ticks).tickFormat((tick) => `${tick}×`);
  svg.append("g").attr("transform", `translate(0,${height - 40})`).attr("aria-hidden", "true").call(axis);
  return el("figure", {}, el("figcaption", {}, "CPU time of each answer in multiples of the reference's, 95 %. Dashed: equal. Dotted: too few pairs for an interval."), svg.node());
}
