#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

std::string opened(int at, const char* path, int flags, mode_t mode = 0600) {
  return result(sys::Fd(::openat(at, path, flags | O_CLOEXEC, mode)).valid() ? 0 : -1);
}

Act open_act(std::string_view name, const char* path, int flags) {
  return {name, [=](Held&, Argument) { return opened(AT_FDCWD, path, flags); }};
}

Act open_in_spool(std::string_view name, const char* path, int flags, mode_t mode = 0600) {
  return {name, [=](Held& held, Argument) { return opened(held.spool.get(), path, flags, mode); }};
}

// A file of our own, in the one folder where we may have one.
sys::Fd own_file(const Held& held) {
  return sys::Fd(::openat(held.spool.get(), "incoming/evil", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

template <class Call>
Act on_own_file(std::string_view name, Call call) {
  return {name, [=](Held& held, Argument) {
            const sys::Fd file = own_file(held);
            return file.valid() ? result(call(file.get())) : "no file: " + result(-1);
          }};
}

template <class Call>
Act in_spool(std::string_view name, Call call) {
  return {name, [=](Held& held, Argument) {
            own_file(held);
            return result(call(held.spool.get()));
          }};
}

}  // namespace

std::vector<Act> acts_on_files() {
  constexpr int kList = O_RDONLY | O_DIRECTORY;
  constexpr int kMake = O_WRONLY | O_CREAT;
  return {
      open_act("read_passwd", "/etc/passwd", O_RDONLY),
      open_act("read_shadow", "/etc/shadow", O_RDONLY),
      open_act("read_own_program", "/proc/self/exe", O_RDONLY),
      open_act("read_own_environment", "/proc/self/environ", O_RDONLY),
      open_act("read_keeper_environment", "/proc/1/environ", O_RDONLY),
      open_act("write_own_memory", "/proc/self/mem", O_RDWR),
      open_act("write_keeper_memory", "/proc/1/mem", O_RDWR),
      open_act("list_proc_root", "/proc/self/root", kList),
      open_act("list_keeper_root", "/proc/1/root", kList),
      open_act("list_own_descriptors", "/proc/self/fd", kList),
      open_act("list_root", "/", kList),
      open_act("list_proc", "/proc", kList),
      open_act("list_home", "/root", kList),
      open_act("read_kernel_settings", "/proc/sys/kernel/core_pattern", O_RDONLY),
      open_act("write_time_zone", "/etc/localtime", O_WRONLY),
      open_act("write_null_device", "/dev/null", O_WRONLY),
      open_act("read_machine_memory", "/dev/mem", O_RDONLY),
      open_act("open_terminal", "/dev/tty", O_RDWR),
      open_act("make_file_in_root", "/evil", kMake),
      open_act("make_file_in_tmp", "/tmp/evil", kMake),
      open_act("make_unnamed_file_in_root", "/", O_TMPFILE | O_RDWR),
      open_in_spool("list_above_spool", "..", kList),
      open_in_spool("make_file_above_spool", "../evil", kMake),
      open_in_spool("read_far_above_spool", "../../../../../../../../etc/localtime", O_RDONLY),
      {"read_a_path", [](Held&, Argument path) { return opened(AT_FDCWD, path.c_str(), O_RDONLY); }},
      open_in_spool("make_setuid_file", "incoming/setuid", kMake, 04755),
      open_in_spool("make_program", "incoming/program", kMake, 0755),
      on_own_file("set_uid_bit", [](int file) { return ::fchmod(file, 04644); }),
      on_own_file("make_executable", [](int file) { return ::fchmod(file, 0755); }),
      on_own_file("change_owner", [](int file) { return ::fchown(file, 0, 0); }),
      on_own_file("set_attribute", [](int file) { return ::fsetxattr(file, "user.evil", "x", 1, 0); }),
      on_own_file("reserve_space", [](int file) { return ::fallocate(file, 0, 0, 1 << 30); }),
      on_own_file("own_signals_of", [](int file) { return ::fcntl(file, F_SETOWN, 1); }),
      on_own_file("choose_signal_of", [](int file) { return ::fcntl(file, F_SETSIG, SIGKILL); }),
      on_own_file("lock_file", [](int file) { return ::syscall(SYS_flock, file, 2); }),
      in_spool("change_mode_by_name", [](int spool) { return ::fchmodat(spool, "incoming/evil", 04755, 0); }),
      in_spool("change_mode_of_spool", [](int spool) { return ::fchmod(spool, 0777); }),
      in_spool("change_owner_by_name", [](int spool) { return ::fchownat(spool, "incoming/evil", 0, 0, 0); }),
      in_spool("make_device", [](int spool) { return ::mknodat(spool, "incoming/device", S_IFCHR | 0600, 0x103); }),
      in_spool("make_fifo", [](int spool) { return ::mknodat(spool, "incoming/fifo", S_IFIFO | 0600, 0); }),
      in_spool("make_folder", [](int spool) { return ::mkdirat(spool, "incoming/folder", 0700); }),
      in_spool("make_symbolic_link", [](int spool) { return ::symlinkat("/etc/passwd", spool, "incoming/symlink"); }),
      in_spool("link_out_of_spool", [](int spool) { return ::linkat(spool, "incoming/evil", AT_FDCWD, "/evil", 0); }),
      in_spool("link_above_spool", [](int spool) { return ::linkat(spool, "incoming/evil", spool, "../evil", 0); }),
      in_spool("link_into_spool",
               [](int spool) { return ::linkat(AT_FDCWD, "/etc/localtime", spool, "incoming/link", 0); }),
      in_spool("rename_out_of_spool",
               [](int spool) { return ::renameat(spool, "incoming/evil", AT_FDCWD, "/tmp/evil"); }),
      in_spool("rename_spool_itself", [](int spool) { return ::renameat(spool, "../spool", spool, "../other"); }),
      in_spool("remove_above_spool", [](int spool) { return ::unlinkat(spool, "../spool", AT_REMOVEDIR); }),
      in_spool("go_into_spool", [](int spool) { return ::fchdir(spool); }),
      in_spool("name_to_handle",
               [](int spool) {
                 std::array<char, 64> handle{};
                 int mount = 0;
                 return ::syscall(SYS_name_to_handle_at, spool, "incoming", handle.data(), &mount, 0);
               }),
      in_spool("open_by_handle",
               [](int spool) {
                 std::array<char, 64> handle{};
                 return ::syscall(SYS_open_by_handle_at, spool, handle.data(), O_RDONLY);
               }),
      in_spool("open_by_other_call",
               [](int spool) {
                 const std::array<std::uint64_t, 3> how{O_RDONLY, 0, 0};
                 return ::syscall(SYS_openat2, spool, "..", how.data(), sizeof how);
               }),
      {"change_root", [](Held&, Argument) { return result(::chroot("/")); }},
      {"go_elsewhere", [](Held&, Argument) { return result(::chdir("/")); }},
      {"watch_files", [](Held&, Argument) { return result(::inotify_init1(0)); }},
      {"watch_file_system", [](Held&, Argument) { return result(::syscall(SYS_fanotify_init, 0, 0)); }},
      {"follow_link",
       [](Held&, Argument) {
         std::array<char, 64> target{};
         return result(::readlink("/proc/self/exe", target.data(), target.size()));
       }},
  };
}

}  // namespace hooksmtpd::evil
