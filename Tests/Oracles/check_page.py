"""Checks that an HTML page is one file without the network and that names stayed text.

usage: check_page.py FILE; prints the title and how many functions and nodes the data has
"""
import json, re, sys
from html.parser import HTMLParser


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.open = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)
        for name, value in attributes:
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "action", "data", "href"), (tag, name, value)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)


text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
scripts = [a for t, a in page.tags if t == "script"]
assert [s.get("type") for s in scripts] == ["application/json", None], scripts
assert not [t for t, _ in page.tags if t in ("link", "img", "iframe", "object", "embed", "base")]
assert not re.search(r"https?://|@import|url\(", text.split("application/json")[0])
policy = next(a for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
assert policy["content"].startswith("default-src 'none'")
script = page.text["script"]
data = json.loads(script[0])
assert not re.search(r"fetch\(|XMLHttpRequest|innerHTML|eval\(|import\(", script[1])
counts = {len(c) for c in data["functions"].values()}
assert len(counts) == 1
nodes = len(data["nodes"]["depth"])
assert len(data["nodes"]["fn"]) == nodes and {len(o) for o in data["nodes"]["own"]} == {nodes}
assert all(0 <= i < len(data["strings"]) for c in ("name", "module", "file")
           for i in data["functions"][c])
print("".join(page.text["title"]))
print(counts.pop(), nodes)
