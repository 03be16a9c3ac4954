// Lines of two programs side by side in one column: longest common subsequence of lines, bounded so that hostile answers cannot hang the page.

const DIFF_AT_MOST = 1500;

function diffLines(before, after) {
  const a = before.split("\n"), b = after.split("\n");
  if (a.length > DIFF_AT_MOST || b.length > DIFF_AT_MOST) return null;
  const width = b.length + 1, lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
  const lines = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { lines.push(["same", a[i]]); i++; j++; }
    else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) lines.push(["del", a[i++]]);
    else lines.push(["add", b[j++]]);
  }
  return lines;
}

function diffBlock(before, after) {
  const lines = diffLines(before.trimEnd(), after.trimEnd());
  if (lines === null) return el("p", { class: "fine" }, `too long to compare (over ${DIFF_AT_MOST} lines)`);
  const sign = { same: "  ", add: "+ ", del: "− " };
  return el("pre", { tabindex: "0", role: "region", "aria-label": "difference to the reference" },
    lines.map(([kind, line]) => el("span", { class: kind }, sign[kind] + line)));
}
