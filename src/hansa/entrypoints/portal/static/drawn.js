// What charts and maps share: the table inside them steps back when it has been drawn, and comes
// forth again at the press of a button.

/** The parts of an element that draws: canvas, table, and the moments in which it does or gives up. */
export function hold(element) {
  const table = document.createElement("div");
  table.className = "drawn";
  table.append(...element.childNodes);
  const canvas = document.createElement("div");
  canvas.className = element.localName === "x-map" ? "map-canvas" : "chart-canvas";
  if (element.localName === "x-chart") canvas.setAttribute("aria-hidden", "true");
  const foot = document.createElement("div");
  foot.className = "chart-foot";
  const toggle = document.createElement("button");
  toggle.type = "button";
  toggle.className = "chart-toggle";
  foot.append(toggle);
  element.append(canvas, table);
  if (element.dataset.show) element.append(foot);

  const scrolled = () => table.querySelectorAll(".table-scroll");
  function show(asTable) {
    element.toggleAttribute("data-table", asTable);
    toggle.textContent = asTable ? element.dataset.hide : element.dataset.show;
    // What cannot be seen must not be reached by keys either.
    for (const one of scrolled()) one.tabIndex = asTable ? 0 : -1;
    for (const one of table.querySelectorAll("a, button, input, select")) one.tabIndex = asTable ? 0 : -1;
  }
  toggle.addEventListener("click", () => show(!element.hasAttribute("data-table")));
  const leave = () => {
    element.classList.add("left");
    element.removeAttribute("data-ready");
    show(true);
  };
  show(false);
  element.setAttribute("data-drawn", "");
  return {
    canvas,
    table,
    foot,
    leave,
    ready() {
      element.classList.remove("left");
      show(element.hasAttribute("data-table") && element.hasAttribute("data-ready"));
      element.setAttribute("data-ready", "");
    },
  };
}
