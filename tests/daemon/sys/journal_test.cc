// The log as the journal has it: records with fields, and what a line is about on its way there.

#include "daemon/sys/journal.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "daemon/sys/log.h"

using namespace hooksmtpd::sys;

namespace {

struct Datagrams {
  Fd ours, theirs;
};

Datagrams datagrams() {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) == 0);
  return {.ours = Fd(fds[0]), .theirs = Fd(fds[1])};
}

// Empty: none has come.
std::string receive(const Fd& socket) {
  std::array<char, 65536> record;
  const ssize_t got = ::recv(socket.get(), record.data(), record.size(), 0);
  return got < 0 ? "" : std::string(record.data(), static_cast<std::size_t>(got));
}

}  // namespace

TEST_CASE("a record has the level, what it is about, and the text") {
  CHECK(journal_record(6, "ready", {}) == "PRIORITY=6\nSYSLOG_IDENTIFIER=hooksmtpd\nMESSAGE=ready\n");
  CHECK(journal_record(4, "hook policy/1: disk full", {.session = "7f3a", .transaction = "7f3a-1", .hook = "policy"}) ==
        "PRIORITY=4\nSYSLOG_IDENTIFIER=hooksmtpd\nHOOKSMTPD_SESSION=7f3a\nHOOKSMTPD_TRANSACTION=7f3a-1\n"
        "HOOKSMTPD_HOOK=policy\nMESSAGE=hook policy/1: disk full\n");
}

TEST_CASE("a line of the log is a record, and cannot become a field") {
  const Datagrams pair = datagrams();
  Log log = Log::to_journal(Fd(::dup(pair.ours.get())));
  log.warn(About{.hook = "policy"}, "hook policy/1: {}", "a\x1f\tPRIORITY=0");
  log.error("one\nPRIORITY=0");
  log.debug("not at this level");
  log.flush();
  CHECK(receive(pair.theirs) ==
        "PRIORITY=4\nSYSLOG_IDENTIFIER=hooksmtpd\nHOOKSMTPD_HOOK=policy\nMESSAGE=hook policy/1: a??PRIORITY=0\n");
  CHECK(receive(pair.theirs) == "PRIORITY=3\nSYSLOG_IDENTIFIER=hooksmtpd\nMESSAGE=one\n");
  CHECK(receive(pair.theirs) == "PRIORITY=3\nSYSLOG_IDENTIFIER=hooksmtpd\nMESSAGE=PRIORITY=0\n");
  CHECK(receive(pair.theirs).empty());
}

TEST_CASE("what journald does not take is kept up to a bound, the rest counted, and told once there is room") {
  const Datagrams pair = datagrams();
  Log log = Log::to_journal(Fd(::dup(pair.ours.get())));
  const std::string text(8000, 'x');
  for (int i = 0; i < 300; ++i) log.info("{} {}", i, text);
  CHECK(log.pending());
  CHECK(log.dropped() > 0);
  std::string all;
  for (std::string record = receive(pair.theirs); !record.empty(); record = receive(pair.theirs)) {
    all += record;
    log.flush();
  }
  CHECK_FALSE(log.pending());
  CHECK(all.find("MESSAGE=0 xxx") != std::string::npos);
  CHECK(all.find("MESSAGE=log dropped=") != std::string::npos);
}

TEST_CASE("what a line is about comes through the worker's pipe") {
  const About about{.session = "7f3a", .transaction = "7f3a-1", .hook = "policy"};
  const std::string line = with_about(about, "text with = and \"quotes\"");
  CHECK(split_about(line).about == about);
  CHECK(split_about(line).text == "text with = and \"quotes\"");
  const std::string some = with_about({.hook = "policy"}, "");
  CHECK(split_about(some).about == About{.hook = "policy"});
  CHECK(split_about(some).text.empty());
}

TEST_CASE("a line without it, or with half of it, is text") {
  for (const std::string line : {"", "text", "\x1f",
                                 "\x1f"
                                 "a",
                                 "\x1f"
                                 "a\x1f"
                                 "b",
                                 "\x1f"
                                 "a\x1f"
                                 "b\x1f"
                                 "c"}) {
    CAPTURE(line);
    CHECK(split_about(line).about.empty());
    CHECK(split_about(line).text == line);
  }
}

TEST_CASE("what a taken-over worker calls a session is no field unless it is a name") {
  const std::string line =
      with_about({.session = "a\nPRIORITY=0", .transaction = std::string(129, 'a'), .hook = "a b"}, "x");
  CHECK(split_about(line).about.empty());
  CHECK(split_about(line).text == "x");
}
