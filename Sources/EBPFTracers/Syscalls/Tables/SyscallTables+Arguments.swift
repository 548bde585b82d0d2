// Written by scripts/generate-syscalls.sh: do not edit.

extension SyscallTables {
  /// A call's name and its arguments, `name:kind`, one call a line.
  static let arguments = """
    accept fd:fd upeer_sockaddr:address_out upeer_addrlen:pointer
    accept4 fd:fd upeer_sockaddr:address_out upeer_addrlen:pointer flags:socket_type
    access filename:path mode:access
    acct name:path
    add_key type:text description:text payload:pointer plen:size ringid:int
    adjtimex txc_p:pointer
    alarm seconds:uint
    arch_prctl option:hex arg2:hex
    bind fd:fd umyaddr:address addrlen:int
    bpf cmd:bpf uattr:pointer size:uint
    brk brk:pointer
    cachestat fd:fd cstat_range:pointer cstat:pointer flags:hex
    capget header:hex dataptr:hex
    capset header:hex data:hex
    chdir filename:path
    chmod filename:path mode:mode
    chown filename:path user:int group:int
    chroot filename:path
    clock_adjtime which_clock:clock utx:pointer
    clock_getres which_clock:clock tp:pointer
    clock_gettime which_clock:clock tp:pointer
    clock_nanosleep which_clock:clock flags:hex rqtp:timespec rmtp:pointer
    clock_settime which_clock:clock tp:pointer
    clone clone_flags:clone newsp:hex parent_tidptr:pointer child_tidptr:pointer tls:hex
    clone3 uargs:pointer size:size
    close fd:fd
    close_range fd:fd max_fd:fd flags:hex
    connect fd:fd uservaddr:address addrlen:int
    copy_file_range fd_in:fd off_in:pointer fd_out:fd off_out:pointer len:size flags:hex
    creat pathname:path mode:mode
    delete_module name:text flags:hex
    dup fildes:fd
    dup2 oldfd:fd newfd:fd
    dup3 oldfd:fd newfd:fd flags:open
    epoll_create size:int
    epoll_create1 flags:open
    epoll_ctl epfd:fd op:epoll fd:fd event:pointer
    epoll_pwait epfd:fd events:pointer maxevents:int timeout:int sigmask:pointer sigsetsize:size
    epoll_pwait2 epfd:fd events:pointer maxevents:int timeout:pointer sigmask:pointer sigsetsize:size
    epoll_wait epfd:fd events:pointer maxevents:int timeout:int
    eventfd count:uint
    eventfd2 count:uint flags:open
    execve filename:path argv:pointer envp:pointer
    execveat fd:fd filename:path argv:pointer envp:pointer flags:at
    exit error_code:int
    exit_group error_code:int
    faccessat dfd:dirfd filename:path mode:access
    faccessat2 dfd:dirfd filename:path mode:access flags:at
    fadvise64 fd:fd offset:long len:size advice:int
    fallocate fd:fd mode:hex offset:long len:long
    fanotify_init flags:hex event_f_flags:uint
    fanotify_mark fanotify_fd:fd flags:hex mask:hex dfd:dirfd pathname:path
    fchdir fd:fd
    fchmod fd:fd mode:mode
    fchmodat dfd:dirfd filename:path mode:mode
    fchmodat2 dfd:dirfd filename:path mode:mode flags:at
    fchown fd:fd user:int group:int
    fchownat dfd:dirfd filename:path user:int group:int flag:at
    fcntl fd:fd cmd:fcntl arg:hex
    fdatasync fd:fd
    fgetxattr fd:fd name:text value:pointer size:size
    file_getattr dfd:dirfd filename:path ufattr:pointer usize:size at_flags:hex
    file_setattr dfd:dirfd filename:path ufattr:pointer usize:size at_flags:hex
    finit_module fd:fd uargs:text flags:hex
    flistxattr fd:fd list:pointer size:size
    flock fd:fd cmd:flock
    fork
    fremovexattr fd:fd name:text
    fsconfig fd:fd cmd:uint key:text value:pointer aux:int
    fsetxattr fd:fd name:text value:pointer size:size flags:hex
    fsmount fs_fd:fd flags:hex attr_flags:uint
    fsopen fs_name:text flags:hex
    fspick dfd:dirfd path:path flags:hex
    fstat fd:fd statbuf:pointer
    fstatfs fd:fd buf:pointer
    fsync fd:fd
    ftruncate fd:fd length:long
    futex uaddr:pointer op:futex val:uint utime:pointer uaddr2:pointer val3:uint
    futex_requeue waiters:pointer flags:hex nr_wake:int nr_requeue:int
    futex_wait uaddr:pointer val:hex mask:hex flags:hex timeout:pointer clockid:clock
    futex_waitv waiters:pointer nr_futexes:uint flags:hex timeout:pointer clockid:clock
    futex_wake uaddr:pointer mask:hex nr:int flags:hex
    futimesat dfd:dirfd filename:path utimes:pointer
    get_mempolicy policy:pointer nmask:pointer maxnode:size addr:hex flags:hex
    get_robust_list pid:int head_ptr:pointer len_ptr:pointer
    getcpu cpup:pointer nodep:pointer unused:pointer
    getcwd buf:data_out size:size
    getdents fd:fd dirent:pointer count:uint
    getdents64 fd:fd dirent:pointer count:uint
    getegid
    geteuid
    getgid
    getgroups gidsetsize:int grouplist:pointer
    getitimer which:int value:pointer
    getpeername fd:fd usockaddr:address_out usockaddr_len:pointer
    getpgid pid:int
    getpgrp
    getpid
    getppid
    getpriority which:int who:int
    getrandom ubuf:data_out len:size flags:getrandom
    getresgid rgidp:pointer egidp:pointer sgidp:pointer
    getresuid ruidp:pointer euidp:pointer suidp:pointer
    getrlimit resource:limit rlim:pointer
    getrusage who:int ru:pointer
    getsid pid:int
    getsockname fd:fd usockaddr:address_out usockaddr_len:pointer
    getsockopt fd:fd level:socket_level optname:socket_option optval:pointer optlen:pointer
    gettid
    gettimeofday tv:pointer tz:pointer
    getuid
    getxattr pathname:path name:text value:pointer size:size
    getxattrat dfd:dirfd pathname:path at_flags:hex name:text uargs:pointer usize:size
    init_module umod:pointer len:size uargs:text
    inotify_add_watch fd:fd pathname:path mask:hex
    inotify_init
    inotify_init1 flags:open
    inotify_rm_watch fd:fd wd:int
    io_cancel ctx_id:hex iocb:pointer result:pointer
    io_destroy ctx:hex
    io_getevents ctx_id:hex min_nr:long nr:long events:pointer timeout:pointer
    io_pgetevents ctx_id:hex min_nr:long nr:long events:pointer timeout:pointer usig:pointer
    io_setup nr_events:uint ctxp:pointer
    io_submit ctx_id:hex nr:long iocbpp:pointer
    io_uring_enter fd:fd to_submit:uint min_complete:uint flags:hex argp:pointer argsz:size
    io_uring_register fd:fd opcode:uint arg:pointer nr_args:uint
    io_uring_setup entries:uint params:pointer
    ioctl fd:fd cmd:hex arg:hex
    ioperm from:hex num:hex turn_on:int
    iopl level:uint
    ioprio_get which:int who:int
    ioprio_set which:int who:int ioprio:int
    kcmp pid1:int pid2:int type:int idx1:hex idx2:hex
    kexec_file_load kernel_fd:fd initrd_fd:fd cmdline_len:hex cmdline:text flags:hex
    kexec_load entry:hex nr_segments:hex segments:pointer flags:hex
    keyctl option:int arg2:hex arg3:hex arg4:hex arg5:hex
    kill pid:int sig:signal
    landlock_add_rule ruleset_fd:fd rule_type:hex rule_attr:pointer flags:hex
    landlock_create_ruleset attr:pointer size:size flags:hex
    landlock_restrict_self ruleset_fd:fd flags:hex
    lchown filename:path user:int group:int
    lgetxattr pathname:path name:text value:pointer size:size
    link oldname:path newname:path
    linkat olddfd:dirfd oldname:path newdfd:dirfd newname:path flags:at
    listen fd:fd backlog:int
    listmount req:pointer mnt_ids:pointer nr_mnt_ids:size flags:hex
    listxattr pathname:path list:pointer size:size
    listxattrat dfd:dirfd pathname:path at_flags:hex list:pointer size:size
    llistxattr pathname:path list:pointer size:size
    lookup_dcookie cookie:hex buf:pointer len:size
    lremovexattr pathname:path name:text
    lseek fd:fd offset:long whence:whence
    lsetxattr pathname:path name:text value:pointer size:size flags:hex
    lsm_get_self_attr attr:uint ctx:pointer size:pointer flags:hex
    lsm_list_modules ids:pointer size:pointer flags:hex
    lsm_set_self_attr attr:uint ctx:pointer size:uint flags:hex
    lstat filename:path statbuf:pointer
    madvise start:pointer len_in:size behavior:madvise
    map_shadow_stack addr:hex size:size flags:hex
    mbind start:hex len:size mode:hex nmask:pointer maxnode:size flags:hex
    membarrier cmd:int flags:hex cpu_id:int
    memfd_create uname:text flags:memfd
    memfd_secret flags:hex
    migrate_pages pid:int maxnode:size old_nodes:pointer new_nodes:pointer
    mincore start:hex len:size vec:pointer
    mkdir pathname:path mode:mode
    mkdirat dfd:dirfd pathname:path mode:mode
    mknod filename:path mode:mode dev:uint
    mknodat dfd:dirfd filename:path mode:mode dev:uint
    mlock start:hex len:size
    mlock2 start:hex len:size flags:hex
    mlockall flags:mlockall
    mmap addr:pointer len:size prot:protection flags:map fd:fd off:hex
    modify_ldt func:int ptr:pointer bytecount:hex
    mount dev_name:text dir_name:path type:text flags:hex data:pointer
    mount_setattr dfd:dirfd path:path flags:hex uattr:pointer usize:size
    move_mount from_dfd:dirfd from_pathname:path to_dfd:dirfd to_pathname:path flags:hex
    move_pages pid:int nr_pages:hex pages:pointer nodes:pointer status:pointer flags:hex
    mprotect start:hex len:size prot:protection
    mq_getsetattr mqdes:fd u_mqstat:pointer u_omqstat:pointer
    mq_notify mqdes:fd u_notification:pointer
    mq_open u_name:text oflag:open mode:mode u_attr:pointer
    mq_timedreceive mqdes:fd u_msg_ptr:pointer msg_len:size u_msg_prio:pointer u_abs_timeout:pointer
    mq_timedsend mqdes:fd u_msg_ptr:text msg_len:size msg_prio:uint u_abs_timeout:pointer
    mq_unlink u_name:text
    mremap addr:pointer old_len:size new_len:size flags:mremap new_addr:pointer
    mseal start:hex len:size flags:hex
    msgctl msqid:int cmd:int buf:pointer
    msgget key:int msgflg:int
    msgrcv msqid:int msgp:pointer msgsz:size msgtyp:long msgflg:int
    msgsnd msqid:int msgp:pointer msgsz:size msgflg:int
    msync start:hex len:size flags:msync
    munlock start:hex len:size
    munlockall
    munmap addr:pointer len:size
    name_to_handle_at dfd:dirfd name:text handle:pointer mnt_id:pointer flag:at
    nanosleep rqtp:timespec rmtp:pointer
    newfstatat dfd:dirfd filename:path statbuf:pointer flag:at
    open filename:path flags:open mode:mode
    open_by_handle_at mountdirfd:dirfd handle:pointer flags:open
    open_tree dfd:dirfd filename:path flags:hex
    open_tree_attr dfd:dirfd filename:path flags:hex uattr:pointer usize:size
    openat dfd:dirfd filename:path flags:open mode:mode
    openat2 dfd:dirfd filename:path how:pointer usize:size
    pause
    perf_event_open attr_uptr:pointer pid:int cpu:int group_fd:fd flags:hex
    personality personality:hex
    pidfd_getfd pidfd:fd fd:fd flags:hex
    pidfd_open pid:int flags:hex
    pidfd_send_signal pidfd:fd sig:signal info:pointer flags:hex
    pipe fildes:fd_pair
    pipe2 fildes:fd_pair flags:open
    pivot_root new_root:path put_old:path
    pkey_alloc flags:hex init_val:hex
    pkey_free pkey:int
    pkey_mprotect start:hex len:size prot:protection pkey:int
    poll ufds:pointer nfds:uint timeout_msecs:int
    ppoll ufds:pointer nfds:uint tsp:pointer sigmask:pointer sigsetsize:size
    prctl option:prctl arg2:hex arg3:hex arg4:hex arg5:hex
    pread64 fd:fd buf:data_out count:size pos:long
    preadv fd:fd vec:pointer vlen:size pos_l:hex pos_h:hex
    preadv2 fd:fd vec:pointer vlen:size pos_l:hex pos_h:hex flags:hex
    prlimit64 pid:int resource:limit new_rlim:pointer old_rlim:pointer
    process_madvise pidfd:fd vec:pointer vlen:size behavior:madvise flags:hex
    process_mrelease pidfd:fd flags:hex
    process_vm_readv pid:int lvec:pointer liovcnt:size rvec:pointer riovcnt:size flags:hex
    process_vm_writev pid:int lvec:pointer liovcnt:size rvec:pointer riovcnt:size flags:hex
    pselect6 n:int inp:pointer outp:pointer exp:pointer tsp:pointer sig:pointer
    ptrace request:long pid:long addr:hex data:hex
    pwrite64 fd:fd buf:data count:size pos:long
    pwritev fd:fd vec:pointer vlen:size pos_l:hex pos_h:hex
    pwritev2 fd:fd vec:pointer vlen:size pos_l:hex pos_h:hex flags:hex
    quotactl cmd:uint special:path id:int addr:pointer
    quotactl_fd fd:fd cmd:uint id:int addr:pointer
    read fd:fd buf:data_out count:size
    readahead fd:fd offset:long count:size
    readlink path:path buf:data_out bufsiz:int
    readlinkat dfd:dirfd pathname:path buf:data_out bufsiz:int
    readv fd:fd vec:pointer vlen:size
    reboot magic1:int magic2:int cmd:uint arg:pointer
    recvfrom fd:fd ubuf:data_out size:size flags:message addr:address_out addr_len:pointer
    recvmmsg fd:fd mmsg:pointer vlen:uint flags:message timeout:pointer
    recvmsg fd:fd msg:pointer flags:message
    remap_file_pages start:hex size:size prot:hex pgoff:hex flags:hex
    removexattr pathname:path name:text
    removexattrat dfd:dirfd pathname:path at_flags:hex name:text
    rename oldname:path newname:path
    renameat olddfd:dirfd oldname:path newdfd:dirfd newname:path
    renameat2 olddfd:dirfd oldname:path newdfd:dirfd newname:path flags:rename
    request_key type:text description:text callout_info:text destringid:int
    restart_syscall
    rmdir pathname:path
    rseq rseq:pointer rseq_len:uint flags:hex sig:signal
    rt_sigaction sig:signal act:pointer oact:pointer sigsetsize:size
    rt_sigpending uset:pointer sigsetsize:size
    rt_sigprocmask how:sigmask nset:pointer oset:pointer sigsetsize:size
    rt_sigqueueinfo pid:int sig:signal uinfo:pointer
    rt_sigreturn
    rt_sigsuspend unewset:pointer sigsetsize:size
    rt_sigtimedwait uthese:pointer uinfo:pointer uts:pointer sigsetsize:size
    rt_tgsigqueueinfo tgid:int pid:int sig:signal uinfo:pointer
    sched_get_priority_max policy:int
    sched_get_priority_min policy:int
    sched_getaffinity pid:int len:uint user_mask_ptr:pointer
    sched_getattr pid:int uattr:pointer usize:uint flags:hex
    sched_getparam pid:int param:pointer
    sched_getscheduler pid:int
    sched_rr_get_interval pid:int interval:pointer
    sched_setaffinity pid:int len:uint user_mask_ptr:pointer
    sched_setattr pid:int uattr:pointer flags:hex
    sched_setparam pid:int param:pointer
    sched_setscheduler pid:int policy:int param:pointer
    sched_yield
    seccomp op:uint flags:hex uargs:pointer
    select n:int inp:pointer outp:pointer exp:pointer tvp:pointer
    semctl semid:int semnum:int cmd:int arg:hex
    semget key:int nsems:int semflg:int
    semop semid:int tsops:pointer nsops:uint
    semtimedop semid:int tsops:pointer nsops:uint timeout:pointer
    sendfile out_fd:fd in_fd:fd offset:pointer count:size
    sendmmsg fd:fd mmsg:pointer vlen:uint flags:message
    sendmsg fd:fd msg:pointer flags:message
    sendto fd:fd buff:data len:size flags:message addr:address addr_len:int
    set_mempolicy mode:int nmask:pointer maxnode:size
    set_mempolicy_home_node start:hex len:size home_node:hex flags:hex
    set_robust_list head:pointer len:size
    set_tid_address tidptr:pointer
    setdomainname name:pointer len:int
    setfsgid gid:int
    setfsuid uid:int
    setgid gid:int
    setgroups gidsetsize:int grouplist:pointer
    sethostname name:pointer len:int
    setitimer which:int value:pointer ovalue:pointer
    setns fd:fd flags:clone
    setpgid pid:int pgid:int
    setpriority which:int who:int niceval:int
    setregid rgid:int egid:int
    setresgid rgid:int egid:int sgid:int
    setresuid ruid:int euid:int suid:int
    setreuid ruid:int euid:int
    setrlimit resource:limit rlim:pointer
    setsid
    setsockopt fd:fd level:socket_level optname:socket_option optval:pointer optlen:int
    settimeofday tv:pointer tz:pointer
    setuid uid:int
    setxattr pathname:path name:text value:pointer size:size flags:hex
    setxattrat dfd:dirfd pathname:path at_flags:hex name:text uargs:pointer usize:size
    shmat shmid:int shmaddr:pointer shmflg:int
    shmctl shmid:int cmd:int buf:pointer
    shmdt shmaddr:pointer
    shmget key:int size:size shmflg:int
    shutdown fd:fd how:shutdown
    sigaltstack uss:pointer uoss:pointer
    signalfd ufd:fd user_mask:pointer sizemask:size
    signalfd4 ufd:fd user_mask:pointer sizemask:size flags:open
    socket family:family type:socket_type protocol:int
    socketpair family:family type:socket_type protocol:int usockvec:fd_pair
    splice fd_in:fd off_in:pointer fd_out:fd off_out:pointer len:size flags:hex
    stat filename:path statbuf:pointer
    statfs pathname:path buf:pointer
    statmount req:pointer buf:pointer bufsize:size flags:hex
    statx dfd:dirfd filename:path flags:at mask:hex buffer:pointer
    swapoff specialfile:path
    swapon specialfile:path swap_flags:int
    symlink oldname:path newname:path
    symlinkat oldname:path newdfd:dirfd newname:path
    sync
    sync_file_range fd:fd offset:long nbytes:long flags:hex
    syncfs fd:fd
    sysfs option:int arg1:hex arg2:hex
    sysinfo info:pointer
    syslog type:int buf:pointer len:int
    tee fdin:fd fdout:fd len:size flags:hex
    tgkill tgid:int pid:int sig:signal
    time tloc:pointer
    timer_create which_clock:clock timer_event_spec:pointer created_timer_id:pointer
    timer_delete timer_id:int
    timer_getoverrun timer_id:int
    timer_gettime timer_id:int setting:pointer
    timer_settime timer_id:int flags:hex new_setting:pointer old_setting:pointer
    timerfd_create clockid:clock flags:open
    timerfd_gettime ufd:fd otmr:pointer
    timerfd_settime ufd:fd flags:hex utmr:pointer otmr:pointer
    times tbuf:pointer
    tkill pid:int sig:signal
    truncate path:path length:long
    umask mask:int
    umount2 name:path flags:hex
    uname name:pointer
    unlink pathname:path
    unlinkat dfd:dirfd pathname:path flag:at
    unshare unshare_flags:clone
    uprobe
    uretprobe
    userfaultfd flags:hex
    ustat dev:uint ubuf:pointer
    utime filename:path times:pointer
    utimensat dfd:dirfd filename:path utimes:pointer flags:at
    utimes filename:path utimes:pointer
    vfork
    vhangup
    vmsplice fd:fd uiov:pointer nr_segs:size flags:hex
    wait4 upid:int stat_addr:pointer options:wait ru:pointer
    waitid which:wait_which upid:int infop:pointer options:wait ru:pointer
    write fd:fd buf:data count:size
    writev fd:fd vec:pointer vlen:size
    """
}
