"use strict";
document.documentElement.classList.remove("no-script");
const rows = [...document.querySelectorAll("[data-outcome]")];
const tiles = [...document.querySelectorAll(".tile")];
const search = document.querySelector("#search");
const chosen = new Set();
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const text = row.dataset.text;
    const fits = (!chosen.size || chosen.has(row.dataset.outcome)) && words.every((word) => text.includes(word));
    row.classList.toggle("hidden", !fits);
  }
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(chosen.has(tile.dataset.key)));
  const left = document.querySelectorAll("tr[data-outcome]:not(.hidden)").length;
  document.querySelector("#left").textContent = `${left} of ${document.querySelectorAll("tr[data-outcome]").length} runs`;
}
for (const tile of tiles) tile.addEventListener("click", () => {
  if (!chosen.delete(tile.dataset.key)) chosen.add(tile.dataset.key);
  filter();
});
search.addEventListener("input", filter);
const all = [...document.querySelectorAll("details.run")];
document.querySelector("#expand").addEventListener("click", () => all.forEach((run) => { run.open = true; }));
document.querySelector("#collapse").addEventListener("click", () => all.forEach((run) => { run.open = false; }));
function reveal() {
  const run = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (run && run.tagName === "DETAILS") { run.open = true; run.classList.remove("hidden"); run.scrollIntoView(); }
}
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => all.forEach((run) => { run.open = true; }));
reveal();
filter();
