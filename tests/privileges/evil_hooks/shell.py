"""What evil.sh gets."""

from privileges.evil_hooks.table import table

EXPECTED = table("""
# It is not there: a jail shows no more than its hook needs.
ENOENT: read_a_file_of_another_hook copy_it write_beside_it walk_up_to_it follow_a_link_to_it read_a_message_of_another_hook
  talk_to_a_socket_of_another_hook talk_to_the_supervisor read_the_configuration read_the_private_key read_shadow
  write_into_var_tmp look_into_the_home_of_root go_out_by_the_root_of_the_keeper read_the_environment_of_the_keeper
  read_the_environment_of_the_victim open_the_memory_of_the_machine read_a_disk write_core_pattern
  weaken_all_address_spaces leave_the_group_of_processes enter_the_keeper enter_the_victim see_interfaces add_a_network
exit 1: see_the_keeper
# Its own, and nobody else's.
done evil*: see_who_has_state see_who_has_a_spool
# It is there to be read.
EROFS or EACCES: write_into_own_spool remove_own_message replace_passwd write_into_etc write_into_usr write_into_root
  write_into_dev replace_own_program remove_own_program make_own_program_set_user_id
EACCES or EROFS: make_state_for_a_stranger move_state_away list_own_spool change_own_message write_passwd write_own_program
  write_the_interpreter be_the_last_to_die be_first
EXDEV or EROFS or EACCES: keep_own_message_by_a_link link_a_system_file
# The filter of system calls, and the kernel itself for who has no capability.
EPERM: make_state_readable_by_all make_a_device give_a_file_to_root set_a_capability make_a_file_immutable become_root
  become_the_worker join_the_group_of_the_victim take_capabilities call_umount unshare_user unshare_mount unshare_network
  unshare_pid run_chroot run_pivot_root trace_the_keeper set_the_clock read_the_log_of_the_kernel be_in_real_time
  weaken_the_address_space raise_own_limit call_bpf call_io_uring_setup call_userfaultfd call_perf_event_open call_add_key
  call_keyctl call_init_module call_kexec_load call_reboot call_swapon call_open_by_handle_at call_pidfd_getfd
  call_process_vm_readv call_tiocsti limit_the_keeper limit_the_worker slow_down_the_keeper slow_down_its_user
  hold_up_the_keeper move_the_keeper hold_up_the_disk_of_the_keeper leave_a_core raise_the_loopback add_an_interface
  change_routes call_socket_raw
ENOSYS: call_clone3
EAFNOSUPPORT: call_socket_packet call_socket_netfilter call_socket_crypto call_socket_vsock
# Calls of other architectures would pass the filter by.
killed 31: call_x32_getpid
# Programs with the set-user-id bit are nobody else than who starts them, and say so.
exit 1: run_every_set_user_id_program run_su run_newgrp set_the_name run_ping mount_nothing
exit 32: run_mount bind_a_folder remount_usr
# Another namespace of processes.
ESRCH: kill_the_victim kill_the_worker kill_the_supervisor
# Allowed, and of no use: nothing was found; the copy runs as who runs it; the keeper is pid 1 of its namespace, where signals
# are ignored; what stays behind is still in that namespace, and dies with it.
done: find_files_of_others run_a_shell_with_set_user_id kill_the_keeper stop_the_keeper terminate_the_keeper stay_behind
# sandbox.memory, sandbox.processes, sandbox.files; the sizes of its /tmp and of the disk.
killed 9: take_all_memory take_all_memory_at_once
EAGAIN: fork_without_end
ENOSPC: fill_tmp fill_state
EMFILE: open_files_without_end
# A network without anything in it; on a kernel that knows Landlock's rules for TCP perhaps those.
ENETUNREACH or EACCES: connect_to_the_daemon connect_to_a_neighbour send_a_datagram
exit 7: connect_by_curl
exit 2: ask_for_a_name
ECONNREFUSED or EPERM: talk_to_an_abstract_socket_outside
# Its pipes, the script itself, and the pipe from which it reads what this act prints.
done 0 1 10 2 3: see_what_it_has_open
""")
