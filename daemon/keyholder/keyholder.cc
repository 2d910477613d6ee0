#include "daemon/keyholder/keyholder.h"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "daemon/keyholder/load_keys.h"
#include "daemon/keyholder/read_key_file.h"
#include "daemon/keyholder/sign.h"
#include "daemon/sys/error.h"
#include "daemon/sys/key_files.h"
#include "daemon/sys/memfd.h"

namespace hooksmtpd::keyholder {
namespace {

// A worker that was taken over should not get more out of us than it must. An honest one that is full of handshakes
// asks some 1,000 times a second: it may, for ten seconds.
constexpr double kSignaturesPerSecond = 500;
constexpr double kSignaturesAtOnce = 5000;

pollfd watched(int fd) { return {.fd = fd, .events = POLLIN, .revents = 0}; }

}  // namespace

Keyholder::Keyholder(Start start)
    : log_(std::move(start.log)),
      control_(std::move(start.control)),
      life_(std::move(start.life)),
      key_files_(std::move(start.key_files)),
      limit_(kSignaturesPerSecond, kSignaturesAtOnce, RateLimit::Clock::now()) {}

int Keyholder::run() try {
  while (!stopped_) {
    std::vector<pollfd> waiting{watched(life_.get()), watched(control_.get())};
    if (client_) waiting.push_back(watched(client_->fd()));
    log_.flush();
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) continue;
      sys::throw_errno("poll");
    }
    if (waiting[0].revents != 0) return 0;
    if (client_ && waiting[2].revents != 0) serve_client();
    if (waiting[1].revents != 0) obey_supervisor();
  }
  return 0;
} catch (const std::exception& error) {
  log_.error("keyholder stops: {}", error.what());
  log_.flush();
  return 1;
}

void Keyholder::obey_supervisor() {
  while (!stopped_) {
    auto frame = sys::receive_frame(control_, sys::Sender::kSupervisor);
    if (frame) {
      obey(*std::move(frame));
      continue;
    }
    if (frame.error() == sys::FrameError::kWouldBlock) return;
    if (frame.error() != sys::FrameError::kClosed) throw std::runtime_error("a broken frame from the supervisor");
    stopped_ = true;
  }
}

void Keyholder::obey(sys::Frame frame) {
  switch (frame.kind) {
    case sys::FrameKind::kConfig:
      return load(frame);
    case sys::FrameKind::kClient:
      client_.emplace(std::move(frame.fds.at(0)));
      limit_told_ = false;
      return;
    case sys::FrameKind::kPing:
      return send(sys::FrameKind::kPong, frame.body);
    default:
      throw std::runtime_error("an order that is none");
  }
}

void Keyholder::load(const sys::Frame& frame) {
  const auto text = sys::read_sealed_memfd(frame.fds.at(0));
  if (!text) throw std::runtime_error("the configuration is not a sealed memfd");
  const config::Config config = config::from_json(*text);
  log_.set_level(config.log_level);

  auto bytes = sys::read_sealed_memfd(key_files_);
  auto at_start = bytes ? sys::parse_key_files(*bytes) : std::nullopt;
  if (!at_start) throw std::runtime_error("the key files on descriptor 4 are none");
  LoadedKeys loaded = load_keys(config.tls, *at_start);
  wipe(*at_start);
  OPENSSL_cleanse(bytes->data(), bytes->size());

  if (loaded.keys) previous_ = std::exchange(current_, *std::move(loaded.keys));
  log_.info("keys loaded={} refused={}", current_.size(), loaded.keys ? "no" : "yes");
  const sys::Keys verdict{.verdict = loaded.keys ? sys::Keys::kOk : sys::Keys::kRefused};
  std::string body(sys::as_body(verdict));
  for (const std::string& sentence : loaded.sentences) {
    if (body.size() > sizeof verdict) body += '\n';
    body += sentence;
  }
  body.resize(std::min(body.size(), sys::rule_of(sys::FrameKind::kKeys)->max_body));
  send(sys::FrameKind::kKeys, body);
}

void Keyholder::send(sys::FrameKind kind, std::string_view body) const {
  if (!sys::send_frame(control_, kind, body)) throw std::runtime_error("the supervisor does not listen");
}

void Keyholder::serve_client() {
  const auto answer = [this](const sys::SignRequest& request) -> sys::SignReply {
    if (limit_.take(RateLimit::Clock::now())) return sign(request);
    if (!std::exchange(limit_told_, true)) {
      log_.warn("keyholder client refused: more than {} signatures a second", kSignaturesPerSecond);
    }
    return {.status = sys::SignStatus::kTooMany, .length = 0, .signature = {}};
  };
  switch (client_->serve(answer)) {
    case Client::End::kNotYet:
      return;
    case Client::End::kBroken:
      log_.error("keyholder client dropped: it sent what is no request");
      break;
    case Client::End::kDeaf:
      log_.error("keyholder client dropped: it does not read its answers");
      break;
    case Client::End::kClosed:
      break;
  }
  client_.reset();
}

sys::SignReply Keyholder::sign(const sys::SignRequest& request) const {
  EVP_PKEY* const key = current_.find(request.key);
  return keyholder::sign(key != nullptr ? key : previous_.find(request.key), request);
}

}  // namespace hooksmtpd::keyholder
