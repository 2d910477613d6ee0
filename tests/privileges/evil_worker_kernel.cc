#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

constexpr std::size_t kPage = 4096;

void* a_page() { return ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

std::string mapped(int rights, int file, int flags) {
  return result(::mmap(nullptr, kPage, rights, flags, file, 0) == MAP_FAILED ? -1 : 0);
}

// The calls of 32 bits have other numbers: 20 is getpid there, and writev here.
std::string call_of_32_bits() {
  long number = 20;
  asm volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
  errno = static_cast<int>(-number);
  return result(number < 0 ? -1 : 0);
}
constexpr long kX32 = 0x40000000;

}  // namespace

std::vector<Act> acts_on_the_kernel() {
  return {
      {"map_code", [](Held&, Argument) { return mapped(PROT_READ | PROT_EXEC, -1, MAP_PRIVATE | MAP_ANONYMOUS); }},
      {"map_writable_code",
       [](Held&, Argument) { return mapped(PROT_READ | PROT_WRITE | PROT_EXEC, -1, MAP_PRIVATE | MAP_ANONYMOUS); }},
      {"map_file_as_code",
       [](Held& held, Argument) {
         const sys::Fd file(::openat(held.spool.get(), "incoming/code", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
         return file.valid() ? mapped(PROT_READ | PROT_EXEC, file.get(), MAP_PRIVATE) : "no file: " + result(-1);
       }},
      {"make_memory_code", [](Held&, Argument) { return result(::mprotect(a_page(), kPage, PROT_READ | PROT_EXEC)); }},
      {"make_code_writable",
       [](Held&, Argument) {
         const auto here = reinterpret_cast<std::uintptr_t>(&acts_on_the_kernel) & ~(kPage - 1);
         return result(::mprotect(reinterpret_cast<void*>(here), kPage, PROT_READ | PROT_WRITE | PROT_EXEC));
       }},
      {"make_memory_code_by_key",
       [](Held&, Argument) { return result(::syscall(SYS_pkey_mprotect, a_page(), kPage, PROT_EXEC, -1)); }},
      call("memory_file", SYS_memfd_create, "evil", 0),
      call("secret_memory", 447L, 0),  // memfd_secret
      call("shared_memory", SYS_shmget, 0, kPage, 0600),
      call("semaphores", SYS_semget, 0, 1, 0600),
      call("message_queue", SYS_msgget, 0, 0600),
      call("posix_message_queue", SYS_mq_open, "evil", 0, 0, nullptr),
      call("remap_pages", SYS_remap_file_pages, nullptr, 0, 0, 0, 0),
      call("readable_is_executable", SYS_personality, READ_IMPLIES_EXEC),
      call("lock_memory", SYS_mlockall, 1),
      call("new_user_namespace", SYS_unshare, CLONE_NEWUSER),
      call("enter_namespace", SYS_setns, 3, 0),
      call("mount", SYS_mount, "none", "/", "tmpfs", 0UL, nullptr),
      call("unmount", SYS_umount2, "/proc", 2),
      call("pivot_root", SYS_pivot_root, ".", "."),
      call("new_file_system", SYS_fsopen, "tmpfs", 0),
      call("open_tree", SYS_open_tree, 4, "", 0x1001),
      call("move_mount", SYS_move_mount, 4, "", 4, "", 0),
      call("change_mount", SYS_mount_setattr, 4, "", 0x1000, nullptr, 0),
      call("add_key", SYS_add_key, "user", "evil", "x", 1UL, KEY_SPEC_USER_KEYRING),
      call("request_key", SYS_request_key, "user", "evil", nullptr, 0),
      call("control_keys", SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1),
      call("load_bpf", SYS_bpf, 0, nullptr, 0),
      call("open_performance_counter", SYS_perf_event_open, nullptr, 0, -1, -1, 0UL),
      call("handle_page_faults", SYS_userfaultfd, 0),
      call("set_up_io_uring", SYS_io_uring_setup, 1, nullptr),
      call("enter_io_uring", SYS_io_uring_enter, 3, 0, 0, 0, nullptr, 0),
      call("register_io_uring", SYS_io_uring_register, 3, 0, nullptr, 0),
      call("asynchronous_io", SYS_io_setup, 1, nullptr),
      call("load_kernel", SYS_kexec_load, 0UL, 0UL, nullptr, 0UL),
      call("load_kernel_file", SYS_kexec_file_load, -1, -1, 0UL, "", 0UL),
      call("load_module", SYS_init_module, nullptr, 0UL, ""),
      call("load_module_file", SYS_finit_module, 3, "", 0),
      call("unload_module", SYS_delete_module, "evil", 0),
      call("reboot", SYS_reboot, 0, 0, 0, nullptr),
      call("rename_machine", SYS_sethostname, "evil", 4UL),
      call("set_clock", SYS_clock_settime, 0, nullptr),
      call("set_clock_by_old_call", SYS_settimeofday, nullptr, nullptr),
      call("adjust_clock", SYS_adjtimex, nullptr),
      call("read_kernel_log", SYS_syslog, 3, nullptr, 0),
      call("add_swap", SYS_swapon, "/dev/null", 0),
      call("account_processes", SYS_acct, nullptr),
      call("set_quota", SYS_quotactl, 0, nullptr, 0, nullptr),
      call("hang_up_terminal", SYS_vhangup),
      call("reach_ports", SYS_iopl, 3),
      call("change_segments", SYS_modify_ldt, 0, nullptr, 0UL),
      {"call_of_32_bits", [](Held&, Argument) { return call_of_32_bits(); }},
      call("call_of_x32", kX32 | SYS_getpid),
  };
}

}  // namespace hooksmtpd::evil
