// Unpack, then fill each section; a fault in one is shown and leaves the others alone.

async function start() {
  Object.assign(page, await inflate(byId("data").textContent));
  page.samples.forEach((sample, number) => { sample.number = number; });
  const pictures = [drawLevels, drawLadder, drawOutcomes, drawEfficiency, drawTime];
  [setUpResults, setUpPareto, ...pictures, setUpSamples].forEach(attempt);
  matchMedia("(min-width: 700px)").addEventListener("change", () => [drawPareto, ...pictures].forEach(attempt));
  window.addEventListener("beforeprint", () => byId("foot").querySelectorAll("details").forEach((details) => (details.open = true)));
  document.documentElement.dataset.ready = "yes";
}

function attempt(draw) {
  try {
    draw();
  } catch (error) {
    trouble(`${draw.name}: ${error.message}`);
    console.error(error);
  }
}

function trouble(message) {
  byId("trouble").hidden = false;
  byId("trouble").append(el("span", {}, `A part of this page could not be drawn (${message}). `));
}

start().catch((error) => trouble(error.message));
