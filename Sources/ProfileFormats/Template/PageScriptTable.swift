extension PageTemplate {
  /// The script of the table of functions.
  static let table = #"""
    // The table of functions: sortable, filtered by what is typed into the search field.
    const FIRST_ROWS = 150;

    class FunctionTable {
      constructor({ onPick }) {
        this.body = document.getElementById("table-body");
        this.more = document.getElementById("more");
        this.heads = [...document.querySelectorAll("th[data-sort]")];
        this.column = "own";
        this.isDescending = true;
        this.limit = FIRST_ROWS;
        this.rows = [];
        this.filter = null;
        this.picked = -1;
        for (const head of this.heads) {
          head.firstElementChild.addEventListener("click", () => this.sort(head.dataset.sort));
        }
        this.more.addEventListener("click", () => {
          this.limit = Infinity;
          this.render();
        });
        this.body.addEventListener("click", (event) => {
          const row = event.target.closest("tr");
          if (row) onPick(Number(row.dataset.fn));
        });
      }

      // The measured functions, the value of everything, its type, and the colour of each function.
      fill(rows, whole, type, fills) {
        Object.assign(this, { rows, whole, type, fills });
        this.largest = rows.reduce((most, row) => Math.max(most, row.total), 1);
        this.order();
        this.render();
      }

      sort(column) {
        this.isDescending = this.column === column ? !this.isDescending : column !== "name";
        this.column = column;
        this.order();
        this.render();
      }

      order() {
        const sign = this.isDescending ? -1 : 1;
        const byName = (a, b) => (a.fn.name < b.fn.name ? -1 : a.fn.name > b.fn.name ? 1 : 0);
        const byColumn = this.column === "name" ? byName : (a, b) => a[this.column] - b[this.column];
        this.rows.sort((a, b) => sign * byColumn(a, b) || b.total - a.total || byName(a, b));
      }

      // Shows only the functions that are marked; null shows all.
      show(filter, picked = -1) {
        if (this.filter === filter && this.picked === picked) return;
        Object.assign(this, { filter, picked, limit: FIRST_ROWS });
        this.render();
      }

      render() {
        for (const head of this.heads) {
          if (head.dataset.sort !== this.column) head.removeAttribute("aria-sort");
          else head.setAttribute("aria-sort", this.isDescending ? "descending" : "ascending");
        }
        const shown = this.filter ? this.rows.filter((row) => this.filter[row.fn.id]) : this.rows;
        this.body.replaceChildren(...shown.slice(0, this.limit).map((row) => this.row(row)));
        const rest = shown.length - this.limit;
        this.more.hidden = rest <= 0;
        this.more.textContent = `Show ${grouped.format(rest)} more functions`;
      }

      row({ fn, own, total }) {
        const name = element(
          "button", { class: "name", type: "button", title: fn.name },
          colorDot(this.fills[fn.id]), element("span", {}, fn.name));
        const row = element(
          "tr", { "data-fn": fn.id, "aria-selected": fn.id === this.picked },
          element("td", {}, name, element("small", { title: fn.module }, baseName(fn.module) || "–")),
          this.figure(own), this.figure(total));
        return row;
      }

      figure(value) {
        const bar = element("i");
        bar.style.width = `${Math.max((64 * value) / this.largest, 1).toFixed(1)}px`;
        return element(
          "td", { class: "figure", title: formatValue(value, this.type) },
          bar, element("span", {}, formatPercent(value, this.whole)));
      }
    }
    """#
}
