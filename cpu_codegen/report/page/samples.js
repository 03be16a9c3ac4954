// The list of samples, what filters it, and one sample in full. The address says what is shown, so that back and forward work.

const FILTERS = ["run", "suite", "style", "level", "outcome", "kind", "problem"];
const AT_ONCE = 60;
const listing = { filters: {}, found: [], shown: AT_ONCE };

function matches(sample, filters) {
  return Object.entries(filters).every(([name, value]) => value === "" || value === undefined ||
    (name === "problem" ? sample.problem.includes(value) : name === "outcome" && value === "failed" ? sample.outcome !== "passed" : String(sample[name] ?? "") === value));
}

function openList(filters) {
  listing.filters = filters;
  listing.found = page.samples.map((sample, number) => ({ sample, number })).filter(({ sample }) => matches(sample, filters));
  listing.shown = AT_ONCE;
  drawList();
}

function filterControls() {
  const distinct = (name) => [...new Set(page.samples.map((s) => String(s[name] ?? "")))].filter(Boolean).sort();
  const choices = { run: page.runs.map((_, i) => [String(i), runLabel(i)]), outcome: [["failed", "not passed"], ...distinct("outcome").map((v) => [v, words(v)])] };
  return el("div", { class: "controls" }, FILTERS.map((name) => {
    if (name === "problem") return el("label", {}, "problem ", el("input", { type: "search", size: 14, value: listing.filters.problem ?? "", on: { change: (e) => change(name, e.target.value) } }));
    const options = choices[name] ?? distinct(name).map((v) => [v, v]);
    return options.length > 1 || listing.filters[name] ? chooser(name, [["", "all"], ...options], listing.filters[name] ?? "", (v) => change(name, v)) : null;
  }));
}

function change(name, value) {
  const filters = Object.fromEntries(Object.entries({ ...listing.filters, [name]: value }).filter(([, v]) => v));
  history.replaceState(null, "", samplesLink(filters));
  openList(filters);
  const again = [...byId("samples").querySelectorAll("label")].find((node) => node.textContent.startsWith(name));
  again?.querySelector("select, input").focus();
}

function drawList() {
  const { found, shown } = listing;
  const rows = found.slice(0, shown).map(({ sample: s, number: n }) => [
    el("a", { href: `#sample=${n}` }, s.problem), severalRuns() ? runLabel(s.run) : null, s.style, s.level, badge(s), s.kind === s.outcome ? "" : s.kind,
    `${s.tests_passed}/${s.tests_total}`, number(s.completion_tokens), number(s.cost_s),
  ].filter((_, i) => i !== 1 || severalRuns()));
  const columns = ["problem", ...(severalRuns() ? ["model"] : []), "style", "level", "outcome", "kind", { name: "tests", n: 1 }, { name: "tokens", n: 1 }, { name: "seconds", n: 1 }];
  const more = found.length > shown ? el("button", { type: "button", on: { click: () => { listing.shown += 240; drawList(); } } }, `show more (${found.length - shown} left)`) : null;
  fill("samples", filterControls(), el("p", { role: "status" }, plural(found.length, "sample")), dataTable("Answers; choose one to see it whole", columns, rows), more);
}

function badge(sample) {
  const outcome = sample.outcome ?? "not judged yet";
  const node = el("span", { class: "badge" }, words(outcome));
  if (sample.outcome) node.style.setProperty("color", `var(--${outcome})`);
  return node;
}

function codeOf(sample) {
  if (sample.code === null) return "";
  return Array.isArray(sample.code) ? text(sample.text).slice(sample.code[0], sample.code[0] + sample.code[1]) : text(sample.code);
}

function openSample(number) {
  const sample = page.samples[number], dialog = byId("sample");
  if (!sample) return;
  if (!listing.found.some((item) => item.number === number)) openList({});
  dialog.replaceChildren(bar(sample, number), el("div", { class: "sheet" }, sheet(sample)));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  byId("sample-h").focus();
}

function bar(sample, number) {
  const at = listing.found.findIndex((item) => item.number === number);
  const step = (offset, name) => {
    const next = listing.found[at + offset];
    return el("button", { type: "button", id: offset < 0 ? "previous" : "next", disabled: !next, on: { click: () => { location.replace(`#sample=${next.number}`); } } }, name);
  };
  const title = [sample.problem, severalRuns() ? runLabel(sample.run) : "", sample.style, sample.index ? `#${sample.index}` : ""].filter(Boolean).join(" · ");
  return el("div", { class: "bar" }, el("h2", { id: "sample-h", tabindex: "-1" }, title), badge(sample), step(-1, "← previous"), step(1, "next →"),
    el("button", { type: "button", id: "close", on: { click: () => byId("sample").close() } }, "close"));
}

function sheet(sample) {
  const problem = problemOf(sample), code = codeOf(sample), statement = text(problem.statement), reference = text(problem.reference);
  return [
    el("p", {}, verdictLine(sample, problem)),
    failureBlock(sample),
    el("h3", {}, "Code that was executed"),
    code ? codeBlock(code, "code that was executed") : el("p", {}, "No code was found in the answer."),
    reference && code ? folded("difference to the reference (− reference, + answer)", diffBlock(reference, code)) : null,
    el("h3", {}, "Answer as the model gave it"),
    answerBlocks(text(sample.text)),
    statement ? folded("statement", codeBlock(statement, "statement")) : null,
    folded("exact prompt", el("pre", { class: "wrap", tabindex: "0", role: "region", "aria-label": "exact prompt" }, text(sample.prompt) || "not recorded")),
    el("h3", {}, "Timings and efficiency"),
    el("dl", {}, facts(sample).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
  ].filter(Boolean);
}

function verdictLine(sample, problem) {
  const parts = [problem.title, sample.level, `${sample.tests_passed} of ${plural(sample.tests_total, "test")} passed`, `ended by ${words(sample.finish_reason ?? "unknown")}`,
    sample.format_ok ? "format kept" : "format not kept"];
  return parts.filter(Boolean).join(" · ");
}

function failureBlock(sample) {
  const rows = [];
  if (sample.detail) rows.push(["detail", sample.detail]);
  if (sample.message) rows.push(["message", sample.message]);
  if (sample.failure) for (const name of ["input", "expected", "got"]) rows.push([name === "input" ? "failing input" : name, sample.failure[name]]);
  if (!rows.length || sample.outcome === "passed") return null;
  return el("div", { class: "failure" }, el("dl", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

// The raw answer with what stands in reasoning tags folded away; where the prompt opened it, from the beginning.
function answerBlocks(answer) {
  const parts = [], opened = /^((?!<think>|<thinking>|<reasoning>)[^])*?<\/(think|thinking|reasoning)>/.exec(answer);
  let at = opened ? opened[0].length : 0;
  if (opened) parts.push(folded(`reasoning, ${plural(at, "character")}`, answerPart(opened[0])));
  for (const match of answer.matchAll(/<(think|thinking|reasoning)>/g)) {
    if (match.index < at) continue;
    const close = `</${match[1]}>`, found = answer.indexOf(close, match.index), end = found < 0 ? answer.length : found + close.length;
    parts.push(answerPart(answer.slice(at, match.index)), folded(`reasoning, ${plural(end - match.index, "character")}`, answerPart(answer.slice(match.index, end))));
    at = end;
  }
  return [...parts, answerPart(answer.slice(at))].filter(Boolean);
}

const answerPart = (part) => (part.trim() ? el("pre", { class: "wrap", tabindex: "0", role: "region", "aria-label": "answer of the model" }, part) : null);

const endedBy = { model: "ended by itself", budget: "the budget cut off", loop: "was cut off for going round in circles" };

function facts(s) {
  const e = s.efficiency, rows = [
    ["tokens", `${number(s.prompt_tokens)} read, ${number(s.completion_tokens)} written${s.reasoning_tokens ? `, ${number(s.reasoning_tokens)} of them reasoning, which ${endedBy[s.reasoning_end] ?? "ended"}` : ""}`],
    ["seconds", `queue ${number(s.queue_s)}, prompt ${number(s.prefill_s)}, answer ${number(s.decode_s)}; its share of the engine ${number(s.cost_s)}`],
    ["decoded together", number(s.width)],
    ["program", s.cpu_s === undefined ? "was not executed" : `${number(s.cpu_s)} s CPU, ${bytes(s.program_peak_rss_bytes ?? null)} peak`],
    ["energy", s.energy_j === undefined ? "not measured" : `${number(s.energy_j)} J`],
  ];
  if (!e) return [...rows, ["efficiency", s.outcome === "passed" ? "not measured" : "only passed answers are measured"]];
  rows.push(["CPU time v reference", e.cpu_ratio ? `${ratio(e.cpu_ratio)}, ${number(e.cpu_s)} s against ${number(e.reference_cpu_s)} s` : words(`${e.status}${e.reason ? `: ${e.reason}` : ""}`)]);
  if (e.memory_bytes !== undefined) rows.push(["peak memory v reference", `${bytes(e.memory_bytes)} against ${bytes(e.reference_memory_bytes ?? null)}`]);
  if (e.growth) rows.push(["growth", `n^${fixed(e.growth.exponent)}${e.reference_growth ? `, reference n^${fixed(e.reference_growth.exponent)}` : ""}`]);
  if (e.radon) rows.push(["complexity", Object.entries(e.radon).map(([name, value]) => `${name} ${typeof value === "number" ? number(value) : value}`).join(", ")]);
  return rows;
}

// #sample=12 opens a sample, #samples?… filters the list; everything else is the browser's own jump.
function follow() {
  const hash = location.hash, sample = /^#sample=(\d+)$/.exec(hash);
  if (sample) return openSample(Number(sample[1]));
  if (byId("sample").open) byId("sample").close();
  if (!hash.startsWith("#samples?")) return;
  openList(Object.fromEntries([...new URLSearchParams(hash.slice(9))].filter(([name]) => FILTERS.includes(name))));
  byId("samples").scrollIntoView();
}

function setUpSamples() {
  openList({});
  const dialog = byId("sample");
  dialog.addEventListener("close", () => {
    if (!location.hash.startsWith("#sample=")) return;
    const opened = Number(location.hash.slice(8));
    history.replaceState(null, "", samplesLink(listing.filters));
    byId("samples").querySelector(`a[href="#sample=${opened}"]`)?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (!dialog.open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "j" || event.key === "ArrowRight") byId("next").click();
    if (event.key === "k" || event.key === "ArrowLeft") byId("previous").click();
  });
  window.addEventListener("hashchange", follow);
  follow();
}
