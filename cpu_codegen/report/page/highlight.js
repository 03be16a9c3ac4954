// Python in colours: one pass over the text, each piece becomes a text node. Long texts stay plain, so that hostile ones cannot hang the page.

const PYTHON = /(#[^\n]*)|((?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|\b(def|class)(\s+)(\w+)|\b(False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|match|case)\b|\b(\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)\b/g;
const HIGHLIGHT_AT_MOST = 60000;

function highlighted(code) {
  if (code.length > HIGHLIGHT_AT_MOST) return [code];
  const pieces = [];
  let end = 0;
  for (const match of code.matchAll(PYTHON)) {
    if (match.index > end) pieces.push(code.slice(end, match.index));
    const [whole, comment, string, keyword, space, name, word] = match;
    if (keyword) pieces.push(el("span", { class: "kw" }, keyword), space, el("span", { class: "def" }, name));
    else pieces.push(el("span", { class: comment ? "com" : string ? "str" : word ? "kw" : "num" }, whole));
    end = match.index + whole.length;
  }
  pieces.push(code.slice(end));
  return pieces;
}

const codeBlock = (code, name) => el("pre", { tabindex: "0", role: "region", "aria-label": name }, el("code", {}, highlighted(code)));
