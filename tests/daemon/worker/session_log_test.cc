#include "daemon/worker/session_log.h"

#include <doctest/doctest.h>

using namespace hooksmtpd;

namespace {

std::string line(std::string local_part) {
  smtp::Transaction transaction;
  transaction.id = "c7f3a1-1";
  transaction.envelope.recipients.push_back(
      {.mailbox = {.local_part = std::move(local_part), .domain = "x.test"}, .params = {}});
  return worker::message_line(transaction, "250 2.0.0 OK\r\n");
}

}  // namespace

TEST_CASE("an address in the log is quoted, so that it can forge nothing there") {
  CHECK(line("ann") == R"(message id=c7f3a1-1 from="" to="ann@x.test" size=0 reply="250 2.0.0 OK")");
  CHECK(line("a reply=550").contains(R"(to="\"a reply=550\"@x.test" size)"));
  CHECK(line("j\xc3\xb6rg").contains("to=\"j\xc3\xb6rg@x.test\""));
  CHECK(line("a\xe2\x80\xae"
             "b")
            .contains(R"(to="a\xe2\x80\xaeb@x.test")"));  // turns the reading direction
}
