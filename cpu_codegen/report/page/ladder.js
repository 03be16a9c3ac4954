// Quantizations of one model: what each step costs and buys, and how far it strays from the largest file.

const KL = { name: "KL to the base, nats per token (logarithmic)", log: true };
const LADDER_AXES = [
  { name: "pass@1, 95 %", of: (c) => c["pass@1"]?.value ?? null, range: (c) => c["pass@1"], domain: [0, 1], shown: (c) => share(c["pass@1"]) },
  { name: "tokens per second", of: (c) => c.tokens_per_s, shown: (c) => number(c.tokens_per_s) },
  { name: "peak RAM in GB", of: (c) => (c.peak_rss_bytes === null ? null : c.peak_rss_bytes / 1e9), shown: (c) => bytes(c.peak_rss_bytes) },
];

const families = () => d3groups(page.runs.map((run, index) => ({ ...run, index })).filter((run) => run.quant), (run) => run.family)
  .filter(([, runs]) => new Set(runs.map((run) => run.quant)).size > 1)
  .map(([family, runs]) => [family, runs.sort((a, b) => a.file_bytes - b.file_bytes)]);

function drawLadder() {
  const found = families(), shown = found.length + page.fidelity.length > 0;
  byId("ladder").hidden = !shown;
  byId("ladder-link").hidden = !shown;
  if (shown) fill("ladder", found.map(([family, runs]) => familyFigures(family, runs)), page.fidelity.map(fidelityFigures));
}

// One row of pictures over the files from the smallest to the largest, and the same as a table.
function familyFigures(family, runs) {
  const cells = overall().filter((cell) => runs.some((run) => run.index === cell.run));
  const place = new Map(runs.map((run, at) => [run.index, at])), quants = distinctNames(runs.map((run) => run.quant));
  const pictures = LADDER_AXES.map((axis) => ladderPicture(`${family}: ${axis.name}`, axis, quants, cells.map((cell) => ({
    at: place.get(cell.run), value: axis.of(cell), range: axis.range?.(cell), line: severalSuites() ? `${cell.style}, ${cell.suite}` : cell.style, style: cell.style,
    colour: modelColour(cell.run), href: samplesLink({ run: cell.run, style: cell.style, suite: cell.suite }), name: `${quants[place.get(cell.run)]}, ${cell.style}: ${axis.shown(cell)}`,
  }))));
  const rows = [...runs].reverse().flatMap((run) => cells.filter((cell) => cell.run === run.index).map((cell) =>
    [`${run.quant}, ${cell.style}`, ...(severalSuites() ? [cell.suite] : []), bytes(run.file_bytes), leads(share(cell["pass@1"]), ofCell(cell)), number(cell.tokens_per_s), bytes(cell.peak_rss_bytes), number(cell.correct_per_hour)]));
  const columns = ["quantization", ...(severalSuites() ? ["suite"] : []), { name: "file", n: 1 }, { name: "pass@1 [95 %]", n: 1 }, { name: "tok/s", n: 1 }, { name: "peak RAM", n: 1 }, { name: "correct/h", n: 1 }];
  return [el("h3", {}, family), el("div", { class: "triple" }, pictures), styles().length > 1 ? legend(styles().map((style) => ({ name: style, style, colour: "var(--soft)" }))) : null,
    dataTable(`${family}: from the largest file to the smallest`, columns, rows)];
}

// Two files of one quantization are told apart by a number.
const distinctNames = (names) => names.map((name, i) => (names.indexOf(name) === i ? name : `${name} (${names.slice(0, i + 1).filter((n) => n === name).length})`));

function ladderPicture(name, axis, quants, points) {
  const known = points.filter((point) => point.value !== null && (!axis.log || point.value > 0));
  if (!known.length) return el("figure", {}, el("figcaption", {}, `${name}: not measured`));
  const x = d3.scalePoint().domain(quants).padding(0.5), values = known.flatMap((p) => [p.value, p.range?.low, p.range?.high]).filter((v) => typeof v === "number" && (!axis.log || v > 0));
  const y = axis.domain ? d3.scaleLinear(axis.domain, [0, 1]) : scaleFor(values, [0, 1], { log: Boolean(axis.log) });
  const tight = d3.sum(quants, (quant) => quant.length) > 28;
  const svg = frame(name, { width: 320, height: tight ? 240 : 210, x, y, xTitle: "smallest file → largest", left: 52, right: 8, bottom: tight ? 70 : 40, yFormat: axis.log ? "~g" : null });
  if (tight) svg.select("g").selectAll(".tick text").attr("text-anchor", "end").attr("transform", "rotate(-40)").attr("dx", "-.4em").attr("dy", ".5em");
  for (const [, list] of d3groups(known, (point) => point.line)) {
    const inOrder = [...list].sort((a, b) => a.at - b.at);
    svg.append("path").attr("class", "step").attr("d", d3.line((p) => x(quants[p.at]), (p) => y(p.value))(inOrder));
  }
  const [least, most] = y.domain();
  for (const point of known) {
    const mid = x(quants[point.at]);
    if (point.range) line(svg, mid, y(Math.max(point.range.low ?? least, least)), mid, y(Math.min(point.range.high ?? most, most)), point.colour);
    mark(svg, { x: mid, y: y(point.value), style: point.style, colour: point.colour, size: 70, href: point.href, name: point.name });
  }
  return el("figure", {}, el("figcaption", {}, name), svg.node());
}

// What `ladder` measured: figures of another base, other tokens or another vocabulary stand in another table.
function fidelityFigures(found) {
  const title = `Fidelity to ${found.base} (${bytes(found.base_bytes)}, sha256 ${found.base_sha256.slice(0, 12)}), ${found.suite}: ${plural(found.problems, "problem")}, ${plural(found.tokens, "token")} of references`;
  const smallest = [...found.steps].reverse(), names = distinctNames(smallest.map((step) => step.quant || step.name));
  const points = (of, shown) => smallest.map((step, at) => ({ at, value: of(step)?.value ?? null, range: of(step), line: "", style: styles()[0], colour: step.run === null ? "var(--soft)" : modelColour(step.run),
    href: step.run === null ? "#ladder" : samplesLink({ run: step.run }), name: `${names[at]}: ${shown(of(step))}` }));
  const pictures = [ladderPicture(KL.name, KL, names, points((s) => s.kl_nats, range)),
    ladderPicture("same most likely token", { domain: [Math.floor(10 * Math.min(0.9, ...found.steps.map((s) => s.same_top?.low ?? 1))) / 10, 1] }, names, points((s) => s.same_top, range)),
    ladderPicture("bits per byte of reference", {}, names, points((s) => s.bits_per_byte, range))];
  const rows = found.steps.map((s) => [s.name, bytes(s.size_bytes), range(s.bits_per_byte), s.kl_nats ? range(s.kl_nats) : "the base", range(s.kl_p99_nats), range(s.same_top), s.against_above ? range(s.against_above) : "–", s.verdict ? words(s.verdict) : "–"]);
  const columns = ["file", { name: "size", n: 1 }, { name: "bits/byte [95 %]", n: 1 }, { name: "KL nats, mean [95 %]", n: 1 }, { name: "KL nats, 99th percentile [95 %]", n: 1 }, { name: "same top token [95 %]", n: 1 },
    { name: "KL v the file above [95 %]", n: 1 }, "from the base"];
  return [el("h3", {}, `Fidelity to ${found.base}`), el("div", { class: "triple" }, pictures), dataTable(title, columns, rows), found.notes.map((note) => el("p", { class: "fine" }, note))];
}

// Three significant figures: divergences span decades.
const range = (e) => (!e ? "–" : e.low === null || e.high === null ? number(e.value) : `${number(e.value)} [${number(e.low)}, ${number(e.high)}]`);
