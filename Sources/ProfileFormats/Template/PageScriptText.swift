extension PageTemplate {
  /// The script that writes numbers, short names and colours.
  static let text = #"""
    // Numbers, names and colours for people.
    const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

    const formatPercent = (part, whole) => {
      if (whole <= 0) return "0 %";
      const share = (100 * part) / whole;
      return `${share > 0 && share < 0.095 ? share.toFixed(2) : share.toFixed(1)} %`;
    };

    const scale = (value, units) => {
      let [size, unit] = units[0];
      for (const step of units) if (value >= step[0]) [size, unit] = step;
      const scaled = value / size;
      const digits = size === units[0][0] || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
      return `${scaled.toFixed(digits)} ${unit}`;
    };

    const TIME = [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"], [6e10, "min"], [3.6e12, "h"]];
    const SIZE = [[1, "B"], [1024, "KiB"], [1048576, "MiB"], [1073741824, "GiB"]];
    const NANOSECONDS = { nanoseconds: 1, microseconds: 1e3, milliseconds: 1e6, seconds: 1e9 };

    const formatValue = (value, { type, unit }) => {
      if (unit in NANOSECONDS) return scale(value * NANOSECONDS[unit], TIME);
      if (unit === "bytes") return scale(value, SIZE);
      const noun = unit === "count" ? type : unit;
      return `${grouped.format(value)} ${value === 1 ? noun.replace(/s$/, "") : noun}`;
    };

    // A name for a narrow box: without argument lists and template arguments.
    const shortName = (name) => {
      const open = name.indexOf("(");
      if (open === 0 || !/[<(]/.test(name)) return name;
      let depth = 0;
      let short = "";
      for (const character of name) {
        if (character === "<" || character === "(") depth++;
        else if ((character === ">" || character === ")") && depth > 0) depth--;
        else if (depth === 0) short += character;
      }
      short = short.replace(/ (const|async|throws|->).*$/, "").trim();
      return short.length > 1 ? short : name;
    };

    // The last parts of a qualified name, the longer first: `Page::compare`, `compare`.
    const innerNames = (name) => {
      const parts = name.split("::").filter(Boolean);
      if (parts.length < 2 || name.includes(" ")) return [];
      const last = parts[parts.length - 1];
      return parts.length > 2 ? [`${parts[parts.length - 2]}::${last}`, last] : [last];
    };

    const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);
    const escapePattern = (text) => text.replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&");

    const hash = (text) => {
      let value = 2166136261;
      for (let index = 0; index < text.length; index++) {
        value = Math.imul(value ^ text.charCodeAt(index), 16777619);
      }
      return (value ^ (value >>> 15)) >>> 0;
    };

    // Hue range, saturation and lightness of each kind, on light and on dark ground.
    const PALETTE = {
      root: { hues: [220, 220], light: [8, 84], dark: [8, 30] },
      process: { hues: [255, 275], light: [28, 84], dark: [20, 36] },
      kernel: { hues: [202, 222], light: [78, 76], dark: [48, 37] },
      native: { hues: [14, 46], light: [92, 72], dark: [60, 36] },
      jit: { hues: [128, 160], light: [48, 72], dark: [36, 31] },
      marker: { hues: [0, 0], light: [0, 82], dark: [0, 28] },
    };
    if (data.palette === "cold") {
      PALETTE.native = { hues: [168, 196], light: [56, 76], dark: [40, 33] };
    }
    const KIND_NAMES = {
      native: "native code", kernel: "kernel", jit: "JIT code", process: "process",
      marker: "marker",
    };

    // A module keeps its hue and a function its shade.
    const colorOf = (fn, theme) => {
      const { hues: [low, high], [theme]: [saturation, lightness] } = PALETTE[fn.kind];
      const turn = theme === "dark" && fn.kind === "native" ? -10 : 0;
      const hue = turn + low + (hash(fn.kind === "process" ? fn.name : fn.module) % (high - low + 1));
      const shade = fn.kind === "root" ? 0 : (hash(fn.name) % 9) - 4;
      return `hsl(${hue} ${saturation}% ${lightness + shade}%)`;
    };

    const legendColor = (kind, theme) => {
      const { hues: [low, high], [theme]: [saturation, lightness] } = PALETTE[kind];
      return `hsl(${(low + high) / 2} ${saturation}% ${lightness}%)`;
    };

    // An element with attributes and children; text is always text.
    const element = (tag, attributes = {}, ...children) => {
      const made = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      made.append(...children);
      return made;
    };

    const colorDot = (color) => {
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.style.background = color;
      return dot;
    };
    """#
}
