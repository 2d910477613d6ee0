#include "daemon/launcher/keepers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/keeper/keeper_filter.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/view_rules.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"
#include "daemon/sys/process_title.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;

constexpr std::size_t kLongestHostName = 64;  // for the kernel; DNS takes more
constexpr int kPatience = 30'000;             // milliseconds, on a machine under heavy load

// Everything but these descriptors is closed: other keepers' sockets, the write end of the life pipe, our caller's.
void keep_only(const KeeperPlan& plan, const Fd& control, const Fd& complaint, const Fd& life) {
  std::vector<int> kept{control.get(), complaint.get(), life.get()};
  for (const Fd& listener : plan.listeners) kept.push_back(listener.get());
  if (plan.keys != nullptr) kept.push_back(plan.keys->get());
  for (const Fd& file : plan.group.joins) kept.push_back(file.get());
  if (plan.group.memory_kills.valid()) kept.push_back(plan.group.memory_kills.get());
  sys::close_all_but(kept);
}

keeper::Plan plan_for_keeper(const KeeperPlan& plan, Fd control, const Fd& life) {
  keeper::Plan out;
  out.child = plan.child;
  out.control = std::move(control);
  out.life = Fd(life.get());
  out.own_pid_namespace = has(plan.namespaces, Namespaces::kPid);
  out.own_ipc_namespace = has(plan.namespaces, Namespaces::kIpc);
  out.child_signals_nobody = plan.child == keeper::Plan::Child::kHook && !out.own_pid_namespace && plan.layers.landlock;
  out.demands = plan.demands;
  out.environment = plan.environment;
  out.directory = plan.directory;
  out.child_limits = plan.child_limits;
  out.watched = plan.watched;
  if (!plan.spool.empty()) {
    out.spool = Fd(sys::must(::open(plan.spool.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), plan.spool.string()));
  }
  for (const Fd& listener : plan.listeners) out.listeners.emplace_back(listener.get());
  if (plan.keys != nullptr) out.keys = Fd(plan.keys->get());
  for (const Fd& file : plan.group.joins) out.group.emplace_back(file.get());
  out.memory_kills = Fd(plan.group.memory_kills.get());
  return out;
}

// In the new process; never returns. All that is privileged stands in lock_in().
[[noreturn]] void be_keeper(const KeeperPlan& plan, Fd control, Fd complaint, const Fd& life, char** main_argv) try {
  keep_only(plan, control, complaint, life);
  ::setsid();  // Ctrl-C is the supervisor's alone
  sys::set_process_title(main_argv, "hooksmtpd: " + plan.title);
  lock_in(plan);
  ::umask(077);
  sys::standard_descriptors_to_null();
  keeper::Plan mine = plan_for_keeper(plan, std::move(control), life);
  complaint.reset();
  ::_exit(keeper::run(std::move(mine)));
} catch (const std::exception& error) {
  const std::string_view text(error.what());
  [[maybe_unused]] const ssize_t told = ::write(complaint.get(), text.data(), text.size());
  const auto* known = dynamic_cast<const StartError*>(&error);
  ::_exit(known != nullptr ? known->status() : EX_OSERR);
}

void set_host_name(const std::string& name) {
  sys::must(::sethostname(name.data(), std::min(name.size(), kLongestHostName)), "sethostname");
}

sys::LandlockRules landlock_rules(const KeeperPlan& plan) {
  using enum sys::FileRights;
  sys::LandlockRules rules = rules_of(plan.view);
  // Whatever is in a jail was put there for it to be read.
  if (has(plan.namespaces, Namespaces::kMount)) rules.places.push_back({.path = "/", .rights = kRead | kExecute});
  // A hook in a network namespace of its own hears from that what it lacks: "network is unreachable" says more than
  // "permission denied". But what it listens on is of the machine's network, and would connect there once shut down.
  const bool own = plan.network == config::NetworkAccess::kLoopback || has(plan.namespaces, Namespaces::kNetwork);
  rules.tcp = plan.child == keeper::Plan::Child::kHook &&
              (plan.network == config::NetworkAccess::kHost || (own && plan.listeners.empty()));
  return rules;
}

// Where Landlock knows nothing of TCP, such a hook connects to nothing, unless its profile names folders: there may be
// a socket that it is meant to reach.
bool connects(const KeeperPlan& plan) {
  constexpr int kKnowsTcp = 4;
  const bool listens = plan.child == keeper::Plan::Child::kHook && !plan.listeners.empty();
  return !listens || plan.network == config::NetworkAccess::kHost || plan.names_folders ||
         (plan.layers.landlock && sys::landlock_abi() >= kKnowsTcp);
}

std::string read_complaint(const Fd& pipe) {
  std::string text;
  std::array<char, 4096> piece;
  pollfd one{.fd = pipe.get(), .events = POLLIN, .revents = 0};
  while (::poll(&one, 1, kPatience) > 0) {
    const ssize_t got = ::read(pipe.get(), piece.data(), piece.size());
    if (got <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return "it does not answer";
}

}  // namespace

Namespaces namespaces(const Layers& layers, config::NetworkAccess network) {
  if (!layers.has(Layer::Kind::kJails)) return Namespaces::kShared;
  Namespaces own = Namespaces::kMount | Namespaces::kPid;
  if (layers.has(Layer::Kind::kNamespaces)) {
    own = own | Namespaces::kIpc | Namespaces::kUts;
    if (network != config::NetworkAccess::kHost) own = own | Namespaces::kNetwork;
  }
  return layers.has(Layer::Kind::kUsers) ? own : own | Namespaces::kUser;
}

void lock_in(const KeeperPlan& plan) {
  if (has(plan.namespaces, Namespaces::kUser)) map_own_user(plan.identity);
  if (has(plan.namespaces, Namespaces::kNetwork) && plan.network == config::NetworkAccess::kLoopback) raise_loopback();
  if (has(plan.namespaces, Namespaces::kUts)) set_host_name(plan.hostname);
  if (has(plan.namespaces, Namespaces::kMount)) enter(plan.view);
  drop_to(plan.identity);
  // ---- no privilege from here on
  sys::limit(plan.limits);
  if (plan.layers.landlock) sys::restrict_self(landlock_rules(plan));
  const auto reach = has(plan.namespaces, Namespaces::kPid) ? keeper::Reach::kJail : keeper::Reach::kMachine;
  if (plan.layers.filter) sys::install(keeper::keeper_filter(::getpid(), reach, connects(plan)));
}

StartedKeeper start_keeper(const KeeperPlan& plan, const Fd& life, char** main_argv) {
  sys::SocketPair control = sys::make_socket_pair();
  sys::Pipe complaint = sys::make_pipe();
  const pid_t pid = clone_process(plan.namespaces);
  if (pid == 0) be_keeper(plan, std::move(control.theirs), std::move(complaint.write), life, main_argv);
  return {.pid = pid, .control = std::move(control.ours), .complaint = std::move(complaint.read)};
}

sys::ProcessReport await_keeper(const StartedKeeper& keeper, const KeeperPlan& plan) {
  const std::string complaint = read_complaint(keeper.complaint);
  pollfd one{.fd = keeper.control.get(), .events = POLLIN, .revents = 0};
  if (complaint.empty() && ::poll(&one, 1, kPatience) > 0) {
    const auto frame = sys::receive_frame(keeper.control, sys::Sender::kKeeper);
    if (frame && frame->kind == sys::FrameKind::kReport) return sys::body_as<sys::ProcessReport>(frame->body);
  }
  int status = 0;
  const bool ended = ::waitpid(keeper.pid, &status, WNOHANG) == keeper.pid && WIFEXITED(status);
  throw StartError(ended && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EX_OSERR,
                   fmt::format("{}: {}", plan.title, complaint.empty() ? "it has ended" : complaint));
}

}  // namespace hooksmtpd::launcher
