extension PageTemplate {
  /// The elements of the page, without any data.
  static let body = #"""
    <header class="top">
      <div class="heading">
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M2 3h20v4H2zM2 9h13v4H2zM17 9h5v4h-5zM4 15h8v4H4z"/>
        </svg>
        <h1 id="title"></h1>
        <div class="spacer"></div>
        <button id="help-button" class="ghost" type="button" aria-haspopup="dialog"
          title="Keys and tips (?)">?</button>
        <button id="theme" class="ghost" type="button" title="Change colours"></button>
      </div>
      <p id="command" class="command" hidden></p>
      <ul id="facts" class="facts" aria-label="About this recording"></ul>
    </header>

    <div class="bar" role="toolbar" aria-label="View">
      <div class="search" role="search">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 4 4"/>
        </svg>
        <input id="search" type="search" autocomplete="off" spellcheck="false"
          placeholder="Search functions (regular expression)" aria-label="Search functions"
          aria-describedby="search-result" aria-keyshortcuts="/">
        <output id="search-result" for="search" aria-live="polite"></output>
        <button id="search-clear" class="ghost" type="button" aria-label="Clear the search"
          hidden>✕</button>
      </div>
      <div class="choice" role="group" aria-label="Direction">
        <button type="button" data-set="view" data-value="callees"
          title="From the outermost function to the innermost (i)">Callees</button>
        <button type="button" data-set="view" data-value="inverted"
          title="From the running function to its callers (i)">Callers</button>
      </div>
      <div class="choice" role="group" aria-label="Processes" id="grouping">
        <button type="button" data-set="group" data-value="process"
          title="One tree for each process (g)">By process</button>
        <button type="button" data-set="group" data-value="merged"
          title="All processes in one tree (g)">Merged</button>
      </div>
      <label class="pick" id="value-pick" hidden><span>Measure</span>
        <select id="value" aria-label="What the widths measure"></select></label>
      <button id="flip" class="toggle" type="button" aria-pressed="false"
        title="Put the roots at the bottom (f)">Roots down</button>
      <button id="table-toggle" class="toggle" type="button" aria-pressed="true"
        aria-controls="functions" title="Show the table of functions (t)">Functions</button>
    </div>

    <nav class="crumbs" aria-label="Zoom"><ol id="crumbs"></ol></nav>

    <main>
      <section class="graph" aria-label="Flame graph">
        <div id="scroller" class="scroller">
          <canvas id="canvas" tabindex="0" role="application" aria-roledescription="flame graph"
            aria-label="Flame graph: arrow keys move, Enter zooms, Escape resets"
            aria-describedby="detail"></canvas>
          <div id="extent" class="extent"></div>
        </div>
        <p id="nothing" class="nothing" hidden>No samples were recorded.</p>
        <div class="under">
          <p id="detail" class="detail" aria-live="polite"></p>
          <ul id="legend" class="legend" aria-label="Colours"></ul>
        </div>
      </section>
      <section id="functions" class="functions" aria-label="Functions by time">
        <div class="rows" tabindex="-1">
          <table>
            <thead><tr>
              <th scope="col" data-sort="name"><button type="button">Function</button></th>
              <th scope="col" data-sort="own" class="figure">
                <button type="button">Self</button></th>
              <th scope="col" data-sort="total" class="figure">
                <button type="button">Total</button></th>
            </tr></thead>
            <tbody id="table-body"></tbody>
          </table>
          <button id="more" class="more" type="button" hidden></button>
        </div>
      </section>
    </main>

    <div id="tip" class="tip" role="tooltip" hidden></div>

    <dialog id="help" aria-labelledby="help-title">
      <h2 id="help-title">Reading this graph</h2>
      <p>A box is a function; its width is what was measured in it and in everything it called.
      Boxes beside each other are not in order of time: the widest comes first.</p>
      <dl>
        <dt><kbd>click</kbd> <kbd>Enter</kbd></dt><dd>zoom into a function</dd>
        <dt><kbd>Esc</kbd></dt><dd>clear the search, then zoom out</dd>
        <dt><kbd>↑</kbd> <kbd>↓</kbd> <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the selection</dd>
        <dt><kbd>/</kbd></dt><dd>search; <kbd>Enter</kbd> goes to the next match</dd>
        <dt><kbd>i</kbd></dt><dd>callees or callers</dd>
        <dt><kbd>g</kbd></dt><dd>by process or merged</dd>
        <dt><kbd>f</kbd></dt><dd>roots on top or at the bottom</dd>
        <dt><kbd>t</kbd></dt><dd>show or hide the table</dd>
        <dt><kbd>c</kbd></dt><dd>copy the selected stack</dd>
      </dl>
      <p>The address of this page holds what you see: copy it to share the view.</p>
      <form method="dialog"><button type="submit">Close</button></form>
    </dialog>

    <noscript>
      <p class="nothing">This flame graph needs JavaScript; the .svg format does not.</p>
    </noscript>
    """#
}
