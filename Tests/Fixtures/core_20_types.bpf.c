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

u64 answers[20];

SEC("raw_tp/sys_enter")
int ask(void *context)
{
	answers[0] = core_field_exists(((struct task_struct *)0)->pid) + core_type_size(struct task_struct);
	answers[1] = core_field_exists(((struct mm_struct *)0)->map_count) + core_type_size(struct mm_struct);
	answers[2] = core_field_exists(((struct file *)0)->f_mode) + core_type_size(struct file);
	answers[3] = core_field_exists(((struct inode *)0)->i_ino) + core_type_size(struct inode);
	answers[4] = core_field_exists(((struct dentry *)0)->d_flags) + core_type_size(struct dentry);
	answers[5] = core_field_exists(((struct super_block *)0)->s_magic) + core_type_size(struct super_block);
	answers[6] = core_field_exists(((struct sock *)0)->sk_protocol) + core_type_size(struct sock);
	answers[7] = core_field_exists(((struct sk_buff *)0)->len) + core_type_size(struct sk_buff);
	answers[8] = core_field_exists(((struct net_device *)0)->ifindex) + core_type_size(struct net_device);
	answers[9] = core_field_exists(((struct cred *)0)->euid) + core_type_size(struct cred);
	answers[10] = core_field_exists(((struct signal_struct *)0)->nr_threads) + core_type_size(struct signal_struct);
	answers[11] = core_field_exists(((struct files_struct *)0)->next_fd) + core_type_size(struct files_struct);
	answers[12] = core_field_exists(((struct vm_area_struct *)0)->vm_pgoff) + core_type_size(struct vm_area_struct);
	answers[13] = core_field_exists(((struct page *)0)->flags) + core_type_size(struct page);
	answers[14] = core_field_exists(((struct cgroup *)0)->level) + core_type_size(struct cgroup);
	answers[15] = core_field_exists(((struct nsproxy *)0)->count) + core_type_size(struct nsproxy);
	answers[16] = core_field_exists(((struct path *)0)->mnt) + core_type_size(struct path);
	answers[17] = core_field_exists(((struct pid *)0)->level) + core_type_size(struct pid);
	answers[18] = core_field_exists(((struct request *)0)->tag) + core_type_size(struct request);
	answers[19] = core_field_exists(((struct module *)0)->state) + core_type_size(struct module);
	return 0;
}

LICENSE("GPL");
