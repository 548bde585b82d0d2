/// What the network tracer needs from the kernel, and the programs of network_tracer.bpf.c that meet
/// it.
enum NetworkHooks {
  /// Looks at connections that exist; always loaded, run by the session, never attached.
  static let walker = "network_connections"
  /// Takes in what is there already.
  static let existing = "network_existing"
  /// Needs whose absence other programs must know of.
  static let callExits = "owners of accepted connections, results of connect"

  /// True for programs that run for each datagram or each packet.
  static func isCostly(_ program: String) -> Bool {
    ["network_send_", "network_receive_", "network_packet_", "network_drop_"].contains {
      program.hasPrefix($0)
    }
  }

  static func plans(_ configuration: NetworkTracerConfiguration) -> [HookPlan] {
    var plans = [
      HookPlan(
        need: "connections", rungs: [["network_state_btf"], ["network_state_raw"]]),
      HookPlan(
        need: callExits,
        rungs: [
          ["network_accept4_exit", "network_accept_exit", "network_connect_exit"],
          ["network_exit_raw"],
        ], isRequired: false),
      HookPlan(
        need: "retransmissions", rungs: [["network_retransmit_btf"], ["network_retransmit_raw"]],
        isRequired: false),
      HookPlan(
        need: "retransmissions by listeners",
        rungs: [["network_synack_btf"], ["network_synack_raw"]],
        isRequired: false),
      HookPlan(
        need: "resets",
        rungs: [
          ["network_reset_sent_btf", "network_reset_received_btf"],
          ["network_reset_sent_raw", "network_reset_received_raw"],
        ], isRequired: false),
      // Functions before the raw tracepoint: where the typed one is missing, so is the raw one.
      HookPlan(
        need: "datagrams",
        rungs: [
          ["network_send_btf", "network_receive_btf"],
          [
            "network_send_version_4", "network_send_version_6", "network_receive_version_4",
            "network_receive_version_6",
          ],
          ["network_send_raw", "network_receive_raw"],
          ["network_send_4", "network_send_6", "network_receive_4", "network_receive_6"]
            .flatMap { [$0 + "_begins", $0 + "_returns"] },
        ], isRequired: false),
      HookPlan(need: "existing connections", rungs: [[existing]], isRequired: false),
    ]
    if configuration.recordsDNS {
      plans.append(
        HookPlan(
          need: "DNS messages",
          rungs: [
            ["network_packet_out_btf", "network_packet_in_btf"],
            ["network_packet_out_raw", "network_packet_in_raw"],
          ]))
    }
    if configuration.recordsDrops {
      plans.append(
        HookPlan(need: "dropped packets", rungs: [["network_drop_btf"], ["network_drop_raw"]]))
    }
    return plans
  }
}
