"""The schemas inside a wheel of PyPI's opentelemetry-proto as one descriptor set.

usage: otlp_schema.py WHEEL DESCRIPTOR_SET
Prints the version of the protocol, then the names of the schema files, one a line.
"""

import re
import sys
import tempfile
import zipfile

from google.protobuf import descriptor_pb2, descriptor_pool

wheel, output = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
packages = tempfile.TemporaryDirectory()
archive.extractall(packages.name)
sys.path.insert(0, packages.name)
metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
release = re.search(r"opentelemetry-proto/releases/tag/v([0-9.]+)", archive.read(metadata).decode())
if release is None:
    sys.exit("the wheel does not say which release of the protocol it has")

modules = [name for name in archive.namelist() if name.endswith("_pb2.py")]
for module in modules:
    __import__(module.removesuffix(".py").replace("/", "."))

files = {}


def add(descriptor):
    """Adds a file after those it imports, the order in which protoc reads a set."""
    if descriptor.name in files:
        return
    for imported in descriptor.dependencies:
        add(imported)
    files[descriptor.name] = descriptor


for module in sorted(modules):
    add(descriptor_pool.Default().FindFileByName(module.replace("_pb2.py", ".proto")))

schemas = descriptor_pb2.FileDescriptorSet()
for descriptor in files.values():
    descriptor.CopyToProto(schemas.file.add())
with open(output, "wb") as out:
    out.write(schemas.SerializeToString())
print(release[1], *files, sep="\n")
