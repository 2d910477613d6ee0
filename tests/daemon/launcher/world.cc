#include "tests/daemon/launcher/world.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using sys::FrameKind;

constexpr std::int32_t kChild = 7;  // its pid, wherever

std::string name_of(FrameKind kind) {
  switch (kind) {
    case FrameKind::kStart:
      return "start";
    case FrameKind::kStop:
      return "stop";
    case FrameKind::kRelease:
      return "release";
    case FrameKind::kConfig:
      return "config";
    case FrameKind::kHook:
      return "hook";
    case FrameKind::kServe:
      return "serve";
    case FrameKind::kDrain:
      return "drain";
    case FrameKind::kStatusAsked:
      return "status?";
    case FrameKind::kClient:
      return "client";
    case FrameKind::kKeyholder:
      return "keyholder";
    default:
      return "?";
  }
}

std::string read_all(const sys::Fd& fd) {
  std::string all;
  std::array<char, 4096> piece;
  for (ssize_t got = 0; (got = ::read(fd.get(), piece.data(), piece.size())) > 0;) {
    all.append(piece.data(), static_cast<std::size_t>(got));
    all += got < static_cast<ssize_t>(piece.size()) && all.back() != '\n' ? "\n" : "";
  }
  return all;
}

sys::SocketPair unix_pair(int type) {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
  return {.ours = sys::Fd(fds[0]), .theirs = sys::Fd(fds[1])};
}

// A listener and a client that is connected to it, by a name that the kernel picks.
sys::SocketPair control_pair() {
  sys::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0);
  REQUIRE(::listen(listener.get(), 8) == 0);
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  sys::Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  ::fcntl(client.get(), F_SETFL, O_NONBLOCK);
  return {.ours = std::move(listener), .theirs = std::move(client)};
}

std::vector<sys::Fd> dev_null(std::size_t count) {
  std::vector<sys::Fd> fds;
  for (std::size_t i = 0; i < count; ++i) fds.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
  return fds;
}

}  // namespace

config::Config config_with(std::initializer_list<const char*> hooks) {
  config::Config config;
  config.hostname = "mail.test";
  config.timeouts.drain = std::chrono::seconds(30);
  for (const char* name : hooks) {
    config::Hook hook;
    hook.name = name;
    hook.command = {"/opt/hook", name};
    config.hooks.push_back(std::move(hook));
  }
  return config;
}

sys::ProcessReport harmless_report() {
  sys::ProcessReport report{};
  report.pid = kChild;
  for (std::uint32_t& id : report.uids) id = 60798;
  for (std::uint32_t& id : report.gids) id = 60798;
  report.no_new_privs = 1;
  report.seccomp = 2;
  std::ranges::copy(std::array{11, 12, 13, 14, 15}, report.namespaces);
  return report;
}

std::optional<sys::Frame> FakePeer::take() {
  listen();
  while (!heard_.empty()) {
    sys::Frame frame = std::move(heard_.front());
    heard_.pop_front();
    if (frame.kind != FrameKind::kPing) return frame;
    if (!hangs_) static_cast<void>(sys::send_frame(socket_, FrameKind::kPong, frame.body));  // it may be closed by now
  }
  return std::nullopt;
}

void FakePeer::listen() {
  while (auto frame = sys::receive_frame(socket_, sys::Sender::kSupervisor)) {
    if (frame->kind == FrameKind::kConfig && self_ == sys::Sender::kWorker && !hangs_) {
      static_cast<void>(sys::send_frame(socket_, FrameKind::kConfigured));
    }
    heard_.push_back(std::move(*frame));
  }
}

std::string FakePeer::heard() {
  std::string all;
  while (const auto frame = take()) all += (all.empty() ? std::string() : " ").append(name_of(frame->kind));
  return all;
}

void FakePeer::say(FrameKind kind, std::string_view body, std::vector<sys::Fd> fds) {
  std::vector<int> numbers;
  for (const sys::Fd& fd : fds) numbers.push_back(fd.get());
  REQUIRE(sys::send_frame(socket_, kind, body, numbers));
}

void FakePeer::say_raw(std::string_view bytes) {
  REQUIRE(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

bool FakePeer::closed() {
  while (true) {
    const auto frame = sys::receive_frame(socket_, sys::Sender::kSupervisor);
    if (!frame) return frame.error() == sys::FrameError::kClosed;
  }
}

World::World(config::Config config, Keys keys, std::optional<Loop::Milliseconds> watchdog)
    : next_config(config), keys_(keys), loop_([this] { return now_; }), log_(sys::Log::to_pipe(sys::Fd())) {
  sys::Pipe log = sys::make_pipe();
  ::fcntl(log.read.get(), F_SETFL, O_NONBLOCK);
  log_reader_ = std::move(log.read);
  log_ = sys::Log::to_pipe(std::move(log.write));

  Tree tree;
  const auto slot = [&](Role role, std::string hook, std::uint32_t instance, std::vector<std::string> argv) {
    sys::SocketPair pair = sys::make_socket_pair();
    tree.slots.push_back({.control = std::move(pair.ours),
                          .keeper = static_cast<pid_t>(1000 + tree.slots.size()),
                          .role = role,
                          .hook = std::move(hook),
                          .instance = instance,
                          .argv = std::move(argv),
                          .report = harmless_report()});
    keepers_.emplace_back(sys::Sender::kKeeper, std::move(pair.theirs));
  };
  slot(Role::kWorker, "", 0, {"/opt/worker", "5=smtp"});
  for (const config::Hook& hook : config.hooks) {
    for (std::uint32_t instance = 1; instance <= hook.instances; ++instance)
      slot(Role::kHook, hook.name, instance, hook.command);
  }
  if (keys == Keys::kHeld) slot(Role::kKeyholder, "", 0, {"/opt/keyholder", "--life", "5"});
  generations_.assign(tree.slots.size(), 0);

  sys::SocketPair notify = unix_pair(SOCK_DGRAM);
  notify_reader_ = std::move(notify.theirs);
  tree.notify = std::move(notify.ours);
  tree.watchdog = watchdog;
  sys::SocketPair control = control_pair();
  client_ = std::move(control.theirs);
  tree.control = std::move(control.ours);
  tree.bound = {{.listener = "smtp", .address = "127.0.0.1:25"}};
  tree.isolation = Isolation::kNamespaced;
  tree.config = std::move(config);
  tree.load_config = [this]() -> std::expected<config::Loaded, std::vector<config::Problem>> {
    if (!next_problems.empty()) return std::unexpected(next_problems);
    return config::Loaded{.config = next_config, .origins = {}, .files = {}, .warnings = {}};
  };
  service_ = std::make_unique<Service>(loop_, log_, std::move(tree));
  service_->start();
  settle();
}

void World::settle() {
  for (int i = 0; i < 20; ++i) {
    loop_.turn(Loop::Milliseconds(0));
    if (worker_) worker_->listen();
  }
}

void World::pass(Loop::Milliseconds time) {
  now_ += time;
  settle();
}

FakePeer World::start_own(FakePeer& keeper, sys::Sender self) {
  const auto start = keeper.take();
  REQUIRE(start);
  REQUIRE(start->kind == FrameKind::kStart);
  sys::SocketPair control = sys::make_socket_pair();
  sys::Pipe log = sys::make_pipe();
  std::vector<sys::Fd> ends;
  ends.push_back(std::move(control.ours));
  ends.push_back(std::move(log.read));
  keeper.say(FrameKind::kStarted, sys::as_body(sys::Started{.pid = kChild}), std::move(ends));
  settle();
  return {self, std::move(control.theirs)};
}

void World::start_worker() { worker_.emplace(start_own(keepers_[0], sys::Sender::kWorker)); }
void World::start_keyholder() { keyholder_.emplace(start_own(keyholder_keeper(), sys::Sender::kKeyholder)); }

void World::start_hook(std::size_t slot) {
  const auto start = keepers_[slot].take();
  REQUIRE(start);
  REQUIRE(start->kind == FrameKind::kStart);
  ++generations_[slot];
  keepers_[slot].say(FrameKind::kStarted, sys::as_body(sys::Started{.pid = kChild}), dev_null(3));
  settle();
}

void World::exited(std::size_t slot, int wait_status, int exec_errno) {
  const sys::Exited exited{.wait_status = wait_status, .exec_errno = exec_errno};
  keepers_[slot].say(FrameKind::kExited, sys::as_body(exited));
  settle();
}

void World::report() {
  worker_->say(FrameKind::kReport, sys::as_body(harmless_report()));
  settle();
}

void World::keyholder_report() {
  keyholder_->say(FrameKind::kReport, sys::as_body(harmless_report()));
  settle();
}

void World::say_keys(sys::Keys::Verdict verdict, std::string_view text) {
  keyholder_->say(FrameKind::kKeys, std::string(sys::as_body(sys::Keys{.verdict = verdict})).append(text));
  settle();
}

void World::hook_state(std::uint32_t slot, std::uint32_t generation, sys::HookState::State state,
                       std::string_view text) {
  const sys::HookState said{.slot = slot, .generation = generation, .state = state};
  worker_->say(FrameKind::kHookState, std::string(sys::as_body(said)).append(text));
  settle();
}

void World::bring_up() {
  if (keys_ == Keys::kHeld) {
    start_keyholder();
    keyholder_report();
    say_keys(sys::Keys::kOk);
  }
  start_worker();
  report();
  const std::size_t hooks = keepers_.size() - (keys_ == Keys::kHeld ? 1 : 0);
  for (std::size_t slot = 1; slot < hooks; ++slot) {
    start_hook(slot);
    hook_state(static_cast<std::uint32_t>(slot), generations_[slot], sys::HookState::kReady);
  }
}

std::string World::log() {
  log_.flush();
  return read_all(log_reader_);
}

std::string World::notified() { return read_all(notify_reader_); }

void World::ask_nothing_yet(std::string_view line) {
  REQUIRE(::send(client_.get(), line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()));
  settle();
}

std::string World::answer() {
  settle();
  return read_all(client_);
}

std::string World::ask_line(std::string_view line) {
  ask_nothing_yet(std::string(line) + "\n");
  return answer();
}

nlohmann::json World::ask(const nlohmann::json& request) { return nlohmann::json::parse(ask_line(request.dump())); }

}  // namespace hooksmtpd::launcher
