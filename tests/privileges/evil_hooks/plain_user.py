"""What is different where a plain user starts the daemon: one user for all, and no control groups."""

from privileges.evil_hooks.table import table

# What only a control group limits.
UNLIMITED = {"take_all_memory", "take_all_memory_by_files_without_a_name", "take_all_memory_at_once", "take_all_memory_of_the_heap"}

# A user namespace with one user in it: there is nobody else to be, or to give a file to. What a hook owns it can change.
NAMESPACED = table("""
EINVAL: give_a_file_to_root become_root become_root_in_effect become_the_group_of_root become_the_group_of_root_in_effect
  start_somebody_as_root
done: make_state_readable_by_all give_state_away become_the_group_of_the_victim
done or done *: become_the_worker list_own_spool
# The test's daemon stands in /var/tmp, its programs perhaps where there is no SDK.
EROFS: write_into_var_tmp
ENOENT or EROFS or EACCES: write_the_sdk
""")

# Besides, no limit of processes.
UNLIMITED_UNJAILED = UNLIMITED | {"fork_without_end", "fill_tmp", "make_files_without_end"}  # its /tmp is the machine's

FILTERED = table("""
# It is there, and Landlock keeps it out of reach.
EACCES: read_a_file_of_another_hook copy_it write_beside_it walk_up_to_it follow_a_link_to_it see_who_has_state
  read_a_message_of_another_hook see_who_has_a_spool read_the_configuration read_the_private_key find_files_of_others
  read_shadow write_into_var_tmp look_into_the_home_of_root go_into_the_home_of_root follow_a_link_out
  open_the_log_of_the_kernel open_a_disk read_a_disk open_a_terminal make_a_terminal write_core_pattern
  weaken_all_address_spaces leave_the_group_of_processes write_release_agent loosen_landlock
  run_a_thread_without_the_limits add_a_network bind_a_port bind_any_port
  go_out_by_the_root_of_the_keeper enter_the_keeper enter_the_victim
  read_the_environment_of_the_keeper open_the_memory_of_the_keeper go_through_the_root_of_the_keeper
  read_the_environment_of_the_victim open_the_memory_of_the_victim go_through_the_root_of_the_victim
  read_the_environment_of_the_worker open_the_memory_of_the_worker go_through_the_root_of_the_worker
  read_the_environment_of_the_supervisor open_the_memory_of_the_supervisor go_through_the_root_of_the_supervisor
  take_a_descriptor_of_the_keeper take_a_descriptor_of_the_worker take_a_descriptor_of_the_supervisor
EPERM: kill_the_keeper stop_the_keeper terminate_the_keeper debug_the_keeper signal_the_keeper_with_everything kill_by_a_pidfd
  kill_the_victim stop_the_victim debug_the_victim slow_down_the_victim hold_up_the_victim move_the_victim
  kill_the_worker stop_the_worker slow_down_the_worker hold_up_the_worker move_the_worker
  kill_the_supervisor stop_the_supervisor slow_down_the_supervisor hold_up_the_supervisor move_the_supervisor
EPERM or EACCES: be_first
# It can make no such socket; Perl goes on with none.
EAFNOSUPPORT or EBADF: talk_to_a_socket_of_another_hook take_the_place_of_its_socket talk_to_the_supervisor
  talk_to_an_abstract_socket_outside
# The same user as all others here, and the same as whoever started the daemon: what that one owns and Landlock has no rule
# for, modes and times, it can change of its own files; it sees that there are others, how many descriptors they have
# and that a file has changed, but nothing of what is in them.
done: make_state_readable_by_all give_state_away make_own_message_executable change_the_times_of_own_message
  make_own_program_set_user_id watch_it take_a_descriptor_of_the_victim
done or done *: list_own_spool see_the_keeper see_other_processes
EPERM or EINVAL: give_a_file_to_root become_root become_root_in_effect become_the_group_of_root
  become_the_group_of_root_in_effect start_somebody_as_root
EPERM or EINVAL or done: become_the_worker become_the_group_of_the_victim
# The network is the machine's: TCP is refused, datagrams are not, if there is a way.
done or ENETUNREACH: send_a_datagram
done * or EACCES: see_interfaces
no name or exit 2 or EAI_AGAIN or ENOTFOUND or done or done *: ask_for_a_name
ECONNREFUSED or ETIMEOUT or ENOTFOUND or done or done *: ask_a_server_for_a_name
ENOENT or EACCES: write_the_sdk
""")


def expected_as(level: dict[str, list[str]], unlimited: set[str], full: dict[str, list[str]]) -> dict[str, list[str]]:
    """`full`, as it is at that level."""
    return {act: level.get(act, results) for act, results in full.items() if act not in unlimited}
