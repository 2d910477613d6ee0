"""What evil.js gets."""

from privileges.evil_hooks.table import table

EXPECTED = table("""
# It is not there: a jail shows no more than its hook needs.
ENOENT: read_a_file_of_another_hook write_beside_it walk_up_to_it follow_a_link_to_it watch_it copy_it
  read_a_message_of_another_hook talk_to_a_socket_of_another_hook talk_to_the_supervisor read_the_configuration
  read_the_private_key read_shadow look_into_the_home_of_root go_into_the_home_of_root follow_a_link_out
  open_the_memory_of_the_machine open_a_disk open_a_terminal make_a_terminal open_sysrq write_core_pattern
  leave_the_group_of_processes read_the_environment_of_the_keeper open_the_memory_of_the_keeper
  take_a_descriptor_of_the_keeper read_the_environment_of_the_victim open_the_memory_of_the_worker
  run_a_thread_without_the_limits
# Its own, and nobody else's.
done evil*: see_who_has_state see_who_has_a_spool
# It is there to be read.
EROFS or EACCES: write_into_own_spool remove_own_message change_the_times_of_own_message write_into_etc write_into_usr
  write_into_root write_into_dev write_a_heap_into_usr remove_own_program make_own_program_set_user_id
EACCES or EROFS: make_state_for_a_stranger move_state_away list_own_spool change_own_message shorten_own_message write_passwd
  write_own_program write_the_interpreter write_the_sdk be_the_last_to_die map_users be_first bind_port_25
# Node says so of any socket that it cannot make.
EACCES or ENOENT: take_the_place_of_its_socket
EXDEV or EROFS or EACCES: keep_own_message_by_a_link replace_own_program link_a_system_file
# The filter of system calls, and the kernel itself for who has no capability.
EPERM: make_state_readable_by_all give_state_away give_a_file_to_root become_root become_root_in_effect
  become_the_group_of_root become_the_group_of_root_in_effect become_the_worker become_the_group_of_the_victim
  join_the_group_of_the_victim join_the_groups_of_root start_somebody_as_root slow_down_the_keeper
# The same by a program: EPERM is 1, and some say it in their own way.
exit 1: make_a_device run_su run_passwd run_unshare run_nsenter call_ptrace call_bpf call_io_uring_setup call_userfaultfd
  call_add_key call_tiocsti limit_the_keeper
exit 2: raise_the_loopback
exit 32: run_mount
exit 125: run_chroot
exit 38: call_clone3
# Calls of other architectures would pass the filter by.
killed 31: call_x32_getpid
# Another namespace of processes.
done 0: see_other_processes
ESRCH: kill_the_victim debug_the_victim kill_the_worker kill_the_supervisor slow_down_the_worker
# Allowed, and of no use: the copy runs as who runs it; the keeper is pid 1 of its namespace, where signals are ignored; what
# stays behind is still in that namespace, and dies with it.
done: run_a_shell_with_set_user_id kill_the_keeper stop_the_keeper debug_the_keeper stay_behind
# sandbox.memory, sandbox.processes, sandbox.files; the sizes of its /tmp and of the disk.
killed 9: take_all_memory take_all_memory_of_the_heap
EAGAIN: fork_without_end
ENOSPC: fill_tmp fill_state
EMFILE: open_files_without_end
# It dies, and leaves no core.
killed 6: die_with_a_core
# A network without anything in it; on a kernel that knows Landlock's rules for TCP perhaps those.
ENETUNREACH or EACCES: connect_to_the_daemon connect_to_a_neighbour ask_the_web send_a_datagram
EADDRNOTAVAIL or ENETUNREACH or EACCES or EAFNOSUPPORT: connect_by_ipv6
EAI_AGAIN: ask_for_a_name
ECONNREFUSED or ETIMEOUT: ask_a_server_for_a_name
ECONNREFUSED or EPERM: talk_to_an_abstract_socket_outside
done none: see_interfaces
# No secret.
done HOME HOOK_HOSTNAME HOOK_NAME HOOK_SDK HOOK_SMTP HOOK_STATE LANG NODE_PATH PATH PYTHONPATH PYTHONUNBUFFERED:
  find_a_secret_in_the_environment
""")
