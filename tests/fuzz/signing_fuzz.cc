// The socket on which signatures are asked for, both ways: what a worker that was taken over sends to the keyholder,
// and what somebody in the keyholder's place answers to the worker.

#include <array>
#include <cassert>
#include <cstdint>

#include "daemon/keyholder/client.h"
#include "daemon/keyholder/sign.h"
#include "daemon/sys/pair.h"
#include "daemon/tls/ask_keyholder.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;

namespace {

void ask(const fuzz::Packet& packet, std::span<const int> descriptors) {
  sys::SocketPair pair = sys::make_socket_pair();
  if (!fuzz::send(pair.ours, packet, descriptors)) return;
  int asked = 0;
  const auto answer = [&](const sys::SignRequest& request) -> sys::SignReply {
    ++asked;
    assert(keyholder::is_well_formed(request) && packet.octets.size() == sizeof request);
    return {.status = sys::SignStatus::kRefused, .length = 0, .signature = {}};
  };
  const auto end = keyholder::Client(std::move(pair.theirs)).serve(answer);
  assert((asked == 1) == (end == keyholder::Client::End::kNotYet));
}

void answer(const fuzz::Packet& packet, std::span<const int> descriptors) {
  const sys::SocketPair pair = sys::make_socket_pair();
  if (!fuzz::send(pair.theirs, packet, descriptors)) return;
  const auto reply = tls::ask_keyholder(pair.ours, {}, std::chrono::milliseconds(1));
  assert(reply.has_value() == (packet.octets.size() == sizeof(sys::SignReply)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    const std::array descriptors{0};
    if ((packet.choice & 1U) == 0) {
      ask(packet, descriptors);
    } else {
      answer(packet, descriptors);
    }
  }
  return 0;
}
