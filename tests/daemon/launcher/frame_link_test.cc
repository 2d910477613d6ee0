#include "daemon/launcher/frame_link.h"

#include <doctest/doctest.h>

#include <optional>

#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using sys::FrameKind;

struct Link {
  Link() { link.open(std::move(pair.ours)); }
  void settle() {
    for (int i = 0; i < 50; ++i) loop.turn(Loop::Milliseconds(0));
  }

  Loop loop;
  sys::SocketPair pair = sys::make_socket_pair();
  bool accept = true;
  int frames = 0;
  std::optional<FrameLink::Loss> loss;
  FrameLink link{loop,
                 sys::Sender::kWorker,
                 {.frame =
                      [this](const sys::Frame&) {
                        ++frames;
                        return accept;
                      },
                  .lost = [this](FrameLink::Loss how) { loss = how; }}};
};

TEST_CASE("frames that a peer does not read yet wait, and arrive in order") {
  Link test;
  constexpr std::uint32_t kMany = 600;
  for (std::uint32_t i = 0; i < kMany; ++i) test.link.send(FrameKind::kStatusAsked, sys::as_body(sys::Token{i}));
  std::uint32_t next = 0;
  for (int turn = 0; turn < 50; ++turn) {
    while (const auto frame = sys::receive_frame(test.pair.theirs, sys::Sender::kSupervisor)) {
      CHECK(sys::body_as<sys::Token>(frame->body).value == next++);
    }
    test.settle();
  }
  CHECK(next == kMany);
  CHECK_FALSE(test.loss);
}

TEST_CASE("a peer that does not read at all is lost, and the queue has a bound") {
  Link test;
  for (std::uint32_t i = 0; i < 100'000 && !test.loss; ++i) {
    test.link.send(FrameKind::kStatusAsked, sys::as_body(sys::Token{i}));
  }
  test.settle();
  CHECK(test.loss == FrameLink::Loss::kDoesNotRead);
  CHECK_FALSE(test.link.is_open());
}

TEST_CASE("a frame from the wrong side, or out of place, loses the link; what comes behind it is not read") {
  Link test;
  SUBCASE("only a supervisor says that") { REQUIRE(sys::send_frame(test.pair.theirs, FrameKind::kServe)); }
  SUBCASE("out of place") {
    test.accept = false;
    REQUIRE(sys::send_frame(test.pair.theirs, FrameKind::kDrained));
    REQUIRE(sys::send_frame(test.pair.theirs, FrameKind::kDrained));
  }
  test.settle();
  CHECK(test.loss == FrameLink::Loss::kBrokenFrame);
  CHECK(test.frames <= 1);
}

TEST_CASE("what a peer said before it went is heard") {
  Link test;
  REQUIRE(sys::send_frame(test.pair.theirs, FrameKind::kDrained));
  test.pair.theirs.reset();
  test.settle();
  CHECK(test.frames == 1);
  CHECK(test.loss == FrameLink::Loss::kClosed);
}

}  // namespace
}  // namespace hooksmtpd::launcher
