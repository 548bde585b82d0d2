"""Reads an OTLP request with OpenTelemetry's own messages, checks what the protocol demands of every
producer, and prints what is in it, a line for each fact.

usage: read_otlp.py traces|metrics|logs|profiles FILE [json]
"""
import base64, functools, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as profiles

REQUESTS = {
    "traces": traces.ExportTraceServiceRequest, "metrics": metrics.ExportMetricsServiceRequest,
    "logs": logs.ExportLogsServiceRequest, "profiles": profiles.ExportProfilesServiceRequest,
}
print = functools.partial(print, sep="\t")
IDENTIFIERS = {"traceId": 16, "spanId": 8, "parentSpanId": 8, "profileId": 16}


def plain(value):
    """An AnyValue as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(v) for v in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(pairs):
    keys = [p.key for p in pairs]
    assert len(set(keys)) == len(keys) and "" not in keys, keys
    return {p.key: plain(p.value) for p in pairs}


def text(values):
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def from_json(data, request):
    """OTLP/JSON as protocol buffers' JSON: identifiers are hexadecimal there."""
    def walk(node):
        if isinstance(node, list):
            return [walk(n) for n in node]
        if not isinstance(node, dict):
            return node
        for key, value in node.items():
            assert "_" not in key, key
            if key in IDENTIFIERS:
                assert value == value.lower() and len(value) == 2 * IDENTIFIERS[key], (key, value)
                node[key] = base64.b64encode(bytes.fromhex(value)).decode()
            elif key in ("kind", "code", "aggregationTemporality", "severityNumber"):
                assert isinstance(value, int), (key, value)
            else:
                node[key] = walk(value)
            if key.endswith("UnixNano"):
                assert isinstance(value, str), (key, value)
        return node
    assert b"\n" not in data
    return json_format.ParseDict(walk(json.loads(data)), request)


def show_traces(request):
    trace_ids, span_ids = set(), set()
    for owned in request.resource_spans:
        print("resource", text(attributes(owned.resource.attributes)))
        for scoped in owned.scope_spans:
            assert scoped.scope.name and scoped.schema_url
            for span in scoped.spans:
                assert len(span.trace_id) == 16 and any(span.trace_id)
                assert len(span.span_id) == 8 and any(span.span_id)
                trace_ids.add(span.trace_id)
                assert (span.trace_id, span.span_id) not in span_ids
                span_ids.add((span.trace_id, span.span_id))
                assert span.name and span.start_time_unix_nano <= span.end_time_unix_nano
                values = attributes(span.attributes)
                assert (span.status.code == 2) == ("error.type" in values), values
                print("span", span.name, span.kind, span.status.code,
                      span.start_time_unix_nano, span.end_time_unix_nano, text(values))
                print("named", span.trace_id.hex(), span.span_id.hex(), span.name)
                if span.parent_span_id:
                    assert len(span.parent_span_id) == 8
                    print("within", span.trace_id.hex(), span.parent_span_id.hex(), span.name)
    print("traces", len(trace_ids))


def show_metrics(request):
    for owned in request.resource_metrics:
        print("resource", text(attributes(owned.resource.attributes)))
        for scoped in owned.scope_metrics:
            names = [m.name for m in scoped.metrics]
            assert len(set(names)) == len(names)
            for metric in scoped.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                form = kind
                if kind == "sum":
                    form = "counter" if data.is_monotonic else "updown"
                if kind != "gauge":
                    assert data.aggregation_temporality == 2, "not cumulative"
                assert metric.name and metric.unit and metric.description
                seen = set()
                for point in data.data_points:
                    values = text(attributes(point.attributes))
                    assert values not in seen, (metric.name, values)
                    seen.add(values)
                    assert point.time_unix_nano > 0
                    if kind != "gauge":
                        assert 0 < point.start_time_unix_nano <= point.time_unix_nano
                    if kind == "exponential_histogram":
                        buckets = point.positive.bucket_counts
                        assert point.count == point.zero_count + sum(buckets)
                        assert len(buckets) <= 160
                        if point.count:
                            base = 2 ** (2 ** -point.scale)
                            top = base ** (point.positive.offset + len(buckets))
                            assert not buckets or (buckets[0] and buckets[-1])
                            # A maximum lies in the last bucket, or beside it where bounds differ.
                            assert not buckets or point.max <= top * base * base, (point.max, top)
                        value = f"{point.count}\t{point.sum!r}"
                    else:
                        value = repr(getattr(point, point.WhichOneof("value")))
                    print("point", metric.name, metric.unit, form, values,
                          point.start_time_unix_nano, point.time_unix_nano, value)


def show_logs(request):
    for owned in request.resource_logs:
        print("resource", text(attributes(owned.resource.attributes)))
        for scoped in owned.scope_logs:
            for record in scoped.log_records:
                assert 0 < record.time_unix_nano <= record.observed_time_unix_nano
                print("record", record.event_name, record.severity_number, record.severity_text,
                      record.time_unix_nano, plain(record.body),
                      text(attributes(record.attributes)))


class Dictionary:
    """The tables of a profiles request, each entry as what it means, and which of them are used."""

    def __init__(self, d):
        self.tables = {
            "string": list(d.string_table), "attribute": list(d.attribute_table),
            "function": list(d.function_table), "mapping": list(d.mapping_table),
            "location": list(d.location_table), "stack": list(d.stack_table),
            "link": list(d.link_table),
        }
        self.used = {name: {0} for name in self.tables}
        assert self.tables["string"][0] == ""
        for name, table in self.tables.items():
            assert table, f"no {name}"
            if name not in ("string", "link"):
                assert table[0] == type(table[0])(), f"{name} 0 is something"
            keys = [e if name == "string" else e.SerializeToString(deterministic=True) for e in table]
            assert len(set(keys)) == len(keys), f"{name} twice"
        assert not any(self.tables["link"][0].trace_id)
        assert not any(self.tables["link"][0].span_id)

    def use(self, name, index):
        assert 0 <= index < len(self.tables[name]), (name, index)
        self.used[name].add(index)
        return self.tables[name][index]

    def attributes(self, indices):
        pairs = {}
        for index in indices:
            assert index != 0
            entry = self.use("attribute", index)
            self.use("string", entry.unit_strindex)
            key = self.use("string", entry.key_strindex)
            assert key and key not in pairs
            pairs[key] = plain(entry.value)
        return pairs

    def mapping(self, index):
        if index == 0:
            return None
        entry = self.use("mapping", index)
        values = self.attributes(entry.attribute_indices)
        assert any(values.get("process.executable.build_id." + k) for k in ("gnu", "go", "htlhash"))
        return {"file": self.use("string", entry.filename_strindex), "start": entry.memory_start,
                "end": entry.memory_limit, "offset": entry.file_offset, **values}

    def location(self, index):
        entry = self.use("location", index)
        lines = []
        for line in entry.lines:
            f = self.use("function", line.function_index)
            names = [self.use("string", i)
                     for i in (f.name_strindex, f.system_name_strindex, f.filename_strindex)]
            lines.append([*names, line.line])
        return {"address": entry.address, "lines": lines, "mapping": self.mapping(entry.mapping_index),
                "type": self.attributes(entry.attribute_indices).get("profile.frame.type", "")}

    def stack(self, index):
        return [self.location(i) for i in self.use("stack", index).location_indices]

    def no_orphans(self):
        for name, table in self.tables.items():
            assert self.used[name] == set(range(len(table))), (
                name, set(range(len(table))) - self.used[name])


def read_profiles(request):
    d = Dictionary(request.dictionary)
    ids = set()
    found = []
    for owned in request.resource_profiles:
        resource = attributes(owned.resource.attributes)
        for scoped in owned.scope_profiles:
            for profile in scoped.profiles:
                assert len(profile.profile_id) == 16 and any(profile.profile_id)
                assert profile.profile_id not in ids
                ids.add(profile.profile_id)
                kind = [d.use("string", i) for i in (
                    profile.sample_type.type_strindex, profile.sample_type.unit_strindex)]
                period = [d.use("string", i) for i in (
                    profile.period_type.type_strindex, profile.period_type.unit_strindex)]
                samples, links, identities = [], [], set()
                for sample in profile.samples:
                    assert len(sample.values) == 1 and not sample.timestamps_unix_nano
                    identity = (sample.stack_index, frozenset(sample.attribute_indices),
                                sample.link_index)
                    assert identity not in identities
                    identities.add(identity)
                    link = d.use("link", sample.link_index)
                    samples.append((d.attributes(sample.attribute_indices),
                                    d.stack(sample.stack_index), sample.values[0]))
                    if sample.link_index:
                        assert len(link.trace_id) == 16 and any(link.trace_id)
                        assert len(link.span_id) == 8 and any(link.span_id)
                        links.append((link.trace_id.hex(), link.span_id.hex(), *samples[-1]))
                found.append({"resource": resource, "kind": kind, "period": period,
                              "every": profile.period, "time": profile.time_unix_nano,
                              "duration": profile.duration_nano, "samples": samples,
                              "links": links})
    d.no_orphans()
    return found


def show_profiles(request):
    for profile in read_profiles(request):
        print("profile", *profile["kind"], *profile["period"], profile["every"], profile["time"],
              profile["duration"], len(profile["samples"]),
              sum(value for _, _, value in profile["samples"]), text(profile["resource"]))
        sums = {}
        for attrs, stack, value in profile["samples"]:
            names = [[l[0] for l in place["lines"]] or [hex(place["address"])] for place in stack]
            types = sorted({place["type"] for place in stack})
            key = text([attrs, sum(names, []), types])
            sums[key] = sums.get(key, 0) + value
        for key in sorted(sums):
            print("sample", profile["kind"][0], sums[key], key)
        for trace, span, attrs, stack, value in profile["links"]:
            names = [l[0] for place in stack for l in place["lines"]]
            print("linked", profile["kind"][0], value, trace, span, text([attrs, names]))
        files = {place["mapping"]["file"]: place["mapping"] for _, stack, _ in profile["samples"]
                 for place in stack if place["mapping"]}
        for name in sorted(files):
            print("mapping", profile["kind"][0], text(files[name]))


def read(signal, path, is_json=False):
    data = open(path, "rb").read()
    request = REQUESTS[signal]()
    if is_json:
        return from_json(data, request)
    request.ParseFromString(data)
    assert not request.FindInitializationErrors()
    return request


if __name__ == "__main__":
    signal = sys.argv[1]
    globals()["show_" + signal](read(signal, sys.argv[2], sys.argv[3:] == ["json"]))
