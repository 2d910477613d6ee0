// What keepers, worker and keyholder might say to the supervisor once all is running, also when it has asked them
// something: it goes on, or ends whoever said it.

#define DOCTEST_CONFIG_IMPLEMENT  // world.cc checks itself with it
#include <doctest/doctest.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <string_view>

#include "daemon/sys/pair.h"
#include "tests/daemon/launcher/world.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;
using launcher::World;

namespace {

// What makes the supervisor ask the others.
constexpr std::array<std::string_view, 4> kRequests{
    "{\"command\":\"reload\"}\n",
    "{\"command\":\"status\"}\n",
    "{\"command\":\"configure\",\"key\":\"banner\",\"value\":\"{hostname} ready\"}\n",
    "{\"command\":\"restart-hook\",\"hook\":\"policy\"}\n",
};

// A packet's choice: who says it, or what else happens.
enum Turn : unsigned { kAsks = 6, kFallsSilent, kNextProcess };  // less: a peer; else: time passes

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static doctest::Context checks;
  checks.setAsDefaultForAssertsOutOfTestCases();
  World world(launcher::config_with({"policy"}), launcher::Keys::kHeld);
  world.bring_up();
  // The end of a socket that a keeper may give away as that of its next child, and the child.
  const sys::SocketPair next = sys::make_socket_pair();
  const std::array descriptors{next.ours.get(), 0};
  launcher::FakePeer* const peers[] = {&world.worker(), &world.keyholder(), &world.keeper(0), &world.keeper(1),
                                       &world.keyholder_keeper()};
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    if (packet.choice < std::size(peers)) {
      fuzz::send(peers[packet.choice]->socket(), packet, descriptors);
      world.settle();
    } else if (packet.choice == kNextProcess) {
      fuzz::send(next.theirs, packet, {});
      world.settle();
    } else if (packet.choice == kAsks) {
      world.ask_nothing_yet(kRequests[packet.octets.size() % kRequests.size()]);
      world.answer();
    } else if (packet.choice == kFallsSilent) {
      for (launcher::FakePeer* const peer : peers) peer->hang();
    } else {
      world.pass(std::chrono::seconds(1U << (packet.octets.size() % 8)));
    }
    for (launcher::FakePeer* const peer : peers) peer->heard();
    world.log();
  }
  return 0;
}
