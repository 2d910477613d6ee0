"""What evil.py gets."""

from privileges.evil_hooks.table import table

EXPECTED = table("""
# It is not there: a jail shows no more than its hook needs.
ENOENT: read_a_file_of_another_hook write_beside_it walk_up_to_it follow_a_link_to_it read_a_message_of_another_hook
  talk_to_a_socket_of_another_hook talk_to_the_supervisor read_the_configuration read_the_private_key read_shadow
  look_into_the_home_of_root follow_a_link_out open_the_memory_of_the_machine open_the_log_of_the_kernel
  open_proc_kcore open_sysrq open_a_disk open_a_terminal make_a_terminal write_core_pattern
  leave_the_group_of_processes write_release_agent loosen_landlock read_the_environment_of_the_keeper
  open_the_memory_of_the_keeper go_through_the_root_of_the_keeper take_a_descriptor_of_the_keeper
  read_the_environment_of_the_victim open_the_memory_of_the_victim go_through_the_root_of_the_victim
  take_a_descriptor_of_the_victim read_the_environment_of_the_worker open_the_memory_of_the_worker
  go_through_the_root_of_the_worker take_a_descriptor_of_the_worker read_the_environment_of_the_supervisor
  open_the_memory_of_the_supervisor go_through_the_root_of_the_supervisor take_a_descriptor_of_the_supervisor
# It is there to be read.
EROFS or EACCES: write_into_own_spool remove_own_message make_own_message_executable write_into_etc
  write_ld_so_preload write_into_usr write_into_root write_into_dev remove_own_program make_own_program_set_user_id
EACCES or EROFS: make_state_for_a_stranger move_state_away list_own_spool change_own_message write_passwd
  write_own_program write_the_interpreter write_the_sdk be_the_last_to_die map_users be_first bind_port_25
  make_a_ping_socket
EXDEV or EROFS or EACCES: keep_own_message_by_a_link replace_own_program link_a_system_file
# The filter of system calls, and the kernel itself for who has no capability.
EPERM: make_state_readable_by_all give_state_away remount_usr_by_flags make_a_device_for_characters
  make_a_device_for_blocks give_a_file_to_root give_a_file_capabilities set_a_trusted_attribute make_a_file_immutable
  leave_a_core become_root become_the_group_of_root become_the_worker become_the_group_of_the_victim
  join_the_group_of_the_victim take_capabilities raise_an_ambient_capability keep_capabilities loosen_the_filter
  call_process_vm_readv call_process_vm_writev call_pidfd_getfd call_kcmp call_process_madvise call_umount call_chroot
  call_pivot_root call_mount call_move_mount call_open_tree call_fsopen call_fsconfig call_fsmount call_fspick
  call_mount_setattr call_open_tree_attr call_unshare_user call_unshare_mnt call_unshare_net call_unshare_pid
  call_setns call_clone_newuser call_clone_newns call_bpf call_perf_event_open call_userfaultfd call_io_uring_setup
  call_io_uring_enter call_io_uring_register call_add_key call_request_key call_keyctl call_init_module
  call_finit_module call_delete_module call_kexec_load call_kexec_file_load call_clock_settime call_settimeofday
  call_clock_adjtime call_adjtimex call_swapon call_swapoff call_reboot call_acct call_quotactl call_quotactl_fd
  call_ioperm call_iopl call_modify_ldt call_fanotify_init call_fanotify_mark call_name_to_handle_at
  call_open_by_handle_at call_syslog call_lookup_dcookie call_vhangup call_sethostname call_setdomainname call_uselib
  call_ptrace_attach call_ptrace_me call_personality call_move_pages call_migrate_pages call_tiocsti call_tioclinux
  limit_the_keeper slow_down_the_keeper hold_up_the_keeper move_the_keeper limit_the_victim limit_the_worker
  limit_the_supervisor be_in_real_time take_the_disk_first open_more_files_by_a_limit make_a_raw_socket
  raise_the_loopback change_the_loopback_by_netlink
ENOSYS: call_clone3
EINVAL: forget_no_new_privileges
# Calls of other architectures would pass the filter by.
killed 31: call_as_a_32_bit_program call_as_an_x32_program
EAFNOSUPPORT: socket_packet socket_audit socket_netfilter socket_uevent socket_crypto socket_vsock socket_key
  socket_xdp socket_bluetooth socket_can socket_tipc socket_rds socket_kcm socket_smc socket_rxrpc socket_nfc
# Another namespace of processes.
ESRCH: kill_the_victim stop_the_victim slow_down_the_victim hold_up_the_victim move_the_victim kill_the_worker
  stop_the_worker slow_down_the_worker hold_up_the_worker move_the_worker kill_the_supervisor stop_the_supervisor
  slow_down_the_supervisor hold_up_the_supervisor move_the_supervisor
no change: look_at_files_as_root
no core: die_with_a_core
exit 1: run_su run_passwd run_ping
exit 32: run_mount
# Its own, and nobody else's.
done evil*: see_who_has_state see_who_has_a_spool
# Programs can be run from memory, and files can have the set-user-id bit: neither makes anybody else of who runs them.
done as itself: run_a_program_from_memory
done 0: see_other_processes
# Allowed, and of no use. Signals to the keeper are accepted, and ignored: it is pid 1 of its namespace. A port can be bound
# where there is no network but an unreachable loopback. What stays behind is still in the hook's namespace, and dies with it.
done: run_a_shell_with_set_user_id kill_the_keeper stop_the_keeper signal_the_keeper_with_everything kill_by_a_pidfd
  stay_behind bind_a_port bind_any_port
# sandbox.memory, sandbox.processes, sandbox.files; the sizes of its /tmp and of the disk.
killed 9: take_all_memory take_all_memory_by_files_without_a_name
EAGAIN: fork_without_end
ENOSPC: fill_tmp fill_state make_files_without_end
EMFILE: open_files_without_end
ENOMEM: lock_memory
# A network without anything in it; on a kernel that knows Landlock's rules for TCP perhaps those.
ENETUNREACH or EACCES: connect_to_the_daemon connect_to_a_neighbour send_a_datagram
EPROTONOSUPPORT: connect_by_multipath_tcp connect_by_sctp
ENOTSUP: connect_by_fast_open
EADDRNOTAVAIL or ENETUNREACH or EACCES or EAFNOSUPPORT: connect_by_ipv6
ECONNREFUSED or EPERM: talk_to_an_abstract_socket_outside
no name: ask_for_a_name
done lo: see_interfaces
# What it was given: three pipes, and no secret.
done 0 1 2: see_descriptors_it_was_not_given
done HOME HOOK_HOSTNAME HOOK_NAME HOOK_SDK HOOK_SMTP HOOK_STATE LANG NODE_PATH PATH PYTHONPATH PYTHONUNBUFFERED:
  find_a_secret_in_the_environment
""")
