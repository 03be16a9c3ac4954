// Styles on the same problems: the difference of pass@1 to the baseline as a picture, by level, and as a table.

const pairName = (p) => `${severalRuns() ? runLabel(p.run) + ": " : ""}${p.style} − ${p.baseline}${severalSuites() ? `, ${p.suite}` : ""}`;

function pairsFigure() {
  const groups = d3groups(page.pairs, pairName);
  if (!groups.length) return null;
  const rowHeight = 20, width = across(), left = labelRoom(), right = isWide() ? 150 : 96, head = 18;
  const height = 50 + d3.sum(groups, ([, list]) => list.length * rowHeight + head + 10);
  const reach = Math.min(1, 1.08 * Math.max(0.1, ...page.pairs.flatMap((p) => [Math.abs(p.difference.low ?? 1), Math.abs(p.difference.high ?? 1)])));
  const x = d3.scaleLinear([-reach, reach], [left, width - right]);
  const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group").attr("aria-label", "difference of pass@1 between styles on the same problems, by level");
  svg.append("line").attr("class", "front").attr("x1", x(0)).attr("x2", x(0)).attr("y1", 4).attr("y2", height - 44);
  let at = 4;
  for (const [name, list] of groups) {
    svg.append("text").attr("x", 4).attr("y", at + 13).style("font-weight", 600).text(shortened(name, isWide() ? 90 : 44));
    at += head;
    for (const p of list) {
      const e = p.difference, mid = at + rowHeight / 2, colour = modelColour(p.run);
      svg.append("text").attr("class", "soft").attr("x", left - 8).attr("y", mid + 4).attr("text-anchor", "end").text(p.level === "all" ? "all levels" : p.level);
      line(svg, x(Math.max(-reach, e.low ?? -reach)), mid, x(Math.min(reach, e.high ?? reach)), mid, colour);
      mark(svg, { x: x(e.value), y: mid, style: p.style, colour, size: p.level === "all" ? 90 : 50, name: `${name}, ${p.level === "all" ? "all levels" : p.level}: ${difference(e)}${p.verdict ? `, ${words(p.verdict)}` : ""}`,
        href: samplesLink({ run: p.run, style: p.style, suite: p.suite, ...(p.level === "all" ? {} : { level: p.level }) }) });
      svg.append("text").attr("x", width - right + 8).attr("y", mid + 4).text(`${signed(e.value)}  ${isWide() && p.verdict ? words(p.verdict) : ""}`);
      at += rowHeight;
    }
    at += 10;
  }
  svg.append("g").attr("transform", `translate(0,${at})`).attr("aria-hidden", "true").call(d3.axisBottom(x).ticks(5).tickSizeOuter(0));
  svg.append("text").attr("class", "soft").attr("x", width - right).attr("y", height - 6).attr("text-anchor", "end").text("difference of pass@1 (dashed: none)");
  return el("figure", {}, el("figcaption", {}, "Styles on the same problems: difference of pass@1, 95 %"), svg.node());
}

function pairsTable() {
  if (!page.pairs.length) return null;
  const rows = page.pairs.map((p) => [pairName(p), p.level === "all" ? "all levels" : p.level, leads(difference(p.difference), { ...ofCell(p), ...(p.level === "all" ? {} : { level: p.level }) }), p.verdict ? words(p.verdict) : "–", p.verdict ? `${p.test} p = ${number(p.p, 2)}` : "–", p.n]);
  return dataTable("Styles on the same problems: difference of pass@1. Levels have intervals and no verdict: every further look makes a false one likelier", ["styles", "level", { name: "difference [95 %]", n: 1 }, "verdict", "test", { name: "pairs", n: 1 }], rows);
}
