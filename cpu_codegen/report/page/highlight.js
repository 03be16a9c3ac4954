// Python in colours: one pass over the text, each piece becomes a text node. Long texts stay plain, so that hostile ones cannot hang the page.

const PYTHON = /(#[^\n]*)|((?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|\b(def|class)(\s+)(\w+)|\b(False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|match|case)\b|\b(\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)\b/g;
const HIGHLIGHT_AT_MOST = 60000;

// [class or null, text] of each piece.
function tokens(code) {
  if (code.length > HIGHLIGHT_AT_MOST) return [[null, code]];
  const pieces = [];
  let end = 0;
  for (const match of code.matchAll(PYTHON)) {
    if (match.index > end) pieces.push([null, code.slice(end, match.index)]);
    const [whole, comment, string, keyword, space, name, word] = match;
    if (keyword) pieces.push(["kw", keyword], [null, space], ["def", name]);
    else pieces.push([comment ? "com" : string ? "str" : word ? "kw" : "num", whole]);
    end = match.index + whole.length;
  }
  pieces.push([null, code.slice(end)]);
  return pieces;
}

// The pieces by line; a piece that spans lines (a docstring) is cut at their ends.
function byLine(pieces) {
  const lines = [[]];
  for (const [kind, piece] of pieces)
    piece.split("\n").forEach((part, i) => {
      if (i) lines.push([]);
      if (part) lines.at(-1).push([kind, part]);
    });
  if (lines.length > 1 && !lines.at(-1).length) lines.pop();
  return lines;
}

const coloured = (pieces) => pieces.map(([kind, piece]) => (kind ? el("span", { class: kind }, piece) : piece));

// Code with line numbers (not copied with it); `marked` lines have another ground and a sign in the margin.
function codeBlock(code, name, marked = []) {
  const attributes = { tabindex: "0", role: "region", "aria-label": name };
  if (code.length > HIGHLIGHT_AT_MOST) return el("pre", attributes, el("code", {}, code));
  const marks = new Set(marked), lines = byLine(tokens(code));
  const rows = lines.map((pieces, i) => [el("span", { class: marks.has(i + 1) ? "line marked" : "line" }, coloured(pieces)), "\n"]);
  return el("pre", attributes, el("code", {}, rows));
}
