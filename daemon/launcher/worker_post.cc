#include "daemon/launcher/worker_post.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace hooksmtpd::launcher {
namespace {

using sys::FrameKind;
using Milliseconds = Loop::Milliseconds;

// From which stage to which one the worker may send a frame. (Its kReport comes before all of them.)
struct StageRule {
  FrameKind kind;
  WorkerStage first, last;
};
constexpr std::array kStageRules{
    StageRule{FrameKind::kConfigured, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kHookState, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kRestartHook, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kStatus, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kKeyholderLost, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kDrained, WorkerStage::kDraining, WorkerStage::kDraining},
};

bool may_come(FrameKind kind, WorkerStage stage) {
  const auto* rule = std::ranges::find(kStageRules, kind, &StageRule::kind);
  return rule != kStageRules.end() && rule->first <= stage && stage <= rule->last;
}

}  // namespace

WorkerPost::WorkerPost(const Surroundings& surroundings, WorkerOwner& owner, Slot slot)
    : patience_(surroundings.patience),
      owner_(owner),
      config_late_(surroundings.loop, [this] { own_.lose("it did not take its configuration"); }),
      own_(surroundings, "worker", sys::Sender::kWorker, std::move(slot),
           {.ready =
                [this] {
                  stage_ = WorkerStage::kReady;
                  owner_.worker_ready();
                },
            .frame = [this](const sys::Frame& one) { return frame(one); },
            .lost = [this] { lost(); },
            .ended = [this](const Exit& exit) { owner_.worker_ended(exit); },
            .keeper_lost = [this] { owner_.worker_keeper_lost(); },
            .alive = [this] { owner_.worker_alive(); }}) {}

void WorkerPost::lost() {
  stage_ = WorkerStage::kAbsent;
  configs_out_ = 0;
  config_late_.stop();
  owner_.worker_lost();
  tell_configured();  // the next one begins with the last configuration
}

void WorkerPost::configure(const config::Config& config) {
  if (!takes_hooks()) return;
  ++configs_out_;
  config_late_.start(patience_);
  own_.configure(config);
}

void WorkerPost::when_configured(std::function<void()> done) {
  assert(!when_configured_ && "somebody waits already");
  when_configured_ = std::move(done);
  if (configs_out_ == 0) tell_configured();
}

// False: it has taken all of them before.
bool WorkerPost::configured() {
  if (configs_out_ == 0) return false;
  if (--configs_out_ > 0) return true;
  config_late_.stop();
  tell_configured();
  return true;
}

void WorkerPost::tell_configured() {
  if (const auto done = std::exchange(when_configured_, nullptr)) done();
}

void WorkerPost::give_keyholder(sys::Fd socket) {
  std::vector<sys::Fd> fds;
  fds.push_back(std::move(socket));
  own_.send(FrameKind::kKeyholder, {}, std::move(fds));
}

void WorkerPost::give_hook(const sys::HookProcess& process, std::string_view name, std::vector<sys::Fd> ends) {
  std::string body(sys::as_body(process));
  body += name;
  own_.send(FrameKind::kHook, body, std::move(ends));
}

void WorkerPost::subscribe(std::string_view request, sys::Fd socket) {
  std::vector<sys::Fd> fds;
  fds.push_back(std::move(socket));
  own_.send(FrameKind::kSubscribe, request, std::move(fds));
}

void WorkerPost::serve() {
  if (stage_ != WorkerStage::kReady) return;
  stage_ = WorkerStage::kServing;
  own_.send(FrameKind::kServe);
}

void WorkerPost::drain(Milliseconds limit) {
  if (!takes_hooks()) return;
  stage_ = WorkerStage::kDraining;
  const sys::Drain drain{.limit_ms = static_cast<std::uint32_t>(limit.count())};
  own_.send(FrameKind::kDrain, sys::as_body(drain));
}

void WorkerPost::release() {
  own_.release();
  own_.send(FrameKind::kRelease);  // before it is ready it holds them, but does not listen to us
}

bool WorkerPost::frame(const sys::Frame& frame) {
  if (!may_come(frame.kind, stage_)) return false;
  switch (frame.kind) {
    case FrameKind::kConfigured:
      return configured();
    case FrameKind::kHookState:
      return owner_.hook_state(sys::body_as<sys::HookState>(frame.body), sys::rest_of_body<sys::HookState>(frame.body));
    case FrameKind::kRestartHook:
      return owner_.restart_hook(sys::body_as<sys::HookProcess>(frame.body),
                                 sys::rest_of_body<sys::HookProcess>(frame.body));
    case FrameKind::kStatus:
      return owner_.worker_status(sys::body_as<sys::Token>(frame.body), sys::rest_of_body<sys::Token>(frame.body));
    case FrameKind::kKeyholderLost:
      return owner_.keyholder_does_not_answer();
    case FrameKind::kDrained:
      owner_.worker_drained();
      return true;
    default:
      return false;
  }
}

}  // namespace hooksmtpd::launcher
