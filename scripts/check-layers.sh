#!/bin/sh
# Fails when a target imports a module that its row does not allow, or says `unsafe` outside the
# fence. SwiftPM's own import check lets transitive imports through.
set -eu
cd "$(dirname "$0")/.."

allowed() {
  case "$1" in
    EBPFObject)     echo "Synchronization" ;;
    EBPFSystem)     echo "CEBPF CLzma CZlib EBPFObject Glibc Synchronization" ;;
    EBPF)           echo "EBPFObject EBPFSystem Synchronization" ;;
    OpenTelemetryContext) echo "COpenTelemetryContext Synchronization" ;;
    TracingContext) echo "OpenTelemetryContext Tracing" ;;
    Profiles)       echo "" ;;
    PublishedContexts) echo "EBPFObject EBPFSystem Profiles" ;;
    Symbolization)  echo "CDemangle EBPFObject EBPFSystem Synchronization" ;;
    Unwinding)      echo "EBPFObject" ;;
    EBPFTracers)    echo "EBPF CBPFObjects Profiles PublishedContexts Symbolization Unwinding EBPFSystem Synchronization" ;;
    TracerMetrics)  echo "EBPF EBPFTracers Metrics Synchronization" ;;
    # The generated messages name Foundation only where FoundationEssentials is not.
    OTLPMessages)   echo "Foundation FoundationEssentials SwiftProtobuf" ;;
    OTLP)           echo "FoundationEssentials OTLPMessages SwiftProtobuf" ;;
    EBPFTelemetry)  echo "EBPF EBPFSystem EBPFTracers OTLP Profiles Synchronization" ;;
    AgentConfiguration) echo "CYAML EBPFObject EBPFTracers" ;;
    Compression)    echo "CZlib" ;;
    ProfileFormats) echo "Profiles Compression SwiftProtobuf" ;;
    OTLPExporter)   echo "OTLP Compression EBPFSystem SwiftProtobuf Synchronization AsyncHTTPClient Logging ServiceLifecycle NIOCore NIOHTTP1 NIOPosix NIOSSL" ;;
    Agent)          echo "AgentConfiguration EBPF EBPFSystem EBPFTelemetry EBPFTracers FoundationEssentials Logging OTLP OTLPExporter ServiceLifecycle Synchronization UnixSignals" ;;
    TerminalView)   echo "" ;;
    ControlProtocol) echo "FoundationEssentials" ;;
    ebpf)           echo "Agent AgentConfiguration Dispatch Logging ServiceLifecycle UnixSignals ControlProtocol EBPF EBPFSystem EBPFTelemetry EBPFTracers OTLP Profiles ProfileFormats TerminalView ArgumentParser FoundationEssentials Synchronization" ;;
    *)              return 1 ;;
  esac
}

# Where `unsafe` may stand: the module that talks to the kernel, and the files that turn foreign
# memory into checked values.
fence='^Sources/(EBPFSystem/|EBPFObject/Bytes\.swift|EBPFTracers/EmbeddedObject\.swift|Symbolization/Demangle/RuntimeDemangler\.swift|Compression/Gzip\.swift|AgentConfiguration/YAML/YAMLDocument\.swift|OpenTelemetryContext/)'

status=0
for dir in Sources/*/; do
  target=$(basename "$dir")
  find "$dir" -name '*.swift' | grep -q . || continue
  if ! row=$(allowed "$target"); then
    echo "error: $target has no row in $0" >&2
    status=1
    continue
  fi
  imports=$(grep -rhoE '^(@[a-zA-Z_]+ )*((public|package|internal|fileprivate|private) )?import ((struct|class|enum|func) )?[A-Za-z_]+' \
    "$dir" --include='*.swift' | awk '{print $NF}' | sort -u)
  for module in $imports; do
    case " $row " in
      *" $module "*) ;;
      *) echo "error: $target imports $module" >&2; status=1 ;;
    esac
  done
done

if grep -rnw unsafe Sources --include='*.swift' | grep -vE '^[^:]*:[0-9]*: *//' |
  grep -vE '/Generated/|^Sources/OTLPMessages/' | grep -v "'unsafe-inline'" | grep -v '"unsafe "' | grep -vE "$fence"; then
  echo "error: unsafe outside the fence" >&2
  status=1
fi
exit $status
