"""An OTLP/HTTP receiver on a free port of 127.0.0.1 that behaves as its script says.

Bodies are decoded by the official opentelemetry-proto package. Standard output gets one JSON object a
line: first {"port": N}, then one per request, before it is answered. The script is a list of steps,
one for each request, separated by spaces; the last one is kept.

  200            an empty answer of OTLP      reject=N:TEXT   a partial success
  STATUS[:HEADER=VALUE]                        max=N           413 for more than N items, else 200
  redirect=URL   307                           reset           RST instead of an answer
  garbage        bytes that are no HTTP        html            200, with a page
  endless        200, with a body without end  hang            no answer until the client goes away
  drip           200, a header byte a moment, without end      cut             half a body
"""
import argparse
import base64
import gzip
import json
import socket
import ssl
import struct
import sys
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as profiles
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

POINTS = ["gauge", "sum", "histogram", "exponential_histogram", "summary"]
output = threading.Lock()


def say(value):
    with output:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()


def items(signal, request):
    """What tells the items of a request apart."""
    if signal == "traces":
        return [s.span_id.hex() for r in request.resource_spans for c in r.scope_spans for s in c.spans]
    if signal == "logs":
        return [l.body.string_value for r in request.resource_logs for c in r.scope_logs
                for l in c.log_records]
    if signal == "metrics":
        return [f"{m.name}/{p.time_unix_nano}" for r in request.resource_metrics
                for c in r.scope_metrics for m in c.metrics for k in POINTS if m.HasField(k)
                for p in getattr(m, k).data_points]
    table = request.dictionary
    names = []
    for r in request.resource_profiles:
        for c in r.scope_profiles:
            for p in c.profiles:
                for s in p.samples:
                    stack = table.stack_table[s.stack_index].location_indices
                    functions = [table.function_table[l.function_index].name_strindex
                                 for i in stack for l in table.location_table[i].lines]
                    names.append(";".join(table.string_table[f] for f in functions)
                                 + " " + ",".join(str(v) for v in s.values))
    return names


KINDS = {
    "/v1/traces": ("traces", traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse,
                   "rejected_spans"),
    "/v1/metrics": ("metrics", metrics.ExportMetricsServiceRequest,
                    metrics.ExportMetricsServiceResponse, "rejected_data_points"),
    "/v1/logs": ("logs", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse,
                 "rejected_log_records"),
    "/v1development/profiles": ("profiles", profiles.ExportProfilesServiceRequest,
                                profiles.ExportProfilesServiceResponse, "rejected_profiles"),
}

# OTLP/JSON has hexadecimal identifiers; protobuf's own JSON, which the package reads, has base64.
IDENTIFIERS = {"traceId", "spanId", "parentSpanId", "profileId"}


def from_otlp_json(value):
    if isinstance(value, list):
        return [from_otlp_json(v) for v in value]
    if isinstance(value, dict):
        return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in IDENTIFIERS
                else from_otlp_json(v) for k, v in value.items()}
    return value


class Connection:
    def __init__(self, stream, script, options):
        self.stream, self.script, self.options, self.buffer = stream, script, options, b""

    def fill(self):
        data = self.stream.recv(1 << 16)
        if not data:
            raise EOFError
        self.buffer += data

    def request(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while True:
                while b"\r\n" not in self.buffer:
                    self.fill()
                size, self.buffer = self.buffer.split(b"\r\n", 1)
                size = int(size, 16)
                while len(self.buffer) < size + 2:
                    self.fill()
                body += self.buffer[:size]
                self.buffer = self.buffer[size + 2:]
                if size == 0:
                    break
        else:
            length = int(headers.get("content-length", "0"))
            while len(self.buffer) < length:
                self.fill()
            body, self.buffer = self.buffer[:length], self.buffer[length:]
        return lines[0].split(" ")[:2], headers, body

    def answer(self, status, headers, body):
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self.stream.sendall(head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body)

    def serve(self):
        while True:
            (method, target), headers, body = self.request()
            if method == "CONNECT":  # as a proxy: the way to the receiver leads back to here
                say({"method": method, "target": target, "headers": headers, "size": 0, "plain": 0,
                     "step": "", "signal": "", "items": [], "took": False})
                self.stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                continue
            step = self.script.next()
            record = {"method": method, "target": target, "headers": headers, "size": len(body),
                      "step": step}
            plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            path = target.split("?")[0]
            signal, request_type, response_type, rejected = KINDS[path]
            is_json = headers.get("content-type") == "application/json"
            request = request_type()
            if is_json:
                json_format.ParseDict(from_otlp_json(json.loads(plain)), request)
            else:
                request.ParseFromString(plain)
            found = items(signal, request)
            record.update(signal=signal, items=found, plain=len(plain))
            if self.options.sums:
                record.update(items=[], count=len(found), sum=sum(int(i, 16) for i in found))
            if self.options.bodies:
                record["body"] = base64.b64encode(plain).decode()
            name, _, value = step.partition("=")
            if name == "max":
                name = "200" if len(found) <= int(value) else "413"
            record["took"] = name in ("200", "reject", "html", "endless", "cut")
            say(record)
            response = response_type()
            kind = "application/json" if is_json else "application/x-protobuf"
            encode = (lambda m: json_format.MessageToJson(m).encode()) if is_json else (
                lambda m: m.SerializeToString())
            if name == "200":
                self.answer(200, {"content-type": kind}, encode(response))
            elif name == "reject":
                count, _, text = value.partition(":")
                setattr(response.partial_success, rejected, int(count))
                response.partial_success.error_message = text
                self.answer(200, {"content-type": kind}, encode(response))
            elif name == "redirect":
                self.answer(307, {"location": value}, b"")
            elif name == "reset":
                self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            elif name == "garbage":
                self.stream.sendall(b"\x00\x01\x02 this is no HTTP \xff\xfe\r\n\r\n")
                return
            elif name == "html":
                self.answer(200, {"content-type": "text/html"}, b"<html>Please log in</html>")
            elif name == "endless":
                self.stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n\r\n")
                while True:
                    self.stream.sendall(b"\x00" * 65536)
            elif name == "cut":
                self.stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                return
            elif name == "hang":
                while self.stream.recv(1 << 16):
                    pass
                return
            elif name == "drip":
                self.stream.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                while True:
                    threading.Event().wait(0.01)
                    self.stream.sendall(b"y")
            else:
                status, _, header = (name if name == "413" else step).partition(":")
                pairs = dict([header.split("=", 1)]) if header else {}
                self.answer(int(status), pairs, b"")


class Script:
    def __init__(self, text):
        self.steps, self.lock = text.split(), threading.Lock()

    def next(self):
        with self.lock:
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


def serve(stream, script, options, context):
    try:
        if context:
            stream = context.wrap_socket(stream, server_side=True)
        Connection(stream, script, options).serve()
    except (EOFError, OSError, ssl.SSLError):
        pass
    finally:
        stream.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-authority")
    parser.add_argument("--bodies", action="store_true", help="add the body, inflated, as base64")
    parser.add_argument("--sums", action="store_true",
                        help="of spans only their number and the sum of their ids")
    parser.add_argument("script")
    arguments = parser.parse_args()
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
        if arguments.client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(arguments.client_authority)
    listener = socket.create_server(("127.0.0.1", arguments.port))
    say({"port": listener.getsockname()[1]})
    script = Script(arguments.script)
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=serve, args=(stream, script, arguments, context),
                         daemon=True).start()


main()
