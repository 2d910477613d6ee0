#include "daemon/worker/deadlines.h"

#include <doctest/doctest.h>

using namespace hooksmtpd::worker;
using std::chrono::milliseconds;

namespace {

const Deadline::TimePoint kStart{};

}  // namespace

TEST_CASE("deadlines are over in their order, whatever their limits, and only when their time has come") {
  Deadlines deadlines;
  Deadline a, b, c;
  deadlines.set(a, milliseconds(300), kStart);
  deadlines.set(b, milliseconds(100), kStart);
  deadlines.set(c, milliseconds(300), kStart + milliseconds(50));
  CHECK(deadlines.next() == kStart + milliseconds(100));
  CHECK(deadlines.take_expired(kStart + milliseconds(99)) == nullptr);
  CHECK(deadlines.take_expired(kStart + milliseconds(100)) == &b);
  CHECK(deadlines.take_expired(kStart + milliseconds(349)) == &a);
  CHECK(deadlines.take_expired(kStart + milliseconds(349)) == nullptr);
  CHECK(deadlines.take_expired(kStart + milliseconds(350)) == &c);
  CHECK_FALSE(deadlines.next().has_value());
}

TEST_CASE("a deadline that is set again moves, and one that is cleared or destroyed never comes") {
  Deadlines deadlines;
  Deadline moved, cleared;
  deadlines.set(moved, milliseconds(100), kStart);
  deadlines.set(cleared, milliseconds(100), kStart);
  {
    Deadline gone;
    deadlines.set(gone, milliseconds(100), kStart);
  }
  cleared.clear();
  deadlines.set(moved, milliseconds(100), kStart + milliseconds(60));
  CHECK(deadlines.next() == kStart + milliseconds(160));
  CHECK(deadlines.take_expired(kStart + milliseconds(159)) == nullptr);
  CHECK(deadlines.take_expired(kStart + milliseconds(160)) == &moved);
  CHECK_FALSE(moved.set());
}
