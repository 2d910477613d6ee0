// The evil worker. Its start is the worker's own, daemon/worker/main.cc: the same arguments, descriptors and sandbox.
// What comes behind that line, the class Worker, is replaced by one that lies to the supervisor about its hooks and
// then takes orders from whoever connects to its first listener:
//
//   NAME [ARGUMENT]\n   does that act; the answer is what it got, and a line end
//   list\n              the names of all acts, separated by spaces

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>

#include "daemon/worker/worker.h"
#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {

std::string result(long returned) {
  if (returned >= 0) return "ok";
  const char* const name = ::strerrorname_np(errno);
  return name != nullptr ? name : std::to_string(errno);
}

namespace {

std::vector<Act> all_acts() {
  std::vector<Act> all;
  for (const auto& some : {acts_on_files, acts_on_sockets, acts_on_processes, acts_on_the_kernel,
                           acts_on_the_supervisor, acts_on_the_keyholder}) {
    std::ranges::move(some(), std::back_inserter(all));
  }
  return all;
}

std::string obey(const std::vector<Act>& acts, Held& held, const std::string& order) {
  const std::size_t space = std::min(order.find(' '), order.size());
  const std::string name = order.substr(0, space);
  if (name == "list") {
    std::string names;
    for (const Act& act : acts) names.append(names.empty() ? "" : " ").append(act.name);
    return names;
  }
  const auto act = std::ranges::find(acts, name, &Act::name);
  return act == acts.end() ? "no such act" : act->take(held, order.substr(std::min(space + 1, order.size())));
}

// What an honest worker would say of it, without having looked.
void answer(const sys::Fd& control, Held& held, sys::Frame frame) {
  switch (frame.kind) {
    case sys::FrameKind::kPing:
      static_cast<void>(sys::send_frame(control, sys::FrameKind::kPong, frame.body));
      return;
    case sys::FrameKind::kConfig:
      static_cast<void>(sys::send_frame(control, sys::FrameKind::kConfigured));
      return;
    case sys::FrameKind::kHook: {
      const auto process = sys::body_as<sys::HookProcess>(frame.body);
      const sys::HookState ready{
          .slot = process.slot, .generation = process.generation, .state = sys::HookState::kReady};
      static_cast<void>(sys::send_frame(control, sys::FrameKind::kHookState, sys::as_body(ready)));
      std::ranges::move(frame.fds, std::back_inserter(held.hooks));
      return;
    }
    case sys::FrameKind::kKeyholder:
      held.keyholder = std::move(frame.fds.at(0));
      return;
    case sys::FrameKind::kStatusAsked:  // nested as deep as a frame can be long
      static_cast<void>(sys::send_frame(control, sys::FrameKind::kStatus, frame.body + std::string(60'000, '[')));
      return;
    default:
      return;
  }
}

}  // namespace
}  // namespace hooksmtpd::evil

namespace hooksmtpd::worker {

Worker::Worker(Start start)
    : base_(nullptr),
      log_(std::move(start.log)),
      control_(std::move(start.control)),
      life_(std::move(start.life)),
      spool_folder_(std::move(start.spool)),
      listeners_(std::move(start.listeners)),
      keyholder_(log_, [] {}),
      subscriptions_(nullptr),
      log_timer_(nullptr, *this),
      drain_timer_(nullptr, *this) {}

Worker::~Worker() = default;
void Worker::flush_log() {}
void Worker::on_drain_over() {}

int Worker::run() {
  const std::vector<evil::Act> acts = evil::all_acts();
  evil::Held held{
      .control = control_, .spool = spool_folder_, .listener = listeners_.at(0).first, .keyholder = {}, .hooks = {}};
  sys::Fd client;
  std::string orders;
  bool serving = false;
  while (true) {
    std::array<pollfd, 4> watched{
        pollfd{.fd = life_.get(), .events = POLLIN, .revents = 0},
        pollfd{.fd = control_.get(), .events = POLLIN, .revents = 0},
        pollfd{.fd = client.valid() ? client.get() : -1, .events = POLLIN, .revents = 0},
        pollfd{.fd = serving && !client.valid() ? held.listener.get() : -1, .events = POLLIN, .revents = 0}};
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return 0;
    while (auto frame = sys::receive_frame(control_, sys::Sender::kSupervisor)) {
      serving = serving || frame->kind == sys::FrameKind::kServe;
      evil::answer(control_, held, *std::move(frame));
    }
    if (watched[1].revents & (POLLHUP | POLLERR)) return 0;
    if (watched[3].revents != 0) client.reset(::accept4(held.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (watched[2].revents == 0) continue;
    std::array<char, 1024> piece;
    const ssize_t got = ::read(client.get(), piece.data(), piece.size());
    if (got <= 0) {
      client.reset();
      orders.clear();
      continue;
    }
    orders.append(piece.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = orders.find('\n')) != std::string::npos; orders.erase(0, end + 1)) {
      const std::string said = evil::obey(acts, held, orders.substr(0, end)) + "\n";
      if (::write(client.get(), said.data(), said.size()) != static_cast<ssize_t>(said.size())) break;
    }
  }
}

}  // namespace hooksmtpd::worker
