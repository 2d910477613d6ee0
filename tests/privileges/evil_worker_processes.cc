#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

// The same, aimed at the process that the argument names: its number as the machine sees it.
template <class Call>
Act at_process(std::string_view name, Call aimed) {
  return {name, [=](Held&, Argument pid) { return result(aimed(static_cast<pid_t>(std::stoi("0" + pid)))); }};
}

constexpr pid_t kKeeper = 1;  // in our namespace

std::string execute(int number, int at) {
  const std::array<char*, 2> nothing{nullptr, nullptr};
  return number == SYS_execve ? result(::syscall(SYS_execve, "/proc/self/exe", nothing.data(), nothing.data()))
                              : result(::syscall(SYS_execveat, at, "", nothing.data(), nothing.data(), 0x1000));
}

std::string start_by_clone3() {
  clone_args how{};
  how.exit_signal = SIGCHLD;
  return result(::syscall(SYS_clone3, &how, sizeof how));
}

std::string reach_memory(long number) {
  std::array<char, 8> here{};
  const iovec ours{.iov_base = here.data(), .iov_len = here.size()};
  return result(::syscall(number, kKeeper, &ours, 1UL, &ours, 1UL, 0UL));
}

std::string set_limit(pid_t process, int resource) {
  const rlimit64 most{.rlim_cur = RLIM64_INFINITY, .rlim_max = RLIM64_INFINITY};
  return result(::syscall(SYS_prlimit64, process, resource, &most, nullptr));
}

}  // namespace

std::vector<Act> acts_on_processes() {
  return {
      {"execute", [](Held&, Argument) { return execute(SYS_execve, -1); }},
      {"execute_descriptor", [](Held& held, Argument) { return execute(SYS_execveat, held.spool.get()); }},
      call("fork", SYS_fork),
      call("vfork", SYS_vfork),
      call("clone", SYS_clone, SIGCHLD, 0UL, 0UL, 0UL, 0UL),
      call("clone_thread", SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0UL, 0UL, 0UL,
           0UL),
      {"clone3", [](Held&, Argument) { return start_by_clone3(); }},
      call("trace_me", SYS_ptrace, PTRACE_TRACEME, 0, 0, 0),
      call("trace_keeper", SYS_ptrace, PTRACE_SEIZE, kKeeper, 0, 0),
      {"read_memory_of_keeper", [](Held&, Argument) { return reach_memory(SYS_process_vm_readv); }},
      {"write_memory_of_keeper", [](Held&, Argument) { return reach_memory(SYS_process_vm_writev); }},
      call("kill_keeper", SYS_kill, kKeeper, SIGKILL),
      call("kill_everybody", SYS_kill, -1, SIGKILL),
      call("kill_own_group", SYS_kill, 0, SIGTERM),
      call("kill_thread_of_keeper", SYS_tgkill, kKeeper, kKeeper, SIGKILL),
      call("kill_by_old_call", SYS_tkill, kKeeper, SIGKILL),
      call("queue_signal_to_keeper", SYS_rt_sigqueueinfo, kKeeper, SIGKILL, nullptr),
      call("queue_signal_to_its_thread", SYS_rt_tgsigqueueinfo, kKeeper, kKeeper, SIGKILL, nullptr),
      at_process("kill_supervisor", [](pid_t pid) { return ::syscall(SYS_kill, pid, SIGKILL); }),
      at_process("kill_thread_of_supervisor", [](pid_t pid) { return ::syscall(SYS_tgkill, pid, pid, SIGKILL); }),
      at_process("kill_keyholder", [](pid_t pid) { return ::syscall(SYS_tgkill, pid, pid, SIGKILL); }),
      at_process("kill_hook", [](pid_t pid) { return ::syscall(SYS_tgkill, pid, pid, SIGKILL); }),
      call("open_keeper", SYS_pidfd_open, kKeeper, 0),
      at_process("open_supervisor", [](pid_t pid) { return ::syscall(SYS_pidfd_open, pid, 0); }),
      call("signal_by_descriptor", SYS_pidfd_send_signal, 3, SIGKILL, nullptr, 0),
      call("take_descriptor", SYS_pidfd_getfd, 3, 0, 0),
      call("compare_processes", SYS_kcmp, kKeeper, kKeeper, 0, 0, 0),
      call("advise_memory_of_keeper", SYS_process_madvise, 3, nullptr, 0, 0, 0),
      call("wait_for_children", SYS_wait4, -1, nullptr, WNOHANG, nullptr),
      call("new_session", SYS_setsid),
      call("join_group", SYS_setpgid, 0, 0),
      call("raise_own_priority", SYS_setpriority, PRIO_PROCESS, 0, -20),
      call("lower_priority_of_keeper", SYS_setpriority, PRIO_PROCESS, kKeeper, 19),
      call("bind_keeper_to_processor", SYS_sched_setaffinity, kKeeper, 0, nullptr),
      call("real_time_scheduling", SYS_sched_setscheduler, 0, SCHED_FIFO, nullptr),
      {"raise_open_files", [](Held&, Argument) { return set_limit(0, RLIMIT_NOFILE); }},
      {"raise_processes", [](Held&, Argument) { return set_limit(0, RLIMIT_NPROC); }},
      {"raise_file_size", [](Held&, Argument) { return set_limit(0, RLIMIT_FSIZE); }},
      {"limit_keeper", [](Held&, Argument) { return set_limit(kKeeper, RLIMIT_NOFILE); }},
      {"raise_by_old_call",
       [](Held&, Argument) {
         const rlimit core{.rlim_cur = 1, .rlim_max = 1};
         return result(::syscall(SYS_setrlimit, RLIMIT_CORE, &core));
       }},
      call("become_root", SYS_setuid, 0),
      call("become_group_root", SYS_setgid, 0),
      call("become_root_three_times", SYS_setresuid, 0, 0, 0),
      call("become_group_root_three_times", SYS_setresgid, 0, 0, 0),
      call("become_root_twice", SYS_setreuid, 0, 0),
      call("become_group_root_twice", SYS_setregid, 0, 0),
      call("become_root_for_files", SYS_setfsuid, 0),
      call("join_groups", SYS_setgroups, 0, nullptr),
      call("take_capabilities", SYS_capset, nullptr, nullptr),
      call("become_dumpable", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0),
      call("let_others_trace", SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0),
      call("keep_capabilities", SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0),
      call("change_secure_bits", SYS_prctl, PR_SET_SECUREBITS, 0, 0, 0, 0),
      call("raise_ambient_capability", SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 10, 0, 0),
      call("change_memory_map", SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0),
      call("adopt_orphans", SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
      call("new_filter", SYS_seccomp, 1, 0, nullptr),
      call("new_ruleset", 444L, nullptr, 0, 1),  // landlock_create_ruleset, on every architecture
  };
}

}  // namespace hooksmtpd::evil
