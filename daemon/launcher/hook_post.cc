#include "daemon/launcher/hook_post.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/launcher/find_child.h"

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

constexpr std::size_t kHookEnds = 3;  // stdin, stdout, stderr
constexpr Milliseconds kRenewGrace = std::chrono::seconds(2);
// How long a hook may take to finish before it is replaced; longer than any request of the default configuration.
constexpr Milliseconds kRenewPatience = std::chrono::seconds(70);

}  // namespace

HookPost::HookPost(const Surroundings& surroundings, HookOwner& owner, std::uint32_t number, Slot slot)
    : in_(surroundings),
      owner_(owner),
      number_(number),
      name_(std::move(slot.hook)),
      instance_(slot.instance),
      label_(fmt::format("{}/{}", name_, instance_)),
      keeper_(slot.keeper),
      process_(in_.loop, std::move(slot.control), std::move(slot.argv),
               {.started = [this](std::vector<sys::Fd> ends) { started(std::move(ends)); },
                .exited = [this](const Exit& exit) { exited(exit); },
                .lost =
                    [this](std::string_view why) {
                      ready_ = false;
                      pid_ = 0;
                      last_error_ = fmt::format("its keeper is gone ({}): restart hooksmtpd", why);
                      in_.log.error(sys::About{.hook = name_}, "hook keeper lost hook={} reason={}", label_,
                                    sys::quoted(why));
                      owner_.hook_changed();
                    },
                .changed =
                    [this] {
                      in_.log.info(sys::About{.hook = name_}, "hook restart hook={} reason=\"its program was changed\"",
                                   label_);
                      owner_.hook_program_changed(*this);
                    }}),
      patience_(in_.loop, [this] { owner_.hook_changed(); }),
      renewal_(in_.loop, [this] { stop_for_renewal(); }) {}

bool HookPost::settled() const {
  return ready_ || !patience_.running() || process_.state() == SlotState::kGone ||
         process_.state() == SlotState::kFailed;
}

std::string_view HookPost::state() const {
  if (ready_) return "ready";
  // Nobody but the hook itself knows why it has not answered hello yet.
  return process_.up() ? "starting" : to_string(process_.state());
}

void HookPost::begin(Milliseconds start_timeout) {
  wanted_ = true;
  patience_.start(start_timeout);
  process_.start();  // one that is being stopped starts when it has ended
}

void HookPost::end(Milliseconds grace) {
  wanted_ = false;
  ready_ = false;
  patience_.stop();
  process_.stop(grace);
}

void HookPost::no_more() {
  wanted_ = false;
  patience_.stop();
  if (process_.down()) process_.stop(Milliseconds(0));  // no start from a back-off any more
}

void HookPost::renew(std::vector<std::string> argv) {
  const bool others = argv != process_.argv();
  process_.set_argv(std::move(argv));
  if (!wanted_) return;
  // The keeper has the ones before, and may have started it with them.
  if (others && process_.state() == SlotState::kStarting) return process_.stop(Milliseconds(0));
  if (process_.up()) {
    renewing_ = true;
    return renewal_.start(kRenewPatience);
  }
  process_.start();  // at once where nothing runs, else when it has ended
}

void HookPost::stop_for_renewal() {
  ready_ = false;
  process_.stop(kRenewGrace);
  owner_.hook_changed();
}

void HookPost::started(std::vector<sys::Fd> ends) {
  if (ends.size() != kHookEnds) return process_.give_up_keeper("it sent a bad frame");
  started_ = in_.loop.now();
  pid_ = find_child(in_.proc, keeper_, process_.pid()).value_or(0);
  if (pid_ != 0) {  // promise P1: what the kernel says, not what anybody claims
    const auto seen = sys::report_of(in_.proc, pid_);
    const std::string wrong = seen ? sys::privilege_left(*seen, in_.demands) : std::string();
    if (!wrong.empty()) return fail(fmt::format("it has a privilege: {}", wrong));
  }
  in_.log.info(sys::About{.hook = name_}, "hook start hook={} pid={} generation={}", label_,
               pid_ != 0 ? pid_ : process_.pid(), process_.generation());
  owner_.hook_started(*this, std::move(ends));
}

void HookPost::hello(std::uint32_t generation, sys::HookState::State state, std::string_view text) {
  if (generation != process_.generation() || !process_.up() || ready_) return;
  if (state == sys::HookState::kFailed) return fail(text);
  ready_ = true;
  last_error_.clear();
  const auto took = std::chrono::duration_cast<Milliseconds>(in_.loop.now() - started_);
  in_.log.info(sys::About{.hook = name_}, "hook ready hook={} ms={}", label_, took.count());
  owner_.hook_changed();
}

void HookPost::restart(std::uint32_t generation, std::string_view reason) {
  if (process_.state() == SlotState::kGone) return;  // it ended with its keeper: that was said, and what to do
  if (generation != process_.generation() || !process_.up()) {
    // It saw the end of its pipes and was quicker to end than this to come. Its end alone would say nothing of why.
    if (!ready_) last_error_ = reason;
    return in_.log.warn(sys::About{.hook = name_}, "hook restart hook={} reason={}", label_, sys::quoted(reason));
  }
  if (renewing_) return stop_for_renewal();
  fail(reason);
}

// Killed, not asked: a late answer must never be taken for the next one.
void HookPost::fail(std::string_view reason) {
  ready_ = false;
  at_fault_ = true;
  last_error_ = reason;
  in_.log.warn(sys::About{.hook = name_}, "hook restart hook={} reason={}", label_, sys::quoted(reason));
  process_.stop(Milliseconds(0));
  owner_.hook_changed();
}

void HookPost::exited(const Exit& exit) {
  owner_.hook_ending();
  ready_ = false;
  pid_ = 0;
  renewal_.stop();
  const bool renewed = std::exchange(renewing_, false);
  const bool failed = std::exchange(at_fault_, false) || (!exit.asked_for && wanted_ && !renewed);
  if (!failed || !wanted_) {
    in_.log.info(sys::About{.hook = name_}, "hook exit hook={} {} ran_ms={}", label_, to_string(exit),
                 exit.ran.count());
    if (wanted_) process_.start();
    return owner_.hook_changed();
  }

  if (!exit.asked_for) last_error_ = fmt::format("it ended by itself ({})", to_string(exit));
  const Milliseconds wait = process_.retry();
  const std::string line = fmt::format("hook exit hook={} {} ran_ms={} next_start_ms={} failures={}", label_,
                                       to_string(exit), exit.ran.count(), wait.count(), process_.failures());
  if (process_.state() == SlotState::kFailed) {
    in_.log.error(sys::About{.hook = name_}, "{} state=failed: it failed too often and is only probed now", line);
  } else {
    in_.log.warn(sys::About{.hook = name_}, "{}", line);
  }
  owner_.hook_changed();
}

}  // namespace hooksmtpd::launcher
