#include "daemon/ctl/listening.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <thread>

#include "daemon/ctl/command.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/socket_path.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

// How long a worker may take to be started anew; its own back-off is shorter where it does not fail again and again.
constexpr auto kWorkerStarts = std::chrono::seconds(10);
constexpr auto kBetweenQuestions = std::chrono::milliseconds(50);

int milliseconds_until(Listening::Deadline deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Listening::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

}  // namespace

std::expected<Listening, Failure> Listening::start(const std::string& socket, json request) {
  Listening listening(socket, std::move(request));
  if (const auto done = listening.subscribe(); !done) return std::unexpected(done.error());
  return listening;
}

std::expected<void, Failure> Listening::subscribe() {
  const auto end = Clock::now() + kWorkerStarts;
  while (true) {
    auto client = Client::connect(socket_path(socket_));
    if (!client) return std::unexpected(client.error());
    auto greeting = client->ask(request_);
    if (greeting && status_of(*greeting) == 0) {
      greeting_ = *std::move(greeting);
      client_ = *std::move(client);
      return {};
    }
    const bool may_come =
        greeting ? string_member(*greeting, "kind") == "unavailable" : greeting.error().kind == "protocol";
    if (!may_come || Clock::now() >= end) {
      if (!greeting) return std::unexpected(greeting.error());
      return std::unexpected(
          Failure{status_of(*greeting), string_member(*greeting, "kind"), string_member(*greeting, "error")});
    }
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

std::expected<void, Failure> Listening::run(const std::vector<std::string>& argv) {
  auto child = Child::start(argv);
  if (!child) return std::unexpected(child.error());
  child_.emplace(*std::move(child));
  return {};
}

// What is no JSON object is nothing that we could tell anybody.
bool Listening::take_entry() {
  while (const auto line = client_->take_line()) {
    entry_ = nlohmann::ordered_json::parse(*line, nullptr, /*allow_exceptions=*/false);
    if (entry_.is_object()) return true;
  }
  return false;
}

bool Listening::wait(Deadline deadline, bool for_command) {
  std::array<pollfd, 2> polled{pollfd{.fd = client_->descriptor(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = for_command ? child_->descriptor() : -1, .events = POLLIN, .revents = 0}};
  int ready = 0;
  do {
    ready = ::poll(polled.data(), polled.size(), milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool Listening::readable() {
  pollfd polled{.fd = client_->descriptor(), .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, 0) > 0;
}

std::expected<Listening::Event, Failure> Listening::next(Deadline deadline) {
  while (true) {
    if (take_entry()) return Event::kEntry;
    const bool for_command = child_ && !command_told_;
    if (!wait(deadline, for_command)) return Event::kTime;
    if (readable()) {
      if (client_->receive()) continue;
      if (const auto again = subscribe(); !again) return std::unexpected(again.error());
      return Event::kAgain;
    }
    if (for_command && child_->status()) {
      command_told_ = true;
      return Event::kCommandOver;
    }
  }
}

}  // namespace hooksmtpd::ctl
