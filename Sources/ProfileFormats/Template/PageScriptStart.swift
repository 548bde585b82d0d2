extension PageTemplate {
  /// The script of the address, the keyboard and the pointer.
  static let start = #"""
    // The address, the keyboard, the pointer, and the first drawing.
    const defaults = { group: state.group, type: state.type };
    let isRestoring = true;

    const zoomName = () => {
      if (graph.focus === 0) return "";
      const { name } = fnOf(graph.focus);
      return nodeNamed(name) === graph.focus && !name.startsWith("@") ? name : `@${graph.focus}`;
    };

    const save = () => {
      if (isRestoring) return;
      const fragment = new URLSearchParams();
      if (state.search) fragment.set("search", state.search);
      if (state.view !== "callees") fragment.set("view", state.view);
      if (state.group !== defaults.group) fragment.set("group", state.group);
      if (state.type !== defaults.type) fragment.set("measure", state.type);
      if (state.isFlipped) fragment.set("roots", "down");
      if (state.theme !== "auto") fragment.set("theme", state.theme);
      if (graph.focus > 0) fragment.set("zoom", zoomName());
      const text = fragment.toString();
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
      describe();
    };

    // What a script can read without calling anything.
    const describe = () => {
      Object.assign(page.dataset, {
        view: state.view, group: state.group, zoomed: graph.focus > 0 ? fnOf(graph.focus).name : "",
        matched: percentMatched().toFixed(2),
      });
    };

    const restore = () => {
      isRestoring = true;
      const fragment = new URLSearchParams(location.hash.slice(1));
      const choose = (name, choices, otherwise) =>
        choices.includes(fragment.get(name)) ? fragment.get(name) : otherwise;
      state.view = choose("view", ["callees", "inverted"], "callees");
      state.group = choose("group", hasProcesses ? ["process", "merged"] : [], defaults.group);
      state.theme = choose("theme", ["light", "dark", "auto"], "auto");
      state.isFlipped = graph.isFlipped = fragment.get("roots") === "down";
      const type = Number(fragment.get("measure") ?? defaults.type);
      state.type = type in data.types ? type : defaults.type;
      applyTheme();
      applyControls();
      rebuild();
      search(fragment.get("search") ?? "");
      if (fragment.get("zoom")) zoom(fragment.get("zoom"), false);
      isRestoring = false;
      describe();
    };

    // MARK: Keyboard

    const moveSelection = (key) => {
      const { tree, selected } = graph;
      if (selected < 0) return select(graph.focus);
      const parent = tree.parent[selected];
      const [up, down] = state.isFlipped ? ["ArrowDown", "ArrowUp"] : ["ArrowUp", "ArrowDown"];
      const siblings = [...tree.childrenOf(parent)];
      const index = siblings.indexOf(selected);
      let next = selected;
      if (key === up) next = parent;
      else if (key === down) next = tree.childrenOf(selected).next().value ?? selected;
      else if (key === "ArrowLeft") next = siblings[index - 1] ?? selected;
      else next = siblings[index + 1] ?? selected;
      select(next);
      graph.reveal(next);
    };

    const escape = () => {
      if (byId("help").open) return;
      if (state.search) search("");
      else if (graph.focus > 0) zoom(0);
      else select(-1);
      graph.canvas.focus();
    };

    const toggle = (name, [first, second]) => set(name, state[name] === first ? second : first);

    const KEYS = {
      "/": () => byId("search").focus(),
      "?": () => byId("help").showModal(),
      Escape: escape,
      i: () => toggle("view", ["callees", "inverted"]),
      g: () => hasProcesses && toggle("group", ["process", "merged"]),
      f: () => setFlipped(!state.isFlipped),
      t: () => setTable(!state.hasTable),
      c: copyStack,
    };

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
      const isTyping = event.target.closest?.("input, select");
      if (isTyping && event.key !== "Escape") return;
      if (KEYS[event.key]) {
        event.preventDefault();
        KEYS[event.key]();
      }
    });

    graph.canvas.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        moveSelection(event.key);
      } else if (event.key === "Enter" && graph.selected >= 0) {
        zoom(graph.selected);
      } else if (event.key === "Home") {
        event.preventDefault();
        zoom(0);
      }
    });

    // MARK: Pointer

    const nodeUnder = (event) => {
      const box = graph.canvas.getBoundingClientRect();
      return graph.nodeAt(event.clientX - box.left, event.clientY - box.top);
    };

    graph.canvas.addEventListener("pointermove", (event) => {
      const node = nodeUnder(event);
      graph.canvas.style.cursor = node < 0 ? "default" : "pointer";
      if (event.pointerType !== "touch") showTip(node, event.clientX, event.clientY);
      if (node === graph.hovered) return;
      graph.hovered = node;
      graph.invalidate();
    });

    const leave = () => {
      graph.hovered = -1;
      showTip(-1);
      graph.invalidate();
    };
    graph.canvas.addEventListener("pointerleave", leave);
    graph.scroller.addEventListener("scroll", leave, { passive: true });

    graph.canvas.addEventListener("click", (event) => {
      const node = nodeUnder(event);
      if (node >= 0) zoom(node);
    });

    // MARK: Controls

    byId("search").addEventListener("input", (event) => search(event.target.value));
    byId("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter") nextMatch();
    });
    byId("search-clear").addEventListener("click", () => {
      search("");
      byId("search").focus();
    });
    for (const button of document.querySelectorAll("[data-set]")) {
      button.addEventListener("click", () => set(button.dataset.set, button.dataset.value));
    }
    byId("flip").addEventListener("click", () => setFlipped(!state.isFlipped));
    byId("table-toggle").addEventListener("click", () => setTable(!state.hasTable));
    byId("help-button").addEventListener("click", () => byId("help").showModal());
    byId("theme").addEventListener("click", () => {
      const order = ["auto", "light", "dark"];
      setTheme(order[(order.indexOf(state.theme) + 1) % order.length]);
    });
    byId("value").addEventListener("change", (event) => set("type", Number(event.target.value)));
    preferredDark.addEventListener("change", () => state.theme === "auto" && setTheme("auto"));
    addEventListener("hashchange", restore);
    addEventListener("resize", showCrumbs);

    // MARK: First drawing

    byId("title").textContent = data.title;
    byId("command").textContent = data.command;
    byId("command").hidden = data.command === "";
    const addFact = ([before, value, after, isWarning]) =>
      byId("facts").append(
        element(
          "li", isWarning ? { class: "warning" } : {},
          `${before} `, element("b", {}, value), ` ${after}`));
    data.facts.filter((fact) => !fact[3]).forEach(addFact);
    if (data.began > 0) {
      const style = { dateStyle: "medium", timeStyle: "short" };
      addFact(["", new Intl.DateTimeFormat(undefined, style).format(data.began), "", false]);
    }
    data.facts.filter((fact) => fact[3]).forEach(addFact);
    byId("grouping").hidden = !hasProcesses;
    byId("value-pick").hidden = data.types.length < 2;
    byId("value").append(
      ...data.types.map(({ type, unit }, index) =>
        element("option", { value: index }, unit === "count" ? type : `${type} (${unit})`)));

    restore();

    // For scripts: every method returns what is true afterwards.
    const snapshot = () => ({
      view: state.view, group: state.group, theme: theme(), measure: valueType().type,
      search: state.search, error: state.error || null, matched: state.matched,
      percent: percentMatched(), zoomed: graph.focus, name: fnOf(graph.focus).name,
      total: graph.tree.total[graph.focus], whole: graph.tree.whole, nodes: graph.tree.count,
      selected: graph.selected, hidden: graph.hidden,
    });
    window.flamegraph = Object.freeze({
      search: (text) => search(String(text)),
      zoom: (target) => (zoom(target, false), snapshot()),
      reset: () => (reset(), snapshot()),
      view: (name) => (set("view", name === "inverted" ? "inverted" : "callees"), snapshot()),
      group: (name) =>
        (set("group", name === "process" && hasProcesses ? "process" : "merged"), snapshot()),
      theme: (name) => (setTheme(["light", "dark"].includes(name) ? name : "auto"), snapshot()),
      nodes: () =>
        Array.from({ length: graph.tree.count }, (_, node) => ({
          id: node, name: fnOf(node).name, kind: fnOf(node).kind, parent: graph.tree.parent[node],
          depth: graph.tree.depth[node], self: graph.tree.own[node], total: graph.tree.total[node],
        })),
      functions: () =>
        sumFunctions(state.type).map(({ fn, own, total }) => ({
          name: fn.name, module: fn.module, self: own, total,
        })),
      redraw: () => {
        const began = performance.now();
        graph.draw();
        return performance.now() - began;
      },
      state: snapshot,
    });
    """#
}
