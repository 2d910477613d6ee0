#include "daemon/launcher/keyholder_post.h"

#include <chrono>
#include <utility>
#include <vector>

namespace hooksmtpd::launcher {
namespace {

using sys::FrameKind;

// To read some files and to try each key once.
constexpr Loop::Milliseconds kKeysTime = std::chrono::seconds(10);

}  // namespace

KeyholderPost::KeyholderPost(const Surroundings& surroundings, KeyholderOwner& owner, const config::Config& config,
                             Slot slot)
    : owner_(owner),
      config_(config),
      keys_late_(surroundings.loop, [this] { own_.lose("it did not say what it thinks of its keys"); }),
      own_(surroundings, "keyholder", sys::Sender::kKeyholder, std::move(slot),
           {.ready = [this] { load_current(); },
            .frame =
                [this](const sys::Frame& one) {
                  return one.kind == FrameKind::kKeys &&
                         keys(sys::body_as<sys::Keys>(one.body), sys::rest_of_body<sys::Keys>(one.body));
                },
            .lost =
                [this] {
                  ready_ = false;
                  serving_ = false;
                  out_ = false;
                  keys_late_.stop();
                  answer({.kind = KeysVerdict::Kind::kUnavailable,
                          .text = "the keyholder ended before it had looked at the keys"});
                },
            .ended = [this](const Exit& exit) { owner_.keyholder_ended(exit); },
            .keeper_lost = [this] { owner_.keyholder_keeper_lost(); }}) {}

std::string_view KeyholderPost::state() const {
  if (serving_) return "serving";
  if (out_) return "loading keys";
  if (ready_) return "keys refused";
  return own_.process().up() ? "starting" : to_string(own_.process().state());
}

void KeyholderPost::stop(Loop::Milliseconds grace) {
  ready_ = false;
  serving_ = false;
  own_.stop(grace);
}

void KeyholderPost::load_current() {
  ready_ = true;
  out_ = true;
  keys_late_.start(kKeysTime);
  own_.configure(config::for_keyholder(config_));
}

void KeyholderPost::try_keys(const config::Config& config, Answer answer) {
  if (!ready_ || out_) {
    return answer({.kind = KeysVerdict::Kind::kUnavailable,
                   .text = out_ ? "the keyholder is still looking at other keys" : "the keyholder is starting again"});
  }
  answer_ = std::move(answer);
  out_ = true;
  keys_late_.start(kKeysTime);
  own_.configure(config::for_keyholder(config));
}

void KeyholderPost::give_client(sys::Fd socket) {
  std::vector<sys::Fd> fds;
  fds.push_back(std::move(socket));
  own_.send(FrameKind::kClient, {}, std::move(fds));
}

// False: nobody has asked.
bool KeyholderPost::keys(const sys::Keys& keys, std::string_view text) {
  if (!std::exchange(out_, false)) return false;
  if (keys.verdict != sys::Keys::kOk && keys.verdict != sys::Keys::kRefused) return false;
  keys_late_.stop();
  const bool ok = keys.verdict == sys::Keys::kOk;
  if (answer_) {
    answer({.kind = ok ? KeysVerdict::Kind::kOk : KeysVerdict::Kind::kRefused, .text = std::string(text)});
  } else if (!ok) {
    owner_.keyholder_refuses(text);
  }
  if (ok && ready_ && !std::exchange(serving_, true)) owner_.keyholder_serving();
  return true;
}

void KeyholderPost::answer(KeysVerdict verdict) {
  if (const Answer answer = std::exchange(answer_, nullptr)) answer(std::move(verdict));
}

}  // namespace hooksmtpd::launcher
