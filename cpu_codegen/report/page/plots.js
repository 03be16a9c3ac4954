// Drawing with D3: a frame with axes, marks with intervals. Colour tells models apart, shape tells styles; both are also in words.

const SHAPES = [d3.symbolCircle, d3.symbolTriangle, d3.symbolSquare, d3.symbolDiamond, d3.symbolCross, d3.symbolStar];
const styles = () => [...new Set(page.cells.map((cell) => cell.style))];
const shapeOf = (style) => SHAPES[styles().indexOf(style) % SHAPES.length];
const symbolPath = (style, size = 110) => d3.symbol(shapeOf(style), size)();

// Pictures keep their letters legible: fewer units across on a narrow screen.
const isWide = () => matchMedia("(min-width: 700px)").matches || matchMedia("print").matches;
const across = () => (isWide() ? 920 : 400);
const labelRoom = () => (isWide() ? 230 : 150);
// Cut in the middle: the end holds quantization and style.
function shortened(name, letters = Math.floor(labelRoom() / 7)) {
  const head = Math.floor(letters / 3);
  return name.length > letters ? `${name.slice(0, head)}…${name.slice(head + 1 - letters)}` : name;
}

// A row's name in a picture: on a narrow screen without what all models' names begin with.
function rowName(cell) {
  const name = label(cell), shared = sharedStart(page.runs.map((_, run) => runLabel(run)));
  return shortened(!isWide() && severalRuns() && shared ? `…${name.slice(shared)}` : name);
}

// How many letters all names share at their start, up to the last sign that parts words.
function sharedStart(names) {
  let at = 0;
  while (at < names[0].length && names.every((name) => name[at] === names[0][at])) at++;
  return Math.max(0, ...["-", "/", "@", "_"].map((sign) => names[0].lastIndexOf(sign, at - 1) + 1).filter((end) => end <= at));
}

// Logarithmic when the values span much and none is 0; else from 0.
function scaleFor(values, range, { log = null, zero = true } = {}) {
  const known = values.filter((v) => v !== null && v !== undefined && Number.isFinite(v));
  const [low, high] = known.length ? d3.extent(known) : [0, 1];
  const wide = log ?? (low > 0 && high / low > 12);
  if (wide && low > 0) return d3.scaleLog([low / 1.25, high * 1.25], range);
  const margin = (high - (zero ? 0 : low)) * 0.08 || 1;
  return d3.scaleLinear([zero ? Math.min(0, low) : low - margin, high + margin], range).nice(5);
}

// An SVG with axes; gives back the layer to draw on. `name` is read out in place of the picture.
function frame(name, { width, height, x, y, left = 48, right = 16, top = 10, bottom = 40, xTitle = "", yTitle = "", xTicks = 6, xFormat = null, yFormat = null }) {
  const svg = d3.create("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group").attr("aria-label", name);
  x.range([left, width - right]);
  y.range([height - bottom, top]);
  const axis = d3.axisBottom(x).tickSizeOuter(0);
  if (x.base) axis.ticks(xTicks, "~g"); else axis.ticks(xTicks, xFormat);
  svg.append("g").attr("transform", `translate(0,${height - bottom})`).attr("aria-hidden", "true").call(axis);
  svg.append("g").attr("transform", `translate(${left},0)`).attr("aria-hidden", "true").call(d3.axisLeft(y).ticks(5, yFormat).tickSizeOuter(0));
  svg.append("text").attr("class", "soft").attr("x", width - right).attr("y", height - 6).attr("text-anchor", "end").text(shortened(xTitle, Math.floor(width / 6.6)));
  if (yTitle) svg.append("text").attr("class", "soft").attr("x", left + 6).attr("y", top + 8).text(yTitle);
  return svg;
}

// A mark that leads to its samples.
function mark(layer, { x, y, style, colour, href, name, size }) {
  const link = layer.append("a").attr("href", href).attr("aria-label", name);
  link.append("path").attr("d", symbolPath(style, size)).attr("transform", `translate(${x},${y})`).style("fill", colour);
  link.append("title").text(name);
  return link;
}

function line(layer, x1, y1, x2, y2, colour, open = false) {
  layer.append("line").attr("class", open ? "whisker open" : "whisker").attr("x1", x1).attr("y1", y1).attr("x2", x2).attr("y2", y2).style("stroke", colour);
}

function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(({ name, colour, style }) => {
    const icon = d3.create("svg").attr("viewBox", "-8 -8 16 16").attr("aria-hidden", "true");
    if (style) icon.append("path").attr("d", symbolPath(style, 120)).style("fill", colour ?? "currentColor");
    else icon.append("rect").attr("x", -7).attr("y", -7).attr("width", 14).attr("height", 14).style("fill", colour);
    return el("li", {}, icon.node(), name);
  }));
}

function modelLegend() {
  const models = severalRuns() ? page.runs.map((_, run) => ({ name: runLabel(run), colour: modelColour(run) })) : [];
  const shapes = styles().length > 1 ? styles().map((style) => ({ name: style, style, colour: "var(--soft)" })) : [];
  return models.length + shapes.length ? legend([...models, ...shapes]) : "";
}
