// The keyholder as the worker knows it, with the test in its place.

#include "daemon/worker/keyholder.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string_view>

#include "daemon/sys/pair.h"

using namespace hooksmtpd;
using namespace hooksmtpd::worker;

namespace {

constexpr sys::SignRequest kRequest{.key = {}, .kind = sys::SignKind::kEcdsa, .length = 32, .data = {}};

struct World {
  World() {
    keyholder.use(std::move(pair.ours));
    REQUIRE(keyholder.available());
  }
  // What it will find as the answer to the next request: it looks only after it has asked.
  void answer(const void* bytes, std::size_t size) {
    REQUIRE(send(pair.theirs.get(), bytes, size, 0) == static_cast<ssize_t>(size));
  }

  sys::Pipe said = sys::make_pipe();
  sys::Log log = sys::Log::to_pipe(std::move(said.write));
  int lost = 0;
  Keyholder keyholder{log, [this] { ++lost; }};
  sys::SocketPair pair = sys::make_socket_pair();
};

}  // namespace

TEST_CASE("a signature is what the keyholder answers") {
  World world;
  sys::SignReply reply{.status = sys::SignStatus::kSigned, .length = 3, .signature = {7, 8, 9}};
  world.answer(&reply, sizeof reply);
  const sys::SignReply got = world.keyholder.sign(kRequest);
  CHECK(got.status == sys::SignStatus::kSigned);
  CHECK(got.length == 3);
  CHECK(got.signature == reply.signature);
  CHECK(world.keyholder.available());
  CHECK(world.lost == 0);
}

TEST_CASE("an answer that is none, and a keyholder that is gone, end the socket: told once, and no handshake begins") {
  constexpr sys::SignReply kReply{.status = sys::SignStatus::kSigned, .length = 3, .signature = {7, 8, 9}};
  const std::string_view whole(reinterpret_cast<const char*>(&kReply), sizeof kReply);
  const std::string longer = std::string(whole) + 'x';
  for (const std::string_view wrong :
       {whole.substr(0, 100), whole.substr(0, whole.size() - 1), std::string_view(longer), std::string_view()}) {
    CAPTURE(wrong.size());
    World world;
    if (wrong.empty()) {
      world.pair.theirs.reset();
    } else {
      world.answer(wrong.data(), wrong.size());
    }
    for (int i = 0; i < 2; ++i) {
      CHECK(world.keyholder.sign(kRequest).status == sys::SignStatus::kFailed);
      CHECK_FALSE(world.keyholder.available());
      CHECK(world.lost == 1);
    }
    sys::SocketPair next = sys::make_socket_pair();
    world.keyholder.use(std::move(next.ours));
    CHECK(world.keyholder.available());
  }
}

TEST_CASE("a keyholder that is late is one that is lost: its answer is not taken for the next one's") {
  World world;
  CHECK(world.keyholder.sign(kRequest).status == sys::SignStatus::kFailed);  // after a second
  CHECK_FALSE(world.keyholder.available());
  CHECK(world.lost == 1);
  sys::SignRequest request;
  CHECK(recv(world.pair.theirs.get(), &request, sizeof request, 0) == sizeof request);
  char byte;
  CHECK(recv(world.pair.theirs.get(), &byte, 1, 0) == 0);
}
