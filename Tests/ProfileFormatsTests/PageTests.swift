import Profiles
import Testing

@testable import ProfileFormats

@Suite struct PageTests {
  private let profile = SyntheticProfile.server().profile

  @Test func `the page is one file that asks the network nothing`() throws {
    var options = ProfileOptions()
    options.title = "</title><b>&"
    let printed = try Oracle.read(
      ProfileFormat.html.encode(profile, options: options), with: "check_page.py")
    let tree = try CallTree(profile, grouping: .process, orderedBy: 1)
    #expect(printed == "</title><b>&\n\(tree.functions.count) \(tree.nodes.count)\n")
  }

  @Test func `hostile names stay inside the data`() throws {
    let printed = try Oracle.read(ProfileFormat.html.encode(.hostile()), with: "check_page.py")
    #expect(printed.hasPrefix("CPU profile\n"))
  }
}

/// The page in a browser, against trees that were built without one.
@Suite(.enabled(if: Browser.isInstalled), .serialized) struct PageInBrowserTests {
  private let profile = SyntheticProfile.server(stacks: 600).profile

  private func expected(_ tree: CallTree) -> [String] {
    tree.nodes.indices.map { index in
      let node = tree.nodes[index]
      let name = Browser.quoted(tree.functions[node.function].name)
      let (own, total) = (tree.selfValues[1][index], tree.totals[1][index])
      return "[\(name),\(node.parent),\(own),\(total)]"
    }
  }

  private static let listNodes =
    "flamegraph.nodes().forEach((n) => print([n.name, n.parent, n.self, n.total]));"

  @Test func `the tree by process is the one that was written`() throws {
    let printed = try Browser.run(profile, script: Self.listNodes)
    #expect(printed == expected(try CallTree(profile, grouping: .process, orderedBy: 1)))
  }

  @Test func `merging and turning around in the page give the trees built here`() throws {
    let merged = try Browser.run(
      profile, fragment: "#group=merged", script: Self.listNodes)
    #expect(merged == expected(try CallTree(profile, orderedBy: 1)))
    let inverted = try Browser.run(
      profile, fragment: "#group=merged&view=inverted", script: Self.listNodes)
    #expect(inverted == expected(try CallTree(profile, direction: .fromLeaf, orderedBy: 1)))
  }

  @Test func `the table has the self times`() throws {
    let tree = try CallTree(profile, orderedBy: 1)
    let rows = SelfTime(tree, valueType: 1).rows.map { row in
      let function = tree.functions[row.function]
      return "[\(Browser.quoted(function.name)),\(Browser.quoted(function.module)),"
        + "\(row.own),\(row.total)]"
    }
    let printed = try Browser.run(
      profile,
      script: """
        flamegraph.functions().forEach((f) => print([f.name, f.module, f.self, f.total]));
        """)
    #expect(printed.sorted() == rows.sorted())
  }

  @Test func `search, zoom and reset by script, address, keys and clicks`() throws {
    var sketch = ProfileSketch()
    sketch.add(names: ["main", "parse", "memcpy"], count: 30)
    sketch.add(names: ["main", "parse", "parse"], count: 10)
    sketch.add(names: ["main", "render"], count: 40, command: "web", pid: 7)
    sketch.add(names: ["idle"], count: 20)
    let printed = try Browser.run(
      sketch.profile, fragment: "#search=%5Eparse%24&zoom=render&theme=dark&measure=0",
      script: #"""
        const brief = (s) => [s.view, s.group, s.name, s.total, s.search, s.percent, s.error];
        print(brief(flamegraph.state()));
        print([document.documentElement.dataset.theme, id("crumbs").innerText.split("\n")]);
        print(id("search-result").textContent);
        print(brief(flamegraph.reset()));
        print(flamegraph.search("memcpy|idle"));
        print(flamegraph.search("("));
        print([id("search-result").textContent, id("search").getAttribute("aria-invalid")]);
        press("Escape");
        print(brief(flamegraph.state()));
        print(brief(flamegraph.zoom("parse")));
        print(location.hash);
        print(brief(flamegraph.zoom("no such function")));
        press("Escape");
        press("i"); press("g");
        print(brief(flamegraph.state()));
        print(location.hash);
        press("i"); press("g"); press("/");
        print(document.activeElement.id);
        id("search").blur();
        press("ArrowDown", id("canvas")); press("ArrowDown", id("canvas"));
        press("ArrowRight", id("canvas")); press("Enter", id("canvas"));
        print(flamegraph.state().name);
        press("Escape");
        print(rows());
        document.querySelector("th[data-sort=name] button").click();
        print(rows().map((row) => row[0]));
        document.querySelector("#table-body tr").click();
        print(brief(flamegraph.state()));
        document.querySelector("#table-body tr").click();
        print(brief(flamegraph.state()));
        """#)
    #expect(
      printed == [
        #"["callees","process","render",40,"^parse$",40,null]"#,
        #"["dark",["All","web (7)","main","render"]]"#,
        #""40.0 % matched""#,
        #"["callees","process","all",100,"",0,null]"#,
        #"{"matched":50,"percent":50,"error":null}"#,
        #"{"matched":0,"percent":0,"error":"not a valid pattern"}"#,
        #"["not a valid pattern","true"]"#,
        #"["callees","process","all",100,"",0,null]"#,
        #"["callees","process","parse",40,"",0,null]"#,
        ##""#measure=0\u0026theme=dark\u0026zoom=parse""##,
        #"["callees","process","parse",40,"",0,null]"#,
        #"["inverted","merged","all",100,"",0,null]"#,
        ##""#view=inverted\u0026group=merged\u0026measure=0\u0026theme=dark""##,
        #""search""#,
        #""web (7)""#,
        #"[["render","40.0 %","40.0 %"],["memcpy","30.0 %","30.0 %"],["idle","20.0 %","20.0 %"],"#
          + #"["parse","10.0 %","40.0 %"],["main","0.0 %","80.0 %"]]"#,
        #"["idle","main","memcpy","parse","render"]"#,
        #"["callees","process","all",100,"^idle$",20,null]"#,
        #"["callees","process","all",100,"",0,null]"#,
      ])
  }

  @Test func `hostile names are shown as they are and never run`() throws {
    let names = Profile.hostileNames
    var options = ProfileOptions()
    options.title = names[0]
    options.recording.commandLine = names[1]
    let printed = try Browser.run(
      .hostile(), options: options, fragment: "#search=\(String(repeating: "(", count: 9))",
      script: """
        print(document.title); print(id("title").textContent); print(id("command").textContent);
        print(document.scripts.length);
        print(flamegraph.state().error);
        flamegraph.nodes().filter((n) => n.depth === 3).map((n) => n.name).sort().forEach(print);
        """)
    #expect(
      printed.prefix(5) == [
        Browser.quoted(names[0]), Browser.quoted(names[0]), Browser.quoted(names[1]), "3",
        #""not a valid pattern""#,
      ])
    #expect(printed.dropFirst(5).sorted() == names.map(Browser.quoted).sorted())
  }

  @Test func `hovering tells self and total, in time and in samples`() throws {
    var sketch = ProfileSketch()
    let main = sketch.frame("main", file: "main.swift", line: 3)
    sketch.add([main], count: 100)
    sketch.add([main, sketch.frame("read")], count: 300)
    let printed = try Browser.run(
      sketch.profile, fragment: "#group=merged&zoom=read",
      script: #"""
        const box = id("canvas").getBoundingClientRect();
        const hover = (x, row) => id("canvas").dispatchEvent(new PointerEvent(
          "pointermove", { clientX: box.left + x, clientY: box.top + 4 + 19 * row + 9 }));
        const tip = () => [...id("tip").querySelectorAll(".name, .place, dt, dd")].map(
          (part) => part.textContent);
        hover(40, 1); print(tip());
        hover(40, 2); print([0, 3, 4, 5, 6].map((part) => tip()[part]));
        hover(40, 3); print(id("tip").hidden);
        id("canvas").dispatchEvent(new MouseEvent(
          "click", { clientX: box.left + 40, clientY: box.top + 30 }));
        print([flamegraph.state().name, id("detail").textContent]);
        """#)
    #expect(
      printed == [
        #"["main","/usr/bin/app \u00b7 main.swift:3","total","4.04 s","400 samples","100.0 %","","#
          + #""self","1.01 s","100 samples","25.0 %",""]"#,
        #"["read","3.03 s","300 samples","75.0 %","100.0 % of zoomed"]"#, "true",
        #"["main","maintotal 4.04 s (100.0 %) \u00b7 self 1.01 s (25.0 %)/usr/bin/app \u00b7 main.swift:3"]"#,
      ])
  }

  @Test func `an empty profile says so`() throws {
    let printed = try Browser.run(
      ProfileSketch().profile, fragment: "#view=inverted&zoom=nothing&search=.",
      script: """
        print(id("nothing").hidden); print(flamegraph.state().whole);
        print(flamegraph.search("x").percent);
        """)
    #expect(printed == ["false", "0", "0"])
  }
}
