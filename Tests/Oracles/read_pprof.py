"""Reads a pprof file with Google's protobuf, checks what the format demands, prints what is in it.

usage: read_pprof.py profile.proto FILE
"""
import gzip, json, os, subprocess, sys, tempfile
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def message_class(proto):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["protoc", "--proto_path=" + os.path.dirname(proto), "--descriptor_set_out=" + out.name,
             os.path.basename(proto)], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(open(out.name, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("perftools.profiles.Profile"))


def main():
    raw = open(sys.argv[2], "rb").read()
    assert raw[4:8] == b"\0\0\0\0", "the gzip header has a time"
    profile = message_class(sys.argv[1]).FromString(gzip.decompress(raw))
    s = profile.string_table
    assert s[0] == "" and len(set(s)) == len(s), "string table"
    assert profile.drop_frames == 0 and profile.keep_frames == 0

    def by_id(entries):
        table = {e.id: e for e in entries}
        assert len(table) == len(entries) and 0 not in table, "ids"
        return table

    mappings, locations = by_id(profile.mapping), by_id(profile.location)
    functions = by_id(profile.function)
    assert len({(f.name, f.system_name, f.filename) for f in profile.function}) == len(functions)

    def name(id):
        location = locations[id]
        if location.mapping_id:
            assert location.mapping_id in mappings
        if not location.line:
            return hex(location.address)
        assert len(location.line) == 1
        return s[functions[location.line[0].function_id].name]

    lines = {}
    for sample in profile.sample:
        assert len(sample.value) == len(profile.sample_type)
        labels = {s[l.key]: s[l.str] if l.str else l.num for l in sample.label}
        key = json.dumps([labels, [name(i) for i in sample.location_id]], ensure_ascii=False)
        sums = lines.setdefault(key, [0] * len(sample.value))
        for index, value in enumerate(sample.value):
            sums[index] += value
    print(json.dumps({
        "types": [[s[t.type], s[t.unit]] for t in profile.sample_type],
        "period": [s[profile.period_type.type], s[profile.period_type.unit], profile.period],
        "time": profile.time_nanos, "duration": profile.duration_nanos,
        "default": s[profile.default_sample_type],
        "comments": [s[c] for c in profile.comment],
        "mappings": [
            [hex(m.memory_start), hex(m.memory_limit), hex(m.file_offset), s[m.filename],
             s[m.build_id], m.has_functions, m.has_filenames, m.has_line_numbers]
            for m in profile.mapping],
        "functions": [[s[f.name], s[f.system_name], s[f.filename]] for f in profile.function],
        "lines": [[l.address, [x.line for x in l.line]] for l in profile.location],
    }, ensure_ascii=False))
    for key in sorted(lines):
        print(key, lines[key])


if __name__ == "__main__":
    main()
