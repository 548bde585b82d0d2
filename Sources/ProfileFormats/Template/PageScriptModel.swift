extension PageTemplate {
  /// The script that reads the data and builds trees from it.
  static let model = #"""
    // The recording, as the page carries it: a table of strings, functions that refer to it, and the
    // nodes of a tree in the order of a walk, each with its depth.
    const data = JSON.parse(document.getElementById("profile").textContent);
    const KINDS = ["root", "process", "kernel", "native", "jit", "marker"];

    const functions = data.functions.name.map((name, id) => ({
      id,
      name: data.strings[name],
      kind: KINDS[data.functions.kind[id]],
      module: data.strings[data.functions.module[id]],
      file: data.strings[data.functions.file[id]],
      line: data.functions.line[id],
    }));

    const recorded = (() => {
      const { depth, fn, own } = data.nodes;
      const parent = new Int32Array(depth.length);
      const process = new Int32Array(depth.length);
      const open = [];
      for (let node = 0; node < depth.length; node++) {
        open.length = depth[node];
        parent[node] = node === 0 ? 0 : open[depth[node] - 1];
        process[node] = functions[fn[node]].kind === "process" ? node : process[parent[node]];
        open.push(node);
      }
      return { count: depth.length, fn, own, parent, process };
    })();

    const isCode = (fn) => functions[fn].kind !== "process" && functions[fn].kind !== "root";

    // A tree that is being built: equal paths become one node, parents always before their children.
    class TreeBuilder {
      constructor() {
        this.fn = [0];
        this.parent = [0];
        this.own = [0];
        this.ownAside = [0];
        this.children = new Map();
      }

      child(parent, fn) {
        const key = parent * functions.length + fn;
        let node = this.children.get(key);
        if (node === undefined) {
          node = this.fn.length;
          this.children.set(key, node);
          this.fn.push(fn);
          this.parent.push(parent);
          this.own.push(0);
          this.ownAside.push(0);
        }
        return node;
      }

      // For each node the sum of `own` in it and below it.
      sum(own) {
        const total = Float64Array.from(own);
        for (let node = total.length - 1; node > 0; node--) total[this.parent[node]] += total[node];
        return total;
      }

      finish() {
        const count = this.fn.length;
        const total = this.sum(this.own);
        const lists = new Map();
        for (let node = 1; node < count; node++) {
          const list = lists.get(this.parent[node]);
          if (list) list.push(node);
          else lists.set(this.parent[node], [node]);
        }
        for (const list of lists.values()) {
          if (list.length > 1) list.sort((a, b) => total[b] - total[a] || this.fn[a] - this.fn[b]);
        }
        return new Tree(this, total, this.sum(this.ownAside), lists);
      }
    }

    // A finished tree: nodes in the order of a walk, so that a subtree is `node` up to `end[node]`.
    class Tree {
      constructor(builder, total, totalAside, lists) {
        const count = builder.fn.length;
        this.count = count;
        this.fn = new Int32Array(count);
        this.parent = new Int32Array(count);
        this.depth = new Int32Array(count);
        this.end = new Int32Array(count);
        this.own = new Float64Array(count);
        this.total = new Float64Array(count);
        this.ownAside = new Float64Array(count);
        this.totalAside = new Float64Array(count);
        this.start = new Float64Array(count);
        this.rows = 1;
        const place = new Int32Array(count);
        const filled = new Float64Array(count);
        const pending = [0];
        for (let node = 0; pending.length > 0; node++) {
          const source = pending.pop();
          const parent = place[builder.parent[source]];
          place[source] = node;
          this.fn[node] = builder.fn[source];
          this.parent[node] = parent;
          this.own[node] = builder.own[source];
          this.total[node] = total[source];
          this.ownAside[node] = builder.ownAside[source];
          this.totalAside[node] = totalAside[source];
          if (node > 0) {
            this.depth[node] = this.depth[parent] + 1;
            this.start[node] = filled[parent];
            filled[parent] += total[source];
          }
          filled[node] = this.start[node];
          this.rows = Math.max(this.rows, this.depth[node] + 1);
          const list = lists.get(source);
          if (list) for (let index = list.length - 1; index >= 0; index--) pending.push(list[index]);
        }
        for (let node = count - 1; node >= 0; node--) {
          this.end[node] = Math.max(this.end[node], node + 1);
          const parent = this.parent[node];
          this.end[parent] = Math.max(this.end[parent], this.end[node]);
        }
      }

      get whole() { return this.total[0]; }

      // The nodes from the root to `node`.
      path(node) {
        const path = [node];
        while (node > 0) path.push(node = this.parent[node]);
        return path.reverse();
      }

      *childrenOf(node) {
        for (let child = node + 1; child < this.end[node]; child = this.end[child]) yield child;
      }

      // The widest node of a function, or -1.
      widest(fn) {
        let best = -1;
        for (let node = 0; node < this.count; node++) {
          if (this.fn[node] === fn && (best < 0 || this.total[node] > this.total[best])) best = node;
        }
        return best;
      }

      // What was measured with at least one of the marked functions on the stack.
      covered(marked) {
        let sum = 0;
        for (let node = 0; node < this.count;) {
          if (marked[this.fn[node]]) {
            sum += this.total[node];
            node = this.end[node];
          } else {
            node++;
          }
        }
        return sum;
      }
    }

    // The value type that is told beside `type`: samples beside a time, a time beside samples.
    const asideOf = (type) => (data.types.length < 2 ? -1 : type === 0 ? 1 : 0);

    // The tree to draw: callees or callers first, with processes above them or without.
    const buildTree = (view, group, type) => {
      const { count, fn, parent, process } = recorded;
      const own = recorded.own[type];
      const ownAside = recorded.own[asideOf(type)] ?? new Float64Array(count);
      const builder = new TreeBuilder();
      if (view === "callees") {
        const place = new Int32Array(count);
        for (let node = 0; node < count; node++) {
          const skipped = !isCode(fn[node]) && (group === "merged" || node === 0);
          place[node] = skipped ? place[parent[node]] : builder.child(place[parent[node]], fn[node]);
          builder.own[place[node]] += own[node];
          builder.ownAside[place[node]] += ownAside[node];
        }
        return builder.finish();
      }
      for (let node = 0; node < count; node++) {
        if (own[node] <= 0 && ownAside[node] <= 0) continue;
        const isGrouped = group === "process" && process[node] > 0;
        let place = isGrouped ? builder.child(0, fn[process[node]]) : 0;
        for (let caller = node; isCode(fn[caller]); caller = parent[caller]) {
          place = builder.child(place, fn[caller]);
        }
        builder.own[place] += own[node];
        builder.ownAside[place] += ownAside[node];
      }
      return builder.finish();
    };

    // For each function its own value and its total; a stack that holds it twice counts once.
    const sumFunctions = (type) => {
      const tree = buildTree("callees", "merged", type);
      const rows = functions.map((fn) => ({ fn, own: 0, total: 0 }));
      const active = new Int32Array(functions.length);
      const open = [];
      for (let node = 0; node < tree.count; node++) {
        while (open.length > tree.depth[node]) active[open.pop()]--;
        const fn = tree.fn[node];
        rows[fn].own += tree.own[node];
        if (active[fn] === 0) rows[fn].total += tree.total[node];
        active[fn]++;
        open.push(fn);
      }
      return rows.filter((row) => isCode(row.fn.id) && row.total > 0);
    };
    """#
}
