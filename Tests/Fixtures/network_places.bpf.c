/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts IPv4 and IPv6 sockets that are created in a control group, and UDP datagrams to port `port`
 * (host order; of fragments the first) where they enter an interface (XDP, tcx) and where their socket
 * is looked up in a network namespace. Two programs for each place, of which one can take the other's:
 * the first adds to counts[0], the second to counts[1].
 */
#include "helpers.h"

u64 counts[2];
u16 port;

SEC("cgroup/sock_create")
int sockets_first(void *context)
{
	ADD_ONE(&counts[0]);
	return 1;
}

SEC("cgroup/sock_create")
int sockets_second(void *context)
{
	ADD_ONE(&counts[1]);
	return 1;
}

/* Ethernet and IPv4 without options, then UDP's ports. */
INLINE void count_datagram(u64 data, u64 data_end, u64 *count)
{
	u8 *packet = (u8 *)data;

	if (data + 42 > data_end || packet[12] != 8 || packet[13] != 0 || packet[14] != 0x45 ||
	    packet[23] != 17)
		return;
	if (((u16)packet[36] << 8 | packet[37]) == port)
		ADD_ONE(count);
}

/* struct xdp_md (linux/bpf.h): what follows is not used. */
struct xdp_context {
	u32 data;
	u32 data_end;
};

SEC("xdp")
int packets_first(struct xdp_context *context)
{
	count_datagram(context->data, context->data_end, &counts[0]);
	return 2; /* XDP_PASS */
}

SEC("xdp")
int packets_second(struct xdp_context *context)
{
	count_datagram(context->data, context->data_end, &counts[1]);
	return 2;
}

/* struct __sk_buff (linux/bpf.h). */
struct buffer_context {
	u32 before[19];
	u32 data;
	u32 data_end;
};

SEC("tcx/ingress")
int ingress_first(struct buffer_context *context)
{
	count_datagram(context->data, context->data_end, &counts[0]);
	return -1; /* TCX_NEXT */
}

SEC("tcx/ingress")
int ingress_second(struct buffer_context *context)
{
	count_datagram(context->data, context->data_end, &counts[1]);
	return -1;
}

/* struct bpf_sk_lookup (linux/bpf.h). */
struct lookup_context {
	u64 socket;
	u32 family;
	u32 protocol;
	u32 remote_ip4;
	u32 remote_ip6[4];
	u32 remote_port;
	u32 local_ip4;
	u32 local_ip6[4];
	u32 local_port;
};

SEC("sk_lookup")
int lookups_first(struct lookup_context *context)
{
	if (context->protocol == 17 && context->local_port == port)
		ADD_ONE(&counts[0]);
	return 1; /* SK_PASS */
}

SEC("sk_lookup")
int lookups_second(struct lookup_context *context)
{
	if (context->protocol == 17 && context->local_port == port)
		ADD_ONE(&counts[1]);
	return 1;
}

LICENSE("GPL");
