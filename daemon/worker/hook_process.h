// One process of a hook, seen from the worker: its three pipes, the requests that wait for it, and the Channel that
// matches what it answers.
//
// Requests are written once per turn of the event loop, all that fit in one write(2). They wait here while a process
// that was well is started anew, but not for long; nothing that a hook does reaches further than this class.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"
#include "daemon/worker/error_output.h"
#include "daemon/worker/event.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/latency.h"
#include "daemon/worker/tracer.h"
#include "proto/hook/channel.h"
#include "proto/hook/request.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::worker {

// What became of a request.
struct Outcome {
  enum Kind { kVerdict, kFailed, kQueueFull };
  Kind kind = kVerdict;
  mail::Verdict verdict{};             // kVerdict
  std::chrono::milliseconds delay{};   // kVerdict: the client waits so long
  std::optional<std::string> notes{};  // kVerdict: as hook::Reply has them
  std::string mime{};                  // kVerdict, of the mime hook
  std::string reason{};                // otherwise, for the log
  bool late = false;                   // kFailed: its time was up, and the hook, which has others to answer, goes on
  std::chrono::nanoseconds took{};     // from the writing of the request to the reading of the reply; not of kQueueFull
};

// Whoever asked. It is told exactly once, lives until then, and is never told from within ask().
class Asker {
 public:
  virtual void outcome(Outcome&& outcome) = 0;
  // For the log. Its `hook` is empty.
  virtual sys::About about() const = 0;
  // For the trace: the message that it asks about, if that is not longer than `most`.
  virtual std::optional<std::string> message(std::size_t /*most*/) const { return std::nullopt; }

 protected:
  ~Asker() = default;
};

struct Request {
  hook::RequestId id = 0;
  hook::Event event = hook::Event::kDisconnect;
  std::string line;
  std::chrono::milliseconds timeout{};
  Asker* asker = nullptr;                   // nullptr: the answer matters to nobody
  bool urgent = false;                      // goes before what waits, however much that is
  hook::RequestId target = 0;               // of `cancel`: pointless once that is answered
  Clock::time_point give_up{};              // while it waits
  Clock::time_point written{};              // once it is with the hook
  std::unique_ptr<TracedRequest> traced{};  // if somebody listened then
};

class HookProcess {
 public:
  inline static constexpr std::size_t kMaxWaiting = 1000;
  inline static constexpr std::size_t kMaxWaitingOctets = 16 * 1024 * 1024;  // of their lines

  // What this process needs of its surroundings.
  struct Surroundings {
    event_base* base;
    sys::Log& log;
    Tracer& tracer;
    // It has to be killed and started again.
    std::function<void(HookProcess&, const std::string& reason)> restart;
    // It answered hello (`failure` empty), or did not.
    std::function<void(HookProcess&, const std::string& failure)> state;
    // It has something to do at the end of the turn: call end_of_turn().
    std::function<void(HookProcess&)> busy;
    // As ErrorOutput's.
    std::function<std::optional<std::string>(std::string_view hook, std::string_view line)> explain{};
  };

  HookProcess(Surroundings surroundings, std::string name, std::uint32_t instance);
  HookProcess(const HookProcess&) = delete;
  ~HookProcess();

  struct Pipes {
    sys::Fd input, output, error;  // the process's stdin, stdout, stderr
  };
  // A process was started: it is greeted first, with the line that `hello` makes.
  void start(std::uint32_t generation, Pipes pipes, const std::function<std::string(hook::RequestId)>& hello,
             std::chrono::milliseconds start_timeout);

  // Its configuration has changed: it finishes what it was asked, is then let go (`restart`), and its successor gets
  // what waits.
  void retire();

  hook::RequestId next_id() { return ++last_id_; }
  void ask(Request request);
  // Takes back what `asker` asked, if it was not written yet. False: it is with the hook, and will be answered.
  bool take_back(const Asker& asker);

  // Tells those that cannot be asked, writes what can be written.
  void end_of_turn();

  bool ready() const { return state_ == State::kReady; }
  // It was asked this and has not answered, be its time up or not.
  bool has(hook::RequestId id) const { return channel_.has(id); }
  bool failed() const;  // its last start failed, or it dies too often: nobody waits for it
  // What it said of itself; as if it had said nothing special before that.
  const hook::HelloReply& hello() const { return hello_; }
  std::size_t waiting() const { return waiting_.size() + outstanding_.size(); }
  const std::string& name() const { return name_; }    // "policy"
  const std::string& label() const { return label_; }  // "policy/1"
  std::uint32_t instance() const { return instance_; }
  std::uint32_t generation() const { return generation_; }
  const char* state_name() const;

  struct Counts {
    std::uint64_t requests = 0, failures = 0, starts = 0;
  };
  const Counts& counts() const { return counts_; }
  // How long its answers took, from the writing of a request to the reading of the reply; null: it has answered none
  // such.
  const Latency& latency() const { return latency_; }
  const Latency* latency(hook::Event event) const { return latencies_[static_cast<std::size_t>(event)].get(); }

 private:
  enum class State { kAbsent, kGreeting, kReady };

  bool may_write() const;
  void write_requests();
  void flush_output();
  void continue_output() noexcept;
  void read_output() noexcept;
  bool read_some_output();
  void handle_outcomes();
  void on_time();
  void gone(std::string reason);
  void let_go();
  void close_pipes();
  void keep_waiting();
  void finish(hook::RequestId id, Outcome&& outcome);
  void count(hook::Event event, std::chrono::nanoseconds took);
  void trace(Request& request);
  void trace(const Request& request, const Outcome& outcome);
  void trace_hello(const hook::outcome::Ready& ready);
  TracedHook traced() const { return {.name = name_, .instance = instance_}; }
  void give_up_waiting(Clock::time_point now);
  void refuse(const Request& request, const char* reason);
  void mark_busy();

  Surroundings surroundings_;
  std::string name_, label_;
  std::uint32_t instance_;
  std::uint32_t generation_ = 0;
  State state_ = State::kAbsent;
  bool busy_ = false;
  bool retiring_ = false;
  bool start_failed_ = false;  // the last start, that is
  hook::HelloReply hello_{};

  sys::Fd input_, output_;
  Event on_input_, on_output_;
  std::string to_write_;
  ErrorOutput errors_;
  hook::Channel channel_;
  hook::RequestId last_id_ = 0;
  std::deque<Request> waiting_;
  std::size_t waiting_octets_ = 0;
  std::deque<Request> outstanding_;       // without their lines
  std::deque<Asker*> over_full_;          // to be told at the end of the turn
  std::deque<Clock::time_point> deaths_;  // the last few
  Timer<HookProcess, &HookProcess::on_time> timer_;
  Counts counts_;
  Latency latency_;
  std::array<std::unique_ptr<Latency>, hook::kEvents> latencies_{};
  Clock::time_point greeted_{};
  Clock::time_point heard_{};  // when the line was read that is being handled
};

}  // namespace hooksmtpd::worker
