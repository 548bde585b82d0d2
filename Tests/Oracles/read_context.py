"""Reads what a stopped process publishes of itself and of its threads, as the texts of OpenTelemetry's
OTEP 4719 and 4947 say it, and prints it, a line for each fact.

usage: read_context.py PID
"""
import ctypes, os, struct, subprocess, sys
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

pid = int(sys.argv[1])
memory = open(f"/proc/{pid}/mem", "rb", buffering=0)


def read(address, count):
    memory.seek(address)
    data = memory.read(count)
    assert len(data) == count
    return data


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(v) for v in value.array_value.values]
    return getattr(value, kind)


def fields(data):
    """The fields of a message whose fields all have a length."""
    def number():
        nonlocal data
        result = shift = 0
        while True:
            byte, data = data[0], data[1:]
            result |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return result
    while data:
        tag = number()
        assert tag & 7 == 2
        size = number()
        yield tag >> 3, data[:size]
        data = data[size:]


def process_context():
    names = ("[anon_shmem:OTEL_CTX]", "[anon:OTEL_CTX]", "/memfd:OTEL_CTX")
    found = [line for line in open(f"/proc/{pid}/maps")
             if line.rstrip("\n").split(None, 5)[-1].startswith(names)]
    assert len(found) == 1, found
    header = read(int(found[0].split("-")[0], 16), 32)
    signature, version, size, stamp, payload = struct.unpack("<8sIIQQ", header)
    assert signature == b"OTEL_CTX" and version == 2 and stamp
    print("stamp", stamp, sep="\t")
    keys = []
    for field, content in fields(read(payload, size)):
        if field == 1:
            for attribute in Resource.FromString(content).attributes:
                print("resource", attribute.key, repr(plain(attribute.value)), sep="\t")
        else:
            assert field == 2
            attribute = KeyValue.FromString(content)
            print("extra", attribute.key, repr(plain(attribute.value)), sep="\t")
            if attribute.key == "threadlocal.attribute_key_map":
                keys = plain(attribute.value)
    return keys


def offset():
    """Of the variable from the thread pointer, by binutils."""
    exe = f"/proc/{pid}/exe"
    symbols = subprocess.check_output(["readelf", "-sW", exe], text=True).splitlines()
    value = {int(s.split()[1], 16) for s in symbols
             if s.split()[-1:] == ["otel_thread_ctx_v1"] and " TLS " in s and " UND " not in s}
    assert len(value) == 1, value
    dynamic = subprocess.check_output(["readelf", "--dyn-syms", "-W", exe], text=True)
    print("dynamic", "otel_thread_ctx_v1" in dynamic, sep="\t")
    headers = subprocess.check_output(["readelf", "-lW", exe], text=True).splitlines()
    tls = next(h.split() for h in headers if h.split()[:1] == ["TLS"])
    size, align = int(tls[5], 16), int(tls[-1], 16)
    return value.pop() - (size + align - 1) // align * align


def thread_pointer(tid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    registers = (ctypes.c_uint64 * 27)()  # struct user_regs_struct
    assert libc.ptrace(16, tid, None, None) == 0, ctypes.get_errno()  # PTRACE_ATTACH
    os.waitpid(tid, 0x40000000)  # __WALL
    assert libc.ptrace(12, tid, None, ctypes.addressof(registers)) == 0  # PTRACE_GETREGS
    assert libc.ptrace(17, tid, None, None) == 0  # PTRACE_DETACH
    return registers[21]  # fs_base


def thread_context(tid, place, keys):
    pointer, = struct.unpack("<Q", read((thread_pointer(tid) + place) & (2 ** 64 - 1), 8))
    if not pointer:
        return print("thread", tid, "none", sep="\t")
    trace, span, valid, flags, size = struct.unpack("<16s8sBBH", read(pointer, 28))
    assert pointer % 2 == 0
    values = {}
    data = read(pointer + 28, size)
    while len(data) >= 2 and len(data) >= 2 + data[1]:
        if data[0] < len(keys):
            values[keys[data[0]]] = data[2:2 + data[1]].decode()
        data = data[2 + data[1]:]
    print("thread", tid, trace.hex(), span.hex(), valid, flags, values, sep="\t")


keys = process_context()
place = offset()
for tid in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
    thread_context(int(tid), place, keys)
