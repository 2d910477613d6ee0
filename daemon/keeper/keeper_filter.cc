#include "daemon/keeper/keeper_filter.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>

namespace hooksmtpd::keeper {
namespace {

using sys::SyscallRule;

// Reaching into other processes; mounts and roots; the kernel itself, its clocks and keys; interfaces that had more
// than their share of holes.
const SyscallRule kNobody{.calls = {"ptrace",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "pidfd_getfd",
                                    "kcmp",
                                    "process_madvise",
                                    "mount",
                                    "umount2",
                                    "pivot_root",
                                    "chroot",
                                    "move_mount",
                                    "open_tree",
                                    "fsopen",
                                    "fsconfig",
                                    "fsmount",
                                    "fspick",
                                    "mount_setattr",
                                    "unshare",
                                    "setns",
                                    "bpf",
                                    "perf_event_open",
                                    "userfaultfd",
                                    "io_uring_setup",
                                    "io_uring_enter",
                                    "io_uring_register",
                                    "add_key",
                                    "request_key",
                                    "keyctl",
                                    "init_module",
                                    "finit_module",
                                    "delete_module",
                                    "kexec_load",
                                    "kexec_file_load",
                                    "clock_settime",
                                    "settimeofday",
                                    "clock_adjtime",
                                    "adjtimex",
                                    "swapon",
                                    "swapoff",
                                    "reboot",
                                    "acct",
                                    "quotactl",
                                    "quotactl_fd",
                                    "ioperm",
                                    "iopl",
                                    "modify_ldt",
                                    "fanotify_init",
                                    "fanotify_mark",
                                    "name_to_handle_at",
                                    "open_by_handle_at",
                                    "syslog",
                                    "lookup_dcookie",
                                    "vhangup",
                                    "sethostname",
                                    "setdomainname",
                                    "nfsservctl",
                                    "_sysctl",
                                    "uselib",
                                    "vm86",
                                    "vm86old"},
                          .verdict = sys::refuse(EPERM)};

// Its flags lie behind a pointer, where no filter sees them; the C library then takes clone.
const SyscallRule kHiddenFlags{.calls = {"clone3"}, .verdict = sys::refuse(ENOSYS)};

constexpr unsigned long kNewNamespaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                            CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

// Pushing input into a terminal, that of a console included.
constexpr unsigned kTerminalInput[] = {TIOCSTI, TIOCLINUX};

// Weaker address spaces. A query has all bits set.
constexpr unsigned kPersonalities[] = {ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT, MMAP_PAGE_ZERO};
constexpr unsigned kQuery = 0x80000000;

// Families beyond AF_UNIX and the internet's. A network namespace does not close all of them.
constexpr int kFamilies[] = {AF_AX25,   AF_IPX,       AF_APPLETALK, AF_NETROM, AF_X25,        AF_ROSE, AF_KEY,
                             AF_PACKET, AF_ATMPVC,    AF_RDS,       AF_PPPOX,  AF_LLC,        AF_IB,   AF_CAN,
                             AF_TIPC,   AF_BLUETOOTH, AF_RXRPC,     AF_PHONET, AF_IEEE802154, AF_ALG,  AF_NFC,
                             AF_VSOCK,  AF_KCM,       AF_QIPCRTR,   AF_SMC,    AF_XDP};

// Of AF_NETLINK only NETLINK_ROUTE, which is 0: the C library asks it for interfaces and addresses.
constexpr std::uint32_t kMostNetlink = 31;  // MAX_LINKS

// Streams of which Landlock's rules for TCP know nothing. A kernel without them says the same, and who wants more than
// TCP goes back to that.
constexpr std::uint32_t kOtherStreams[] = {IPPROTO_MPTCP, IPPROTO_SCTP, IPPROTO_DCCP};

// A flag that connects without connect(2): past Landlock, and where the socket is a listener that the hook was given,
// in the machine's network. Whoever asks for it must be able to do without.
struct Sending {
  std::string_view call;
  unsigned flags;  // which argument they are
};
constexpr Sending kSending[] = {{"sendto", 3}, {"sendmsg", 2}, {"sendmmsg", 3}};

// Of a pid: none of them is set in 0, which is the caller itself.
constexpr unsigned kPidBits = 32;

// Ways to have a process wait, which is the first argument.
constexpr std::string_view kSlowDown[] = {"sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"};

// The same of processes, of groups, and of all that a user has: which of them is the first argument.
struct Priority {
  std::string_view call;
  std::uint32_t process, group, user;
};
constexpr Priority kPriorities[] = {{"setpriority", PRIO_PROCESS, PRIO_PGRP, PRIO_USER},
                                    {"ioprio_set", 1, 2, 3}};  // linux/ioprio.h

}  // namespace

sys::SyscallFilter keeper_filter(pid_t keeper, Reach reach, bool connects) {
  const auto own = static_cast<std::uint32_t>(keeper);  // and, after setsid(), the number of its group
  sys::SyscallFilter filter{.otherwise = sys::kAllow, .rules = {kNobody, kHiddenFlags}};
  const auto refuse_when = [&](std::string_view call, int error, std::vector<sys::Condition> conditions) {
    filter.rules.push_back({.calls = {call}, .verdict = sys::refuse(error), .when = std::move(conditions)});
  };
  for (const unsigned long flag : kNewNamespaces) refuse_when("clone", EPERM, {sys::has_all_of(0, flag)});
  for (const unsigned request : kTerminalInput) refuse_when("ioctl", EPERM, {sys::int_equals(1, request)});
  for (const unsigned bit : kPersonalities) {
    refuse_when("personality", EPERM, {{.argument = 0, .mask = bit | kQuery, .value = bit}});
  }
  for (const int family : kFamilies) {
    refuse_when("socket", EAFNOSUPPORT, {sys::int_equals(0, static_cast<std::uint32_t>(family))});
  }
  for (std::uint32_t protocol = 1; protocol <= kMostNetlink; ++protocol) {
    refuse_when("socket", EAFNOSUPPORT, {sys::int_equals(0, AF_NETLINK), sys::int_equals(2, protocol)});
  }
  for (const std::uint32_t protocol : kOtherStreams) {
    refuse_when("socket", EPROTONOSUPPORT, {sys::int_equals(2, protocol)});
  }
  for (const Sending& one : kSending) refuse_when(one.call, EOPNOTSUPP, {sys::has_all_of(one.flags, MSG_FASTOPEN)});
  const auto refuse_for_others = [&](std::string_view call, unsigned pid,
                                     const std::vector<sys::Condition>& also = {}) {
    for (unsigned bit = 0; bit < kPidBits; ++bit) {
      std::vector<sys::Condition> conditions = also;
      conditions.push_back(sys::has_all_of(pid, 1ull << bit));
      refuse_when(call, EPERM, std::move(conditions));
    }
  };
  const auto refuse_for_keeper = [&](std::string_view call, unsigned pid, std::vector<sys::Condition> also = {}) {
    if (reach == Reach::kMachine) return refuse_for_others(call, pid, also);
    also.push_back(sys::int_equals(pid, own));
    refuse_when(call, EPERM, std::move(also));
  };
  refuse_for_others("prlimit64", 0);  // who changes the limits of another process can end it, or blind it
  for (const std::string_view call : kSlowDown) refuse_for_keeper(call, 0);
  for (const Priority& one : kPriorities) {
    refuse_for_keeper(one.call, 1, {sys::int_equals(0, one.process)});
    refuse_for_keeper(one.call, 1, {sys::int_equals(0, one.group)});
    refuse_when(one.call, EPERM, {sys::int_equals(0, one.user)});
  }
  if (!connects) refuse_when("connect", EACCES, {});
  if (reach == Reach::kMachine) refuse_when("socket", EAFNOSUPPORT, {sys::int_equals(0, AF_UNIX)});
  return filter;
}

}  // namespace hooksmtpd::keeper
