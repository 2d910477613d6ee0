#include "daemon/sys/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
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

// Every digit as "d": a shape that does not depend on the time.
std::string shape(std::string text) {
  for (char& c : text) {
    if (c >= '0' && c <= '9') c = 'd';
  }
  return text;
}

// Makes `fd` our standard error while it lives.
class StderrTo {
 public:
  explicit StderrTo(const Fd& fd) : old_(::dup(STDERR_FILENO)) { ::dup2(fd.get(), STDERR_FILENO); }
  ~StderrTo() { ::dup2(old_.get(), STDERR_FILENO); }

 private:
  Fd old_;
};

}  // namespace

TEST_CASE("the worker's lines carry their level") {
  Pipe pipe = make_pipe();
  Log log = Log::to_pipe(std::move(pipe.write));
  log.set_level(LogLevel::kTrace);
  log.error("e {}", 1);
  log.warn("w");
  log.info("i");
  log.debug("d");
  log.trace("t");
  CHECK(drain(pipe.read).empty());  // gathered
  log.flush();
  CHECK(drain(pipe.read) == "<3>e 1\n<4>w\n<6>i\n<7>d\n<7>t\n");
}

TEST_CASE("what is below the level is not written") {
  Pipe pipe = make_pipe();
  Log log = Log::to_pipe(std::move(pipe.write));
  log.info("shown");
  log.debug("not shown");
  CHECK_FALSE(log.enabled(LogLevel::kDebug));
  log.flush();
  CHECK(drain(pipe.read) == "<6>shown\n");
}

TEST_CASE("a text of several lines becomes several lines, and control bytes do not get through") {
  Pipe pipe = make_pipe();
  Log log = Log::to_pipe(std::move(pipe.write));
  log.write(LogLevel::kInfo, "one\ntwo\x1b[2J\r\n");
  log.flush();
  CHECK(drain(pipe.read) == "<6>one\n<6>two?[2J?\n");
}

TEST_CASE("dropped lines are counted, and a later line says how many") {
  Pipe pipe = make_pipe();
  ::fcntl(pipe.write.get(), F_SETPIPE_SZ, 4096);
  Log log = Log::to_pipe(std::move(pipe.write));
  const std::string text(1000, 'x');
  for (int i = 0; i < 2000; ++i) log.info("{}", text);
  REQUIRE(log.dropped() > 0);
  std::string read;
  for (int i = 0; i < 2000; ++i) {
    read += drain(pipe.read);
    log.flush();
  }
  read += drain(pipe.read);
  CHECK(read.ends_with(fmt::format("<4>log dropped={}\n", log.dropped())));
  CHECK_FALSE(log.pending());
}

TEST_CASE("standard error that is no terminal: date, and the level where it matters") {
  const Pipe pipe = make_pipe();
  ::unsetenv("JOURNAL_STREAM");
  {
    const StderrTo there(pipe.write);
    Log log = Log::to_stderr();
    log.info("hello");
    log.error("oh");
  }
  const std::string shown = shape(drain(pipe.read));
  const std::string time = fmt::format("dddd-dd-ddTdd:dd:dd.ddd{}dd:dd ", shown.contains('+') ? '+' : '-');
  CHECK(shown == time + "hello\n" + time + "error: oh\n");
}

TEST_CASE("standard error that is the journal: the level, and no time") {
  const Pipe pipe = make_pipe();
  struct stat status{};
  REQUIRE(::fstat(pipe.write.get(), &status) == 0);
  ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
  {
    const StderrTo there(pipe.write);
    Log log = Log::to_stderr();
    log.warn("hello");
  }
  CHECK(drain(pipe.read) == "<4>hello\n");
  {
    const Pipe other = make_pipe();  // redirected by somebody: no longer the journal
    const StderrTo there(other.write);
    Log log = Log::to_stderr();
    log.warn("hello");
    log.flush();
    CHECK(drain(other.read).ends_with(" warning: hello\n"));
  }
  ::unsetenv("JOURNAL_STREAM");
}

TEST_CASE("a terminal: short time, colours unless NO_COLOR; and a stopped one blocks nobody") {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(master.valid());
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  const Fd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal.valid());
  ::setenv("TERM", "xterm", 1);
  for (const bool colour : {true, false}) {
    colour ? ::unsetenv("NO_COLOR") : ::setenv("NO_COLOR", "1", 1);
    const StderrTo there(terminal);
    Log log = Log::to_stderr();
    log.warn("hello");
    const std::string word = colour ? "\x1b[d;ddmwarning:\x1b[dm " : "warning: ";
    log.flush();
    CHECK(shape(drain(master)) == "dd:dd:dd " + word + "hello\r\n");
  }
  const StderrTo there(terminal);
  Log log = Log::to_stderr();
  for (int i = 0; i < 20'000; ++i) log.info("nobody reads this line number {}", i);  // an end means: it did not block
  CHECK(log.pending());
  ::unsetenv("NO_COLOR");
}

TEST_CASE("split_level") {
  struct Case {
    std::string_view line;
    LogLevel level;
    std::string_view text;
  };
  const std::array cases{
      Case{"<3>e", LogLevel::kError, "e"},   Case{"<0>e", LogLevel::kError, "e"}, Case{"<4>w", LogLevel::kWarn, "w"},
      Case{"<5>n", LogLevel::kInfo, "n"},    Case{"<6>i", LogLevel::kInfo, "i"},  Case{"<7>d", LogLevel::kDebug, "d"},
      Case{"<8>x", LogLevel::kInfo, "<8>x"}, Case{"<6", LogLevel::kInfo, "<6"},   Case{"", LogLevel::kInfo, ""},
      Case{"x<6>", LogLevel::kInfo, "x<6>"}, Case{"<6>", LogLevel::kInfo, ""},
  };
  for (const Case& one : cases) {
    const LogLine line = split_level(one.line);
    CHECK(line.level == one.level);
    CHECK(line.text == one.text);
  }
  CHECK(split_level("plain", LogLevel::kDebug).level == LogLevel::kDebug);
}
