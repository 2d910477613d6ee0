// What arrives on a control socket, read as each side reads it: frames, pieces of them, and descriptors.

#include "daemon/sys/frame.h"

#include <unistd.h>

#include <array>
#include <cassert>
#include <cstdint>

#include "daemon/sys/pair.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;
using sys::FrameError;
using sys::Sender;

namespace {

constexpr std::size_t kShort = 64;  // octets: up to here every cut is tried

// The lowest number that is free: it grows when a descriptor is forgotten.
int next_descriptor() { return sys::Fd(::dup(STDIN_FILENO)).get(); }

void check(const std::expected<sys::Frame, FrameError>& frame, Sender from) {
  if (!frame) {
    assert(frame.error() == FrameError::kBroken || frame.error() == FrameError::kClosed);
    return;
  }
  const sys::FrameRule* const rule = sys::rule_of(frame->kind);
  assert(rule != nullptr && (rule->senders & static_cast<std::uint8_t>(from)) != 0);
  assert(frame->body.size() >= rule->min_body && frame->body.size() <= rule->max_body);
  assert(frame->fds.size() >= rule->min_fds && frame->fds.size() <= rule->max_fds);
  for (const sys::Fd& fd : frame->fds) assert(fd.valid());
}

void read(const fuzz::Packet& packet, Sender from) {
  const sys::SocketPair pair = sys::make_socket_pair();
  const std::array descriptors{pair.ours.get(), STDIN_FILENO};
  if (fuzz::send(pair.ours, packet, descriptors)) check(sys::receive_frame(pair.theirs, from), from);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kSenders{Sender::kSupervisor, Sender::kKeeper, Sender::kWorker, Sender::kKeyholder};
  const int before = next_descriptor();
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    const Sender from = kSenders[packet.choice % kSenders.size()];
    read(packet, from);
    for (std::size_t cut = 0; cut < packet.octets.size() && packet.octets.size() <= kShort; ++cut) {
      read({.descriptors = packet.descriptors, .choice = 0, .octets = packet.octets.substr(0, cut)}, from);
      read({.descriptors = 0, .choice = 0, .octets = packet.octets.substr(cut)}, from);
    }
  }
  assert(next_descriptor() == before);
  return 0;
}
