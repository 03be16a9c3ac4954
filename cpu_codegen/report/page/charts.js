// Each section's picture with its data as a table; every mark leads to its samples.

const AXES = {
  seconds: { name: "seconds per problem", better: "low", of: (c) => c.seconds_per_problem },
  tokens: { name: "tokens per second", better: "high", of: (c) => c.tokens_per_s },
  ram: { name: "peak RAM in GB", better: "low", of: (c) => c.peak_rss_bytes === null ? null : c.peak_rss_bytes / 1e9 },
  file: { name: "model file in GB", better: "low", of: (c) => page.runs[c.run].file_bytes / 1e9 || null },
  energy: { name: "Wh per correct program", better: "low", of: (c) => c.correct_per_wh ? 1 / c.correct_per_wh : null },
};
const chosen = { axis: "seconds", suite: null, time: 0 };
const fill = (section, ...nodes) => byId(section).querySelector(".fill").replaceChildren(...nodes.flat(Infinity).filter(Boolean));
const passedName = (c) => `${label(c)}: pass@1 ${share(c["pass@1"])}, ${c.passed} of ${c.n}`;

function setUpPareto() {
  for (const [key, axis] of Object.entries(AXES)) {
    const measured = overall().some((cell) => axis.of(cell) !== null);
    byId("axis").append(el("option", { value: key, disabled: !measured }, measured ? axis.name : `${axis.name}: not measured`));
  }
  const suites = [...new Set(page.cells.map((cell) => cell.suite))];
  chosen.suite = suites[0];
  byId("suite").append(...suites.map((suite) => el("option", { value: suite }, suite)));
  byId("suite-label").hidden = suites.length < 2;
  if (!overall().some((cell) => AXES.seconds.of(cell) !== null)) chosen.axis = Object.keys(AXES).find((key) => overall().some((cell) => AXES[key].of(cell) !== null)) ?? "seconds";
  byId("axis").value = chosen.axis;
  byId("axis").addEventListener("change", (event) => { chosen.axis = event.target.value; drawPareto(); });
  byId("suite").addEventListener("change", (event) => { chosen.suite = event.target.value; drawPareto(); });
  drawPareto();
}

// The rows that no other row beats in both: cheaper and better.
function paretoFront(points, better) {
  const cheaper = (a, b) => (better === "low" ? a.x - b.x : b.x - a.x);
  let best = -1;
  return [...points].sort((a, b) => cheaper(a, b) || b.y - a.y).filter((p) => p.y > best && ((best = p.y), true));
}

function drawPareto() {
  const axis = AXES[chosen.axis];
  const points = overall().filter((c) => c.suite === chosen.suite && c["pass@1"] && axis.of(c) !== null)
    .map((cell) => ({ cell, x: axis.of(cell), y: cell["pass@1"].value }));
  if (!points.length) return byId("pareto").replaceChildren(el("p", {}, `Nothing to draw: ${axis.name} was not measured.`));
  const width = across(), height = 300, x = scaleFor(points.map((p) => p.x), [0, 1]), y = d3.scaleLinear([0, 1], [0, 1]);
  const svg = frame(`pass@1 against ${axis.name}`, { width, height, x, y, xTitle: `${axis.name} (${axis.better === "low" ? "← less is better" : "more is better →"})`, yTitle: "pass@1, 95 %" });
  const front = paretoFront(points, axis.better);
  svg.append("path").attr("class", "front").attr("d", d3.line((p) => x(p.x), (p) => y(p.y)).curve(axis.better === "low" ? d3.curveStepAfter : d3.curveStepBefore)(front));
  const placed = [];
  for (const { cell, x: vx, y: vy } of points) {
    const colour = modelColour(cell.run), e = cell["pass@1"], onFront = front.some((p) => p.cell === cell);
    line(svg, x(vx), y(e.low), x(vx), y(e.high), colour);
    mark(svg, { x: x(vx), y: y(vy), style: cell.style, colour, size: onFront ? 170 : 90, href: samplesLink({ run: cell.run, style: cell.style, suite: cell.suite }),
      name: `${passedName(cell)}, ${number(vx)} ${axis.name}${onFront ? ", on the front" : ""}` });
    if (isAdvised(cell)) svg.append("circle").attr("class", "advised").attr("cx", x(vx)).attr("cy", y(vy)).attr("r", 13);
    if (isWide() || onFront) nameBeside(svg, x(vx), y(vy), (isAdvised(cell) ? "advised: " : "") + (isWide() ? label(cell) : rowName(cell)), width, placed);
  }
  const rows = points.map(({ cell, x: vx }) => [label(cell), leads(share(cell["pass@1"]), ofCell(cell)), number(vx), front.some((p) => p.cell === cell) ? "yes" : "no"]);
  byId("pareto").replaceChildren(svg.node(), el("figcaption", {}, `${front.length > 1 ? "Dashed: the front; nothing else is both cheaper and better. " : ""}Bars: 95 % intervals.${page.advised ? " Ringed: what this page advises." : ""}`), modelLegend() || "",
    folded("the same as a table", dataTable(`pass@1 against ${axis.name}`, ["model and style", { name: "pass@1 [95 %]", n: 1 }, { name: axis.name, n: 1 }, "on the front"], rows)));
}

// A mark's name at its right, or left near the edge; moved down where it would cover another.
function nameBeside(svg, x, y, name, width, placed) {
  const shown = shortened(name, isWide() ? 44 : 32), left = x + 15 + shown.length * 6.6 > width;
  const from = left ? x - 15 - shown.length * 6.6 : x + 15;
  let at = Math.max(y - 9, 13);
  while (placed.some((p) => Math.abs(p.at - at) < 13 && from < p.to && p.from < from + shown.length * 6.6)) at += 13;
  placed.push({ at, from, to: from + shown.length * 6.6 });
  svg.append("text").attr("class", "named").attr("aria-hidden", "true").attr("x", left ? x - 15 : x + 15).attr("y", at).attr("text-anchor", left ? "end" : "start").text(shown);
}

function drawLevels() {
  const cells = page.cells.filter((cell) => cell["pass@1"]);
  const names = ["all", ...page.levels].filter((level) => cells.some((cell) => cell.level === level));
  const groups = names.map((level) => [level, cells.filter((cell) => cell.level === level)]);
  const rowHeight = 20, width = across(), left = labelRoom(), right = isWide() ? 130 : 90, head = 16, height = 46 + d3.sum(groups, ([, list]) => list.length * rowHeight + 14 + head);
  const x = d3.scaleLinear([0, 1], [left, width - right]);
  const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group").attr("aria-label", "pass@1 by level, style and model with 95 % intervals");
  let at = 12;
  for (const [level, list] of groups) {
    svg.append("text").attr("x", 4).attr("y", at + 14).style("font-weight", 600).text(level === "all" ? "all levels" : level);
    at += head;
    for (const cell of list) {
      const e = cell["pass@1"], colour = modelColour(cell.run), mid = at + rowHeight / 2;
      svg.append("line").attr("class", "grid").attr("x1", left).attr("x2", width - right).attr("y1", mid).attr("y2", mid);
      svg.append("text").attr("class", "soft").attr("x", left - 8).attr("y", mid + 4).attr("text-anchor", "end").text(rowName(cell));
      line(svg, x(e.low), mid, x(e.high), mid, colour);
      mark(svg, { x: x(e.value), y: mid, style: cell.style, colour, size: 80, name: `${level}, ${passedName(cell)}`,
        href: samplesLink({ run: cell.run, style: cell.style, suite: cell.suite, ...(level === "all" ? {} : { level }) }) });
      svg.append("text").attr("x", width - right + 8).attr("y", mid + 4).text(`${fixed(e.value)}  ${cell.passed}/${cell.n}`);
      at += rowHeight;
    }
    at += 14;
  }
  svg.append("g").attr("transform", `translate(0,${at})`).attr("aria-hidden", "true").call(d3.axisBottom(x).ticks(5).tickSizeOuter(0));
  const those = (c, more = {}) => ({ ...ofCell(c), ...(c.level === "all" ? {} : { level: c.level }), ...more });
  const rows = cells.map((c) => [label(c), c.level, leads(c.n, those(c)), counted(c.passed, those(c, { outcome: "passed" })), share(c["pass@1"]), c.format_ok?.value < 1 ? leads(share(c.format_ok), those(c, { format: "no" })) : share(c.format_ok)]);
  fill("levels", el("figure", {}, svg.node(), modelLegend()), pairsFigure(), pairsTable(), lengthTable(),
    folded("the same as a table", dataTable("pass@1 by level", ["model and style", "level", { name: "n", n: 1 }, { name: "passed", n: 1 }, { name: "pass@1 [95 %]", n: 1 }, { name: "format kept", n: 1 }], rows)));
}

// Pass rate by the length of the reference, in thirds of the problems.
function lengthTable() {
  if (!page.lengths.length) return null;
  const rows = page.lengths.map((row) => [label(row), ...row.thirds.map((t) => (t.n ? leads(`${fixed(t.passed / t.n)} (${t.passed}/${t.n})`, { ...ofCell(row), lines: endsOf(t) }) : "–"))]);
  return dataTable("Share passed by the length of the reference solution (lines of code)", ["model and style", ...page.lengths[0].thirds.map((t) => ({ name: t.name, n: 1 }))], rows);
}

const samplesOf = (cell) => page.samples.filter((s) => s.run === cell.run && s.style === cell.style && s.suite === cell.suite);

function d3groups(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups];
}

// How an answer can have ended; unknown = begun and not finished, or not judged.
const ENDS = [...OUTCOMES, "unknown"];
const ended = (cell, end) => (end === "unknown" ? cell.unknown : cell.outcomes[end]) ?? 0;
const endColour = (end) => (end === "unknown" ? "var(--soft)" : `var(--${end})`);

function drawOutcomes() {
  const cells = overall(), rowHeight = 30, left = labelRoom(), width = across(), height = cells.length * rowHeight + 8;
  const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group").attr("aria-label", "outcomes of all answers");
  cells.forEach((cell, row) => {
    const total = d3.sum(ENDS, (o) => ended(cell, o)) || 1, x = d3.scaleLinear([0, total], [left, width - 8]);
    svg.append("text").attr("x", left - 8).attr("y", row * rowHeight + 19).attr("text-anchor", "end").text(rowName(cell));
    let from = 0;
    for (const outcome of ENDS) {
      const count = ended(cell, outcome);
      if (count) outcomeBar(svg, { cell, outcome, count, x: x(from), width: x(from + count) - x(from), y: row * rowHeight + 4, height: rowHeight - 8 });
      from += count;
    }
  });
  const seen = ENDS.filter((o) => cells.some((c) => ended(c, o)));
  // an answer that never came is in no list
  const count = (c, o) => (o === "unknown" && !c.undecided ? String(ended(c, o)) : counted(ended(c, o), { ...ofCell(c), outcome: o }));
  const columns = ["model and style", ...seen.map((o) => ({ name: words(o), n: 1 })), { name: "cut at max tokens", n: 1 }];
  fill("outcomes", el("figure", {}, svg.node(), legend(seen.map((o) => ({ name: words(o), colour: endColour(o) })))),
    dataTable("Answers by outcome (harness errors count against no model)", columns,
      cells.map((c) => [label(c), ...seen.map((o) => count(c, o)), counted(c.cut_at_max_tokens, { ...ofCell(c), finish: "length" })])), kindsTable(cells));
}

function outcomeBar(svg, { cell, outcome, count, x, width, y, height }) {
  const link = svg.append("a").attr("href", samplesLink({ run: cell.run, style: cell.style, suite: cell.suite, ...(outcome === "unknown" ? {} : { outcome }) })).attr("aria-label", `${label(cell)}: ${count} ${words(outcome)}`);
  link.append("rect").attr("x", x).attr("y", y).attr("width", Math.max(0.5, width - 1)).attr("height", height).style("fill", endColour(outcome));
  if (width > 26) link.append("text").attr("x", x + width / 2).attr("y", y + 15).attr("text-anchor", "middle").style("fill", "var(--paper)").style("font-weight", 600).text(count);
  link.append("title").text(`${count} ${words(outcome)}`);
}

// Failures by kind: the exception, a package that is not there, a crash; each count leads to its samples.
const KINDS_SHOWN = 12;

function kindsTable(cells) {
  if (!page.kinds.length) return null;
  const kinds = page.kinds.slice(0, KINDS_SHOWN), others = page.kinds.length > KINDS_SHOWN;
  const rows = cells.map((cell) => {
    const failed = samplesOf(cell).filter((s) => s.kind), of = (kind) => failed.filter((s) => s.kind === kind).length;
    const rest = others ? [counted(failed.filter((s) => !kinds.includes(s.kind)).length, { ...ofCell(cell), outcome: "failed", sort: "seconds" })] : [];
    return [label(cell), ...kinds.map((kind) => counted(of(kind), { ...ofCell(cell), kind })), ...rest];
  });
  return dataTable("Failures by kind, the commonest first", ["model and style", ...kinds.map((name) => ({ name, n: 1 })), ...(others ? [{ name: "other kinds", n: 1 }] : [])], rows);
}

function drawTime() {
  const run = chosen.time, list = page.samples.filter((s) => s.run === run && s.start_offset_s !== undefined);
  const choice = severalRuns() ? el("div", { class: "controls" }, chooser("run", page.runs.map((_, i) => [i, runLabel(i)]), run, (v) => { chosen.time = Number(v); drawTime(); })) : null;
  const widths = [...new Set(list.map((s) => s.width))];
  const note = !list.length ? "" : widths.every((w) => w === 1) ? "One stream: latency as a user feels it." : `Up to ${Math.max(...widths, 1)} answers were decoded together, so one answer takes longer than its share: latency of one stream is what cpu-codegen bench measures.`;
  const cells = overall().filter((c) => c.run === run);
  const rows = cells.map((c) => [label(c), leads(number(c.seconds_per_problem), { ...ofCell(c), sort: "seconds" }), leads(number(c.tokens_per_s), { ...ofCell(c), sort: "tokens" }), c.ttft_s === null ? c.ttft_why : `${number(c.ttft_s)} s`, bytes(c.peak_rss_bytes), c.correct_per_wh === null ? c.energy_why : number(c.correct_per_wh)]);
  const table = dataTable("Cost of the answers", ["style", { name: "s/problem", n: 1 }, { name: "tok/s", n: 1 }, "time to first token", { name: "peak RAM", n: 1 }, "correct/Wh"], rows);
  const figures = list.length ? el("div", { class: "pair" },
    overTime("seconds from start to end of each answer", list, (s) => (s.prefill_s ?? 0) + (s.decode_s ?? 0)),
    overTime("peak memory of the engine so far, MB", list.filter((s) => s.peak_rss_bytes), (s) => s.peak_rss_bytes / 1e6)) : el("p", {}, "No time was recorded.");
  fill("time", choice, el("p", { class: "fine" }, note), table, figures);
}

const DRAWN_AT_MOST = 1500; // marks of one picture: a browser draws thousands slowly, and nobody tells them apart

function overTime(name, list, of) {
  if (!list.length) return el("p", {}, `${name}: not measured`);
  const x = scaleFor(list.map((s) => s.start_offset_s), [0, 1], { log: false }), y = scaleFor(list.map(of), [0, 1], { log: false });
  const svg = frame(name, { width: 460, height: 220, x, y, xTitle: "seconds since the engine began", left: 54 });
  const step = Math.ceil(list.length / DRAWN_AT_MOST);
  for (const s of list.filter((_, i) => i % step === 0)) {
    const link = mark(svg, { x: x(s.start_offset_s), y: y(of(s)), style: s.style, colour: modelColour(s.run), size: 26, href: `#sample=${s.number}`, name: `${s.problem}, ${s.style}: ${number(of(s))}` });
    link.attr("tabindex", "-1");
  }
  return el("figure", {}, el("figcaption", {}, step > 1 ? `${name}; one answer in ${step} is drawn` : name), svg.node());
}
