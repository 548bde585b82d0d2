"""Checks a speedscope file against the rules of its schema, and prints its stacks.

usage: check_speedscope.py FILE
"""
import json, sys
import jsonschema

number = {"type": "number"}
text = {"type": "string"}
index = {"type": "integer", "minimum": 0}
schema = {
    "type": "object", "required": ["$schema", "shared", "profiles"],
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": text, "exporter": text, "activeProfileIndex": number,
        "shared": {
            "type": "object", "required": ["frames"],
            "properties": {"frames": {"type": "array", "items": {
                "type": "object", "required": ["name"], "additionalProperties": False,
                "properties": {"name": text, "file": text, "line": number, "col": number}}}}},
        "profiles": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False,
            "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
            "properties": {
                "type": {"const": "sampled"}, "name": text,
                "unit": {"enum": [
                    "none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]},
                "startValue": number, "endValue": number,
                "samples": {"type": "array", "items": {"type": "array", "items": index}},
                "weights": {"type": "array", "items": number}}}}}}

file = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.validate(file, schema)
frames = file["shared"]["frames"]
assert file["activeProfileIndex"] < len(file["profiles"])
for profile in file["profiles"]:
    assert len(profile["samples"]) == len(profile["weights"])
    assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
    for stack, weight in zip(profile["samples"], profile["weights"]):
        names = ";".join(frames[i]["name"] for i in stack)
        print(f'{profile["name"]}|{profile["unit"]}|{names}|{weight}')
