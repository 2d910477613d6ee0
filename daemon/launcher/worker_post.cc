#include "daemon/launcher/worker_post.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>

#include "daemon/launcher/find_child.h"
#include "daemon/launcher/privilege.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::launcher {
namespace {

using sys::FrameKind;
using Milliseconds = Loop::Milliseconds;

constexpr Milliseconds kReportTime = std::chrono::seconds(10);
constexpr std::size_t kWorkerEnds = 2;  // its control socket, its log

// From which stage to which one the worker may send a frame.
struct StageRule {
  FrameKind kind;
  WorkerStage first, last;
};
constexpr std::array kStageRules{
    StageRule{FrameKind::kReport, WorkerStage::kSilent, WorkerStage::kSilent},
    StageRule{FrameKind::kHookState, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kRestartHook, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kStatus, WorkerStage::kReady, WorkerStage::kDraining},
    StageRule{FrameKind::kDrained, WorkerStage::kDraining, WorkerStage::kDraining},
};

bool may_come(FrameKind kind, WorkerStage stage) {
  const auto* rule = std::ranges::find(kStageRules, kind, &StageRule::kind);
  return rule != kStageRules.end() && rule->first <= stage && stage <= rule->last;
}

}  // namespace

WorkerPost::WorkerPost(const Surroundings& surroundings, WorkerOwner& owner, Slot slot)
    : in_(surroundings),
      owner_(owner),
      keeper_(slot.keeper),
      expected_(slot.report),
      process_(in_.loop, std::move(slot.control), std::move(slot.argv),
               {.started = [this](std::vector<sys::Fd> ends) { started(std::move(ends)); },
                .exited = [this](const Exit& exit) { exited(exit); },
                .lost =
                    [this](std::string_view why) {
                      in_.log.error("worker keeper lost reason={}", sys::quoted(why));
                      lose("its keeper is gone");
                      owner_.worker_keeper_lost();
                    }}),
      link_(in_.loop, sys::Sender::kWorker,
            {.frame = [this](const sys::Frame& one) { return frame(one); },
             .lost = [this](FrameLink::Loss loss) { lose(to_string(loss)); }}),
      log_pipe_(in_.loop, in_.log),
      report_late_(in_.loop, [this] { lose("it sent no report"); }) {}

void WorkerPost::started(std::vector<sys::Fd> ends) {
  if (ends.size() != kWorkerEnds) return process_.give_up_keeper("it sent a bad frame");
  link_.open(std::move(ends[0]));
  log_pipe_.open(std::move(ends[1]));
  stage_ = WorkerStage::kSilent;
  pid_ = find_child(in_.proc, keeper_, process_.pid()).value_or(0);
  report_late_.start(kReportTime);
  in_.log.info("worker start pid={}", pid_ != 0 ? pid_ : process_.pid());
}

// Sent as memory that nobody can change: the worker parses a text, and the supervisor's copy stays its own.
void WorkerPost::configure(const config::Config& config) try {
  std::vector<sys::Fd> memfd;
  memfd.push_back(sys::make_sealed_memfd("hooksmtpd-config", config::to_json(config)));
  link_.send(FrameKind::kConfig, {}, std::move(memfd));
} catch (const std::system_error& no_memory) {
  lose(fmt::format("its configuration cannot be handed over: {}", no_memory.what()));  // the next one gets it
}

void WorkerPost::give_hook(const sys::HookProcess& process, std::string_view name, std::vector<sys::Fd> ends) {
  std::string body(sys::as_body(process));
  body += name;
  link_.send(FrameKind::kHook, body, std::move(ends));
}

void WorkerPost::serve() {
  if (stage_ != WorkerStage::kReady) return;
  stage_ = WorkerStage::kServing;
  link_.send(FrameKind::kServe);
}

void WorkerPost::drain(Milliseconds limit) {
  if (!takes_hooks()) return;
  stage_ = WorkerStage::kDraining;
  const sys::Drain drain{.limit_ms = static_cast<std::uint32_t>(limit.count())};
  link_.send(FrameKind::kDrain, sys::as_body(drain));
}

void WorkerPost::release() {
  process_.release();
  if (takes_hooks()) link_.send(FrameKind::kRelease);  // before that it holds them, but does not listen to us
}

void WorkerPost::ask_status(sys::Token token) { link_.send(FrameKind::kStatusAsked, sys::as_body(token)); }

bool WorkerPost::frame(const sys::Frame& frame) {
  if (!may_come(frame.kind, stage_)) return false;
  switch (frame.kind) {
    case FrameKind::kReport:
      report(sys::body_as<sys::ProcessReport>(frame.body));
      return true;
    case FrameKind::kHookState:
      return owner_.hook_state(sys::body_as<sys::HookState>(frame.body), sys::rest_of_body<sys::HookState>(frame.body));
    case FrameKind::kRestartHook:
      return owner_.restart_hook(sys::body_as<sys::HookProcess>(frame.body),
                                 sys::rest_of_body<sys::HookProcess>(frame.body));
    case FrameKind::kStatus:
      return owner_.worker_status(sys::body_as<sys::Token>(frame.body), sys::rest_of_body<sys::Token>(frame.body));
    case FrameKind::kDrained:
      owner_.worker_drained();
      return true;
    default:
      return false;
  }
}

// Promise P1, three times: what the worker found about itself, whether that is what its keeper is, and what the kernel
// says to us.
void WorkerPost::report(const sys::ProcessReport& report) {
  report_late_.stop();
  std::string wrong = sys::privilege_left(report, in_.bounding);
  if (wrong.empty() && !same_identity(report, expected_)) wrong = "it is not what its keeper is";
  if (wrong.empty() && pid_ != 0) {
    if (const auto seen = sys::report_of(in_.proc, pid_)) wrong = sys::privilege_left(*seen, in_.bounding);
  }
  if (!wrong.empty()) return lose(fmt::format("it has a privilege: {}", wrong));
  stage_ = WorkerStage::kReady;
  owner_.worker_ready();
}

void WorkerPost::lose(std::string_view why) {
  if (stage_ == WorkerStage::kAbsent) return;
  stage_ = WorkerStage::kAbsent;
  report_late_.stop();
  link_.close();
  last_error_ = why;
  process_.stop(Milliseconds(0));
  owner_.worker_lost();
}

void WorkerPost::exited(const Exit& exit) {
  log_pipe_.close();  // its last words come before the line that it is gone
  if (stage_ != WorkerStage::kAbsent) {
    lose(to_string(exit));
  } else if (!exit.asked_for) {
    last_error_ = to_string(exit);
  }
  pid_ = 0;
  owner_.worker_ended(exit);
}

}  // namespace hooksmtpd::launcher
