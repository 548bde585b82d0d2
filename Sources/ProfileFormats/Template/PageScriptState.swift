extension PageTemplate {
  /// The script that holds the state of the page and changes it.
  static let state = #"""
    // The state of the page, and everything that changes it. The address's fragment holds the state, so
    // that a view can be shared: #search=…&zoom=NAME&view=inverted&group=merged&measure=0&theme=dark
    const byId = (id) => document.getElementById(id);
    const page = document.documentElement;
    const hasProcesses = functions.some((fn) => fn.kind === "process");
    const preferredDark = matchMedia("(prefers-color-scheme: dark)");

    const state = {
      view: "callees",
      group: hasProcesses ? "process" : "merged",
      type: data.primary,
      theme: "auto",
      isFlipped: false,
      hasTable: true,
      search: "",
      marked: null,
      picked: -1,
      error: "",
      matched: 0,
    };

    const graph = new FlameCanvas(byId("canvas"), byId("scroller"), byId("extent"));
    const table = new FunctionTable({ onPick: (fn) => pick(fn) });
    const valueType = () => data.types[state.type];
    const fnOf = (node) => functions[graph.tree.fn[node]];
    const theme = () =>
      state.theme === "auto" ? (preferredDark.matches ? "dark" : "light") : state.theme;

    // MARK: Drawing

    const rebuild = () => {
      graph.setTree(buildTree(state.view, state.group, state.type));
      byId("nothing").hidden = graph.tree.whole > 0;
      refreshTable();
      mark();
      showCrumbs();
      showDetail(-1);
    };

    const refreshTable = () => {
      table.fill(sumFunctions(state.type), graph.tree.whole, valueType(), graph.fills);
    };

    const applyTheme = () => {
      page.dataset.theme = theme();
      const symbols = { auto: "◐", light: "☀", dark: "☾" };
      byId("theme").textContent = symbols[state.theme];
      byId("theme").setAttribute("aria-label", `Colours: ${state.theme}`);
      graph.setTheme(theme());
      byId("legend").replaceChildren(
        ...Object.keys(KIND_NAMES)
          .filter((kind) => functions.some((fn) => fn.kind === kind))
          .map((kind) =>
            element("li", {}, colorDot(legendColor(kind, theme())), KIND_NAMES[kind])));
    };

    const applyControls = () => {
      for (const button of document.querySelectorAll("[data-set]")) {
        button.setAttribute("aria-pressed", state[button.dataset.set] === button.dataset.value);
      }
      byId("flip").setAttribute("aria-pressed", state.isFlipped);
      byId("table-toggle").setAttribute("aria-pressed", state.hasTable);
      byId("functions").hidden = !state.hasTable;
      byId("value").value = state.type;
    };

    const showCrumbs = () => {
      const path = graph.tree.path(graph.focus);
      byId("crumbs").replaceChildren(
        ...path.map((node) => {
          const { kind, name } = fnOf(node);
          const label = node === 0 ? "All" : kind === "process" ? name : shortName(name) || "(no name)";
          const button = element("button", { type: "button", title: name }, label);
          if (node === graph.focus) button.setAttribute("aria-current", "location");
          button.addEventListener("click", () => zoom(node));
          return element("li", {}, button);
        }));
      byId("crumbs").scrollLeft = byId("crumbs").scrollWidth;
    };

    const place = (fn) => {
      const source = fn.file ? `${fn.file}${fn.line > 0 ? `:${fn.line}` : ""}` : "";
      return [fn.kind === "process" ? "process" : fn.module, source].filter(Boolean).join(" · ");
    };

    // What was measured in a node: label, value, the other value, share of all, share of the zoomed.
    const figures = (node) => {
      const { tree, focus } = graph;
      const aside = data.types[asideOf(state.type)];
      const isInside = focus > 0 && node >= focus && node < tree.end[focus];
      const rows = [["total", tree.total[node], tree.totalAside[node]]];
      if (state.view === "callees") rows.push(["self", tree.own[node], tree.ownAside[node]]);
      return rows.map(([label, value, other]) => [
        label, formatValue(value, valueType()), aside ? formatValue(other, aside) : "",
        formatPercent(value, tree.whole),
        isInside ? `${formatPercent(value, tree.total[focus])} of zoomed` : "",
      ]);
    };

    // Says what is at `node`, or how much there is to see, below the graph.
    const showDetail = (node) => {
      const detail = byId("detail");
      if (node < 0) {
        const { count, whole } = graph.tree;
        const parts = [`${formatValue(whole, valueType())} measured`];
        parts.push(`${grouped.format(count - 1)} boxes`);
        if (graph.hidden > 0) parts.push(`${grouped.format(graph.hidden)} too narrow to draw`);
        detail.textContent = parts.join(", ");
        return;
      }
      const fn = fnOf(node);
      const numbers = figures(node).map(([label, value, , share]) => `${label} ${value} (${share})`);
      detail.replaceChildren(
        element("b", {}, fn.name || "(no name)"), element("span", {}, numbers.join(" · ")),
        element("span", { class: "place" }, place(fn)));
    };

    const showTip = (node, x, y) => {
      const tip = byId("tip");
      tip.hidden = node < 0;
      if (node < 0) return;
      const fn = fnOf(node);
      const numbers = element("dl");
      for (const [label, ...cells] of figures(node)) {
        numbers.append(element("dt", {}, label), ...cells.map((cell) => element("dd", {}, cell)));
      }
      tip.replaceChildren(
        element("span", { class: "name" }, fn.name || "(no name)"),
        element("div", { class: "place" }, place(fn)), numbers);
      const { width, height } = tip.getBoundingClientRect();
      const left = Math.min(x + 14, innerWidth - width - 8);
      const top = y + 20 + height > innerHeight - 8 ? y - height - 12 : y + 20;
      tip.style.transform = `translate(${Math.max(left, 8)}px, ${Math.max(top, 8)}px)`;
    };

    // MARK: Changing

    const zoom = (target, animated = true) => {
      const node = typeof target === "string" ? nodeNamed(target) : target;
      if (!(node >= 0 && node < graph.tree.count)) return false;
      graph.zoom(node, animated);
      select(node === 0 ? -1 : node);
      showCrumbs();
      save();
      return true;
    };

    // `@7` is a node's number; anything else the widest node of a function with that name.
    const nodeNamed = (name) => {
      if (/^@\d+$/.test(name)) return Number(name.slice(1));
      let best = -1;
      for (const fn of functions) {
        if (fn.name !== name || fn.kind === "root") continue;
        const node = graph.tree.widest(fn.id);
        if (node >= 0 && (best < 0 || graph.tree.total[node] > graph.tree.total[best])) best = node;
      }
      return best;
    };

    const select = (node) => {
      graph.selected = node;
      graph.invalidate();
      showDetail(node);
    };

    const search = (text, picked = -1) => {
      state.search = text;
      state.picked = picked;
      state.error = "";
      state.marked = null;
      if (byId("search").value !== text) byId("search").value = text;
      if (text) {
        try {
          const pattern = new RegExp(text, "i");
          state.marked = Uint8Array.from(functions, (fn) =>
            fn.kind !== "root" && (picked < 0 ? pattern.test(fn.name) : fn.id === picked) ? 1 : 0);
        } catch (error) {
          state.error = "not a valid pattern";
        }
      }
      mark();
      save();
      return { matched: state.matched, percent: percentMatched(), error: state.error || null };
    };

    const percentMatched = () =>
      graph.tree.whole > 0 ? (100 * state.matched) / graph.tree.whole : 0;

    // Shows what the search has found in the tree of the moment.
    const mark = () => {
      graph.marked = state.marked;
      state.matched = state.marked ? graph.tree.covered(state.marked) : 0;
      const field = byId("search").parentElement;
      field.classList.toggle("invalid", state.error !== "");
      byId("search").setAttribute("aria-invalid", state.error !== "");
      byId("search-clear").hidden = byId("search").value === "";
      const result = `${formatPercent(state.matched, graph.tree.whole)} matched`;
      byId("search-result").textContent = state.error || (state.marked ? result : "");
      table.show(state.picked < 0 ? state.marked : null, state.picked);
      graph.invalidate();
    };

    // A click on a row of the table marks that function, and a second click unmarks it.
    const pick = (fn) => {
      if (state.picked === fn) search("");
      else search(`^${escapePattern(functions[fn].name)}$`, fn);
    };

    const nextMatch = () => {
      const { tree, selected } = graph;
      for (let step = 1; step <= tree.count; step++) {
        const node = (Math.max(selected, 0) + step) % tree.count;
        if (!state.marked?.[tree.fn[node]]) continue;
        select(node);
        graph.reveal(node);
        return;
      }
    };

    const set = (name, value) => {
      if (state[name] === value) return;
      state[name] = value;
      applyControls();
      rebuild();
      save();
    };

    const setFlipped = (isFlipped) => {
      state.isFlipped = graph.isFlipped = isFlipped;
      applyControls();
      graph.resize();
      graph.scroller.scrollTop = isFlipped ? graph.scroller.scrollHeight : 0;
      save();
    };

    const setTable = (hasTable) => {
      state.hasTable = hasTable;
      applyControls();
    };

    const setTheme = (name) => {
      state.theme = name;
      applyTheme();
      refreshTable();
      save();
    };

    const reset = () => {
      search("");
      zoom(0);
    };

    const copyStack = async () => {
      const node = graph.selected >= 0 ? graph.selected : graph.hovered;
      if (node < 0) return;
      const names = graph.tree.path(node).slice(1).map((each) => fnOf(each).name);
      try {
        await navigator.clipboard.writeText(names.join("\n"));
        byId("detail").textContent = `Copied a stack of ${names.length} functions`;
      } catch (error) {
        byId("detail").textContent = `The browser did not let the page copy: ${error.message}`;
      }
    };
    """#
}
