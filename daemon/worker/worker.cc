#include "daemon/worker/worker.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/config.h"
#include "config/denial.h"
#include "config/reload.h"
#include "daemon/sys/error.h"
#include "daemon/sys/memfd.h"
#include "daemon/worker/hello_check.h"
#include "daemon/worker/inquiry.h"
#include "daemon/worker/status_text.h"
#include "proto/hook/request.h"

namespace hooksmtpd::worker {
namespace {

// How long a log line may wait for others to be written with.
constexpr auto kLogDelay = std::chrono::milliseconds(10);

std::vector<hook::EventTimeout> subscriptions(const config::Hook& hook) {
  std::vector<hook::EventTimeout> events;
  for (std::size_t i = 0; i < config::kHookEvents; ++i) {
    const config::EventPolicy& policy = hook.events[i];
    if (!policy.subscribed) continue;
    events.push_back({.event = to_protocol(static_cast<config::HookEvent>(i)), .timeout = policy.timeout});
  }
  return events;
}

// Who may have how many of them. Those of hooks and of the supervisor's frames are never given away: a frame whose
// descriptor has no place would be a broken one.
struct Descriptors {
  std::size_t clients, spool;
};

Descriptors share_descriptors(const config::Config& config) {
  constexpr std::size_t kOurs = 64;  // log, control, listeners, libevent, a message on its way into a file
  rlimit limit{};
  sys::must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  std::size_t reserved = kOurs;
  for (const config::Hook& hook : config.hooks) {
    reserved += 6 * hook.instances + 1 + HookFolder::kMostOpen;  // three pipes, and the next three; its messages
  }
  const std::size_t free = limit.rlim_cur > 2 * reserved ? limit.rlim_cur - reserved : limit.rlim_cur / 2;
  return {.clients = free - free / 4, .spool = free / 4};
}

// The supervisor believes numbers only.
nlohmann::json numbers_of(const HookProcess& process, std::uint32_t slot) {
  nlohmann::json numbers{{"slot", slot},
                         {"waiting", process.waiting()},
                         {"requests", process.counts().requests},
                         {"failures", process.counts().failures},
                         {"starts", process.counts().starts},
                         {"stores", process.hello().stores ? 1 : 0},
                         {"modifies_sender", process.hello().modifies.sender ? 1 : 0},
                         {"modifies_recipient", process.hello().modifies.recipient ? 1 : 0},
                         {"modifies_headers", process.hello().modifies.headers ? 1 : 0},
                         {"answers", process.latency().count()},
                         {"p50_us", process.latency().percentile(50).count()},
                         {"p99_us", process.latency().percentile(99).count()}};
  for (std::size_t event = 0; event < hook::kEvents; ++event) {
    const Latency* const latency = process.latency(static_cast<hook::Event>(event));
    if (latency == nullptr) continue;
    const std::string name(to_string(static_cast<hook::Event>(event)));
    numbers[name + "_p50_us"] = latency->percentile(50).count();
    numbers[name + "_p99_us"] = latency->percentile(99).count();
  }
  return numbers;
}

EventBase make_base() {
  EventBase base(event_base_new());
  if (!base) throw std::runtime_error("event_base_new failed");
  return base;
}

}  // namespace

Worker::Worker(Start start)
    : base_(make_base()),
      log_(std::move(start.log)),
      control_(std::move(start.control)),
      life_(std::move(start.life)),
      spool_folder_(std::move(start.spool)),
      listeners_(std::move(start.listeners)),
      isolation_(std::move(start.isolation)),
      keyholder_(log_, [this] { send(sys::FrameKind::kKeyholderLost, ""); }),
      subscriptions_(base_.get()),
      log_timer_(base_.get(), *this),
      drain_timer_(base_.get(), *this) {
  const auto watch = [this](const sys::Fd& fd, event_callback_fn callback) {
    Event event(event_new(base_.get(), fd.get(), EV_READ | EV_PERSIST, callback, this));
    event_add(event.get(), nullptr);
    return event;
  };
  on_control_ =
      watch(control_, [](evutil_socket_t, short, void* self) noexcept { static_cast<Worker*>(self)->on_control(); });
  on_life_ = watch(life_, [](evutil_socket_t, short, void* self) noexcept { static_cast<Worker*>(self)->on_life(); });
  on_terminate_.reset(evsignal_new(
      base_.get(), SIGTERM,
      [](evutil_socket_t, short, void* self) noexcept { static_cast<Worker*>(self)->on_terminate(); }, this));
  event_add(on_terminate_.get(), nullptr);
}

Worker::~Worker() = default;

int Worker::run() {
  while (!stopped_) {
    event_base_loop(base_.get(), EVLOOP_ONCE);
    if (dispatcher_) dispatcher_->end_of_turn();
    if (clients_) clients_->end_of_turn();
    subscriptions_.end_of_turn();
    if (draining_ && !drained_) report_drained();
    if (log_.pending()) log_timer_.set_at_latest(Clock::now() + kLogDelay);
  }
  log_.flush();
  return status_;
}

void Worker::flush_log() { log_.flush(); }

void Worker::stop(int status, const std::string& why) {
  if (std::exchange(stopped_, true)) return;
  status_ = status;
  if (!why.empty()) log_.error("worker stops: {}", why);
  event_base_loopbreak(base_.get());
}

void Worker::on_life() noexcept { stop(0, ""); }

void Worker::on_terminate() noexcept { stop(0, ""); }

void Worker::on_control() noexcept {
  while (!stopped_) {
    auto frame = sys::receive_frame(control_, sys::Sender::kSupervisor);
    if (!frame) {
      if (frame.error() == sys::FrameError::kWouldBlock) return;
      return stop(frame.error() == sys::FrameError::kClosed ? 0 : 1,
                  frame.error() == sys::FrameError::kClosed ? "" : "a broken frame from the supervisor");
    }
    try {
      obey(*std::move(frame));
    } catch (const std::exception& error) {
      return stop(1, error.what());
    }
  }
}

// The supervisor's orders. It is the more trusted side, but what makes no sense still ends us rather than misleads us.
void Worker::obey(sys::Frame frame) {
  if (!generation_ && frame.kind != sys::FrameKind::kConfig)
    throw std::runtime_error("an order before the configuration");
  switch (frame.kind) {
    case sys::FrameKind::kConfig:
      return configure(frame);
    case sys::FrameKind::kKeyholder:
      return keyholder_.use(std::move(frame.fds.at(0)));
    case sys::FrameKind::kHook:
      return start_hook(std::move(frame));
    case sys::FrameKind::kRetireHook:
      return retire_hook(frame);
    case sys::FrameKind::kSubscribe:
      return subscriptions_.take(frame.body, std::move(frame.fds.at(0)));
    case sys::FrameKind::kServe:
      return clients_->serve();
    case sys::FrameKind::kRelease:
      return clients_->release();
    case sys::FrameKind::kDrain:
      return begin_drain(frame);
    case sys::FrameKind::kStatusAsked:
      return send_status(frame);
    case sys::FrameKind::kPing:
      return send(sys::FrameKind::kPong, std::move(frame.body));
    default:
      throw std::runtime_error("an order that is none");
  }
}

void Worker::configure(const sys::Frame& frame) {
  const auto text = sys::read_sealed_memfd(frame.fds.at(0));
  if (!text) throw std::runtime_error("the configuration is not a sealed memfd");
  const GenerationPtr before =
      std::exchange(generation_, std::make_shared<const Generation>(config::from_json(*text), keyholder_, log_));
  log_.set_level(generation_->config.log_level);
  if (!clients_) {
    const Descriptors descriptors = share_descriptors(generation_->config);
    spool_ = std::make_unique<Spool>(base_.get(), std::move(spool_folder_), generation_->config.runtime_dir / "spool",
                                     descriptors.spool);
    const auto restart = [this](HookProcess& process, const std::string& reason) {
      const sys::HookProcess which{
          .slot = slots_[&process], .instance = process.instance(), .generation = process.generation()};
      send(sys::FrameKind::kRestartHook, std::string(sys::as_body(which)) + reason);
    };
    const auto state = [this](HookProcess& process, const std::string& failure) {
      const sys::HookState what{.slot = slots_[&process],
                                .generation = process.generation(),
                                .state = failure.empty() ? sys::HookState::kReady : sys::HookState::kFailed};
      if (failure.empty()) log_hello(process);
      send(sys::FrameKind::kHookState, std::string(sys::as_body(what)) + failure);
    };
    const auto explain = [this](std::string_view hook, std::string_view line) {
      return config::explain_denial(line, generation_->config, hook);
    };
    dispatcher_ = std::make_unique<Dispatcher>(base_.get(), log_,
                                               HookProcess::Surroundings{.base = base_.get(),
                                                                         .log = log_,
                                                                         .tracer = subscriptions_.tracer(),
                                                                         .restart = restart,
                                                                         .state = state,
                                                                         .busy = {},
                                                                         .explain = explain});
    clients_ = std::make_unique<Clients>(base_.get(), log_, *dispatcher_, *spool_, keyholder_, subscriptions_,
                                         std::move(listeners_), descriptors.clients);
  }
  dispatcher_->hooks().add(generation_->config);
  clients_->use(generation_);
  if (before) retire_changed_hooks(before->config);
  send(sys::FrameKind::kConfigured, "");
}

// What a hook learns at its start is different now, so it is replaced; the supervisor waits for us to say when.
void Worker::retire_changed_hooks(const config::Config& before) {
  for (const std::size_t index : config::compare(before, generation_->config).hooks_to_restart) {
    const config::Hook& hook = generation_->config.hooks[index];
    for (std::uint32_t instance = 1; instance <= hook.instances; ++instance) {
      dispatcher_->hooks().find(hook.name, instance)->retire();
    }
  }
}

void Worker::log_hello(const HookProcess& process) {
  const auto hook = std::ranges::find(generation_->config.hooks, process.name(), &config::Hook::name);
  if (hook == generation_->config.hooks.end()) return;
  for (const HelloFinding& finding : check_hello(*hook, process.hello())) {
    log_.write(finding.level, fmt::format("hook {}: {}", process.label(), finding.text));
  }
}

void Worker::start_hook(sys::Frame frame) {
  const auto which = sys::body_as<sys::HookProcess>(frame.body);
  const std::string name(sys::rest_of_body<sys::HookProcess>(frame.body));
  HookProcess* const process = dispatcher_->hooks().find(name, which.instance);
  const auto hook = std::ranges::find(generation_->config.hooks, name, &config::Hook::name);
  if (!process || hook == generation_->config.hooks.end())
    throw std::runtime_error("a process of a hook that is not configured");
  slots_[process] = which.slot;
  const auto events = subscriptions(*hook);
  const auto hello = [&](hook::RequestId id) {
    std::string line;
    if (!append_request(line, id,
                        hook::Hello{.daemon = "hooksmtpd " HOOKSMTPD_VERSION,
                                    .hook = name,
                                    .instance = which.instance,
                                    .isolation = isolation_,
                                    .events = events,
                                    .options = hook->options,
                                    .max_line = name == config::kMimeHook ? hook::kMaxMimeReply : hook::kMaxReply})) {
      throw std::runtime_error(fmt::format("hook {}: its options are too long", name));
    }
    return line;
  };
  process->start(
      which.generation,
      {.input = std::move(frame.fds.at(0)), .output = std::move(frame.fds.at(1)), .error = std::move(frame.fds.at(2))},
      hello, hook->start_timeout);
}

// Of a process that is gone already: nothing happens.
void Worker::retire_hook(const sys::Frame& frame) {
  const auto which = sys::body_as<sys::HookProcess>(frame.body);
  dispatcher_->hooks().for_each([&](HookProcess& process) {
    const auto slot = slots_.find(&process);
    if (slot != slots_.end() && slot->second == which.slot && process.generation() == which.generation) {
      process.retire();
    }
  });
}

void Worker::begin_drain(const sys::Frame& frame) {
  clients_->release();
  draining_ = true;
  drain_timer_.set_at_latest(Clock::now() + std::chrono::milliseconds(sys::body_as<sys::Drain>(frame.body).limit_ms));
}

// The sessions that are still there had their time.
void Worker::on_drain_over() { clients_->shut_down_all(); }

void Worker::report_drained() {
  if (clients_->open() != 0 || !dispatcher_->quiet()) return;
  drained_ = true;
  log_.flush();
  send(sys::FrameKind::kDrained, "");
}

void Worker::send_status(const sys::Frame& frame) {
  const Clients::Counts& counts = clients_->counts();
  std::vector<nlohmann::json> hooks;
  dispatcher_->hooks().for_each([&](const HookProcess& process) {
    const auto slot = slots_.find(&process);
    if (slot == slots_.end()) return;
    hooks.push_back(numbers_of(process, slot->second));
  });
  const nlohmann::json counters{{"sessions", clients_->open()},
                                {"connections_total", counts.connections},
                                {"connections_refused", counts.refused},
                                {"messages_accepted", counts.messages_accepted},
                                {"messages_refused", counts.messages_refused},
                                {"tls_handshakes", counts.handshakes},
                                {"tls_failed", counts.handshakes_failed},
                                {"auth_accepted", counts.logins},
                                {"auth_failed", counts.logins_failed},
                                {"chunks", counts.chunks},
                                {"log_dropped", log_.dropped()}};
  const auto token = sys::body_as<sys::Token>(frame.body);
  const std::size_t room = sys::rule_of(sys::FrameKind::kStatus)->max_body - sizeof token;
  send(sys::FrameKind::kStatus, std::string(sys::as_body(token)) + status_text(counters, hooks, room));
}

// A supervisor that does not read is no supervisor.
void Worker::send(sys::FrameKind kind, std::string body) {
  body.resize(std::min(body.size(), sys::rule_of(kind)->max_body));  // a reason may be long
  if (!sys::send_frame(control_, kind, body)) stop(1, "the supervisor does not listen");
}

}  // namespace hooksmtpd::worker
