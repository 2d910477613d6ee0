// All connections of one run, driven by one thread and one epoll(7): each sends the next command when the reply to the
// one before has come, and checks its code. A server cannot be fast by being wrong.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/dialogue.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/wire.h"

namespace hooksmtpd::bench {

using Clock = std::chrono::steady_clock;

class Engine {
 public:
  enum class Job { kSend, kHold };  // kHold: stop after EHLO and keep the connection

  Engine(const Options& options, const Dialogue& dialogue, Job job);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Opens sessions and sends messages until the time is up, then lets every session end with QUIT.
  void send_for(std::chrono::duration<double> time);

  // Opens `count` connections and brings each through EHLO.
  void hold(std::size_t count);
  // One NOOP on each that is held; returns when all are answered.
  void noop_on_all();

  std::uint64_t completed() const { return completed_; }  // messages; sessions, if these send none
  std::uint64_t octets() const { return completed_ * dialogue_.body.size(); }
  std::uint64_t errors() const { return errors_; }
  std::vector<double>& milliseconds() { return milliseconds_; }  // of each transaction

 private:
  // The step whose reply is awaited.
  enum class Step : std::uint8_t {
    kHandshake,
    kGreeting,
    kEhlo,
    kMail,
    kRcpt,
    kData,
    kBody,
    kQuit,
    kEnd,
    kHeld,
    kNoop
  };

  struct Connection {
    int fd = -1;
    Wire wire;
    Step step = Step::kHandshake;
    bool pipelining = false;  // offered by the server
    bool waits_to_write = false;
    std::size_t messages = 0;    // begun
    std::size_t recipients = 0;  // of this message, that were accepted
    Clock::time_point mail_sent{};
    std::string unread;       // start of a reply line
    std::string_view unsent;  // of `dialogue_`: nothing is copied
  };

  void open(Connection& connection);
  void close(Connection& connection);
  void fail(Connection& connection, std::string_view what);
  void pump();
  void shake_hands(Connection& connection);
  void readable(Connection& connection);
  void read_lines(Connection& connection, std::string_view text);
  void reply(Connection& connection, std::string_view line);
  void next_message(Connection& connection);
  void say(Connection& connection, Step step, std::string_view text);
  void write(Connection& connection);
  bool may_open() const;
  bool time_is_up() const { return Clock::now() >= deadline_; }

  const Options& options_;
  const Dialogue& dialogue_;
  Job job_;
  std::optional<TlsClient> tls_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<double> milliseconds_;
  std::uint64_t completed_ = 0, errors_ = 0, opened_ = 0;
  std::size_t open_ = 0, held_ = 0;
  std::uint32_t next_source_ = 0;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point last_reply_ = Clock::now();
};

}  // namespace hooksmtpd::bench
