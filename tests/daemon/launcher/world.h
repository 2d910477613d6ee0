// A supervisor without a daemon: socket pairs in place of keepers and worker, a pipe in place of the log, a clock that
// the test sets. The test plays everybody else, so it needs neither root nor a child process.

#pragma once

#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/service.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {

// A configuration with these hooks, one instance each.
config::Config config_with(std::initializer_list<const char*> hooks);

// What an honest process reports.
sys::ProcessReport harmless_report();

// The other end of a control socket.
class FakePeer {
 public:
  FakePeer(sys::Sender self, sys::Fd socket) : self_(self), socket_(std::move(socket)) {}

  // The next frame, where one has come. Pings are answered, and left out.
  std::optional<sys::Frame> take();
  // Takes in what has come, for take(); a worker says at once that it has a new configuration.
  void listen();
  // Answers nothing any more.
  void hang() { hangs_ = true; }
  // The kinds of all that has come: "start stop release".
  std::string heard();
  void say(sys::FrameKind kind, std::string_view body = {}, std::vector<sys::Fd> fds = {});
  void say_raw(std::string_view bytes);
  bool closed();
  void close() { socket_.reset(); }
  const sys::Fd& socket() const { return socket_; }

 private:
  sys::Sender self_;
  sys::Fd socket_;
  std::deque<sys::Frame> heard_;
  bool hangs_ = false;
};

// Whether there is a keyholder. Its slot comes behind those of the hooks.
enum class Keys { kNone, kHeld };

class World {
 public:
  explicit World(config::Config config, Keys keys = Keys::kNone,
                 std::optional<Loop::Milliseconds> watchdog = std::nullopt);

  // Lets the supervisor do all that it can do at this time.
  void settle();
  void pass(Loop::Milliseconds time);

  // What a keeper does: it was told to start, and says that it has.
  void start_worker();
  void start_hook(std::size_t slot);
  void exited(std::size_t slot, int wait_status, int exec_errno = 0);
  // What the worker does: its report; its view of a hook's hello.
  void report();
  void hook_state(std::uint32_t slot, std::uint32_t generation, sys::HookState::State state,
                  std::string_view text = {});
  // What the keyholder and its keeper do.
  void start_keyholder();
  void keyholder_report();
  void say_keys(sys::Keys::Verdict verdict, std::string_view text = {});
  // All of the above until it serves.
  void bring_up();

  FakePeer& keeper(std::size_t slot) { return keepers_[slot]; }
  FakePeer& worker() { return *worker_; }
  FakePeer& keyholder() { return *keyholder_; }
  FakePeer& keyholder_keeper() { return keepers_.back(); }
  std::size_t keyholder_slot() const { return keepers_.size() - 1; }
  Service& service() { return *service_; }

  std::string log();       // since the last call
  std::string notified();  // the same of systemd
  // One request on the control socket; answers when `settle()` was enough.
  nlohmann::json ask(const nlohmann::json& request);
  std::string ask_line(std::string_view line);
  void ask_nothing_yet(std::string_view line);  // sends only
  std::string answer();

  config::Config next_config;  // what a reload finds
  std::vector<config::Problem> next_problems;

 private:
  FakePeer start_own(FakePeer& keeper, sys::Sender self);

  const Keys keys_;
  Loop::Time now_{};
  Loop loop_;
  sys::Fd log_reader_;
  sys::Log log_;
  sys::Fd notify_reader_;
  sys::Fd client_;
  std::vector<FakePeer> keepers_;
  std::optional<FakePeer> worker_;
  std::optional<FakePeer> keyholder_;
  std::vector<std::uint32_t> generations_;
  std::unique_ptr<Service> service_;
};

}  // namespace hooksmtpd::launcher
