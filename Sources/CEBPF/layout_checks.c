// Our structures against the system's headers, wherever those have the field. Fields newer than the
// Linux 6.1 headers are checked by the kernel itself, in the live tests.
#include "CEBPF.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <time.h>

#define SAME(ours, field, theirs, path)                                        \
  _Static_assert(offsetof(struct ours, field) == offsetof(theirs, path), #field)


SAME(cebpf_map_create, map_type, union bpf_attr, map_type);
SAME(cebpf_map_create, key_size, union bpf_attr, key_size);
SAME(cebpf_map_create, value_size, union bpf_attr, value_size);
SAME(cebpf_map_create, max_entries, union bpf_attr, max_entries);
SAME(cebpf_map_create, map_flags, union bpf_attr, map_flags);
SAME(cebpf_map_create, inner_map_fd, union bpf_attr, inner_map_fd);
SAME(cebpf_map_create, numa_node, union bpf_attr, numa_node);
SAME(cebpf_map_create, map_name, union bpf_attr, map_name);
SAME(cebpf_map_create, map_ifindex, union bpf_attr, map_ifindex);
SAME(cebpf_map_create, btf_fd, union bpf_attr, btf_fd);
SAME(cebpf_map_create, btf_key_type_id, union bpf_attr, btf_key_type_id);
SAME(cebpf_map_create, btf_value_type_id, union bpf_attr, btf_value_type_id);
SAME(cebpf_map_create, btf_vmlinux_value_type_id, union bpf_attr, btf_vmlinux_value_type_id);
SAME(cebpf_map_create, map_extra, union bpf_attr, map_extra);

SAME(cebpf_map_element, map_fd, union bpf_attr, map_fd);
SAME(cebpf_map_element, key, union bpf_attr, key);
SAME(cebpf_map_element, flags, union bpf_attr, flags);
SAME(cebpf_map_element, value_or_next_key, union bpf_attr, next_key);

SAME(cebpf_map_batch, in_batch, union bpf_attr, batch.in_batch);
SAME(cebpf_map_batch, out_batch, union bpf_attr, batch.out_batch);
SAME(cebpf_map_batch, keys, union bpf_attr, batch.keys);
SAME(cebpf_map_batch, values, union bpf_attr, batch.values);
SAME(cebpf_map_batch, count, union bpf_attr, batch.count);
SAME(cebpf_map_batch, map_fd, union bpf_attr, batch.map_fd);
SAME(cebpf_map_batch, elem_flags, union bpf_attr, batch.elem_flags);
SAME(cebpf_map_batch, flags, union bpf_attr, batch.flags);

SAME(cebpf_prog_load, prog_type, union bpf_attr, prog_type);
SAME(cebpf_prog_load, insn_cnt, union bpf_attr, insn_cnt);
SAME(cebpf_prog_load, insns, union bpf_attr, insns);
SAME(cebpf_prog_load, license, union bpf_attr, license);
SAME(cebpf_prog_load, log_level, union bpf_attr, log_level);
SAME(cebpf_prog_load, log_size, union bpf_attr, log_size);
SAME(cebpf_prog_load, log_buf, union bpf_attr, log_buf);
SAME(cebpf_prog_load, kern_version, union bpf_attr, kern_version);
SAME(cebpf_prog_load, prog_flags, union bpf_attr, prog_flags);
SAME(cebpf_prog_load, prog_name, union bpf_attr, prog_name);
SAME(cebpf_prog_load, prog_ifindex, union bpf_attr, prog_ifindex);
SAME(cebpf_prog_load, expected_attach_type, union bpf_attr, expected_attach_type);
SAME(cebpf_prog_load, prog_btf_fd, union bpf_attr, prog_btf_fd);
SAME(cebpf_prog_load, func_info_rec_size, union bpf_attr, func_info_rec_size);
SAME(cebpf_prog_load, func_info, union bpf_attr, func_info);
SAME(cebpf_prog_load, func_info_cnt, union bpf_attr, func_info_cnt);
SAME(cebpf_prog_load, line_info_rec_size, union bpf_attr, line_info_rec_size);
SAME(cebpf_prog_load, line_info, union bpf_attr, line_info);
SAME(cebpf_prog_load, line_info_cnt, union bpf_attr, line_info_cnt);
SAME(cebpf_prog_load, attach_btf_id, union bpf_attr, attach_btf_id);
SAME(cebpf_prog_load, attach_fd, union bpf_attr, attach_prog_fd);
SAME(cebpf_prog_load, core_relo_cnt, union bpf_attr, core_relo_cnt);
SAME(cebpf_prog_load, fd_array, union bpf_attr, fd_array);
SAME(cebpf_prog_load, core_relos, union bpf_attr, core_relos);
SAME(cebpf_prog_load, core_relo_rec_size, union bpf_attr, core_relo_rec_size);

SAME(cebpf_object, pathname, union bpf_attr, pathname);
SAME(cebpf_object, bpf_fd, union bpf_attr, bpf_fd);
SAME(cebpf_object, file_flags, union bpf_attr, file_flags);

SAME(cebpf_prog_attach, target, union bpf_attr, target_fd);
SAME(cebpf_prog_attach, attach_bpf_fd, union bpf_attr, attach_bpf_fd);
SAME(cebpf_prog_attach, attach_type, union bpf_attr, attach_type);
SAME(cebpf_prog_attach, attach_flags, union bpf_attr, attach_flags);
SAME(cebpf_prog_attach, replace_bpf_fd, union bpf_attr, replace_bpf_fd);

SAME(cebpf_test_run, prog_fd, union bpf_attr, test.prog_fd);
SAME(cebpf_test_run, retval, union bpf_attr, test.retval);
SAME(cebpf_test_run, data_size_in, union bpf_attr, test.data_size_in);
SAME(cebpf_test_run, data_size_out, union bpf_attr, test.data_size_out);
SAME(cebpf_test_run, data_in, union bpf_attr, test.data_in);
SAME(cebpf_test_run, data_out, union bpf_attr, test.data_out);
SAME(cebpf_test_run, repeat, union bpf_attr, test.repeat);
SAME(cebpf_test_run, duration, union bpf_attr, test.duration);
SAME(cebpf_test_run, ctx_size_in, union bpf_attr, test.ctx_size_in);
SAME(cebpf_test_run, ctx_size_out, union bpf_attr, test.ctx_size_out);
SAME(cebpf_test_run, ctx_in, union bpf_attr, test.ctx_in);
SAME(cebpf_test_run, ctx_out, union bpf_attr, test.ctx_out);
SAME(cebpf_test_run, flags, union bpf_attr, test.flags);
SAME(cebpf_test_run, cpu, union bpf_attr, test.cpu);
SAME(cebpf_test_run, batch_size, union bpf_attr, test.batch_size);

SAME(cebpf_id, id, union bpf_attr, start_id);
SAME(cebpf_id, next_id, union bpf_attr, next_id);
SAME(cebpf_id, open_flags, union bpf_attr, open_flags);

SAME(cebpf_info, bpf_fd, union bpf_attr, info.bpf_fd);
SAME(cebpf_info, info_len, union bpf_attr, info.info_len);
SAME(cebpf_info, info, union bpf_attr, info.info);

SAME(cebpf_prog_query, target, union bpf_attr, query.target_fd);
SAME(cebpf_prog_query, attach_type, union bpf_attr, query.attach_type);
SAME(cebpf_prog_query, query_flags, union bpf_attr, query.query_flags);
SAME(cebpf_prog_query, attach_flags, union bpf_attr, query.attach_flags);
SAME(cebpf_prog_query, prog_ids, union bpf_attr, query.prog_ids);
SAME(cebpf_prog_query, count, union bpf_attr, query.prog_cnt);
SAME(cebpf_prog_query, prog_attach_flags, union bpf_attr, query.prog_attach_flags);

SAME(cebpf_raw_tracepoint_open, name, union bpf_attr, raw_tracepoint.name);
SAME(cebpf_raw_tracepoint_open, prog_fd, union bpf_attr, raw_tracepoint.prog_fd);

SAME(cebpf_btf_load, btf, union bpf_attr, btf);
SAME(cebpf_btf_load, btf_log_buf, union bpf_attr, btf_log_buf);
SAME(cebpf_btf_load, btf_size, union bpf_attr, btf_size);
SAME(cebpf_btf_load, btf_log_size, union bpf_attr, btf_log_size);
SAME(cebpf_btf_load, btf_log_level, union bpf_attr, btf_log_level);

SAME(cebpf_task_fd_query, pid, union bpf_attr, task_fd_query.pid);
SAME(cebpf_task_fd_query, fd, union bpf_attr, task_fd_query.fd);
SAME(cebpf_task_fd_query, flags, union bpf_attr, task_fd_query.flags);
SAME(cebpf_task_fd_query, buf_len, union bpf_attr, task_fd_query.buf_len);
SAME(cebpf_task_fd_query, buf, union bpf_attr, task_fd_query.buf);
SAME(cebpf_task_fd_query, prog_id, union bpf_attr, task_fd_query.prog_id);
SAME(cebpf_task_fd_query, fd_type, union bpf_attr, task_fd_query.fd_type);
SAME(cebpf_task_fd_query, probe_offset, union bpf_attr, task_fd_query.probe_offset);
SAME(cebpf_task_fd_query, probe_addr, union bpf_attr, task_fd_query.probe_addr);

SAME(cebpf_link_create, prog_fd, union bpf_attr, link_create.prog_fd);
SAME(cebpf_link_create, target, union bpf_attr, link_create.target_fd);
SAME(cebpf_link_create, attach_type, union bpf_attr, link_create.attach_type);
SAME(cebpf_link_create, flags, union bpf_attr, link_create.flags);

SAME(cebpf_link_create_tracing, target_btf_id, union bpf_attr, link_create.tracing.target_btf_id);
SAME(cebpf_link_create_tracing, cookie, union bpf_attr, link_create.tracing.cookie);

SAME(cebpf_link_create_iter, iter_info, union bpf_attr, link_create.iter_info);
SAME(cebpf_link_create_iter, iter_info_len, union bpf_attr, link_create.iter_info_len);

SAME(cebpf_link_create_perf_event, bpf_cookie, union bpf_attr, link_create.perf_event.bpf_cookie);

SAME(cebpf_link_create_kprobe_multi, flags, union bpf_attr, link_create.kprobe_multi.flags);
SAME(cebpf_link_create_kprobe_multi, cnt, union bpf_attr, link_create.kprobe_multi.cnt);
SAME(cebpf_link_create_kprobe_multi, syms, union bpf_attr, link_create.kprobe_multi.syms);
SAME(cebpf_link_create_kprobe_multi, addrs, union bpf_attr, link_create.kprobe_multi.addrs);
SAME(cebpf_link_create_kprobe_multi, cookies, union bpf_attr, link_create.kprobe_multi.cookies);

SAME(cebpf_link_update, link_fd, union bpf_attr, link_update.link_fd);
SAME(cebpf_link_update, new_fd, union bpf_attr, link_update.new_prog_fd);
SAME(cebpf_link_update, flags, union bpf_attr, link_update.flags);
SAME(cebpf_link_update, old_fd, union bpf_attr, link_update.old_prog_fd);

SAME(cebpf_iter_create, link_fd, union bpf_attr, iter_create.link_fd);
SAME(cebpf_iter_create, flags, union bpf_attr, iter_create.flags);

SAME(cebpf_prog_bind_map, prog_fd, union bpf_attr, prog_bind_map.prog_fd);
SAME(cebpf_prog_bind_map, map_fd, union bpf_attr, prog_bind_map.map_fd);
SAME(cebpf_prog_bind_map, flags, union bpf_attr, prog_bind_map.flags);

SAME(cebpf_prog_info, type, struct bpf_prog_info, type);
SAME(cebpf_prog_info, id, struct bpf_prog_info, id);
SAME(cebpf_prog_info, tag, struct bpf_prog_info, tag);
SAME(cebpf_prog_info, jited_prog_len, struct bpf_prog_info, jited_prog_len);
SAME(cebpf_prog_info, xlated_prog_len, struct bpf_prog_info, xlated_prog_len);
SAME(cebpf_prog_info, jited_prog_insns, struct bpf_prog_info, jited_prog_insns);
SAME(cebpf_prog_info, xlated_prog_insns, struct bpf_prog_info, xlated_prog_insns);
SAME(cebpf_prog_info, load_time, struct bpf_prog_info, load_time);
SAME(cebpf_prog_info, created_by_uid, struct bpf_prog_info, created_by_uid);
SAME(cebpf_prog_info, nr_map_ids, struct bpf_prog_info, nr_map_ids);
SAME(cebpf_prog_info, map_ids, struct bpf_prog_info, map_ids);
SAME(cebpf_prog_info, name, struct bpf_prog_info, name);
SAME(cebpf_prog_info, ifindex, struct bpf_prog_info, ifindex);
SAME(cebpf_prog_info, netns_dev, struct bpf_prog_info, netns_dev);
SAME(cebpf_prog_info, netns_ino, struct bpf_prog_info, netns_ino);
SAME(cebpf_prog_info, nr_jited_ksyms, struct bpf_prog_info, nr_jited_ksyms);
SAME(cebpf_prog_info, nr_jited_func_lens, struct bpf_prog_info, nr_jited_func_lens);
SAME(cebpf_prog_info, jited_ksyms, struct bpf_prog_info, jited_ksyms);
SAME(cebpf_prog_info, jited_func_lens, struct bpf_prog_info, jited_func_lens);
SAME(cebpf_prog_info, btf_id, struct bpf_prog_info, btf_id);
SAME(cebpf_prog_info, func_info_rec_size, struct bpf_prog_info, func_info_rec_size);
SAME(cebpf_prog_info, func_info, struct bpf_prog_info, func_info);
SAME(cebpf_prog_info, nr_func_info, struct bpf_prog_info, nr_func_info);
SAME(cebpf_prog_info, nr_line_info, struct bpf_prog_info, nr_line_info);
SAME(cebpf_prog_info, line_info, struct bpf_prog_info, line_info);
SAME(cebpf_prog_info, jited_line_info, struct bpf_prog_info, jited_line_info);
SAME(cebpf_prog_info, nr_jited_line_info, struct bpf_prog_info, nr_jited_line_info);
SAME(cebpf_prog_info, line_info_rec_size, struct bpf_prog_info, line_info_rec_size);
SAME(cebpf_prog_info, jited_line_info_rec_size, struct bpf_prog_info, jited_line_info_rec_size);
SAME(cebpf_prog_info, nr_prog_tags, struct bpf_prog_info, nr_prog_tags);
SAME(cebpf_prog_info, prog_tags, struct bpf_prog_info, prog_tags);
SAME(cebpf_prog_info, run_time_ns, struct bpf_prog_info, run_time_ns);
SAME(cebpf_prog_info, run_cnt, struct bpf_prog_info, run_cnt);
SAME(cebpf_prog_info, recursion_misses, struct bpf_prog_info, recursion_misses);
SAME(cebpf_prog_info, verified_insns, struct bpf_prog_info, verified_insns);
SAME(cebpf_prog_info, attach_btf_obj_id, struct bpf_prog_info, attach_btf_obj_id);
SAME(cebpf_prog_info, attach_btf_id, struct bpf_prog_info, attach_btf_id);

SAME(cebpf_map_info, type, struct bpf_map_info, type);
SAME(cebpf_map_info, id, struct bpf_map_info, id);
SAME(cebpf_map_info, key_size, struct bpf_map_info, key_size);
SAME(cebpf_map_info, value_size, struct bpf_map_info, value_size);
SAME(cebpf_map_info, max_entries, struct bpf_map_info, max_entries);
SAME(cebpf_map_info, map_flags, struct bpf_map_info, map_flags);
SAME(cebpf_map_info, name, struct bpf_map_info, name);
SAME(cebpf_map_info, ifindex, struct bpf_map_info, ifindex);
SAME(cebpf_map_info, btf_vmlinux_value_type_id, struct bpf_map_info, btf_vmlinux_value_type_id);
SAME(cebpf_map_info, netns_dev, struct bpf_map_info, netns_dev);
SAME(cebpf_map_info, netns_ino, struct bpf_map_info, netns_ino);
SAME(cebpf_map_info, btf_id, struct bpf_map_info, btf_id);
SAME(cebpf_map_info, btf_key_type_id, struct bpf_map_info, btf_key_type_id);
SAME(cebpf_map_info, btf_value_type_id, struct bpf_map_info, btf_value_type_id);
SAME(cebpf_map_info, map_extra, struct bpf_map_info, map_extra);

SAME(cebpf_btf_info, btf, struct bpf_btf_info, btf);
SAME(cebpf_btf_info, btf_size, struct bpf_btf_info, btf_size);
SAME(cebpf_btf_info, id, struct bpf_btf_info, id);
SAME(cebpf_btf_info, name, struct bpf_btf_info, name);
SAME(cebpf_btf_info, name_len, struct bpf_btf_info, name_len);
SAME(cebpf_btf_info, kernel_btf, struct bpf_btf_info, kernel_btf);

SAME(cebpf_perf_attributes, type, struct perf_event_attr, type);
SAME(cebpf_perf_attributes, size, struct perf_event_attr, size);
SAME(cebpf_perf_attributes, config, struct perf_event_attr, config);
SAME(cebpf_perf_attributes, sample_period_or_frequency, struct perf_event_attr, sample_period);
SAME(cebpf_perf_attributes, sample_type, struct perf_event_attr, sample_type);
SAME(cebpf_perf_attributes, read_format, struct perf_event_attr, read_format);
SAME(cebpf_perf_attributes, wakeup_events_or_watermark, struct perf_event_attr, wakeup_events);
SAME(cebpf_perf_attributes, bp_type, struct perf_event_attr, bp_type);
SAME(cebpf_perf_attributes, config1, struct perf_event_attr, config1);
SAME(cebpf_perf_attributes, config2, struct perf_event_attr, config2);
SAME(cebpf_perf_attributes, branch_sample_type, struct perf_event_attr, branch_sample_type);
SAME(cebpf_perf_attributes, sample_regs_user, struct perf_event_attr, sample_regs_user);
SAME(cebpf_perf_attributes, sample_stack_user, struct perf_event_attr, sample_stack_user);
SAME(cebpf_perf_attributes, clockid, struct perf_event_attr, clockid);
SAME(cebpf_perf_attributes, sample_regs_intr, struct perf_event_attr, sample_regs_intr);
SAME(cebpf_perf_attributes, aux_watermark, struct perf_event_attr, aux_watermark);
SAME(cebpf_perf_attributes, sample_max_stack, struct perf_event_attr, sample_max_stack);
SAME(cebpf_perf_attributes, aux_sample_size, struct perf_event_attr, aux_sample_size);
SAME(cebpf_perf_attributes, sig_data, struct perf_event_attr, sig_data);

_Static_assert((int)CEBPF_MAP_CREATE == (int)BPF_MAP_CREATE, "MAP_CREATE");
_Static_assert((int)CEBPF_MAP_NEXT_KEY == (int)BPF_MAP_GET_NEXT_KEY, "MAP_GET_NEXT_KEY");
_Static_assert((int)CEBPF_PROG_LOAD == (int)BPF_PROG_LOAD, "PROG_LOAD");
_Static_assert((int)CEBPF_OBJ_INFO == (int)BPF_OBJ_GET_INFO_BY_FD, "OBJ_GET_INFO_BY_FD");
_Static_assert((int)CEBPF_RAW_TRACEPOINT_OPEN == (int)BPF_RAW_TRACEPOINT_OPEN, "RAW_TRACEPOINT_OPEN");
_Static_assert((int)CEBPF_BTF_LOAD == (int)BPF_BTF_LOAD, "BTF_LOAD");
_Static_assert((int)CEBPF_MAP_FREEZE == (int)BPF_MAP_FREEZE, "MAP_FREEZE");
_Static_assert((int)CEBPF_MAP_DELETE_BATCH == (int)BPF_MAP_DELETE_BATCH, "MAP_DELETE_BATCH");
_Static_assert((int)CEBPF_LINK_CREATE == (int)BPF_LINK_CREATE, "LINK_CREATE");
_Static_assert((int)CEBPF_PROG_BIND_MAP == (int)BPF_PROG_BIND_MAP, "PROG_BIND_MAP");

_Static_assert((uint32_t)CEBPF_PERF_ENABLE == (uint32_t)PERF_EVENT_IOC_ENABLE, "ENABLE");
_Static_assert((uint32_t)CEBPF_PERF_DISABLE == (uint32_t)PERF_EVENT_IOC_DISABLE, "DISABLE");
_Static_assert((uint32_t)CEBPF_PERF_REFRESH == (uint32_t)PERF_EVENT_IOC_REFRESH, "REFRESH");
_Static_assert((uint32_t)CEBPF_PERF_RESET == (uint32_t)PERF_EVENT_IOC_RESET, "RESET");
_Static_assert((uint32_t)CEBPF_PERF_SET_PERIOD == (uint32_t)PERF_EVENT_IOC_PERIOD, "PERIOD");
_Static_assert((uint32_t)CEBPF_PERF_SET_FILTER == (uint32_t)PERF_EVENT_IOC_SET_FILTER, "SET_FILTER");
_Static_assert((uint32_t)CEBPF_PERF_GET_ID == (uint32_t)PERF_EVENT_IOC_ID, "ID");
_Static_assert((uint32_t)CEBPF_PERF_SET_BPF == (uint32_t)PERF_EVENT_IOC_SET_BPF, "SET_BPF");
_Static_assert((uint32_t)CEBPF_PERF_PAUSE_OUTPUT == (uint32_t)PERF_EVENT_IOC_PAUSE_OUTPUT, "PAUSE_OUTPUT");
_Static_assert((uint32_t)CEBPF_PERF_QUERY_BPF == (uint32_t)PERF_EVENT_IOC_QUERY_BPF, "QUERY_BPF");
_Static_assert(CEBPF_PERF_PAGE_DATA_HEAD == offsetof(struct perf_event_mmap_page, data_head), "");
_Static_assert(CEBPF_PERF_PAGE_DATA_TAIL == offsetof(struct perf_event_mmap_page, data_tail), "");

_Static_assert(CEBPF_REALTIME == CLOCK_REALTIME && CEBPF_MONOTONIC == CLOCK_MONOTONIC, "clocks");
_Static_assert(CEBPF_BOOTTIME == CLOCK_BOOTTIME, "clocks");
_Static_assert(CEBPF_THREAD_CPU == CLOCK_THREAD_CPUTIME_ID, "clocks");
_Static_assert(CEBPF_PROCESS_CPU == CLOCK_PROCESS_CPUTIME_ID, "clocks");
