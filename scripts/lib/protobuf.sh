# Sourced by the scripts that generate protobuf messages.

# The path of swift-protobuf's generator: PROTOC_GEN_SWIFT, or built from the resolved package.
swift_protobuf_plugin() {
  if [ -n "${PROTOC_GEN_SWIFT:-}" ]; then
    echo "$PROTOC_GEN_SWIFT"
    return
  fi
  [ -d .build/checkouts/swift-protobuf ] || swift package resolve >&2
  scratch=$PWD/.build/protoc-gen-swift
  swift build --package-path .build/checkouts/swift-protobuf --scratch-path "$scratch" \
    --product protoc-gen-swift >&2
  echo "$scratch/debug/protoc-gen-swift"
}
