#include "daemon/keeper/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "daemon/sys/descriptors.h"
#include "daemon/sys/landlock.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::keeper {
namespace {

constexpr int kControl = 3;  // the descriptors of our own programs (daemon/worker, daemon/keyholder)
constexpr int kSpoolOrKeys = 4;
constexpr int kListeners = 5;

// Only the child knows its value.
const std::string kListenPid = "LISTEN_PID=";
constexpr std::size_t kPidDigits = 10;

// What the child gets as descriptor 0, 1, 2, ...; -1: nothing.
using Descriptors = std::vector<int>;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& one : strings) out.push_back(const_cast<char*>(one.c_str()));
  out.push_back(nullptr);
  return out;
}

void default_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);  // fails for SIGKILL and SIGSTOP only
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts descriptors[i] at i. First all of them move out of the way, so that none is overwritten before its turn.
bool arrange(const Descriptors& descriptors, int& exec_error) {
  const int count = static_cast<int>(descriptors.size());
  Descriptors moved(descriptors.size(), -1);
  const int above = count + 1;
  exec_error = ::fcntl(exec_error, F_DUPFD_CLOEXEC, above);
  if (exec_error < 0) return false;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    moved[i] = ::fcntl(descriptors[i], F_DUPFD_CLOEXEC, above);
    if (moved[i] < 0) return false;
  }
  for (int i = 0; i < count; ++i) {
    if (::dup2(moved[static_cast<std::size_t>(i)], i) < 0) return false;
  }
  return ::close_range(static_cast<unsigned>(count), ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

// What sd_listen_fds(3) tells a service that systemd starts.
void add_listeners(std::vector<std::string>& environment, std::size_t count) {
  std::string names;
  for (std::size_t i = 0; i < count; ++i) names += i == 0 ? "listen" : ":listen";
  environment.push_back("LISTEN_FDS=" + std::to_string(count));
  environment.push_back("LISTEN_FDNAMES=" + names);
  environment.push_back(kListenPid + std::string(kPidDigits, '0'));
}

// Over the zeros that add_listeners() has left for it. In the child.
void write_own_pid(const std::vector<char*>& environment) {
  for (char* const variable : environment) {
    if (variable == nullptr || !std::string_view(variable).starts_with(kListenPid)) continue;
    std::snprintf(variable + kListenPid.size(), kPidDigits + 1, "%d", static_cast<int>(::getpid()));
  }
}

// "0" is whoever writes it.
bool join(const std::vector<sys::Fd>& group) {
  return std::ranges::all_of(group, [](const sys::Fd& file) { return ::write(file.get(), "0", 1) == 1; });
}

bool lower_limits(const sys::ResourceLimits& limits) try {
  sys::limit(limits);
  return true;
} catch (const std::system_error& error) {
  errno = error.code().value();
  return false;
}

// A domain within the keeper's, from which the keeper cannot be reached. It takes away nothing else.
bool keep_signals_inside() try {
  using enum sys::FileRights;
  sys::restrict_self({.places = {{.path = "/", .rights = kRead | kExecute | kWrite | kMake | kDevice}}, .tcp = true});
  return true;
} catch (const std::system_error& error) {
  errno = error.code().value();
  return false;
}

// In the child; never returns. Writes errno to `exec_error` if it cannot become the program.
[[noreturn]] void become(const Plan& plan, const Descriptors& descriptors, const std::vector<char*>& argv,
                         const std::vector<char*>& environment, int exec_error) {
  const bool ready = join(plan.group) && arrange(descriptors, exec_error) && ::setsid() >= 0 &&
                     ::chdir(plan.directory.c_str()) == 0 && lower_limits(plan.child_limits) &&
                     (!plan.child_signals_nobody || keep_signals_inside());
  if (ready) {
    write_own_pid(environment);
    ::umask(077);
    default_signals();
    ::execve(argv[0], argv.data(), environment.data());
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(exec_error, &error, sizeof error);
  ::_exit(127);
}

// Both ends of everything that leads to the child.
struct Wiring {
  Descriptors child;           // what the child gets
  std::vector<sys::Fd> given;  // closed here once the child has them
  std::vector<sys::Fd> ends;   // the other ends
};

int give(Wiring& wiring, sys::Fd fd) {
  wiring.given.push_back(std::move(fd));
  return wiring.given.back().get();
}

Wiring wire_hook(const Plan& plan) {
  Wiring wiring;
  sys::Pipe in = sys::make_pipe();
  sys::Pipe out = sys::make_pipe();
  sys::Pipe log = sys::make_pipe();
  wiring.child = {give(wiring, std::move(in.read)), give(wiring, std::move(out.write)),
                  give(wiring, std::move(log.write))};
  for (const sys::Fd& listener : plan.listeners) wiring.child.push_back(listener.get());
  wiring.ends.push_back(std::move(in.write));
  wiring.ends.push_back(std::move(out.read));
  wiring.ends.push_back(std::move(log.read));
  return wiring;
}

// The worker or the keyholder, which has no listeners.
Wiring wire_own_program(const Plan& plan) {
  Wiring wiring;
  sys::SocketPair control = sys::make_socket_pair();
  sys::Pipe log = sys::make_pipe();
  ::fcntl(log.write.get(), F_SETFL, O_NONBLOCK);  // an end of its own: no other process shares this description
  wiring.child.assign(kListeners, STDIN_FILENO);  // 0 and 1: our own /dev/null
  wiring.child[STDERR_FILENO] = give(wiring, std::move(log.write));
  wiring.child[kControl] = give(wiring, std::move(control.theirs));
  wiring.child[kSpoolOrKeys] = plan.child == Plan::Child::kWorker ? plan.spool.get() : plan.keys.get();
  for (const sys::Fd& listener : plan.listeners) wiring.child.push_back(listener.get());
  wiring.child.push_back(plan.life.get());
  wiring.ends.push_back(std::move(control.ours));
  wiring.ends.push_back(std::move(log.read));
  return wiring;
}

// Empty: the kernel has no such list (CONFIG_PROC_CHILDREN), or there is no /proc.
sys::Fd open_list_of_children() {
  const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  return sys::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

StartResult start(const Plan& plan, const std::vector<std::string>& argv) try {
  Wiring wiring = plan.child == Plan::Child::kHook ? wire_hook(plan) : wire_own_program(plan);
  sys::Pipe exec_error = sys::make_pipe();
  const std::vector<char*> arguments = pointers(argv);
  std::vector<std::string> variables = plan.environment;
  if (plan.child == Plan::Child::kHook && !plan.listeners.empty()) add_listeners(variables, plan.listeners.size());
  const std::vector<char*> environment = pointers(variables);

  StartResult result;
  result.child.pid = ::fork();
  if (result.child.pid == 0) become(plan, wiring.child, arguments, environment, exec_error.write.get());
  if (result.child.pid < 0) {
    result.error = errno;
    return result;
  }
  exec_error.write.reset();
  int error = 0;
  ssize_t got = -1;
  do {
    got = ::read(exec_error.read.get(), &error, sizeof error);  // EOF: execve has closed it
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error) {
    result.error = error;
  } else {
    result.child.ends = std::move(wiring.ends);
  }
  return result;
} catch (const std::system_error& no_pipe) {
  return {.child = {}, .error = no_pipe.code().value()};
}

void signal_group(pid_t child, int signal) {
  assert(child > 1 && "kill(-1) would mean everybody");
  ::kill(-child, signal);
}

void adopt_orphans(const Plan& plan) {
  if (plan.own_pid_namespace) return;  // pid 1 has them anyway
  // Whom we could not kill we had to wait for.
  if (open_list_of_children().valid()) ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void kill_all(const Plan& plan, pid_t child) {
  if (plan.own_pid_namespace) {
    assert(::getpid() == 1 && "only pid 1 of an own pid namespace may kill everything it sees");
    ::kill(-1, SIGKILL);
    return;
  }
  if (child > 1) signal_group(child, SIGKILL);
  kill_children();
}

bool kill_children() {
  const sys::Fd list = open_list_of_children();
  std::array<char, 4096> text;  // "12 34 56 ": what does not fit comes with the next look
  const ssize_t got = list.valid() ? ::read(list.get(), text.data(), text.size()) : -1;
  bool any = false;
  const char* const end = text.data() + std::max<ssize_t>(got, 0);
  for (const char* at = text.data(); at < end;) {
    const char* const blank = std::find(at, end, ' ');
    pid_t one = 0;
    if (blank != end && std::from_chars(at, blank, one).ec == std::errc() && one > 1) any |= ::kill(one, SIGKILL) == 0;
    at = blank == end ? end : blank + 1;
  }
  return any;
}

}  // namespace hooksmtpd::keeper
