"""Compares what the tracers of scripts/soak.sh counted with what the load says it did.

usage: soak.py FOLDER SECONDS
"""

import json
import sys

folder, seconds = sys.argv[1], float(sys.argv[2])
tracers = ["profile", "network", "syscalls", "memory"]
results = {}
for name in tracers:
    with open(f"{folder}/{name}.json") as file:
        results[name] = json.load(file)
with open(f"{folder}/load.txt") as file:
    load = {line.split()[0]: int(line.split()[1]) for line in file}

failures = 0


def check(what, found, expected):
    global failures
    if found == expected:
        print(f"  {what}: {found:,}")
    else:
        failures += 1
        print(f"  {what}: {found:,}, and not {expected:,}  <- WRONG")


print(f"{load['rounds']:,} rounds")
network = results["network"]["totals"]
check("network: connects", network["tcp_connections"], load["connects"])
check("network: accepts", network["tcp_accepts"], load["connects"])
check("network: bytes sent", network["bytes_sent"], load["bytes"])
check("network: bytes received", network["bytes_received"], load["bytes"])
check("network: failures", network["tcp_failures"], 0)

rows = [row for row in results["syscalls"]["by_process"] if row["pid"] == load["pid"]]
calls = {}
for row in rows:
    for cell in row["calls"]:
        calls[cell["name"]] = calls.get(cell["name"], 0) + cell["count"]
check("syscalls: getppid", calls.get("getppid", 0), load["getppid"])
check("syscalls: connect", calls.get("connect", 0), load["connects"])
# A fork is a call of clone or of fork, as the C library likes it.
forks = sum(calls.get(name, 0) for name in ["clone", "clone3", "fork", "vfork"])
check("syscalls: forks", forks, load["programs"])

memory = results["memory"]["totals"]
check("memory: allocations", memory["allocations"], load["allocations"])
check("memory: frees", memory["frees"], load["frees"])
check(
    "memory: allocations in use",
    memory["active_allocations"],
    load["allocations"] - load["frees"],
)
if results["profile"]["totals"]["samples"] == 0:
    failures += 1
    print("  profile: no samples  <- WRONG")
for name in tracers:
    check(f"{name}: lost", results[name]["loss"]["dropped"], 0)

samples = {name: [] for name in tracers}
with open(f"{folder}/samples") as file:
    for line in file:
        name, resident, descriptors = line.split()
        samples[name].append((int(resident), int(descriptors)))
for name in tracers:
    resident = [kilobytes for kilobytes, _ in samples[name]]
    descriptors = {count for _, count in samples[name]}
    overhead = results[name]["overhead"]
    text = " ".join(f"{kilobytes / 1000:.1f}" for kilobytes in resident)
    print(f"{name}: resident MB {text}; {overhead['cpu_percent']:.2f} % of one CPU")
    if len(descriptors) != 1:
        failures += 1
        print(f"  descriptors: {sorted(descriptors)}  <- NOT FLAT")
    # Start-up and results that are kept (blocks in use, symbols) apart: the second half of a long run.
    if seconds >= 300 and len(resident) >= 8:
        middle, last = resident[len(resident) // 2], resident[-1]
        if last - middle > max(2000, middle / 20):
            failures += 1
            print(f"  {last - middle} kB more in the second half  <- NOT FLAT")

sys.exit(1 if failures else 0)
