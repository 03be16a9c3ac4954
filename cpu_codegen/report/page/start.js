// Unpack, then fill each section; a fault in one is shown and leaves the others alone.

async function start() {
  Object.assign(page, await inflate(byId("data").textContent));
  for (const draw of [sortableTable, setUpPareto, drawLevels, drawLadder, drawOutcomes, drawEfficiency, drawTime, setUpSamples]) {
    try {
      draw();
    } catch (error) {
      trouble(`${draw.name}: ${error.message}`);
      console.error(error);
    }
  }
  document.documentElement.dataset.ready = "yes";
}

function trouble(message) {
  byId("trouble").hidden = false;
  byId("trouble").append(el("span", {}, `A part of this page could not be drawn (${message}). `));
}

start().catch((error) => trouble(error.message));
