// A cell opens its chain. Without a script its link leads to the nearest stage at the foot of the page.
const panel = document.getElementById("panel");
const body = panel.querySelector(".body");

function stageCopies(place) {
  for (const link of place.querySelectorAll("[data-stage]")) {
    const stage = document.getElementById("stage:" + link.dataset.stage);
    if (!stage) continue;
    const copy = stage.cloneNode(true);
    copy.removeAttribute("id");
    link.replaceWith(copy);
  }
}

function openChain(id) {
  const chain = document.getElementById("chain:" + id);
  if (!chain) return false;
  body.replaceChildren(chain.content.cloneNode(true));
  stageCopies(body);
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  return true;
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest("a.cell");
  const id = cell && (cell.id || decodeURIComponent(cell.hash.slice(1)));  // a comparison names a table's cell
  if (id && openChain(id)) {
    event.preventDefault();
    history.replaceState(null, "", "#" + encodeURIComponent(id));
  } else if (event.target === panel) {
    panel.close();
  }
});

// An address that names a cell opens it; one inside a folded part unfolds it.
function arrive() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  if (target.matches("a.cell")) openChain(id);
}
addEventListener("hashchange", arrive);
arrive();

// The contents say where the reader is.
const links = new Map();
for (const link of document.querySelectorAll(".contents a")) links.set(decodeURIComponent(link.hash.slice(1)), link);
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const id of links.keys()) {
  const place = document.getElementById(id);
  if (place) seen.observe(place);
}
