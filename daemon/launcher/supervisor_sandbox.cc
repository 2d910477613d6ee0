#include "daemon/launcher/supervisor_sandbox.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cerrno>

#include "daemon/launcher/view_rules.h"

namespace hooksmtpd::launcher {
namespace {

using sys::SyscallRule;

// Measured over all tests (strace), and what their neighbours in the C library use on another day.
const SyscallRule kTalking{
    .calls = {"read",  "write",      "readv",        "writev",    "recvfrom",   "recvmsg",     "poll",
              "ppoll", "accept4",    "close",        "shutdown",  "getsockopt", "getsockname", "getpeername",
              "pipe2", "socketpair", "memfd_create", "ftruncate", "dup",        "dup3"},
    .verdict = sys::kAllow};
// Landlock says where.
const SyscallRule kFiles{
    .calls = {"openat",  "newfstatat", "fstat",      "statx",      "lstat", "stat",    "readlink", "readlinkat",
              "access",  "faccessat",  "faccessat2", "getdents64", "lseek", "pread64", "unlink",   "unlinkat",
              "fstatfs", "statfs",     "fadvise64",  "getcwd",     "flock", "umask"},
    .verdict = sys::kAllow};
// Those that are forked by now, as they end. The ids of files are of no use to who has one id.
const SyscallRule kSelf{
    .calls = {"wait4",           "waitid",       "signalfd4",      "brk",           "munmap",
              "mremap",          "madvise",      "futex",          "clock_gettime", "clock_nanosleep",
              "nanosleep",       "gettimeofday", "time",           "getrandom",     "uname",
              "getpid",          "getppid",      "gettid",         "getuid",        "geteuid",
              "getgid",          "getegid",      "setfsuid",       "setfsgid",      "getrusage",
              "sysinfo",         "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",  "sigaltstack",
              "restart_syscall", "exit",         "exit_group"},
    .verdict = sys::kAllow};

// What only somebody calls who has taken over this process.
const SyscallRule kTelling{.calls = {"execve",
                                     "execveat",
                                     "fork",
                                     "vfork",
                                     "clone",
                                     "clone3",
                                     "connect",
                                     "bind",
                                     "listen",
                                     "ptrace",
                                     "process_vm_readv",
                                     "process_vm_writev",
                                     "pidfd_getfd",
                                     "bpf",
                                     "keyctl",
                                     "io_uring_setup",
                                     "userfaultfd",
                                     "mount",
                                     "umount2",
                                     "pivot_root",
                                     "chroot",
                                     "unshare",
                                     "setns",
                                     "open_by_handle_at",
                                     "setuid",
                                     "setresuid",
                                     "setgroups",
                                     "capset"},
                           .verdict = sys::kKill};

constexpr std::uint32_t kDescriptorCommands[] = {F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,    F_GETFL,
                                                 F_SETFL,         F_GET_SEALS, F_ADD_SEALS};

sys::SyscallFilter filter() {
  sys::SyscallFilter filter{
      .otherwise = sys::refuse(EPERM), .rules = {kTalking, kFiles, kSelf, kTelling}, .logged = true};
  const auto allow_when = [&](std::string_view call, sys::Condition condition) {
    filter.rules.push_back({.calls = {call}, .verdict = sys::kAllow, .when = {condition}});
  };
  for (const std::string_view call : {"mmap", "mprotect"}) allow_when(call, sys::has_none_of(2, PROT_EXEC));
  for (const std::uint32_t command : kDescriptorCommands) {
    allow_when("fcntl", sys::int_equals(1, command));
  }
  allow_when("ioctl", sys::int_equals(1, TCGETS));           // whether it is a terminal
  allow_when("prctl", sys::int_equals(0, PR_GET_DUMPABLE));  // FileIdentity sees to it that we are not
  allow_when("prlimit64", {.argument = 2, .value = 0});      // to look, not to change
  allow_when("tgkill", sys::int_equals(0, static_cast<std::uint32_t>(::getpid())));  // abort() only
  sys::allow_sending(filter);
  filter.rules.push_back(
      {.calls = {"prctl"}, .verdict = sys::kAllow, .when = {sys::int_equals(0, PR_SET_DUMPABLE), sys::equals(1, 0)}});
  return filter;
}

}  // namespace

void enter_supervisor_sandbox(const Jail& root, int proc, sys::OwnLayers layers) {
  sys::limit({{RLIMIT_CORE, 0}, {RLIMIT_NPROC, 0}});
  if (layers.fixed_code) sys::fix_code();
  if (layers.landlock) {
    sys::LandlockRules rules = rules_of(root);
    if (proc >= 0) rules.places.push_back({.place = proc, .rights = sys::FileRights::kRead});
    sys::restrict_self(rules);
  }
  if (layers.filter) sys::install(filter());
}

}  // namespace hooksmtpd::launcher
