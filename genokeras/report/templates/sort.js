"use strict";
// A click on a column's head sorts its table, numbers by size; without scripts tables stay as they are.
for (const head of document.querySelectorAll("thead th")) {
  const table = head.closest("table"), body = table.tBodies[0];
  if (body.rows.length < 3) continue;
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending", column = head.cellIndex;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = [...body.rows].map((row) => {
      const text = row.cells[column].textContent.trim();
      return [row, text, parseFloat(text.replace(/[,±]/g, "").replace("–", ""))];
    });
    const numbers = head.classList.contains("number");
    keyed.sort(([, a, x], [, b, y]) => {
      if (!numbers) return (up ? 1 : -1) * a.localeCompare(b);
      // What has no number comes last, either way.
      return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : (up ? 1 : -1) * (x - y);
    });
    body.append(...keyed.map(([row]) => row));
  });
}
