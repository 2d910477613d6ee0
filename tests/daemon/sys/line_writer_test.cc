#include "daemon/sys/line_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "daemon/sys/pair.h"

using namespace hooksmtpd::sys;

namespace {

std::string drain(const Fd& pipe) {
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  std::string text;
  std::array<char, 4096> piece;
  for (ssize_t got = 0; (got = ::read(pipe.get(), piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

TEST_CASE("lines are gathered into few writes") {
  Pipe pipe = make_pipe();
  LineWriter writer(std::move(pipe.write), 4096, 1 << 20);
  CHECK(writer.add("one\n"));
  CHECK(drain(pipe.read).empty());
  CHECK(writer.pending());
  writer.flush();
  CHECK(drain(pipe.read) == "one\n");
  CHECK_FALSE(writer.pending());
  const std::string long_line = std::string(4095, 'x') + "\n";
  CHECK(writer.add(long_line));
  CHECK(drain(pipe.read) == long_line);
}

TEST_CASE("a pipe that nobody reads costs lines, never time; and the lines that got in stay whole") {
  Pipe pipe = make_pipe();  // both ends block
  ::fcntl(pipe.write.get(), F_SETPIPE_SZ, 4096);
  LineWriter writer(std::move(pipe.write), 0, 64 * 1024);
  const std::string line = std::string(99, 'x') + "\n";
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) taken += writer.add(line) ? 1 : 0;
  CHECK(taken < 1000);
  CHECK(writer.dropped() == 1000 - taken);
  CHECK(writer.take_dropped() == 1000 - taken);
  CHECK(writer.take_dropped() == 0);

  std::string read;
  while (writer.pending()) {
    read += drain(pipe.read);
    writer.flush();
  }
  read += drain(pipe.read);
  CHECK(read.size() == taken * line.size());
  CHECK(writer.add(line));
}

TEST_CASE("a reader that is gone is no error") {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe = make_pipe();
  LineWriter writer(std::move(pipe.write), 0, 1024);
  pipe.read.reset();
  CHECK(writer.add("one\n"));
  CHECK_FALSE(writer.pending());
  CHECK(writer.dropped() == 1);
}

TEST_CASE("a copy that does not block leaves the original as it is") {
  const Pipe pipe = make_pipe();
  const Fd copy = nonblocking_copy(pipe.write.get());
  REQUIRE(copy.valid());
  CHECK((::fcntl(copy.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(pipe.write.get(), F_GETFL) & O_NONBLOCK) == 0);
}
