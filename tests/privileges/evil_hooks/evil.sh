#!/bin/sh
# The same as evil.py for those who have a shell: with the programs of the system, and with Perl for calls by number. The file
# `report` gets {"act": ..., "status": ..., "said": ...}: the exit status of the act's command, and what it printed.
export LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin

try() { # ACT COMMAND...; nothing, where $without has it
  act=$1
  shift
  case " $without " in *" $act "*) return ;; esac
  said=$(timeout 20 "$@" 2>&1 </dev/null)
  status=$?
  printf '{"act": "%s", "status": %s, "said": "%s"}\n' "$act" "$status" \
    "$(printf %s "$said" | head -c 1000 | tr -d '"\\' | tr -c ' -~' ' ')" >>report
}
shell() { # ACT TEXT
  try "$1" sh -c "$2"
}
call() { # ACT NUMBER ARGUMENT...: a system call of x86-64
  act=$1
  shift
  try "call_$act" perl -e '
    my $got = syscall(shift(@ARGV) + 0, map { /^-?[0-9]+$/ ? $_ + 0 : $_ } @ARGV);
    if ($got == -1) { print STDERR "$!\n"; exit 1 }' "$@"
}

unix='socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or die "$!\n"'

files_of_others() {
  try read_a_file_of_another_hook cat "$victim_file"
  try copy_it cp "$victim_file" stolen
  shell write_beside_it ": >${victim_file%/*}/x"
  try walk_up_to_it cat ../victim/secret
  shell follow_a_link_to_it "ln -s $victim_file link-to-victim && cat link-to-victim"
  try see_who_has_state ls ..
  try make_state_for_a_stranger mkdir ../stranger
  try make_state_readable_by_all chmod 777 .
  try move_state_away mv "$PWD" "$PWD.old"
  try read_a_message_of_another_hook cat "$victim_message"
  try see_who_has_a_spool ls "$spool/.."
  try list_own_spool ls "$spool"
  shell write_into_own_spool ": >$spool/x"
  shell change_own_message "echo x >>$message"
  try remove_own_message rm -f "$message"
  try keep_own_message_by_a_link ln "$message" kept
  try talk_to_a_socket_of_another_hook perl -MSocket -e "$unix" "$victim_socket"
  try talk_to_the_supervisor perl -MSocket -e "$unix" "$control"
  try read_the_configuration cat "$config"
  try read_the_private_key cat "$key"
  try find_files_of_others find / -xdev -name secret -path '*victim*'
}

files_of_the_system() {
  try read_shadow cat /etc/shadow
  shell write_passwd 'echo root::0:0::/:/bin/sh >>/etc/passwd'
  try replace_passwd cp /dev/null /etc/passwd
  shell write_into_etc ': >/etc/x'
  shell write_into_usr ': >/usr/bin/x'
  shell write_into_root ': >/x'
  shell write_into_dev ': >/dev/x'
  try write_into_var_tmp touch /var/tmp/x
  shell write_own_program "echo x >>$0"
  shell replace_own_program "cp $0 copy && mv -f copy $0"
  try remove_own_program rm -f "$0"
  try make_own_program_set_user_id chmod 4755 "$0"
  try write_the_interpreter dd if=/dev/null of=/bin/dash conv=notrunc
  try link_a_system_file ln /usr/bin/env env
  try look_into_the_home_of_root ls /root
  try go_out_by_the_root_of_the_keeper ls "/proc/$keeper_pid/root"
  try read_the_environment_of_the_keeper cat "/proc/$keeper_pid/environ"
  try read_the_environment_of_the_victim cat "/proc/$victim_pid/environ"
  shell see_the_keeper 'ls /proc | grep -x "$keeper_pid"'
  try open_the_memory_of_the_machine head -c 1 /dev/mem
  try read_a_disk head -c 1 "$disk"
  shell write_core_pattern 'echo "|/tmp/x" >/proc/sys/kernel/core_pattern'
  shell weaken_all_address_spaces 'echo 0 >/proc/sys/kernel/randomize_va_space'
  shell leave_the_group_of_processes 'echo 0 >/sys/fs/cgroup/pids/cgroup.procs'
  shell be_the_last_to_die 'echo -1000 >/proc/self/oom_score_adj'
  try make_a_device mknod mem c 1 1
  shell give_a_file_to_root ': >for-root && chown 0 for-root'
  try set_a_capability perl -e '
    my ($file, $name, $value) = ("capable", "security.capability", "\1\0\0\2" . "\0" x 16);
    open(my $new, ">", $file);
    syscall(188, $file, $name, $value, 20, 0) == 0 or die "$!\n"'
  shell make_a_file_immutable ': >fixed && chattr +i fixed'
  shell run_a_shell_with_set_user_id 'cp /bin/dash sh && chmod 6755 sh && test "$(./sh -p -c "id -u; id -g")" = "$(id -u; id -g)"'
  shell run_every_set_user_id_program 'for one in $(find /usr/bin /usr/sbin -perm -4000); do cp "$one" . 2>/dev/null; done; su -c id'
}

privileges() {
  try become_root setpriv --reuid=0 id
  try become_the_worker setpriv --reuid="$worker_uid" id
  try join_the_group_of_the_victim setpriv --groups="$victim_gid" id
  try take_capabilities setpriv --inh-caps=+all --ambient-caps=+all id
  try run_su su -c id
  try run_newgrp sg root id
  try run_mount mount -t tmpfs none /tmp
  try bind_a_folder mount --bind / /tmp
  try remount_usr mount -o remount,rw /usr
  call umount 166 /tmp 2
  try unshare_user unshare --user id
  try unshare_mount unshare --mount id
  try unshare_network unshare --net id
  try unshare_pid unshare --pid --fork id
  try enter_the_keeper nsenter --target "$keeper_pid" --mount id
  try enter_the_victim nsenter --target "$victim_pid" --all id
  try run_chroot chroot . id
  try run_pivot_root pivot_root . .
  try trace_the_keeper strace -p "$keeper_pid"
  try set_the_clock date -s 2000-01-01
  try set_the_name hostname evil
  try read_the_log_of_the_kernel dmesg
  shell be_first 'renice -n -20 -p $$'
  try be_in_real_time chrt -f 1 id
  try weaken_the_address_space setarch -R id
  try raise_own_limit prlimit --nofile=65536 id
  call bpf 321 0 0 0
  call io_uring_setup 425 1 0
  call userfaultfd 323 1
  call perf_event_open 298 0 0 -1 -1 0
  call add_key 248 user x x 1 -2
  call keyctl 250 0 -3 1
  call init_module 175 0 0 ""
  call kexec_load 246 0 0 0 0
  call reboot 169 0 0 0 0
  call swapon 167 /x 0
  call open_by_handle_at 304 -1 0 0
  call pidfd_getfd 438 -1 0 0
  call process_vm_readv 310 "$keeper_pid" 0 0 0 0 0
  call clone3 435 0 0
  call tiocsti 16 0 21522 x
  call x32_getpid 1073741863
}

others() {
  shell kill_the_keeper 'kill -9 $keeper_pid'
  shell stop_the_keeper 'kill -STOP $keeper_pid'
  shell terminate_the_keeper 'kill $keeper_pid'
  shell kill_the_victim "kill -9 $victim_pid"
  shell kill_the_worker "kill -9 $worker_pid"
  shell kill_the_supervisor "kill -9 $supervisor_pid"
  try limit_the_keeper prlimit --pid "$keeper_pid" --nofile=0
  try limit_the_worker prlimit --pid "$worker_pid" --nofile=0
  try slow_down_the_keeper renice -n 19 -p "$keeper_pid"
  try slow_down_its_user renice -n 19 -u "$(id -u)"
  try hold_up_the_keeper chrt -i -p 0 "$keeper_pid"
  try move_the_keeper taskset -p 1 "$keeper_pid"
  try hold_up_the_disk_of_the_keeper ionice -c 3 -p "$keeper_pid"
}

more_than_its_share() {
  try fork_without_end perl -e '
    my ($why, @made);
    while (1) {
      my $child = fork;
      if (!defined $child) { $why = "$!"; last }
      if ($child == 0) { sleep 20; exit }
      push @made, $child;
    }
    kill 9, @made;
    waitpid $_, 0 for @made;
    die "$why\n"'
  try take_all_memory tail /dev/zero
  try take_all_memory_at_once dd if=/dev/zero of=/dev/null bs=1G count=1
  shell fill_tmp 'trap "rm -f /tmp/x" EXIT; head -c 200M /dev/zero >/tmp/x'
  shell fill_state 'trap "rm -f x" EXIT; head -c 200M /dev/zero >x'
  try open_files_without_end perl -e 'my @all; while (open(my $one, "<", "/dev/null")) { push @all, $one } die "$!\n"'
  shell leave_a_core 'ulimit -c unlimited'
  shell stay_behind 'setsid sleep 1000 >/dev/null 2>&1 &'
}

network() {
  try connect_to_the_daemon bash -c 'exec 3<>/dev/tcp/127.0.0.1/25'
  try connect_to_a_neighbour bash -c 'exec 3<>/dev/tcp/10.0.0.5/5432'
  try send_a_datagram bash -c 'echo x >/dev/udp/10.0.0.5/53'
  try connect_by_curl curl -sS http://10.0.0.5/
  try ask_for_a_name getent hosts example.com
  try run_ping busybox ping -c 1 -W 1 127.0.0.1
  try see_interfaces ls /sys/class/net
  try raise_the_loopback ip link set lo up
  try add_a_network ip netns add x
  try add_an_interface ip link add x type dummy
  try change_routes ip route add default dev lo
  try mount_nothing busybox mount -t proc none /tmp
  call socket_packet 41 17 3 3
  call socket_netfilter 41 16 3 12
  call socket_crypto 41 38 5 0
  call socket_vsock 41 40 1 0
  call socket_raw 41 2 3 1
  try talk_to_an_abstract_socket_outside perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack("Sa*", AF_UNIX, "\0$ARGV[0]")) or die "$!\n"' "$abstract"
  try see_what_it_has_open ls "/proc/$$/fd"
}

acts() {
  while IFS='=' read -r name value; do
    value=${value%"$(printf '\r')"}
    case $name in
      without | keeper_pid | victim_[a-z]* | worker_* | supervisor_pid | control | config | key | disk | abstract) export "$name=$value" ;;
    esac
  done <"$message"
  export spool="${message%/*}" keeper_pid="${keeper_pid:-1}" # 1 in a namespace of its own
  files_of_others
  files_of_the_system
  privileges
  others
  more_than_its_share
  network
}

while IFS= read -r request; do
  case $request in
    *'"to":["acts@'*)
      message=${request#*'"path":"'} message=${message%%'"'*}
      acts
      echo 'it is over' >&2
      ;;
    *'"to":["kill_everything@'*) (kill -9 -1) & sleep 1000 ;;
    *'"to":["leave_memory_behind@'*)
      perl -e 'for (1 .. 100) { my $id = shmget(0, 16 << 20, 0600); shmwrite($id, "x" x (16 << 20), 0, 16 << 20) }'
      kill -9 $$
      ;;
    *'"to":["say_an_endless_line@'*) tr '\0' x </dev/zero ;;
    *'"to":["say_endless_lines@'*) yes ok then ;;
    *'"to":["log_without_measure@'*) yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -c 20M >&2 ;;
    *'"to":["leave_with_somebody_behind@'*)
      setsid sleep 1000 </dev/null >/dev/null 2>&1 &
      exit 0
      ;;
  esac
  echo ok
done
