extension PageTemplate {
  /// How the page looks, in light and in dark.
  static let style = #"""
    :root {
      color-scheme: light;
      --back: #ffffff; --surface: #f5f6f8; --raised: #ffffff; --ink: #1a1d21; --soft: #59616b;
      --line: #dde1e6; --accent: #0a5cc4; --accent-back: #e3eefc; --match: #c2189b;
      --warn: #7a4b00; --warn-back: #fff1d6; --bad: #b3261e; --bar: #c9d7ea;
      --shadow: 0 6px 24px rgb(20 30 50 / 18%);
      --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, "DejaVu Sans Mono",
        monospace;
    }
    :root[data-theme="dark"] {
      color-scheme: dark;
      --back: #14161a; --surface: #1b1e24; --raised: #23272f; --ink: #e8eaed; --soft: #9aa4b0;
      --line: #2e343d; --accent: #7ab3ff; --accent-back: #1d3150; --match: #ff7ddb;
      --warn: #ffd591; --warn-back: #3d2f14; --bad: #ff8a80; --bar: #35506f;
      --shadow: 0 6px 24px rgb(0 0 0 / 55%);
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    html, body { height: 100%; margin: 0; }
    body {
      display: flex; flex-direction: column; background: var(--back); color: var(--ink);
      font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    }
    button, input, select { font: inherit; color: inherit; }
    button { cursor: pointer; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
    .spacer { flex: 1; }

    .top { padding: 12px 16px 8px; }
    .heading { display: flex; align-items: center; gap: 10px; }
    .mark { width: 22px; height: 22px; flex: none; fill: #e8590c; }
    h1 {
      margin: 0; min-width: 0; font-size: 17px; font-weight: 650; letter-spacing: -0.01em;
      overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    }
    .ghost {
      min-width: 30px; height: 30px; padding: 0 8px; border: 1px solid transparent; border-radius: 7px;
      background: none; color: var(--soft);
    }
    .ghost:hover { background: var(--surface); color: var(--ink); }
    .command {
      margin: 4px 0 0 32px; font: 12.5px/1.4 var(--mono); color: var(--soft); overflow: hidden;
      text-overflow: ellipsis; white-space: nowrap;
    }
    .facts {
      display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0 0 32px; padding: 0;
      list-style: none; color: var(--soft); font-size: 13px;
    }
    .facts b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
    .facts .warning {
      padding: 0 9px; border-radius: 10px; background: var(--warn-back); color: var(--warn);
    }
    .facts .warning b { color: inherit; }

    .bar {
      display: flex; flex-wrap: wrap; align-items: center; gap: 8px; padding: 6px 16px;
    }
    .search {
      display: flex; flex: 1 1 300px; align-items: center; gap: 8px; max-width: 560px; height: 34px;
      padding: 0 4px 0 10px; border: 1px solid var(--line); border-radius: 8px;
      background: var(--surface);
    }
    .search:focus-within { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent-back); }
    .search svg { flex: none; width: 15px; fill: none; stroke: var(--soft); stroke-width: 1.6; }
    .search input {
      flex: 1; min-width: 0; height: 100%; padding: 0; border: 0; outline: 0; background: none;
      appearance: none;
    }
    .search input::-webkit-search-cancel-button { display: none; }
    .search input::placeholder { color: var(--soft); opacity: 1; }
    .search output {
      color: var(--match); font-size: 12.5px; font-weight: 600; white-space: nowrap;
      font-variant-numeric: tabular-nums;
    }
    .search.invalid { border-color: var(--bad); }
    .search.invalid output { color: var(--bad); }
    .search .ghost { height: 26px; min-width: 26px; padding: 0; }
    .choice { display: flex; padding: 2px; border-radius: 8px; background: var(--surface);
      border: 1px solid var(--line); }
    .choice button, .toggle {
      height: 28px; padding: 0 11px; border: 0; border-radius: 6px; background: none;
      color: var(--soft); font-size: 13px; white-space: nowrap;
    }
    .choice button:hover, .toggle:hover { color: var(--ink); }
    .choice button[aria-pressed="true"] {
      background: var(--raised); color: var(--ink); font-weight: 600;
      box-shadow: 0 1px 3px rgb(0 0 0 / 18%);
    }
    .toggle { height: 34px; border: 1px solid var(--line); border-radius: 8px; }
    .toggle[aria-pressed="true"] {
      background: var(--accent-back); border-color: transparent; color: var(--accent); font-weight: 600;
    }
    .pick { display: flex; align-items: center; gap: 6px; color: var(--soft); font-size: 13px; }
    .pick select {
      height: 34px; padding: 0 8px; border: 1px solid var(--line); border-radius: 8px;
      background: var(--surface); color: var(--ink);
    }

    .crumbs { padding: 0 16px 6px; }
    .crumbs ol {
      display: flex; align-items: center; margin: 0; padding: 2px 0; list-style: none;
      overflow-x: auto; white-space: nowrap; scrollbar-width: none; font-size: 13px;
    }
    .crumbs li { display: flex; align-items: center; flex: none; }
    .crumbs li + li::before { content: "›"; padding: 0 2px; color: var(--soft); }
    .crumbs button {
      max-width: 260px; padding: 2px 6px; border: 0; border-radius: 5px; background: none;
      color: var(--accent); overflow: hidden; text-overflow: ellipsis;
    }
    .crumbs button:hover { background: var(--accent-back); }
    .crumbs li:last-child button { color: var(--ink); font-weight: 600; }

    main { display: flex; flex: 1; min-height: 0; border-top: 1px solid var(--line); }
    .graph { display: flex; flex: 1; flex-direction: column; min-width: 0; position: relative; }
    .scroller { flex: 1; min-height: 0; overflow: hidden auto; position: relative; }
    .scroller canvas {
      position: sticky; top: 0; display: block; width: 100%; outline-offset: -2px; cursor: default;
    }
    .extent { position: absolute; top: 0; left: 0; width: 1px; pointer-events: none; }
    .nothing { padding: 48px 16px; text-align: center; color: var(--soft); }
    .under {
      display: flex; align-items: center; gap: 6px 20px; padding: 6px 16px; min-height: 36px;
      border-top: 1px solid var(--line); background: var(--surface); font-size: 12.5px;
    }
    .detail {
      display: flex; flex: 1; gap: 12px; min-width: 0; margin: 0; white-space: nowrap;
      color: var(--soft); font-variant-numeric: tabular-nums;
    }
    .detail b {
      min-width: 60px; overflow: hidden; text-overflow: ellipsis; color: var(--ink);
      font-weight: 600;
    }
    .detail span { flex: none; }
    .detail .place { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; }
    .legend { display: flex; flex: none; gap: 4px 14px; margin: 0; padding: 0; list-style: none;
      color: var(--soft); }
    .legend li { display: flex; align-items: center; gap: 6px; }
    .dot { flex: none; display: inline-block; width: 11px; height: 11px; border-radius: 3px; }

    .functions {
      display: flex; flex-direction: column; flex: 0 0 clamp(320px, 30%, 460px);
      border-left: 1px solid var(--line);
    }
    .rows { flex: 1; overflow: auto; }
    table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 13px; }
    th { position: sticky; top: 0; z-index: 1; padding: 0; background: var(--surface);
      text-align: left; font-weight: 600; }
    th::after {
      content: ""; position: absolute; inset: auto 0 0; border-bottom: 1px solid var(--line);
    }
    th button {
      width: 100%; padding: 7px 10px; border: 0; background: none; text-align: inherit;
      color: var(--soft); font-weight: 600;
    }
    th button:hover { color: var(--ink); }
    th[aria-sort] button { color: var(--ink); }
    th[aria-sort="descending"] button::after { content: " ↓"; }
    th[aria-sort="ascending"] button::after { content: " ↑"; }
    .figure { width: 84px; text-align: right; }
    td { padding: 4px 10px; vertical-align: top; border-bottom: 1px solid var(--line); }
    td.figure { position: relative; font-variant-numeric: tabular-nums; white-space: nowrap; }
    td.figure span { position: relative; }
    td.figure i {
      position: absolute; right: 10px; bottom: 7px; height: 5px; border-radius: 2px;
      background: var(--bar);
    }
    td small { display: block; color: var(--soft); font-size: 11.5px; overflow: hidden;
      text-overflow: ellipsis; white-space: nowrap; padding-left: 17px; }
    td .name {
      display: flex; align-items: center; gap: 6px; width: 100%; padding: 0; border: 0;
      background: none; text-align: left; font: 12px/1.5 var(--mono);
    }
    td .name span:last-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    tbody tr:hover { background: var(--surface); }
    tr[aria-selected="true"] { box-shadow: inset 3px 0 var(--match); background: var(--surface); }
    .more { width: 100%; padding: 10px; border: 0; background: none; color: var(--accent); }

    .tip {
      position: fixed; z-index: 10; top: 0; left: 0; max-width: min(560px, calc(100vw - 16px));
      padding: 9px 12px; border: 1px solid var(--line); border-radius: 9px; background: var(--raised);
      box-shadow: var(--shadow); font-size: 12.5px; pointer-events: none;
    }
    .tip .name { font: 600 12.5px/1.45 var(--mono); overflow-wrap: anywhere; display: block; }
    .tip .place { color: var(--soft); overflow-wrap: anywhere; }
    .tip dl {
      display: grid; grid-template-columns: repeat(4, auto) 1fr; gap: 1px 14px; margin: 6px 0 0;
      font-variant-numeric: tabular-nums;
    }
    .tip dt { color: var(--soft); }
    .tip dd { margin: 0; text-align: right; }

    dialog {
      max-width: 520px; padding: 20px 24px; border: 1px solid var(--line); border-radius: 14px;
      background: var(--raised); color: var(--ink); box-shadow: var(--shadow);
    }
    dialog::backdrop { background: rgb(0 0 0 / 40%); }
    dialog h2 { margin: 0 0 8px; font-size: 16px; }
    dialog dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 16px; margin: 12px 0; }
    dialog dd { margin: 0; }
    dialog form { text-align: right; }
    dialog form button {
      padding: 6px 16px; border: 0; border-radius: 8px; background: var(--accent); color: var(--back);
    }
    kbd { padding: 1px 6px; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px;
      background: var(--surface); font: 12px var(--mono); }

    @media (max-width: 860px) {
      html, body { height: auto; }
      body { min-height: 100%; }
      .top { padding: 10px 12px 6px; }
      .bar, .crumbs { padding-left: 12px; padding-right: 12px; }
      .facts, .command { margin-left: 0; }
      .facts { gap: 2px 14px; }
      .search { flex-basis: 100%; max-width: none; }
      main { flex-direction: column; }
      .scroller { flex: none; height: min(62vh, 560px); }
      .under { flex-wrap: wrap; padding: 6px 12px; }
      .detail { flex-basis: 100%; }
      .legend { flex-wrap: wrap; }
      .functions { flex: none; border-left: 0; border-top: 1px solid var(--line); }
      .rows { overflow: visible; }
    }
    @media (prefers-reduced-motion: no-preference) {
      .choice button, .toggle, .ghost { transition: background 0.12s, color 0.12s; }
    }
    @media print { .bar, .functions, .tip { display: none; } }
    """#
}
