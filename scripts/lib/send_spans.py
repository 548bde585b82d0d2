"""Has Tests/TelemetrySender send spans to Tests/Oracles/otlp_receiver.py, and compares.

usage: send_spans.py SENDER COUNT
"""

import json
import os
import subprocess
import sys
import tempfile

sender, count = sys.argv[1], int(sys.argv[2])
mark = count // 10
receiver_script = os.path.join(
    os.path.dirname(__file__), "../../Tests/Oracles/otlp_receiver.py"
)

with tempfile.TemporaryFile("w+") as records:
    receiver = subprocess.Popen(
        [sys.executable, receiver_script, "--sums", "200"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = json.loads(receiver.stdout.readline())["port"]
        # Read while the sender works: a full pipe would hold the receiver up.
        copier = subprocess.Popen(["cat"], stdin=receiver.stdout, stdout=records)
        result = subprocess.run(
            [sender, "--spans", str(count), str(mark)],
            env=dict(os.environ, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    finally:
        receiver.kill()
    receiver.wait()
    copier.wait()
    records.seek(0)
    requests = [json.loads(line) for line in records]

costs, account = {}, {}
for line in result.stdout.splitlines():
    words = line.split()
    fields = dict(zip(words[::2], words[1::2]))
    if "spans" in fields:
        costs[int(fields["spans"])] = fields
    else:
        account = fields

failures = 0


def check(what, found, expected):
    global failures
    if found == expected:
        print(f"  {what}: {found:,}")
    else:
        failures += 1
        print(f"  {what}: {found:,}, and not {expected:,}  <- WRONG")


check("sent, as the exporter says", int(account.get("sent", -1)), count)
check("dropped", int(account.get("dropped", -1)), 0)
check("arrived", sum(request["count"] for request in requests), count)
check("sum of their ids", sum(request["sum"] for request in requests), count * (count - 1) // 2)
size = sum(request["size"] for request in requests)
print(f"  {len(requests):,} requests, {size / count:.1f} bytes for each span")
if mark in costs and count in costs:
    first, last = costs[mark], costs[count]
    resident = [int(first["resident"]), int(last["resident"])]
    print(f"  resident kB after {mark:,}: {resident[0]:,}; after {count:,}: {resident[1]:,}")
    time = (int(last["cpu"]) - int(first["cpu"])) / (count - mark)
    print(f"  {time:.2f} microseconds of CPU for each span")
    # A hundredth of what the spans take: nothing of them may stay.
    if resident[1] - resident[0] > max(1000, size / 1000 / 100):
        failures += 1
        print("  memory has grown  <- NOT FLAT")
else:
    failures += 1
    print("  the sender did not say what it costs  <- WRONG")

sys.exit(1 if failures else 0)
