// What somebody would ask of the keyholder who may ask for signatures only. The argument is the key's name, as
// daemon/sys/signing.h has it, in hexadecimal.

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/sys/frame.h"
#include "daemon/sys/signing.h"
#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

using sys::SignKind;
using sys::SignReply;
using sys::SignRequest;

constexpr int kPatience = 5000;        // milliseconds, for an answer
constexpr int kTooMany = 20'000;       // requests at once
constexpr std::size_t kModulus = 256;  // RSA of 2048 bits

std::string name_of(sys::SignStatus status) {
  switch (status) {
    case sys::SignStatus::kSigned:
      return "signed";
    case sys::SignStatus::kUnknownKey:
      return "unknown key";
    case sys::SignStatus::kRefused:
      return "refused";
    case sys::SignStatus::kTooMany:
      return "too many";
    case sys::SignStatus::kFailed:
      return "failed";
  }
  return "?";
}

SignRequest request_for(Argument key, SignKind kind, std::size_t length) {
  SignRequest request{.key = {}, .kind = kind, .length = static_cast<std::uint32_t>(length), .data = {}};
  for (std::size_t i = 0; i < request.key.size() && 2 * i + 1 < key.size(); ++i) {
    request.key[i] = static_cast<std::uint8_t>(std::stoi(key.substr(2 * i, 2), nullptr, 16));
  }
  std::fill_n(request.data.begin(), std::min(length, request.data.size()), std::uint8_t{0x5a});
  return request;
}

// The one that the supervisor gave us, or a new one where that was closed: it makes one a second.
bool has_keyholder(Held& held) {
  if (held.keyholder.valid()) return true;
  static_cast<void>(sys::send_frame(held.control, sys::FrameKind::kKeyholderLost));
  for (;;) {
    pollfd one{.fd = held.control.get(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, kPatience) != 1) return false;
    auto frame = sys::receive_frame(held.control, sys::Sender::kSupervisor);
    if (!frame) return false;
    if (frame->kind == sys::FrameKind::kPing) {
      static_cast<void>(sys::send_frame(held.control, sys::FrameKind::kPong, frame->body));
    }
    if (frame->kind != sys::FrameKind::kKeyholder) continue;
    held.keyholder = std::move(frame->fds.at(0));
    return true;
  }
}

std::string answer(Held& held) {
  pollfd one{.fd = held.keyholder.get(), .events = POLLIN, .revents = 0};
  if (::poll(&one, 1, kPatience) != 1) return "no answer";
  SignReply reply;
  const ssize_t got = ::recv(held.keyholder.get(), &reply, sizeof reply, MSG_TRUNC);
  if (got == static_cast<ssize_t>(sizeof reply)) return name_of(reply.status);
  held.keyholder.reset();
  return got <= 0 ? "closed" : "another answer";
}

std::string ask(Held& held, const void* packet, std::size_t size) {
  if (!has_keyholder(held)) return "no keyholder";
  if (::send(held.keyholder.get(), packet, size, MSG_NOSIGNAL) < 0) return result(-1);
  return answer(held);
}

template <class Change>
Act request_act(std::string_view name, SignKind kind, std::size_t length, Change change) {
  return {name, [=](Held& held, Argument key) {
            SignRequest request = request_for(key, kind, length);
            change(request);
            return ask(held, &request, sizeof request);
          }};
}
Act request_act(std::string_view name, SignKind kind, std::size_t length) {
  return request_act(name, kind, length, [](SignRequest&) {});
}

std::string ask_too_much(Held& held, Argument key) {
  if (!has_keyholder(held)) return "no keyholder";
  const SignRequest request = request_for(key, SignKind::kRsaPkcs1, 1);
  std::string last;
  for (int i = 0; i < kTooMany && last != "too many"; ++i) {
    last = ask(held, &request, sizeof request);
    if (last != "refused" && last != "too many") return last;
  }
  return last;
}

// Until the keyholder has no room for answers.
std::string ask_and_never_listen(Held& held, Argument key) {
  if (!has_keyholder(held)) return "no keyholder";
  const SignRequest request = request_for(key, SignKind::kRsaPkcs1, 1);
  for (int i = 0; i < kTooMany; ++i) {
    pollfd writable{.fd = held.keyholder.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kPatience) != 1) return "it does not read";
    if (::send(held.keyholder.get(), &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) continue;
    if (errno == EAGAIN) continue;
    held.keyholder.reset();
    return "closed";
  }
  return "all taken";
}

std::string ask_with_descriptors(Held& held, Argument key) {
  if (!has_keyholder(held)) return "no keyholder";
  SignRequest request = request_for(key, SignKind::kRsaPkcs1, 1);
  iovec part{.iov_base = &request, .iov_len = sizeof request};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(16 * sizeof(int));
  const std::array<int, 16> numbers{};
  std::memcpy(CMSG_DATA(rights), numbers.data(), sizeof numbers);
  if (::sendmsg(held.keyholder.get(), &message, MSG_NOSIGNAL) < 0) return result(-1);
  return answer(held);
}

}  // namespace

std::vector<Act> acts_on_the_keyholder() {
  constexpr auto kNoKind = static_cast<SignKind>(0);
  constexpr auto kDecrypt = static_cast<SignKind>(4);
  return {
      request_act("decrypt_as_signature", SignKind::kRsaPss, kModulus),  // the private operation on a ciphertext
      request_act("decrypt_small_number", SignKind::kRsaPss, kModulus,
                  [](SignRequest& request) {
                    request.data = {};
                    request.data[kModulus - 1] = 2;
                  }),
      request_act("sign_any_text", SignKind::kRsaPkcs1, 100),
      request_act("sign_nothing", SignKind::kRsaPkcs1, 0),
      request_act("sign_with_wrong_method", SignKind::kEcdsa, 32),
      request_act("sign_with_unknown_key", SignKind::kRsaPkcs1, 51, [](SignRequest& request) { request.key = {}; }),
      {"ask_with_descriptors", ask_with_descriptors},
      {"ask_too_much", ask_too_much},
      request_act("decrypt_by_name", kDecrypt, kModulus),
      request_act("sign_of_no_kind", kNoKind, 32),
      request_act("sign_too_long", SignKind::kRsaPkcs1, sizeof(SignRequest::data) + 1),
      request_act("sign_immensely_long", SignKind::kRsaPkcs1, 32,
                  [](SignRequest& request) { request.length = 0xffffffff; }),
      request_act("sign_with_a_tail", SignKind::kRsaPkcs1, 32, [](SignRequest& request) { request.data.back() = 1; }),
      {"ask_shortly", [](Held& held, Argument) { return ask(held, "x", 1); }},
      {"ask_nothing", [](Held& held, Argument) { return ask(held, "", 0); }},
      {"ask_at_length",
       [](Held& held, Argument) {
         const std::string much(100'000, 'x');
         return ask(held, much.data(), much.size());
       }},
      {"ask_and_never_listen", ask_and_never_listen},
  };
}

}  // namespace hooksmtpd::evil
