// A subscription to what the daemon tells (`trace`, `messages`), beside a command whose mail is waited for.
//
// A worker that is started anew ends it; then it is taken up again by itself, and whoever listens is told, for what
// happened in between nobody knows.

#pragma once

#include <chrono>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/child.h"
#include "daemon/ctl/client.h"

namespace hooksmtpd::ctl {

class Listening {
 public:
  using Clock = std::chrono::steady_clock;
  // Empty: for ever.
  using Deadline = std::optional<Clock::time_point>;

  // `socket` as in socket_path(). Waits a moment for a worker that is just starting.
  static std::expected<Listening, Failure> start(const std::string& socket, nlohmann::json request);

  // What the daemon said first: {"ok":true,...}.
  const nlohmann::json& greeting() const { return greeting_; }

  // From here on everything that the command causes is heard.
  std::expected<void, Failure> run(const std::vector<std::string>& argv);
  // Empty: none was run, or it still runs.
  std::optional<int> command_status() { return child_ ? child_->status() : std::nullopt; }
  bool command_runs() { return child_ && !child_->status(); }

  enum class Event {
    kEntry,        // entry()
    kAgain,        // the daemon's worker was started anew, and this subscription with it
    kTime,         // the deadline has come
    kCommandOver,  // told once; what was said before it is heard first
  };
  std::expected<Event, Failure> next(Deadline deadline);
  // In the order in which its members came: of a request it is part of the protocol.
  const nlohmann::ordered_json& entry() const { return entry_; }

  // In place of the one that was asked for, if the subscription has to be taken up again.
  void ask_next_time(nlohmann::json request) { request_ = std::move(request); }

 private:
  Listening(std::string socket, nlohmann::json request) : socket_(std::move(socket)), request_(std::move(request)) {}

  std::expected<void, Failure> subscribe();
  bool take_entry();
  // Until one of them is readable. False: the deadline has come.
  bool wait(Deadline deadline, bool for_command);
  bool readable();

  std::string socket_;
  nlohmann::json request_, greeting_;
  nlohmann::ordered_json entry_;
  std::optional<Client> client_{};
  std::optional<Child> child_{};
  bool command_told_ = false;
};

}  // namespace hooksmtpd::ctl
