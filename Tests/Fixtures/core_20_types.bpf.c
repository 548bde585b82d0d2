/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on 20 kernel types: shows whether a load's cost grows with the types it asks for.
 */
#include "helpers.h"

struct task_struct {
	int pid;
} CORE;

struct mm_struct {
	int map_count;
} CORE;

struct file {
	int f_mode;
} CORE;

struct inode {
	int i_ino;
} CORE;

struct dentry {
	int d_flags;
} CORE;

struct super_block {
	int s_magic;
} CORE;

struct sock {
	int sk_protocol;
} CORE;

struct sk_buff {
	int len;
} CORE;

struct net_device {
	int ifindex;
} CORE;

struct cred {
	int euid;
} CORE;

struct signal_struct {
	int nr_threads;
} CORE;

struct files_struct {
	int next_fd;
} CORE;

struct vm_area_struct {
	int vm_pgoff;
} CORE;

struct page {
	int flags;
} CORE;

struct cgroup {
	int level;
} CORE;

struct nsproxy {
	int count;
} CORE;

struct path {
	int mnt;
} CORE;

struct pid {
	int level;
} CORE;

struct request {
	int tag;
} CORE;

struct module {
	int state;
} CORE;

/* A field record and a type record. */
#define ASK(type, field) \
	(core_field_exists(((struct type *)0)->field) + core_type_size(struct type))

u64 answers[20];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = ASK(task_struct, pid);
	answers[1] = ASK(mm_struct, map_count);
	answers[2] = ASK(file, f_mode);
	answers[3] = ASK(inode, i_ino);
	answers[4] = ASK(dentry, d_flags);
	answers[5] = ASK(super_block, s_magic);
	answers[6] = ASK(sock, sk_protocol);
	answers[7] = ASK(sk_buff, len);
	answers[8] = ASK(net_device, ifindex);
	answers[9] = ASK(cred, euid);
	answers[10] = ASK(signal_struct, nr_threads);
	answers[11] = ASK(files_struct, next_fd);
	answers[12] = ASK(vm_area_struct, vm_pgoff);
	answers[13] = ASK(page, flags);
	answers[14] = ASK(cgroup, level);
	answers[15] = ASK(nsproxy, count);
	answers[16] = ASK(path, mnt);
	answers[17] = ASK(pid, level);
	answers[18] = ASK(request, tag);
	answers[19] = ASK(module, state);
	return 0;
}

LICENSE("GPL");
