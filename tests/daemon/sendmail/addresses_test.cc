#include "daemon/sendmail/addresses.h"

#include <doctest/doctest.h>

#include <string>

using namespace hooksmtpd;

namespace {

// "a@b.test c@d.test", or "error".
std::string read(const std::string& text) {
  const auto found = sendmail::parse_addresses(text, "own.test");
  if (!found) return "error";
  std::string out;
  for (const auto& one : *found) {
    if (!out.empty()) out += ' ';
    out += mail::to_string(one);
  }
  return out;
}

}  // namespace

TEST_CASE("an address list gives its mailboxes (RFC 5322 §3.4)") {
  struct Case {
    std::string text, found;
  };
  for (const Case& one : {
           Case{"", ""},
           {"bob@dev.test", "bob@dev.test"},
           {"bob", "bob@own.test"},
           {"<bob>", "bob@own.test"},
           {" Bob <bob@dev.test> , carl@dev.test ", "bob@dev.test carl@dev.test"},
           {"\"Builder, Bob\" <bob@dev.test>, carl@dev.test", "bob@dev.test carl@dev.test"},
           {"\"<eve@evil.test>\" <bob@dev.test>", "bob@dev.test"},
           {"bob@dev.test (Bob, <eve@evil.test>, (nested))", "bob@dev.test"},
           {"Friends: bob@dev.test, Carl <carl@dev.test>;, dora@dev.test", "bob@dev.test carl@dev.test dora@dev.test"},
           {"undisclosed-recipients:;", ""},
           {"=?utf-8?q?B=C3=B6b=2C_eve=40evil=2Etest?= <bob@dev.test>", "bob@dev.test"},
           {"\"a b\"@dev.test", "\"a b\"@dev.test"},
           {"\"a@b\"@dev.test", "\"a@b\"@dev.test"},
           {"\"a@b\"", "\"a@b\"@own.test"},
           {"bob@[127.0.0.1]", "bob@[127.0.0.1]"},
           {"<@relay.test,@other.test:bob@dev.test>", "bob@dev.test"},
           {"root, Bob <bob@dev.test>", "root@own.test bob@dev.test"},
           {"Builder, Bob <bob@dev.test>", "Builder@own.test bob@dev.test"},
           {"bob@[IPv6:::1], carl@dev.test", "bob@[ipv6:::1] carl@dev.test"},
           {"\"a\\\", b\" <bob@dev.test> (one \\) two, three), carl@dev.test", "bob@dev.test carl@dev.test"},
           {",bob@dev.test,,carl@dev.test, ", "bob@dev.test carl@dev.test"},
       }) {
    CAPTURE(one.text);
    CHECK(read(one.text) == one.found);
  }
}

TEST_CASE("what could not stand between the brackets of a path is no address") {
  for (const std::string text : {"bob@dev.test> SIZE=1", "\"bob\rRCPT TO:<eve@evil.test>\"@dev.test", "bob@-",
                                 "\"bob\x01\"@dev.test", "@dev.test", "bob@dev..test", "carl@dev.test, bob@dev..test",
                                 "bob carl@dev.test", "Bob <>", "\"bob, carl@dev.test", "(bob@dev.test"}) {
    CAPTURE(text);
    CHECK(read(text) == "error");
  }
  CHECK(read(std::string("bob@dev.test\0, eve", 18)) == "error");
}

TEST_CASE("a name in a header field is quoted or encoded as it needs, and can be no more than a name") {
  const mail::Mailbox ann{.local_part = "ann", .domain = "dev.test"};
  CHECK(sendmail::format_address("", ann) == "ann@dev.test");
  CHECK(sendmail::format_address("Ann Example", ann) == "Ann Example <ann@dev.test>");
  CHECK(sendmail::format_address("Example, Ann", ann) == "\"Example, Ann\" <ann@dev.test>");
  CHECK(sendmail::format_address("Änn", ann).starts_with("=?"));
  CHECK(sendmail::format_address("Ann\r\nBcc: eve@evil.test", ann).find("\nBcc") == std::string::npos);
}
