#!/bin/sh
# Writes Sources/ProfileFormats/Generated/profile.pb.swift from scripts/proto/profile.proto.
# Needs protoc (Debian: protobuf-compiler); builds the Swift plugin from the resolved swift-protobuf
# unless PROTOC_GEN_SWIFT names one. With --check, fails when the committed file is out of date.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib/protobuf.sh
target=Sources/ProfileFormats/Generated

output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
protoc --plugin=protoc-gen-swift="$(swift_protobuf_plugin)" --proto_path=scripts/proto --swift_out="$output" \
  --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true profile.proto
if [ "${1:-}" = --check ]; then
  cmp "$output/profile.pb.swift" "$target/profile.pb.swift"
else
  mkdir -p "$target"
  cp "$output/profile.pb.swift" "$target/profile.pb.swift"
fi
