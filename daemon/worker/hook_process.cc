#include "daemon/worker/hook_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <variant>

#include "daemon/worker/traced_request.h"

namespace hooksmtpd::worker {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kWriteAtOnce = 64 * 1024;  // a pipe takes no more

// So many deaths within so long a time: whoever asks is told at once (DESIGN.md section 4, rule 8).
constexpr std::size_t kDeathsToFail = 10;
constexpr auto kDeathWindow = std::chrono::minutes(5);

// How long a request waits for a process that is being started anew.
constexpr std::chrono::milliseconds kMaxWaitForStart = std::chrono::seconds(10);

constexpr const char* kReplaced = "it is to be replaced";

Outcome to_outcome(hook::outcome::Answer& answer) {
  return {.kind = Outcome::kVerdict,
          .verdict = std::move(answer.verdict),
          .delay = answer.delay,
          .notes = std::move(answer.notes),
          .mime = std::move(answer.mime)};
}

template <auto callback>
void call(evutil_socket_t, short, void* self) noexcept {
  (static_cast<HookProcess*>(self)->*callback)();
}

}  // namespace

HookProcess::HookProcess(Surroundings surroundings, std::string name, std::uint32_t instance)
    : surroundings_(std::move(surroundings)),
      name_(std::move(name)),
      label_(fmt::format("{}/{}", name_, instance)),
      instance_(instance),
      errors_({.base = surroundings_.base,
               .log = surroundings_.log,
               .tracer = surroundings_.tracer,
               .only_request = [this] { return outstanding_.size() == 1 ? &outstanding_.front() : nullptr; },
               .explain = surroundings_.explain},
              name_, instance_),
      timer_(surroundings_.base, *this) {}

HookProcess::~HookProcess() = default;

void HookProcess::start(std::uint32_t generation, Pipes pipes, const std::function<std::string(hook::RequestId)>& hello,
                        std::chrono::milliseconds start_timeout) {
  if (state_ != State::kAbsent) gone("it was replaced by a new process");
  generation_ = generation;
  input_ = std::move(pipes.input);
  output_ = std::move(pipes.output);
  for (const sys::Fd* fd : {&input_, &output_}) fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  const auto watch = [this](const sys::Fd& fd, short what, event_callback_fn callback) {
    return Event(event_new(surroundings_.base, fd.get(), static_cast<short>(what | EV_PERSIST), callback, this));
  };
  on_input_ = watch(input_, EV_WRITE, call<&HookProcess::continue_output>);
  on_output_ = watch(output_, EV_READ, call<&HookProcess::read_output>);
  event_add(on_output_.get(), nullptr);
  errors_.start(std::move(pipes.error));
  channel_ = hook::Channel(name_ == config::kMimeHook ? hook::Speaker::kMimeHook : hook::Speaker::kHook);
  retiring_ = false;
  state_ = State::kGreeting;
  ++counts_.starts;
  greeted_ = Clock::now();
  const auto deadline = greeted_ + start_timeout;
  const hook::RequestId id = next_id();
  channel_.sent(id, hook::Event::kHello, deadline);
  to_write_ = hello(id);
  if (surroundings_.tracer.listening()) {
    surroundings_.tracer.request(traced(), hook::Event::kHello, to_write_, [] { return std::nullopt; });
  }
  timer_.set_at_latest(deadline);
  mark_busy();
}

void HookProcess::retire() {
  retiring_ = state_ != State::kAbsent;
  mark_busy();
}

void HookProcess::ask(Request request) {
  ++counts_.requests;
  const bool full = waiting_.size() >= kMaxWaiting || waiting_octets_ + request.line.size() > kMaxWaitingOctets;
  if (full && !request.urgent) {
    if (request.asker) over_full_.push_back(request.asker);
    return mark_busy();
  }
  if (state_ != State::kReady) {
    request.give_up = Clock::now() + std::min(request.timeout, kMaxWaitForStart);
    timer_.set_at_latest(request.give_up);
  }
  waiting_octets_ += request.line.size();
  if (request.urgent) {
    waiting_.push_front(std::move(request));
  } else {
    waiting_.push_back(std::move(request));
  }
  mark_busy();
}

bool HookProcess::take_back(const Asker& asker) {
  const auto request = std::ranges::find(waiting_, &asker, &Request::asker);
  if (request == waiting_.end()) return false;
  waiting_octets_ -= request->line.size();
  waiting_.erase(request);
  return true;
}

bool HookProcess::failed() const {
  if (state_ == State::kReady) return false;
  return start_failed_ ||
         (state_ == State::kAbsent && deaths_.size() >= kDeathsToFail && Clock::now() - deaths_.front() < kDeathWindow);
}

void HookProcess::mark_busy() {
  if (std::exchange(busy_, true)) return;
  surroundings_.busy(*this);
}

void HookProcess::end_of_turn() {
  busy_ = false;
  for (auto refused = std::exchange(over_full_, {}); Asker * asker : refused) {
    ++counts_.failures;
    asker->outcome({.kind = Outcome::kQueueFull,
                    .reason = fmt::format("{} requests of {} octets wait already", waiting_.size(), waiting_octets_)});
  }
  if (failed()) {
    waiting_octets_ = 0;
    for (auto waiting = std::exchange(waiting_, {}); const Request& request : waiting) {
      refuse(request, "it is not well, see the log");
    }
  }
  write_requests();
  if (retiring_ && state_ != State::kAbsent && channel_.outstanding() == 0) let_go();
}

bool HookProcess::may_write() const {
  return state_ == State::kReady && !retiring_ && !waiting_.empty() && channel_.room() > 0;
}

// What a hook that is slow to read has no room for goes on waiting, among what is bounded, and its time does not run.
void HookProcess::write_requests() {
  if (state_ == State::kAbsent) return;
  const auto now = Clock::now();
  while (may_write() && to_write_.size() < kWriteAtOnce) {
    Request request = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_octets_ -= request.line.size();
    if (request.target != 0 && !channel_.has(request.target)) continue;
    if (surroundings_.tracer.listening()) trace(request);
    request.written = now;
    to_write_ += std::exchange(request.line, {});
    channel_.sent(request.id, request.event, now + request.timeout);
    timer_.set_at_latest(now + request.timeout);
    outstanding_.push_back(std::move(request));
  }
  flush_output();
  if (to_write_.empty() && may_write()) mark_busy();
}

void HookProcess::continue_output() noexcept {
  flush_output();
  mark_busy();
}

void HookProcess::flush_output() {
  while (!to_write_.empty()) {
    const ssize_t written = write(input_.get(), to_write_.data(), to_write_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      event_add(on_input_.get(), nullptr);
      return;
    }
    if (written < 0) {
      while (read_some_output()) {
      }  // what it had answered before still counts
      return gone("it closed its standard input");
    }
    to_write_.erase(0, static_cast<std::size_t>(written));
  }
  if (on_input_) event_del(on_input_.get());
}

void HookProcess::read_output() noexcept { read_some_output(); }

// False: there is nothing more now, or the process is gone.
bool HookProcess::read_some_output() {
  if (state_ == State::kAbsent) return false;
  std::array<char, kReadAtOnce> buffer;
  const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return false;
  if (got <= 0) {
    gone("it ended, or closed its standard output");
    return false;
  }
  channel_.received({buffer.data(), static_cast<std::size_t>(got)});
  handle_outcomes();
  return true;
}

void HookProcess::trace(Request& request) {
  const auto message = [&request] {
    return request.asker ? request.asker->message(Tracer::kMaxMessage) : std::nullopt;
  };
  request.traced =
      std::make_unique<TracedRequest>(surroundings_.tracer.request(traced(), request.event, request.line, message));
}

void HookProcess::handle_outcomes() {
  heard_ = Clock::now();
  while (auto next = channel_.next()) {
    if (auto* ready = std::get_if<hook::outcome::Ready>(&*next)) {
      if (surroundings_.tracer.listening()) trace_hello(*ready);
      if (!ready->reply.ready) {
        gone(fmt::format("it says that it is not ready: {}", ready->reply.text));
        return;
      }
      state_ = State::kReady;
      start_failed_ = false;
      hello_ = std::move(ready->reply);
      if (surroundings_.tracer.listening()) surroundings_.tracer.state(traced(), "ready", "");
      surroundings_.state(*this, "");
    } else if (auto* answer = std::get_if<hook::outcome::Answer>(&*next)) {
      finish(answer->id, to_outcome(*answer));
    } else if (auto* failure = std::get_if<hook::outcome::Failure>(&*next)) {
      if (failure->event == hook::Event::kHello) {
        gone(std::move(failure->reason));
        return;
      }
      ++counts_.failures;
      finish(failure->id,
             {.kind = Outcome::kFailed, .reason = std::move(failure->reason), .late = channel_.has(failure->id)});
    } else if (auto* notice = std::get_if<hook::outcome::Notice>(&*next)) {
      errors_.complain(notice->text);
      if (surroundings_.tracer.listening()) surroundings_.tracer.state(traced(), "errs", notice->text);
    } else if (auto* broken = std::get_if<hook::outcome::Broken>(&*next)) {
      gone(std::move(broken->reason));
      return;
    }
  }
  mark_busy();  // there may be room for what waits
}

// The process is of no use any more. What it had been asked fails; what waits goes to its successor.
void HookProcess::gone(std::string reason) {
  if (state_ == State::kAbsent) return;
  const bool greeting = std::exchange(state_, State::kAbsent) == State::kGreeting;
  close_pipes();
  heard_ = Clock::now();
  deaths_.push_back(heard_);
  if (deaths_.size() > kDeathsToFail) deaths_.pop_front();
  channel_.fail(reason);
  while (auto next = channel_.next()) {
    if (auto* failure = std::get_if<hook::outcome::Failure>(&*next); failure && failure->event != hook::Event::kHello) {
      ++counts_.failures;
      finish(failure->id, {.kind = Outcome::kFailed, .reason = failure->reason});
    } else if (auto* answer = std::get_if<hook::outcome::Answer>(&*next)) {
      finish(answer->id, to_outcome(*answer));
    }
  }
  if (surroundings_.tracer.listening()) surroundings_.tracer.state(traced(), "gone", reason);
  start_failed_ = greeting;
  keep_waiting();
  if (greeting) surroundings_.state(*this, reason);
  surroundings_.restart(*this, reason);
  mark_busy();
}

void HookProcess::let_go() {
  state_ = State::kAbsent;
  retiring_ = false;
  close_pipes();
  if (surroundings_.tracer.listening()) surroundings_.tracer.state(traced(), "gone", kReplaced);
  keep_waiting();
  surroundings_.restart(*this, kReplaced);
}

void HookProcess::close_pipes() {
  errors_.stop();
  on_input_.reset();
  on_output_.reset();
  input_.reset();
  output_.reset();
  to_write_.clear();
}

// From now on, until a successor comes.
void HookProcess::keep_waiting() {
  const auto now = Clock::now();
  for (Request& request : waiting_) {
    request.give_up = now + std::min(request.timeout, kMaxWaitForStart);
    timer_.set_at_latest(request.give_up);
  }
}

void HookProcess::finish(hook::RequestId id, Outcome&& outcome) {
  const auto found = std::ranges::find(outstanding_, id, &Request::id);
  if (found == outstanding_.end()) return;
  const Request request = std::move(*found);
  outstanding_.erase(found);
  outcome.took = heard_ - request.written;
  if (outcome.kind == Outcome::kVerdict) count(request.event, outcome.took);
  if (surroundings_.tracer.listening()) trace(request, outcome);
  if (request.asker) request.asker->outcome(std::move(outcome));
}

void HookProcess::count(hook::Event event, std::chrono::nanoseconds took) {
  latency_.add(took);
  auto& of_event = latencies_[static_cast<std::size_t>(event)];
  if (!of_event) of_event = std::make_unique<Latency>();
  of_event->add(took);
}

void HookProcess::trace_hello(const hook::outcome::Ready& ready) {
  const mail::Verdict fine;
  surroundings_.tracer.reply({.hook = name_,
                              .instance = instance_,
                              .event = hook::Event::kHello,
                              .verdict = ready.reply.ready ? &fine : nullptr,
                              .failure = ready.reply.text,
                              .took = heard_ - greeted_},
                             ready.id, nullptr, channel_.last_line());
}

void HookProcess::trace(const Request& request, const Outcome& outcome) {
  surroundings_.tracer.reply({.hook = name_,
                              .instance = instance_,
                              .event = request.event,
                              .verdict = outcome.kind == Outcome::kVerdict ? &outcome.verdict : nullptr,
                              .failure = outcome.reason,
                              .took = outcome.took},
                             request.id, request.traced.get(), channel_.last_line());
}

void HookProcess::on_time() {
  const auto now = Clock::now();
  if (state_ != State::kAbsent) {
    channel_.expire(now);
    handle_outcomes();
  }
  give_up_waiting(now);
  if (const auto next = channel_.next_deadline(); next && state_ != State::kAbsent) timer_.set_at_latest(*next);
}

// Whoever waits for a process that does not come is told.
void HookProcess::give_up_waiting(Clock::time_point now) {
  if (state_ == State::kReady) return;
  std::deque<Request> over;
  for (auto request = waiting_.begin(); request != waiting_.end();) {
    if (request->give_up > now) {
      timer_.set_at_latest(request->give_up);
      ++request;
      continue;
    }
    waiting_octets_ -= request->line.size();
    over.push_back(std::move(*request));
    request = waiting_.erase(request);
  }
  for (const Request& request : over) refuse(request, "it is not running");
}

// It never reached the hook.
void HookProcess::refuse(const Request& request, const char* reason) {
  ++counts_.failures;
  if (surroundings_.tracer.listening()) {
    const TracedRequest about(subject_of(request.event, request.line));
    surroundings_.tracer.reply({.hook = name_, .instance = instance_, .event = request.event, .failure = reason},
                               request.id, &about, "");
  }
  if (request.asker) request.asker->outcome({.kind = Outcome::kFailed, .reason = reason});
}

const char* HookProcess::state_name() const {
  switch (state_) {
    case State::kAbsent:
      return failed() ? "failed" : "absent";
    case State::kGreeting:
      return "starting";
    case State::kReady:
      return "ready";
  }
  return "";
}

}  // namespace hooksmtpd::worker
