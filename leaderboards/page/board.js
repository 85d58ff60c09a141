"use strict";
// Sorting, filtering, choosing a view, the theme, and saving a chart or its numbers. The page is complete without this.
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const value = (cell) => cell.dataset.v ?? cell.textContent.trim();

  function compare(a, b) {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  }

  function sort(table, head) {
    const column = [...head.parentNode.children].indexOf(head);
    const up = head.getAttribute("aria-sort") === "descending";
    all(table, "th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = all(table.tBodies[0], "tr");
    rows.sort((r, s) => {
      const a = value(r.cells[column]), b = value(s.cells[column]);
      return a === "" || b === "" ? compare(a, b) : (up ? 1 : -1) * compare(a, b);
    });
    table.tBodies[0].append(...rows);
  }

  for (const head of all(document, "table.sortable th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head.closest("table"), head));
  }

  const filter = document.getElementById("filter");
  filter?.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of all(document, "table.sortable tbody tr")) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    }
  });

  const choice = document.getElementById("view");
  const choose = () => all(document, "[data-view]").forEach((view) => { view.hidden = view.dataset.view !== choice.value; });
  if (choice) {
    choice.addEventListener("change", choose);
    choose();
  }

  const tabs = all(document, "[data-tab]");
  const open = (key) => {
    all(document, "[data-panel]").forEach((panel) => { panel.hidden = panel.dataset.panel !== key; });
    tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.tab === key)));
  };
  tabs.forEach((tab) => tab.addEventListener("click", () => open(tab.dataset.tab)));
  if (tabs.length) open(tabs[0].dataset.tab);

  const theme = document.getElementById("theme");
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // A spreadsheet must not read text as a formula; numbers are ours.
  const guarded = (text) => (/^'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text);
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = (table) => all(table, "tr").map((row) => [...row.cells].map((cell) => quoted(guarded(value(cell)))).join(",")).join("\n") + "\n";

  for (const figure of all(document, "figure[data-key]")) {
    const tools = document.createElement("div");
    tools.className = "tools";
    const add = (label, action) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", action);
      tools.append(button);
    };
    add("save SVG", () => {
      const copy = figure.querySelector("svg.chart").cloneNode(true);
      const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
      style.textContent = document.querySelector("style").textContent;
      copy.prepend(style);
      save(`${figure.dataset.key}.svg`, "image/svg+xml", new XMLSerializer().serializeToString(copy));
    });
    add("save CSV", () => save(`${figure.dataset.key}.csv`, "text/csv", csv(figure.querySelector("table"))));
    figure.append(tools);
  }

  all(document, "[data-needs-script]").forEach((part) => { part.hidden = false; });
})();
