"""Compares a profile as OTLP with the same profile as pprof, each read with its own format's messages:
every frame of every stack, its address, names, lines and file, and every value.

usage: compare_profiles.py OTLP PPROF profile.proto
"""
import gzip, sys
import read_otlp, read_pprof


def from_otlp(path):
    values, times = {}, set()
    for profile in read_otlp.read_profiles(read_otlp.read("profiles", path)):
        # Without a period its type says nothing; pprof has it all the same.
        period = profile["period"] if profile["every"] else ()
        times.add((profile["time"], profile["duration"], profile["every"], *period))
        for attrs, stack, value in profile["samples"]:
            places = tuple(
                (place["address"], place["mapping"] and (
                    place["mapping"]["file"], place["mapping"]["start"], place["mapping"]["end"],
                    place["mapping"]["offset"],
                    place["mapping"].get("process.executable.build_id.gnu", "")),
                 tuple((name, system or name, file, line)
                       for name, system, file, line in place["lines"]))
                for place in stack)
            key = (attrs["process.pid"], attrs["thread.name"], places, *profile["kind"])
            values[key] = values.get(key, 0) + value
    return values, times


def from_pprof(path, proto):
    message = read_pprof.message_class(proto).FromString(gzip.decompress(open(path, "rb").read()))
    s = message.string_table
    known = {entry.id: entry for entry in message.mapping}
    functions = {entry.id: entry for entry in message.function}
    places = {}
    for location in message.location:
        mapping = known.get(location.mapping_id)
        # One that nothing knows among others cannot be in OTLP.
        if mapping and not s[mapping.build_id] and s[mapping.filename].startswith("["):
            mapping = None
        places[location.id] = (
            location.address, mapping and (
                s[mapping.filename], mapping.memory_start, mapping.memory_limit,
                mapping.file_offset, s[mapping.build_id]),
            tuple((s[f.name], s[f.system_name], s[f.filename], line.line)
                  for line in location.line for f in [functions[line.function_id]]))
    values = {}
    for sample in message.sample:
        labels = {s[l.key]: s[l.str] if l.str else l.num for l in sample.label}
        stack = tuple(places[i] for i in sample.location_id)
        for kind, value in zip(message.sample_type, sample.value):
            if value:
                key = (labels["pid"], labels["comm"], stack, s[kind.type], s[kind.unit])
                values[key] = values.get(key, 0) + value
    kind = message.period_type
    period = (s[kind.type], s[kind.unit]) if message.period else ()
    return values, {(message.time_nanos, message.duration_nanos, message.period, *period)}


def main():
    otlp, otlp_times = from_otlp(sys.argv[1])
    pprof, pprof_times = from_pprof(sys.argv[2], sys.argv[3])
    for key in sorted(set(otlp) ^ set(pprof), key=str)[:5]:
        print("only in", "OTLP:" if key in otlp else "pprof:", key)
    differing = [key for key in otlp if key in pprof and otlp[key] != pprof[key]]
    assert not set(otlp) ^ set(pprof) and not differing, differing[:3]
    assert otlp_times == pprof_times, (otlp_times, pprof_times)
    print(len(otlp), "values of", len({key[2] for key in otlp}), "stacks,",
          sum(len(key[2]) for key in otlp), "places")


main()
