// One sample in full: verdict, failing input, code, answer, prompt, timings, efficiency; and the address that opens it.

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
    unreachedLine(sample),
    code ? codeBlock(code, "code that was executed", sample.efficiency?.unreached?.lines) : el("p", {}, "No code was found in the answer."),
    reference && code ? folded("difference to the reference (− reference, + answer)", diffBlock(reference, code)) : null,
    el("h3", {}, "Answer as the model gave it"),
    answerBlocks(text(sample.text)),
    statement ? folded("statement", codeBlock(statement, "statement")) : null,
    folded("exact prompt", el("pre", { class: "wrap", tabindex: "0", role: "region", "aria-label": "exact prompt" }, text(sample.prompt) || "not recorded")),
    el("h3", {}, "What the answer cost"),
    factList(costFacts(sample)),
    el("h3", {}, "Efficiency and complexity of the code"),
    factList(efficiencyFacts(sample)),
    radonTable(sample.efficiency),
  ].filter(Boolean);
}

function verdictLine(sample, problem) {
  const parts = [problem.title, sample.level, `${sample.tests_passed} of ${plural(sample.tests_total, "test")} passed`, `ended by ${endedWords(sample.finish_reason)}`,
    sample.format_ok ? "format kept" : "format not kept"];
  return parts.filter(Boolean).join(" · ");
}

function failureBlock(sample) {
  const rows = [];
  if (sample.detail) rows.push(["detail", sample.detail]);
  if (sample.message) rows.push(["message", sample.message]);
  if (sample.failure) for (const name of ["input", "expected", "got"]) rows.push([name === "input" ? "failing input" : name, sample.failure[name]]);
  if (!rows.length || sample.outcome === "passed") return null;
  return el("div", { class: "failure" }, factList(rows));
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

// Long values scroll by themselves: the keyboard must reach them.
const factList = (rows) => el("dl", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { tabindex: String(value).length > 300 ? "0" : null }, value)]));

function costFacts(s) {
  return [
    ["tokens", `${number(s.prompt_tokens)} read, ${number(s.completion_tokens)} written${s.reasoning_tokens ? `, ${number(s.reasoning_tokens)} of them reasoning, which ${endedBy[s.reasoning_end] ?? "ended"}` : ""}`],
    ["seconds", `queue ${number(s.queue_s)}, prompt ${number(s.prefill_s)}, answer ${number(s.decode_s)}; its share of the engine ${number(s.cost_s)}`],
    ["decoded together", number(s.width)],
    ["program", s.cpu_s === undefined ? "was not executed" : `${number(s.cpu_s)} s CPU, ${bytes(s.program_peak_rss_bytes ?? null)} peak`],
    ["energy", s.energy_j === undefined ? "not measured" : `${number(s.energy_j)} J`],
  ];
}

function efficiencyFacts(s) {
  const e = s.efficiency;
  if (!e) return [["efficiency", s.outcome === "passed" ? "not measured" : "only passed answers are measured"]];
  const status = words(`${e.status}${e.reason ? `: ${e.reason}` : ""}`);
  const rows = [["CPU time v reference", e.cpu_ratio ? `${e.status === "censored" ? "≥ " : ""}${ratio(e.cpu_ratio)}, ${number(e.cpu_s)} s against ${number(e.reference_cpu_s)} s${e.status === "measured" ? "" : ` (${status})`}` : status]];
  if (e.memory_bytes !== undefined) rows.push(["peak memory v reference", `${bytes(e.memory_bytes)} against ${bytes(e.reference_memory_bytes ?? null)}`]);
  for (const [name, title] of [["growth", "CPU time grows as"], ["memory_growth", "memory grows as"]])
    if (e[name]) rows.push([title, `n^${fixed(e[name].exponent)}${e[`reference_${name}`] ? `, reference n^${fixed(e[`reference_${name}`].exponent)}` : ""}`]);
  if (e.unreached) rows.push(["lines that no test executes", e.unreached.lines.length ? e.unreached.lines.join(", ") : "none"]);
  if (e.findings) for (const [name, found] of Object.entries(e.findings)) if (name !== "unreached_lines") rows.push([FINDINGS[name], found]);
  if (e.findings && !Object.keys(e.findings).length) rows.push(["findings in its text", "none"]);
  return rows;
}

// What the marks in the code say, in words.
function unreachedLine(sample) {
  const found = sample.efficiency?.unreached;
  if (!found?.lines.length) return null;
  return el("p", { class: "fine" }, `Marked ›: ${plural(found.lines.length, "line")} that no test executes (${found.tests} of ${plural(found.of, "test")} were traced).`);
}

function radonTable(efficiency) {
  if (!efficiency?.radon) return null;
  const { radon, reference_radon: reference } = efficiency;
  const rows = Object.entries(METRICS).map(([name, title]) => [title, number(radon[name]), number(reference?.[name])]);
  return dataTable("Static complexity (radon)", ["metric", { name: "answer", n: 1 }, { name: "reference", n: 1 }], rows);
}

// #sample=12 opens a sample, #samples?… filters the list; everything else is the browser's own jump.
function follow() {
  const hash = location.hash, sample = /^#sample=(\d+)$/.exec(hash);
  if (sample) return openSample(Number(sample[1]));
  if (byId("sample").open) byId("sample").close();
  if (!hash.startsWith("#samples?")) return;
  openList(Object.fromEntries([...new URLSearchParams(hash.slice(9))].filter(([name]) => canFilter(name))));
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
    if (!dialog.open || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("pre, dd, .scroll")) return; // there the arrows scroll
    if (event.key === "j" || event.key === "ArrowRight") byId("next").click();
    if (event.key === "k" || event.key === "ArrowLeft") byId("previous").click();
  });
  window.addEventListener("hashchange", follow);
  follow();
}
