#include "hooks/inbox/api/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/shapes.h"

namespace hooksmtpd::inbox::v2 {
namespace {

constexpr std::int64_t kMostSeconds = 600, kUsualSeconds = 30;
constexpr std::int64_t kMostAwaited = 1000;
constexpr int kStillThere = 25;  // seconds; what stands between us closes what says nothing for longer

struct Release {
  void operator()(event* timer) const { event_free(timer); }
};
using Timer = std::unique_ptr<event, Release>;

std::string event_text(std::string_view name, const Json& json) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string to_event(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kMessage:
      return event_text("message", to_json(change.message));
    case Change::Kind::kUpdate:
      return event_text("update", {{"ids", change.ids}});
    case Change::Kind::kDelete:
      return event_text("delete", {{"ids", change.ids}});
    case Change::Kind::kSession:
      return event_text("session", {{"id", change.ids.front()}});
  }
  return {};
}

// A client that listens. It owns itself, and goes with its client.
class Follower {
 public:
  static void begin(Context& context, ExchangePtr exchange) {
    auto* const follower = new Follower(context, std::move(exchange));
    follower->start();
  }

 private:
  Follower(Context& context, ExchangePtr exchange) : context_(context), exchange_(std::move(exchange)) {}
  ~Follower() { context_.store.unwatch(watching_); }

  void start() {
    watching_ = context_.store.watch([this](const Change& change) { exchange_->send(to_event(change)); });
    timer_.reset(event_new(
        context_.base, -1, EV_PERSIST,
        [](evutil_socket_t, short, void* self) { static_cast<Follower*>(self)->exchange_->send(":\n\n"); }, this));
    const timeval every{.tv_sec = kStillThere, .tv_usec = 0};
    event_add(timer_.get(), &every);
    exchange_->on_leave([this] { delete this; });
    exchange_->begin("text/event-stream");
    exchange_->send(fmt::format("retry: 2000\n\n{}", event_text("hello", {{"cursor", cursor(context_.store)}})));
  }

  Context& context_;
  ExchangePtr exchange_;
  Store::Watching watching_{};
  Timer timer_{};
};

struct Awaited {
  std::string query;
  std::int64_t since, count, seconds;
};

// True: it is answered.
bool answer_if_enough(Context& context, Exchange& exchange, const Awaited& awaited) try {
  const auto found =
      context.store.reader().arrived(awaited.query, awaited.since, static_cast<std::size_t>(awaited.count), now());
  if (static_cast<std::int64_t>(found.size()) < awaited.count) return false;
  Json messages = Json::array();
  for (const Summary& summary : found) messages.push_back(to_json(summary));
  exchange.reply(Json{{"messages", std::move(messages)}, {"cursor", std::to_string(found.back().sequence)}});
  return true;
} catch (const DatabaseError& error) {
  reply_broken(context, exchange, error);
  return true;
}

void give_up(Context& context, Exchange& exchange, const Awaited& awaited) try {
  const auto came = context.store.reader().arrived("", awaited.since, kMostAwaited, now()).size();
  const std::string what = awaited.query.empty() ? "" : fmt::format(" that fits {}", awaited.query);
  const std::string instead = came == 0 ? "nothing at all has come" : fmt::format("{} others have come", came);
  exchange.reply(Problem{408, "Request Timeout",
                         fmt::format("after {} s not enough has come{}; {}", awaited.seconds, what, instead)});
} catch (const DatabaseError& error) {
  reply_broken(context, exchange, error);
}

// A client that waits. It owns itself, and goes when it has answered, or with its client.
class Waiter {
 public:
  static void begin(Context& context, ExchangePtr exchange, Awaited awaited) {
    auto* const waiter = new Waiter(context, std::move(exchange), std::move(awaited));
    waiter->start();
  }

 private:
  Waiter(Context& context, ExchangePtr exchange, Awaited awaited)
      : context_(context), exchange_(std::move(exchange)), awaited_(std::move(awaited)) {}
  ~Waiter() { context_.store.unwatch(watching_); }

  void start() {
    watching_ = context_.store.watch([this](const Change& change) {
      if (change.kind == Change::Kind::kMessage && answer_if_enough(context_, *exchange_, awaited_)) delete this;
    });
    exchange_->on_leave([this] { delete this; });
    timer_.reset(evtimer_new(
        context_.base,
        [](evutil_socket_t, short, void* self) {
          auto* const late = static_cast<Waiter*>(self);
          give_up(late->context_, *late->exchange_, late->awaited_);
          delete late;
        },
        this));
    const timeval limit{.tv_sec = awaited_.seconds, .tv_usec = 0};
    event_add(timer_.get(), &limit);
  }

  Context& context_;
  ExchangePtr exchange_;
  Awaited awaited_;
  Store::Watching watching_{};
  Timer timer_{};
};

}  // namespace

std::string cursor(const Store& store) { return std::to_string(store.reader().newest()); }

void follow(Context& context, const ExchangePtr& exchange) { Follower::begin(context, exchange); }

void wait(Context& context, const ExchangePtr& exchange) {
  Awaited awaited{.query = exchange->parameter("query"),
                  .since = number(*exchange, "since", context.store.reader().newest(), INT64_MAX),
                  .count = std::max<std::int64_t>(number(*exchange, "count", 1, kMostAwaited), 1),
                  .seconds = number(*exchange, "timeout", kUsualSeconds, kMostSeconds)};
  if (answer_if_enough(context, *exchange, awaited)) return;
  if (awaited.seconds == 0) return give_up(context, *exchange, awaited);
  Waiter::begin(context, exchange, std::move(awaited));
}

}  // namespace hooksmtpd::inbox::v2
