#include "daemon/keyholder/sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace hooksmtpd::keyholder {
namespace {

using sys::SyscallRule;

// Its sockets, memfds and one key file at a time.
constexpr rlim_t kMostOpen = 32;

// Measured over all tests (strace), and what their neighbours in the C library and OpenSSL use on another day.
const SyscallRule kAnswering{.calls = {"read", "write", "recvfrom", "recvmsg", "poll", "ppoll", "close"},
                             .verdict = sys::kAllow};
const SyscallRule kKeyFiles{.calls = {"newfstatat", "fstat", "lseek", "pread64"}, .verdict = sys::kAllow};
const SyscallRule kSelf{.calls = {"brk",         "munmap",  "mremap",          "madvise",        "mlock",
                                  "munlock",     "futex",   "clock_gettime",   "gettimeofday",   "time",
                                  "getrandom",   "getpid",  "gettid",          "getuid",         "geteuid",
                                  "getgid",      "getegid", "rt_sigaction",    "rt_sigprocmask", "rt_sigreturn",
                                  "sigaltstack", "tgkill",  "restart_syscall", "exit",           "exit_group"},
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
                                     "accept4",
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
                                     "linkat",
                                     "unlinkat",
                                     "renameat2"},
                           .verdict = sys::kKill};

constexpr std::uint64_t kForWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
constexpr std::uint32_t kDescriptorCommands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GET_SEALS};

}  // namespace

sys::OwnSandbox sandbox() {
  sys::SyscallFilter filter{
      .otherwise = sys::refuse(EPERM), .rules = {kAnswering, kKeyFiles, kSelf, kTelling}, .logged = true};
  for (const std::string_view call : {"mmap", "mprotect"}) {
    filter.rules.push_back({.calls = {call}, .verdict = sys::kAllow, .when = {sys::has_none_of(2, PROT_EXEC)}});
  }
  filter.rules.push_back({.calls = {"openat"}, .verdict = sys::kAllow, .when = {sys::has_none_of(2, kForWriting)}});
  for (const std::uint32_t command : kDescriptorCommands) {
    filter.rules.push_back({.calls = {"fcntl"}, .verdict = sys::kAllow, .when = {sys::int_equals(1, command)}});
  }
  sys::allow_sending(filter);
  // abort() only.
  filter.rules.push_back({.calls = {"tgkill"},
                          .verdict = sys::kAllow,
                          .when = {sys::int_equals(0, static_cast<std::uint32_t>(::getpid()))}});
  return {.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NPROC, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, kMostOpen}},
          .landlock = {.places = {{.path = "/", .rights = sys::FileRights::kRead}}},
          .filter = std::move(filter)};
}

}  // namespace hooksmtpd::keyholder
