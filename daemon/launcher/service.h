// All that the supervisor does once it is nobody: it keeps the crew, answers the control socket, tells systemd, and
// keeps the configuration. It has no signal handler and no privilege: supervise() gives it both events and loop.

#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/launcher/commands.h"
#include "daemon/launcher/crew.h"
#include "daemon/launcher/live_config.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/notify.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {

class Service final : private CrewOwner {
 public:
  Service(Loop& loop, sys::Log& log, Tree tree);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void start() { crew_.start(); }
  // SIGTERM, SIGINT: in good order; the second time at once.
  void terminate();
  // What became of a change that somebody asked for.
  using Outcome = std::expected<LiveConfig::Changed, Refusal>;
  using Done = std::function<void(const Outcome& outcome)>;
  // SIGHUP: a reload, or another one after the change that is under way.
  void hang_up();
  // `hooksmtpctl reload`: `who` is for the log. The keyholder is asked first, and the worker has to take the change, so
  // `done` is called later, or at once: whoever connects from then on is served by the new configuration. One change at
  // a time, a second one is refused.
  void reload(std::string_view who, Done done);
  void configure(std::string_view key, std::string_view value, std::string_view who, Done done);
  // As Crew::restart_hook().
  std::vector<std::string> restart_hook(std::string_view name, std::uint32_t instance, std::string_view who);
  // Lets sessions finish.
  void stop(std::string_view who);
  void keeper_ended(pid_t keeper, int wait_status) { crew_.keeper_ended(keeper, wait_status); }

  // Set when all has stopped.
  std::optional<int> exit_status() const { return exit_status_; }

  const LiveConfig& config() const { return config_; }
  Crew& crew() { return crew_; }
  const Crew& crew() const { return crew_; }
  const std::vector<BoundAddress>& bound() const { return bound_; }
  Isolation isolation() const { return isolation_; }
  const std::vector<std::string>& missing() const { return missing_; }
  Loop::Time started() const { return started_; }

 private:
  void crew_ready() override;
  void crew_changed() override;
  void crew_stopped(int exit_status) override { exit_status_ = exit_status; }
  void crew_alive() override;
  bool worker_status(std::uint32_t token, std::string_view json) override;

  // A change that waits for the keyholder, then for the worker.
  struct Pending {
    std::string verb, who;  // for the log
    Done done;
    LiveConfig::Proposal proposal;
  };
  enum class Ask : std::uint8_t { kAlways, kIfTlsChanges };

  void propose(std::string verb, std::string_view who, Done done, Ask ask,
               std::expected<LiveConfig::Proposal, Refusal> proposal);
  void keys_judged(KeysVerdict verdict);
  std::optional<Refusal> refusal_of(const KeysVerdict& verdict) const;
  void take(std::string note);
  void finish(Outcome outcome);
  void refused(std::string_view verb, std::string_view who, const Done& done, Refusal refusal);
  std::string status_line() const;

  sys::Log& log_;
  const Loop::Time started_;
  const std::vector<BoundAddress> bound_;
  const Isolation isolation_;
  const bool watched_;  // by systemd
  const std::vector<std::string> missing_;
  const std::vector<std::string> start_text_;
  const sys::Fd proc_;
  const sys::Fd lock_;
  LiveConfig config_;
  std::optional<Pending> pending_;
  bool again_ = false;  // a SIGHUP came meanwhile
  Notifier notifier_;
  Crew crew_;
  Commands commands_;
  std::optional<int> exit_status_;
};

}  // namespace hooksmtpd::launcher
