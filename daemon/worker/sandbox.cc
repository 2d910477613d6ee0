#include "daemon/worker/sandbox.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hooksmtpd::worker {
namespace {

using sys::SyscallRule;

// Measured over all tests (strace), and what their neighbours in the C library, OpenSSL and libevent use on another
// day.
const SyscallRule kServing{
    .calls = {"read",  "write",    "readv",      "writev",      "recvfrom",    "recvmsg",       "accept4",
              "close", "shutdown", "epoll_wait", "epoll_pwait", "epoll_ctl",   "epoll_create1", "poll",
              "ppoll", "pipe2",    "eventfd2",   "getsockname", "getpeername", "getsockopt"},
    .verdict = sys::kAllow};

// Landlock says where: below the spool.
const SyscallRule kSpool{.calls = {"linkat", "unlinkat", "renameat", "renameat2", "newfstatat", "fstat", "ftruncate",
                                   "lseek", "pread64", "pwrite64", "getdents64", "fdatasync"},
                         .verdict = sys::kAllow};

// Of the mode of a file: it is no program, and none that runs as us.
constexpr std::uint64_t kNoMessage = S_ISUID | S_ISGID | S_ISVTX | S_IXUSR | S_IXGRP | S_IXOTH;

const SyscallRule kMemory{.calls = {"brk", "munmap", "mremap", "madvise", "futex"}, .verdict = sys::kAllow};

const SyscallRule kSelf{
    .calls = {"clock_gettime", "clock_nanosleep", "gettimeofday", "time", "getrandom", "getpid", "gettid", "getuid",
              "geteuid", "getgid", "getegid", "getrusage", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
              "sigaltstack", "restart_syscall", "exit", "exit_group"},
    .verdict = sys::kAllow};

// What only somebody calls who has taken over this process.
const SyscallRule kTelling{.calls = {"execve",
                                     "execveat",
                                     "fork",
                                     "vfork",
                                     "clone",
                                     "clone3",
                                     "socket",
                                     "connect",
                                     "bind",
                                     "listen",
                                     "ptrace",
                                     "process_vm_readv",
                                     "process_vm_writev",
                                     "pidfd_getfd",
                                     "bpf",
                                     "keyctl",
                                     "add_key",
                                     "request_key",
                                     "io_uring_setup",
                                     "io_uring_enter",
                                     "io_uring_register",
                                     "userfaultfd",
                                     "perf_event_open",
                                     "mount",
                                     "umount2",
                                     "pivot_root",
                                     "chroot",
                                     "unshare",
                                     "setns",
                                     "open_by_handle_at",
                                     "init_module",
                                     "finit_module",
                                     "kexec_load",
                                     "kexec_file_load",
                                     "setuid",
                                     "setresuid",
                                     "setgid",
                                     "setresgid",
                                     "setgroups",
                                     "capset"},
                           .verdict = sys::kKill};

// Signals, owners and notification are not among them.
constexpr std::uint32_t kDescriptorCommands[] = {F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,    F_GETFL,   F_SETFL,
                                                 F_GET_SEALS,     F_ADD_SEALS, F_GETLEASE, F_SETLEASE};
constexpr std::uint32_t kSocketOptions[] = {SO_LINGER, SO_KEEPALIVE, SO_SNDBUF, SO_RCVBUF};

}  // namespace

sys::OwnSandbox sandbox(const sys::Fd& spool) {
  sys::SyscallFilter filter{
      .otherwise = sys::refuse(EPERM), .rules = {kServing, kSpool, kMemory, kSelf, kTelling}, .logged = true};
  for (const std::string_view call : {"mmap", "mprotect"}) {
    filter.rules.push_back({.calls = {call}, .verdict = sys::kAllow, .when = {sys::has_none_of(2, PROT_EXEC)}});
  }
  for (const std::uint32_t command : kDescriptorCommands) {
    filter.rules.push_back({.calls = {"fcntl"}, .verdict = sys::kAllow, .when = {sys::int_equals(1, command)}});
  }
  for (const std::uint32_t option : kSocketOptions) {
    filter.rules.push_back({.calls = {"setsockopt"},
                            .verdict = sys::kAllow,
                            .when = {sys::int_equals(1, SOL_SOCKET), sys::int_equals(2, option)}});
  }
  filter.rules.push_back({.calls = {"setsockopt"},
                          .verdict = sys::kAllow,
                          .when = {sys::int_equals(1, IPPROTO_TCP), sys::int_equals(2, TCP_NODELAY)}});
  for (const auto& [call, mode] : {std::pair("openat", 3U), std::pair("fchmod", 1U)}) {
    filter.rules.push_back({.calls = {call}, .verdict = sys::kAllow, .when = {sys::has_none_of(mode, kNoMessage)}});
  }
  sys::allow_sending(filter);
  // abort() only.
  filter.rules.push_back({.calls = {"tgkill"},
                          .verdict = sys::kAllow,
                          .when = {sys::int_equals(0, static_cast<std::uint32_t>(::getpid()))}});
  // To look at a limit of our own, not to change one.
  filter.rules.push_back(
      {.calls = {"prlimit64"}, .verdict = sys::kAllow, .when = {sys::equals(0, 0), sys::equals(2, 0)}});
  using enum sys::FileRights;
  return {.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NPROC, 0}},
          .landlock = {.places = {{.place = spool.get(), .rights = kRead | kWrite | kMake}}},
          .filter = std::move(filter)};
}

}  // namespace hooksmtpd::worker
