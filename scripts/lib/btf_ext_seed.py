"""Writes an object's .BTF and .BTF.ext as the BTFExtFuzz target reads them."""
import struct
import sys


def sections(data):
    offset, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + size * i) for i in range(count)]
    table = headers[names][4]
    for name, _, _, _, start, length in headers:
        end = data.index(b"\0", table + name)
        yield data[table + name:end].decode(), data[start:start + length]


def main(source, target):
    with open(source, "rb") as file:
        data = file.read()
    if data[5:6] != b"\1":
        return  # big-endian: another layout of the headers above
    found = dict(sections(data))
    if ".BTF" in found and ".BTF.ext" in found:
        with open(target, "wb") as file:
            file.write(struct.pack("<I", len(found[".BTF"])) + found[".BTF"] + found[".BTF.ext"])


main(*sys.argv[1:])
