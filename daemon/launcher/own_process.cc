#include "daemon/launcher/own_process.h"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "daemon/launcher/find_child.h"
#include "daemon/launcher/privilege.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

constexpr Milliseconds kReportTime = std::chrono::seconds(10);
constexpr std::size_t kEnds = 2;  // its control socket, its log
// From the end of its control socket to its own.
constexpr Milliseconds kExitTime = std::chrono::seconds(2);

}  // namespace

OwnProcess::OwnProcess(const Surroundings& surroundings, std::string name, sys::Sender self, Slot slot, Events events)
    : in_(surroundings),
      name_(std::move(name)),
      events_(std::move(events)),
      keeper_(slot.keeper),
      expected_(slot.report),
      process_(in_.loop, std::move(slot.control), std::move(slot.argv),
               {.started = [this](std::vector<sys::Fd> ends) { started(std::move(ends)); },
                .exited = [this](const Exit& exit) { exited(exit); },
                .lost =
                    [this](std::string_view why) {
                      in_.log.error("{} keeper lost reason={}", name_, sys::quoted(why));
                      lose("its keeper is gone");
                      events_.keeper_lost();
                    }}),
      link_(in_.loop, self,
            {.frame = [this](const sys::Frame& one) { return frame(one); },
             .lost = [this](FrameLink::Loss loss) { cut_off(loss); }}),
      log_pipe_(in_.loop, in_.log),
      report_late_(in_.loop, [this] { lose("it sent no report"); }),
      still_there_(in_.loop, [this] { process_.stop(Milliseconds(0)); }),
      pulse_(in_.loop, in_.patience,
             {.ask = [this](sys::Token token) { send(sys::FrameKind::kPing, sys::as_body(token)); },
              .gone = [this] { silent(); }}) {}

void OwnProcess::started(std::vector<sys::Fd> ends) {
  if (ends.size() != kEnds) return process_.give_up_keeper("it sent a bad frame");
  link_.open(std::move(ends[0]));
  log_pipe_.open(std::move(ends[1]));
  stage_ = Stage::kSilent;
  pid_ = find_child(in_.proc, keeper_, process_.pid()).value_or(0);
  report_late_.start(kReportTime);
  in_.log.info("{} start pid={}", name_, pid_ != 0 ? pid_ : process_.pid());
}

void OwnProcess::send(sys::FrameKind kind, std::string_view body, std::vector<sys::Fd> fds) {
  if (stage_ == Stage::kReady) link_.send(kind, body, std::move(fds));
}

void OwnProcess::configure(const config::Config& config) try {
  std::vector<sys::Fd> memfd;
  memfd.push_back(sys::make_sealed_memfd("hooksmtpd-config", config::to_json(config)));
  send(sys::FrameKind::kConfig, {}, std::move(memfd));
} catch (const std::system_error& no_memory) {
  lose(fmt::format("its configuration cannot be handed over: {}", no_memory.what()));  // the next one gets it
}

bool OwnProcess::frame(const sys::Frame& frame) {
  if (stage_ == Stage::kReady) {
    if (frame.kind == sys::FrameKind::kPong) return pong(sys::body_as<sys::Token>(frame.body));
    return frame.kind != sys::FrameKind::kReport && events_.frame(frame);
  }
  if (frame.kind != sys::FrameKind::kReport) return false;
  report(sys::body_as<sys::ProcessReport>(frame.body));
  return true;
}

// Promise P1, three times: what it found about itself, whether that is what its keeper is, and what the kernel says to
// us.
void OwnProcess::report(const sys::ProcessReport& report) {
  report_late_.stop();
  std::string wrong = sys::privilege_left(report, in_.demands);
  if (wrong.empty() && !same_identity(report, expected_)) wrong = "it is not what its keeper is";
  if (wrong.empty() && pid_ != 0) {
    if (const auto seen = sys::report_of(in_.proc, pid_)) wrong = sys::privilege_left(*seen, in_.demands);
  }
  if (!wrong.empty()) return lose(fmt::format("it has a privilege: {}", wrong));
  stage_ = Stage::kReady;
  events_.ready();
  if (stage_ == Stage::kReady) pulse_.start();
}

bool OwnProcess::pong(sys::Token token) {
  if (!pulse_.answered(token)) return false;
  if (events_.alive) events_.alive();
  return true;
}

void OwnProcess::silent() {
  in_.log.error("{} hangs: it has not answered for {} ms, so it is killed", name_, pulse_.patience().count());
  lose("it does not answer");
}

// Who closes the socket is mostly on the way out, with an exit status that says more than a signal of ours would.
void OwnProcess::cut_off(FrameLink::Loss loss) {
  if (loss == FrameLink::Loss::kClosed) still_there_.start(kExitTime);
  lose(to_string(loss));
}

void OwnProcess::stop(Milliseconds grace) {
  if (grace == Milliseconds(0) || !still_there_.running()) process_.stop(grace);
}

void OwnProcess::lose(std::string_view why) {
  if (std::exchange(stage_, Stage::kAbsent) == Stage::kAbsent) return;
  report_late_.stop();
  pulse_.stop();
  link_.close();
  last_error_ = why;
  // One that was told to stop is held to its grace by its keeper.
  if (process_.state() != SlotState::kStopping && !still_there_.running()) process_.stop(Milliseconds(0));
  events_.lost();
}

void OwnProcess::exited(const Exit& exit) {
  still_there_.stop();
  log_pipe_.close();  // its last words come before the line that it is gone
  if (stage_ != Stage::kAbsent) {
    lose(to_string(exit));
  } else if (!exit.asked_for) {
    last_error_ = to_string(exit);
  }
  pid_ = 0;
  events_.ended(exit);
}

}  // namespace hooksmtpd::launcher
