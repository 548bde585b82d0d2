/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs at functions of a kernel module, veth, and asks for a type that only the module has. Packets
 * that one process (target_tgid; 0: nobody) sends through such a device, counted three ways. A test
 * run of `ask` fills `type_exists` and `type_size`.
 */
#include "helpers.h"

struct veth_priv {
	u64 dropped;
} CORE;

u32 target_tgid = 0;
u64 by_trampoline = 0;
u64 by_named_module = 0;
u64 by_kprobe = 0;
u32 type_exists = 0;
u32 type_size = 0;

INLINE bool is_target(void)
{
	u32 target = READ_ONCE(target_tgid);

	return target != 0 && bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("fentry/veth_xmit")
int on_transmit(u64 *context)
{
	if (is_target())
		ADD_ONE(&by_trampoline);
	return 0;
}

SEC("fentry/veth:veth_xmit")
int on_named_transmit(u64 *context)
{
	if (is_target())
		ADD_ONE(&by_named_module);
	return 0;
}

SEC("kprobe/veth_xmit")
int on_probed_transmit(void *context)
{
	if (is_target())
		ADD_ONE(&by_kprobe);
	return 0;
}

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	type_exists = core_type_exists(struct veth_priv);
	type_size = core_type_size(struct veth_priv);
	return 0;
}

LICENSE("GPL");
