// What keepers, worker and keyholder might say to the supervisor once all is running: it goes on, or ends whoever said
// it.

#define DOCTEST_CONFIG_IMPLEMENT  // world.cc checks itself with it
#include <doctest/doctest.h>

#include <cassert>
#include <cstdint>

#include "tests/daemon/launcher/world.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;
using launcher::World;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static doctest::Context checks;
  checks.setAsDefaultForAssertsOutOfTestCases();
  World world(launcher::config_with({"policy"}), launcher::Keys::kHeld);
  world.bring_up();
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    launcher::FakePeer* const peers[] = {&world.worker(), &world.keyholder(), &world.keeper(0), &world.keeper(1),
                                         &world.keyholder_keeper()};
    const unsigned who = packet.choice % 8;
    if (who >= std::size(peers)) {
      world.pass(std::chrono::seconds(1U << (packet.octets.size() % 8)));
    } else {
      const int descriptors[] = {0};
      fuzz::send(peers[who]->socket(), packet, descriptors);
      world.settle();
    }
    for (launcher::FakePeer* const peer : peers) peer->heard();
    world.log();
  }
  return 0;
}
