// The arguments of bpf(2), one structure for each command, as of Linux 6.18.
//
// The system's <linux/bpf.h> may be years older than the running kernel, so nothing here depends on
// it; layout_checks.c compares the two wherever both have a field. The kernel accepts any size: what
// it does not get is zero, and what it does not know must be zero.
// Source of the layouts: include/uapi/linux/bpf.h, union bpf_attr. Pointers are 64-bit integers.
#ifndef CEBPF_BPF_ATTRIBUTES_H
#define CEBPF_BPF_ATTRIBUTES_H

#include <stdint.h>

// enum bpf_cmd
enum cebpf_command {
  CEBPF_MAP_CREATE = 0,
  CEBPF_MAP_LOOKUP = 1,
  CEBPF_MAP_UPDATE = 2,
  CEBPF_MAP_DELETE = 3,
  CEBPF_MAP_NEXT_KEY = 4,
  CEBPF_PROG_LOAD = 5,
  CEBPF_OBJ_PIN = 6,
  CEBPF_OBJ_GET = 7,
  CEBPF_PROG_ATTACH = 8,
  CEBPF_PROG_DETACH = 9,
  CEBPF_PROG_TEST_RUN = 10,
  CEBPF_PROG_NEXT_ID = 11,
  CEBPF_MAP_NEXT_ID = 12,
  CEBPF_PROG_BY_ID = 13,
  CEBPF_MAP_BY_ID = 14,
  CEBPF_OBJ_INFO = 15,
  CEBPF_PROG_QUERY = 16,
  CEBPF_RAW_TRACEPOINT_OPEN = 17,
  CEBPF_BTF_LOAD = 18,
  CEBPF_BTF_BY_ID = 19,
  CEBPF_TASK_FD_QUERY = 20,
  CEBPF_MAP_LOOKUP_AND_DELETE = 21,
  CEBPF_MAP_FREEZE = 22,
  CEBPF_BTF_NEXT_ID = 23,
  CEBPF_MAP_LOOKUP_BATCH = 24,
  CEBPF_MAP_LOOKUP_AND_DELETE_BATCH = 25,
  CEBPF_MAP_UPDATE_BATCH = 26,
  CEBPF_MAP_DELETE_BATCH = 27,
  CEBPF_LINK_CREATE = 28,
  CEBPF_LINK_UPDATE = 29,
  CEBPF_LINK_BY_ID = 30,
  CEBPF_LINK_NEXT_ID = 31,
  CEBPF_ENABLE_STATS = 32,
  CEBPF_ITER_CREATE = 33,
  CEBPF_LINK_DETACH = 34,
  CEBPF_PROG_BIND_MAP = 35,
  CEBPF_TOKEN_CREATE = 36,      // 6.9
  CEBPF_PROG_STREAM_READ = 37,  // 6.17
};

enum { CEBPF_NAME_LENGTH = 16 };  // BPF_OBJ_NAME_LEN

struct cebpf_map_create {
  uint32_t map_type;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  uint32_t map_flags;
  uint32_t inner_map_fd;
  uint32_t numa_node;
  uint8_t map_name[CEBPF_NAME_LENGTH];
  uint32_t map_ifindex;
  uint32_t btf_fd;
  uint32_t btf_key_type_id;
  uint32_t btf_value_type_id;
  uint32_t btf_vmlinux_value_type_id;
  uint64_t map_extra;
  int32_t value_type_btf_obj_fd;  // 6.9
  int32_t map_token_fd;           // 6.9
};

struct cebpf_map_element {
  uint32_t map_fd;
  uint32_t padding;
  uint64_t key;
  uint64_t value_or_next_key;
  uint64_t flags;
};

struct cebpf_map_batch {
  uint64_t in_batch;
  uint64_t out_batch;
  uint64_t keys;
  uint64_t values;
  uint32_t count;
  uint32_t map_fd;
  uint64_t elem_flags;
  uint64_t flags;
};

struct cebpf_prog_load {
  uint32_t prog_type;
  uint32_t insn_cnt;
  uint64_t insns;
  uint64_t license;
  uint32_t log_level;
  uint32_t log_size;
  uint64_t log_buf;
  uint32_t kern_version;
  uint32_t prog_flags;
  uint8_t prog_name[CEBPF_NAME_LENGTH];
  uint32_t prog_ifindex;
  uint32_t expected_attach_type;
  uint32_t prog_btf_fd;
  uint32_t func_info_rec_size;
  uint64_t func_info;
  uint32_t func_info_cnt;
  uint32_t line_info_rec_size;
  uint64_t line_info;
  uint32_t line_info_cnt;
  uint32_t attach_btf_id;
  uint32_t attach_fd;  // attach_prog_fd or attach_btf_obj_fd
  uint32_t core_relo_cnt;
  uint64_t fd_array;
  uint64_t core_relos;
  uint32_t core_relo_rec_size;
  uint32_t log_true_size;  // 6.4, written by the kernel
  int32_t prog_token_fd;   // 6.9
  uint32_t fd_array_cnt;   // 6.14
  uint64_t signature;      // 6.18
  uint32_t signature_size;
  int32_t keyring_id;
};

struct cebpf_object {
  uint64_t pathname;
  uint32_t bpf_fd;
  uint32_t file_flags;
  int32_t path_fd;  // 6.5
  uint32_t padding;
};

struct cebpf_prog_attach {
  uint32_t target;  // target_fd or target_ifindex
  uint32_t attach_bpf_fd;
  uint32_t attach_type;
  uint32_t attach_flags;
  uint32_t replace_bpf_fd;
  uint32_t relative;  // 6.6: relative_fd or relative_id
  uint64_t expected_revision;
};

struct cebpf_test_run {
  uint32_t prog_fd;
  uint32_t retval;
  uint32_t data_size_in;
  uint32_t data_size_out;
  uint64_t data_in;
  uint64_t data_out;
  uint32_t repeat;
  uint32_t duration;
  uint32_t ctx_size_in;
  uint32_t ctx_size_out;
  uint64_t ctx_in;
  uint64_t ctx_out;
  uint32_t flags;
  uint32_t cpu;
  uint32_t batch_size;
  uint32_t padding;
};

struct cebpf_id {
  uint32_t id;  // start_id, prog_id, map_id, btf_id or link_id
  uint32_t next_id;
  uint32_t open_flags;
  int32_t fd_by_id_token_fd;  // 6.16
};

struct cebpf_info {
  uint32_t bpf_fd;
  uint32_t info_len;
  uint64_t info;
};

struct cebpf_prog_query {
  uint32_t target;  // target_fd or target_ifindex
  uint32_t attach_type;
  uint32_t query_flags;
  uint32_t attach_flags;
  uint64_t prog_ids;
  uint32_t count;
  uint32_t padding;
  uint64_t prog_attach_flags;
  uint64_t link_ids;  // 6.6
  uint64_t link_attach_flags;
  uint64_t revision;
};

struct cebpf_raw_tracepoint_open {
  uint64_t name;
  uint32_t prog_fd;
  uint32_t padding;
  uint64_t cookie;  // 6.10
};

struct cebpf_btf_load {
  uint64_t btf;
  uint64_t btf_log_buf;
  uint32_t btf_size;
  uint32_t btf_log_size;
  uint32_t btf_log_level;
  uint32_t btf_log_true_size;  // 6.4, written by the kernel
  uint32_t btf_flags;          // 6.9
  int32_t btf_token_fd;        // 6.9
};

struct cebpf_task_fd_query {
  uint32_t pid;
  uint32_t fd;
  uint32_t flags;
  uint32_t buf_len;
  uint64_t buf;
  uint32_t prog_id;
  uint32_t fd_type;
  uint64_t probe_offset;
  uint64_t probe_addr;
};

// BPF_LINK_CREATE is a header and a union; each member of the union is a structure of its own here.
struct cebpf_link_create {
  uint32_t prog_fd;  // or map_fd
  uint32_t target;   // target_fd or target_ifindex
  uint32_t attach_type;
  uint32_t flags;
};

struct cebpf_link_create_tracing {
  struct cebpf_link_create header;
  uint32_t target_btf_id;
  uint32_t padding;
  uint64_t cookie;
};

struct cebpf_link_create_iter {
  struct cebpf_link_create header;
  uint64_t iter_info;
  uint32_t iter_info_len;
  uint32_t padding;
};

struct cebpf_link_create_perf_event {
  struct cebpf_link_create header;
  uint64_t bpf_cookie;
};

struct cebpf_link_create_kprobe_multi {
  struct cebpf_link_create header;
  uint32_t flags;
  uint32_t cnt;
  uint64_t syms;
  uint64_t addrs;
  uint64_t cookies;
};

struct cebpf_link_create_uprobe_multi {  // 6.6
  struct cebpf_link_create header;
  uint64_t path;
  uint64_t offsets;
  uint64_t ref_ctr_offsets;
  uint64_t cookies;
  uint32_t cnt;
  uint32_t flags;
  uint32_t pid;
  uint32_t padding;
};

struct cebpf_link_create_netfilter {  // 6.4
  struct cebpf_link_create header;
  uint32_t pf;
  uint32_t hooknum;
  int32_t priority;
  uint32_t flags;
};

struct cebpf_link_create_anchored {  // tcx 6.6, netkit 6.7, cgroup 6.17
  struct cebpf_link_create header;
  uint32_t relative;  // relative_fd or relative_id
  uint32_t padding;
  uint64_t expected_revision;
};

struct cebpf_link_detach {
  uint32_t link_fd;
};

struct cebpf_enable_stats {
  uint32_t type;
};

struct cebpf_link_update {
  uint32_t link_fd;
  uint32_t new_fd;  // new_prog_fd or new_map_fd
  uint32_t flags;
  uint32_t old_fd;  // old_prog_fd or old_map_fd
};

struct cebpf_iter_create {
  uint32_t link_fd;
  uint32_t flags;
};

struct cebpf_prog_bind_map {
  uint32_t prog_fd;
  uint32_t map_fd;
  uint32_t flags;
};

struct cebpf_token_create {
  uint32_t flags;
  uint32_t bpffs_fd;
};

struct cebpf_prog_stream_read {
  uint64_t stream_buf;
  uint32_t stream_buf_len;
  uint32_t stream_id;
  uint32_t prog_fd;
  uint32_t padding;
};

// What BPF_OBJ_GET_INFO_BY_FD fills.

struct cebpf_prog_info {
  uint32_t type;
  uint32_t id;
  uint8_t tag[8];
  uint32_t jited_prog_len;
  uint32_t xlated_prog_len;
  uint64_t jited_prog_insns;
  uint64_t xlated_prog_insns;
  uint64_t load_time;
  uint32_t created_by_uid;
  uint32_t nr_map_ids;
  uint64_t map_ids;
  uint8_t name[CEBPF_NAME_LENGTH];
  uint32_t ifindex;
  uint32_t gpl_compatible;  // one bit, then padding
  uint64_t netns_dev;
  uint64_t netns_ino;
  uint32_t nr_jited_ksyms;
  uint32_t nr_jited_func_lens;
  uint64_t jited_ksyms;
  uint64_t jited_func_lens;
  uint32_t btf_id;
  uint32_t func_info_rec_size;
  uint64_t func_info;
  uint32_t nr_func_info;
  uint32_t nr_line_info;
  uint64_t line_info;
  uint64_t jited_line_info;
  uint32_t nr_jited_line_info;
  uint32_t line_info_rec_size;
  uint32_t jited_line_info_rec_size;
  uint32_t nr_prog_tags;
  uint64_t prog_tags;
  uint64_t run_time_ns;
  uint64_t run_cnt;
  uint64_t recursion_misses;
  uint32_t verified_insns;
  uint32_t attach_btf_obj_id;
  uint32_t attach_btf_id;
  uint32_t padding;
};

struct cebpf_map_info {
  uint32_t type;
  uint32_t id;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  uint32_t map_flags;
  uint8_t name[CEBPF_NAME_LENGTH];
  uint32_t ifindex;
  uint32_t btf_vmlinux_value_type_id;
  uint64_t netns_dev;
  uint64_t netns_ino;
  uint32_t btf_id;
  uint32_t btf_key_type_id;
  uint32_t btf_value_type_id;
  uint32_t btf_vmlinux_id;
  uint64_t map_extra;
};

struct cebpf_btf_info {
  uint64_t btf;
  uint32_t btf_size;
  uint32_t id;
  uint64_t name;
  uint32_t name_len;
  uint32_t kernel_btf;
};

// The common head of struct bpf_link_info and its union as plain words.
struct cebpf_link_info {
  uint32_t type;
  uint32_t id;
  uint32_t prog_id;
  uint32_t padding;
  uint64_t detail[7];
};

#endif
