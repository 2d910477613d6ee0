#include "daemon/launcher/log_pipe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

// What stands in the supervisor's log when the worker has written these pieces and is gone.
std::string logged(std::initializer_list<std::string_view> pieces) {
  Loop loop;
  sys::Pipe out = sys::make_pipe();
  ::fcntl(out.read.get(), F_SETFL, O_NONBLOCK);
  sys::Log log = sys::Log::to_pipe(std::move(out.write));
  log.set_level(sys::LogLevel::kTrace);
  LogPipe pipe(loop, log);
  sys::Pipe worker = sys::make_pipe();
  pipe.open(std::move(worker.read));
  for (const std::string_view piece : pieces) {
    REQUIRE(::write(worker.write.get(), piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
    loop.turn(Loop::Milliseconds(0));
  }
  worker.write.reset();
  pipe.close();
  log.flush();
  std::array<char, 32 * 1024> text;
  const ssize_t got = ::read(out.read.get(), text.data(), text.size());
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

TEST_CASE("the worker's lines keep their level, however they are cut") {
  CHECK(logged({"<6>rcpt id=1\n<4>slow\n"}) == "<6>rcpt id=1\n<4>slow\n");
  CHECK(logged({"<6>rc", "pt id=1", "\n<", "4>slow\n"}) == "<6>rcpt id=1\n<4>slow\n");
  CHECK(logged({"<6>no end"}) == "<6>no end\n");
}

TEST_CASE("what the worker did not mean to say is an error, and cannot move the cursor") {
  CHECK(logged({"worker: x.cc:7: Assertion failed\n"}) == "<3>worker printed \"worker: x.cc:7: Assertion failed\"\n");
  CHECK(logged({"<6>a\x1b[2Jb\n"}) == "<6>a?[2Jb\n");
}

TEST_CASE("a line without end is cut") {
  const std::string log = logged({"<6>" + std::string(20'000, 'x') + "\n<6>next\n"});
  CHECK(log.size() < 9'000);
  CHECK(log.ends_with("x (cut)\n<6>next\n"));
}

}  // namespace
}  // namespace hooksmtpd::launcher
