#include "daemon/launcher/kept_process.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cassert>

#include "daemon/sys/error.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

// A keeper answers kStart when execve is done and kStop after the grace. One that does not is stuck in the kernel.
constexpr Milliseconds kKeeperAnswers = std::chrono::seconds(30);

std::string kstart_body(const std::vector<std::string>& argv) {
  std::string body;
  for (const std::string& argument : argv) body.append(argument).push_back('\0');
  return body;
}

}  // namespace

std::string to_string(const Exit& exit) {
  if (exit.exec_errno != 0) return fmt::format("exec={}", sys::quoted(sys::errno_text(exit.exec_errno)));
  const std::string_view why = exit.no_memory ? " why=\"it needs more than sandbox.memory\"" : "";
  if (WIFSIGNALED(exit.wait_status)) return fmt::format("signal={}{}", WTERMSIG(exit.wait_status), why);
  return fmt::format("status={}{}", WEXITSTATUS(exit.wait_status), why);
}

KeptProcess::KeptProcess(Loop& loop, sys::Fd keeper, std::vector<std::string> argv, Events events)
    : loop_(loop),
      events_(std::move(events)),
      argv_(std::move(argv)),
      link_(loop, sys::Sender::kKeeper,
            {.frame = [this](sys::Frame one) { return frame(std::move(one)); },
             .lost = [this](FrameLink::Loss loss) { give_up_keeper(to_string(loss)); }}),
      next_start_(loop, [this] { start(); }),
      keeper_answers_(loop, [this] { give_up_keeper("it does not answer"); }) {
  link_.open(std::move(keeper));
}

bool KeptProcess::down() const {
  return state_ != SlotState::kStarting && state_ != SlotState::kRunning && state_ != SlotState::kStopping;
}

bool KeptProcess::move(SlotEvent event) {
  const std::optional<SlotState> next = next_state(state_, event);
  if (next) state_ = *next;
  return next.has_value();
}

void KeptProcess::start() {
  if (!move(SlotEvent::kStart)) return;
  next_start_.stop();
  stop_.reset();
  ++generation_;
  link_.send(sys::FrameKind::kStart, kstart_body(argv_));
  keeper_answers_.start(kKeeperAnswers);
}

Milliseconds KeptProcess::retry() {
  ++failures_;
  const Milliseconds wait = backoff_.failed(loop_.now());
  if (!move(backoff_.given_up() ? SlotEvent::kGiveUp : SlotEvent::kBackOff)) return wait;  // the keeper is gone
  if (wait == Milliseconds(0)) {
    start();
  } else {
    next_start_.start(wait);
  }
  return wait;
}

void KeptProcess::stop(Milliseconds grace) {
  next_start_.stop();
  if (state_ == SlotState::kStarting) {
    stop_ = grace;  // once it has started: its keeper speaks first
  } else if (move(SlotEvent::kStop) && state_ == SlotState::kStopping) {
    stop_ = grace;
    send_stop();
  }
}

void KeptProcess::send_stop() {
  const sys::Stop stop{.grace_ms = static_cast<std::uint32_t>(stop_->count())};
  link_.send(sys::FrameKind::kStop, sys::as_body(stop));
  keeper_answers_.start(*stop_ + kKeeperAnswers);
}

void KeptProcess::set_argv(std::vector<std::string> argv) {
  assert(fits(argv) && "an argument vector that no kStart can carry");
  argv_ = std::move(argv);
}

bool KeptProcess::fits(const std::vector<std::string>& argv) {
  return !argv.empty() && kstart_body(argv).size() <= sys::kMaxFrameBody;
}

bool KeptProcess::frame(sys::Frame frame) {
  if (frame.kind == sys::FrameKind::kChanged) {
    if (events_.changed) events_.changed();
    return static_cast<bool>(events_.changed);
  }
  const std::optional<SlotEvent> event = event_of(frame.kind);
  if (!event || !move(*event)) return false;
  keeper_answers_.stop();

  if (*event == SlotEvent::kStarted) {
    started_ = loop_.now();
    backoff_.started(started_);
    pid_ = sys::body_as<sys::Started>(frame.body).pid;
    if (stop_) {
      stop(*stop_);
    } else {
      events_.started(std::move(frame.fds));
    }
    return true;
  }
  const auto exited = sys::body_as<sys::Exited>(frame.body);
  const bool ran = std::exchange(pid_, 0) != 0;
  events_.exited({.wait_status = exited.wait_status,
                  .exec_errno = exited.exec_errno,
                  .no_memory = exited.no_memory != 0,
                  .asked_for = stop_.has_value(),
                  .ran = ran ? std::chrono::duration_cast<Milliseconds>(loop_.now() - started_) : Milliseconds(0)});
  return true;
}

void KeptProcess::give_up_keeper(std::string_view why) {
  if (!move(SlotEvent::kKeeperLost)) return;
  link_.close();
  next_start_.stop();
  keeper_answers_.stop();
  pid_ = 0;
  events_.lost(why);
}

}  // namespace hooksmtpd::launcher
