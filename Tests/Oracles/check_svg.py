"""Parses an SVG picture with an XML parser, checks that boxes lie inside of those they belong to.

usage: check_svg.py FILE; prints boxes, elided boxes, and each box's tooltip
"""
import sys
import xml.etree.ElementTree as tree

ns = "{http://www.w3.org/2000/svg}"
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == ns + "svg"
width, height = float(root.get("width")), float(root.get("height"))
assert not list(root.iter(ns + "script"))
assert "prefers-color-scheme" in root.find(ns + "style").text
rows = {}
groups = root.findall(ns + "g")
for group in groups:
    rect, label = group.find(ns + "rect"), group.find(ns + "text")
    x, y, w, h = (float(rect.get(a)) for a in ("x", "y", "width", "height"))
    assert 0 <= x and x + w <= width + 0.01 and 0 <= y and y + h <= height, group
    row = rows.setdefault(y, [])
    assert not row or row[-1][1] <= x + 0.02, "boxes of a row overlap"
    above = rows.get(y - 17)
    assert y == min(rows) or any(a - 0.02 <= x and x + w <= b + 0.52 for a, b in above)
    row.append((x, x + w))
    if label is not None:
        assert float(label.get("x")) + len(label.text) * 6.6 <= x + w + 1, label.text
print(len(groups), root.get("data-elided"))
for group in groups:
    print(group.find(ns + "title").text.replace("\n", " | "))
