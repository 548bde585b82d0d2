extension PageTemplate {
  /// The script that draws a tree.
  static let canvas = #"""
    // Draws a tree on a canvas that stays in view while its scroller moves below it. Only what can be
    // seen is visited: a subtree that is outside or too narrow is stepped over as a whole.
    const ROW = 19;
    const NARROWEST = 0.4;

    class FlameCanvas {
      constructor(canvas, scroller, extent) {
        Object.assign(this, { canvas, scroller, extent });
        this.context = canvas.getContext("2d");
        this.tree = null;
        this.from = 0;
        this.to = 1;
        this.focus = 0;
        this.selected = -1;
        this.hovered = -1;
        this.marked = null;
        this.isFlipped = false;
        this.hidden = 0;
        this.frame = 0;
        this.names = functions.map(({ name }) => {
          const short = shortName(name);
          return [name, short, ...innerNames(short)];
        });
        scroller.addEventListener("scroll", () => this.invalidate(), { passive: true });
        new ResizeObserver(() => this.resize()).observe(scroller);
      }

      setTree(tree) {
        Object.assign(this, { tree, focus: 0, selected: -1, hovered: -1, from: 0 });
        this.to = Math.max(tree.whole, 1);
        this.animation = null;
        this.resize();
        this.scroller.scrollTop = this.isFlipped ? this.scroller.scrollHeight : 0;
      }

      setTheme(theme) {
        this.fills = functions.map((fn) => colorOf(fn, theme));
        const style = getComputedStyle(document.documentElement);
        const value = (name) => style.getPropertyValue(name).trim();
        this.ink = theme === "dark" ? "#f1f2f4" : "#1d1a16";
        this.accent = value("--accent");
        this.match = value("--match");
        this.back = value("--back");
        this.font = `12px ${value("--mono")}`;
        this.invalidate();
      }

      resize() {
        const { clientWidth, clientHeight } = this.scroller;
        const ratio = window.devicePixelRatio || 1;
        this.width = clientWidth;
        this.height = clientHeight;
        this.canvas.width = Math.round(clientWidth * ratio);
        this.canvas.height = Math.round(clientHeight * ratio);
        this.canvas.style.height = `${clientHeight}px`;
        const rows = this.tree ? this.tree.rows : 0;
        this.extent.style.height = `${Math.max(rows * ROW + 8, clientHeight)}px`;
        this.draw();
      }

      // The top of a row, in the scroller's content.
      top(depth) {
        if (!this.isFlipped) return depth * ROW + 4;
        return Math.max(this.tree.rows * ROW + 4, this.height - 4) - (depth + 1) * ROW;
      }

      zoom(node, animated) {
        this.focus = node;
        const from = this.tree.start[node];
        const to = from + Math.max(this.tree.total[node], 1e-9);
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        if (!animated || still) {
          Object.assign(this, { from, to, animation: null });
        } else {
          this.animation = {
            began: performance.now(), from: this.from, to: this.to, nextFrom: from, nextTo: to,
          };
        }
        this.reveal(node);
        this.invalidate();
      }

      // Scrolls until a node's row can be seen.
      reveal(node) {
        const top = this.top(this.tree.depth[node]);
        const { scrollTop } = this.scroller;
        if (top < scrollTop + ROW) this.scroller.scrollTop = top - 2 * ROW;
        else if (top > scrollTop + this.height - 3 * ROW) {
          this.scroller.scrollTop = top - this.height + 5 * ROW;
        }
      }

      invalidate() {
        this.frame ||= requestAnimationFrame((now) => {
          this.frame = 0;
          this.step(now);
          this.draw();
        });
      }

      step(now) {
        if (!this.animation) return;
        const { began, from, to, nextFrom, nextTo } = this.animation;
        const time = Math.min(1, (now - began) / 280);
        const eased = 1 - (1 - time) ** 3;
        this.from = from + (nextFrom - from) * eased;
        this.to = to + (nextTo - to) * eased;
        if (time >= 1) this.animation = null;
        else this.invalidate();
      }

      draw() {
        const { context, tree } = this;
        if (!tree || !this.fills || this.width === 0) return;
        const ratio = this.canvas.width / this.width;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, this.width, this.height);
        context.font = this.font;
        context.textBaseline = "middle";
        this.letter ||= context.measureText("mmmmmmmmmm").width / 10;
        const scrolled = this.scroller.scrollTop;
        const perValue = this.width / (this.to - this.from);
        const focusDepth = tree.depth[this.focus];
        this.hidden = 0;
        let bandEnd = -1;
        let bandDepth = -1;
        for (let node = 0; node < tree.count;) {
          const left = (tree.start[node] - this.from) * perValue;
          const width = tree.total[node] * perValue;
          const top = this.top(tree.depth[node]) - scrolled;
          const isPast = this.isFlipped ? top + ROW < 0 : top > this.height;
          if (left + width <= 0 || left >= this.width || width <= 0 || isPast) {
            node = tree.end[node];
            continue;
          }
          if (width < NARROWEST) {
            this.hidden += tree.end[node] - node;
            const isNew = tree.depth[node] !== bandDepth || left + width > bandEnd + 1;
            if (isNew) {
              bandDepth = tree.depth[node];
              bandEnd = left + 1;
              this.paint(node, left, 1, top, 0.45, false);
            }
            node = tree.end[node];
            continue;
          }
          if (top + ROW > 0 && top < this.height) {
            const isAbove = tree.depth[node] < focusDepth;
            this.paint(node, left, width, top, isAbove ? 0.5 : 1, true);
          }
          node++;
        }
        this.outline(this.hovered, this.ink, 1, perValue, scrolled);
        this.outline(this.selected, this.accent, 2, perValue, scrolled);
      }

      paint(node, left, width, top, strength, hasText) {
        const { context } = this;
        const fn = this.tree.fn[node];
        const isMatch = this.marked !== null && this.marked[fn] === 1;
        const isDimmed = this.marked !== null && !isMatch;
        const start = Math.max(left, 0);
        const visible = Math.min(left + width, this.width) - start;
        const inner = visible > 3 ? visible - 1 : visible;
        context.globalAlpha = strength * (isDimmed ? 0.32 : 1);
        context.fillStyle = isMatch ? this.match : this.fills[fn];
        if (visible > 8) {
          context.beginPath();
          context.roundRect(start, top, inner, ROW - 1, 2.5);
          context.fill();
        } else {
          context.fillRect(start, top, inner, ROW - 1);
        }
        if (hasText && visible > 26) {
          const text = this.fit(fn, visible - 10);
          context.globalAlpha = strength < 1 || isDimmed ? 0.7 : 1;
          context.fillStyle = isMatch ? this.back : this.ink;
          if (text) context.fillText(text, start + 5, top + ROW / 2);
        }
        context.globalAlpha = 1;
      }

      // The longest form of a name that fits into `width`.
      fit(fn, width) {
        const room = Math.floor(width / this.letter);
        const forms = this.names[fn];
        const fitting = forms.find((form) => form.length <= room);
        if (fitting !== undefined || room < 3) return fitting ?? "";
        return `${forms[forms.length - 1].slice(0, room - 1)}…`;
      }

      outline(node, color, thickness, perValue, scrolled) {
        if (node < 0) return;
        const { context, tree } = this;
        const left = Math.max((tree.start[node] - this.from) * perValue, 0);
        const end = (tree.start[node] + tree.total[node] - this.from) * perValue;
        const right = Math.min(end, this.width);
        if (right <= left) return;
        context.strokeStyle = color;
        context.lineWidth = thickness;
        const half = thickness / 2;
        const top = this.top(tree.depth[node]) - scrolled;
        context.strokeRect(
          left + half, top + half, Math.max(right - left - 1 - thickness, 1), ROW - 1 - thickness);
      }

      // The node at a place in the canvas, or -1.
      nodeAt(x, y) {
        const { tree } = this;
        if (!tree || tree.whole <= 0) return -1;
        const content = y + this.scroller.scrollTop;
        const distance = this.isFlipped ? this.top(0) + ROW - content : content - this.top(0);
        const row = Math.floor(distance / ROW);
        const value = this.from + (x / this.width) * (this.to - this.from);
        if (row < 0 || value < 0 || value >= tree.whole) return -1;
        let node = 0;
        while (tree.depth[node] < row) {
          let next = -1;
          for (const child of tree.childrenOf(node)) {
            if (value < tree.start[child] + tree.total[child]) {
              if (value >= tree.start[child]) next = child;
              break;
            }
          }
          if (next < 0) return -1;
          node = next;
        }
        return node;
      }
    }
    """#
}
