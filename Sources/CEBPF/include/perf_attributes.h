// The arguments of perf_event_open(2) and the numbers of its ioctls and records.
// Source: include/uapi/linux/perf_event.h.
#ifndef CEBPF_PERF_ATTRIBUTES_H
#define CEBPF_PERF_ATTRIBUTES_H

#include <stdint.h>

// struct perf_event_attr up to PERF_ATTR_SIZE_VER7, its bit fields as one word.
struct cebpf_perf_attributes {
  uint32_t type;
  uint32_t size;
  uint64_t config;
  uint64_t sample_period_or_frequency;
  uint64_t sample_type;
  uint64_t read_format;
  uint64_t flags;
  uint32_t wakeup_events_or_watermark;
  uint32_t bp_type;
  uint64_t config1;
  uint64_t config2;
  uint64_t branch_sample_type;
  uint64_t sample_regs_user;
  uint32_t sample_stack_user;
  int32_t clockid;
  uint64_t sample_regs_intr;
  uint32_t aux_watermark;
  uint16_t sample_max_stack;
  uint16_t reserved_2;
  uint32_t aux_sample_size;
  uint32_t reserved_3;
  uint64_t sig_data;
};

// The ioctls; the values are those of every architecture with the generic encoding.
enum cebpf_perf_ioctl {
  CEBPF_PERF_ENABLE = 0x2400,
  CEBPF_PERF_DISABLE = 0x2401,
  CEBPF_PERF_REFRESH = 0x2402,
  CEBPF_PERF_RESET = 0x2403,
  CEBPF_PERF_SET_PERIOD = 0x40082404,
  CEBPF_PERF_SET_FILTER = 0x40082406,
  CEBPF_PERF_GET_ID = 0x80082407,
  CEBPF_PERF_SET_BPF = 0x40042408,
  CEBPF_PERF_PAUSE_OUTPUT = 0x40042409,
  CEBPF_PERF_QUERY_BPF = 0xc008240a,
};

// Byte offsets in struct perf_event_mmap_page.
enum cebpf_perf_page {
  CEBPF_PERF_PAGE_DATA_HEAD = 1024,
  CEBPF_PERF_PAGE_DATA_TAIL = 1032,
};

#endif
