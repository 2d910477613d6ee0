#include "proto/mail/mailbox.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace hooksmtpd::mail;

namespace {

std::string shown(std::string_view text) {
  const auto mailbox = parse_mailbox(text);
  if (mailbox) return mailbox->local_part + " at " + mailbox->domain;
  constexpr std::array names{"empty local part", "no domain",           "bad local part",
                             "bad domain",       "local part too long", "domain too long"};
  return names[static_cast<std::size_t>(mailbox.error())];
}

struct Case {
  std::string text, result;
};

const std::string k64(64, 'a');

const Case kCases[] = {
    {"ann@example.org", "ann at example.org"},
    {"Ann@Example.ORG", "Ann at example.org"},  // §2.4: only the domain is without case
    {"a.b+c@x", "a.b+c at x"},
    {"a!#$%&'*+-/=?^_`{|}~b@x.test", "a!#$%&'*+-/=?^_`{|}~b at x.test"},
    {"\"john doe\"@x.test", "john doe at x.test"},
    {"\"a\\\"b\\\\c\"@x.test", "a\"b\\c at x.test"},
    {"\"a@b\"@x.test", "a@b at x.test"},
    {"\"\"@x.test", " at x.test"},  // a Quoted-string may be empty (§4.1.2)
    {"a@[127.0.0.1]", "a at [127.0.0.1]"},
    {"a@[IPv6:::1]", "a at [ipv6:::1]"},
    {"a@[x-tag:anything]", "a at [x-tag:anything]"},
    {"a@my_container", "a at my_container"},
    {k64 + "@x.test", k64 + " at x.test"},
    {k64 + "a@x.test", "local part too long"},
    {"a@" + std::string(256, 'x'), "domain too long"},
    {"", "no domain"},
    {"ann", "no domain"},
    {"@x.test", "empty local part"},
    {"a@", "bad domain"},
    {".a@x", "bad local part"},
    {"a.@x", "bad local part"},
    {"a..b@x", "bad local part"},
    {"a b@x", "bad local part"},
    {"a(b)@x", "bad local part"},
    {"\"a@x", "no domain"},
    {"\"a\"b@x", "no domain"},
    {"\"a\\\"@x", "no domain"},
    {"a@b@c", "bad domain"},
    {"a@x..y", "bad domain"},
    {"a@x.", "bad domain"},
    {"a@-x", "bad domain"},
    {"a@x-", "bad domain"},
    {"a@x-.y", "bad domain"},
    {"a@[1.2.3]", "bad domain"},
    {"a@[IPv6:zz]", "bad domain"},
    {"a@[]", "bad domain"},
    {"a@[:x]", "bad domain"},
    {"a@[127.0.0.1", "bad domain"},
    {std::string("a\0b@x", 5), "bad local part"},
    {"\xc3\xa9@x", "bad local part"},
    {"a@\xc3\xa9", "bad domain"},
};

}  // namespace

TEST_CASE("a mailbox is parsed as RFC 5321 §4.1.2 spells it") {
  for (const Case& c : kCases) {
    CAPTURE(c.text);
    CHECK(shown(c.text) == c.result);
  }
}

TEST_CASE("a mailbox is written as it was read, quoted only where it must be (§4.1.2)") {
  for (const char* text : {"ann@example.org", "\"john doe\"@x.test", "\"a\\\"b\\\\c\"@x.test", "\"\"@x.test",
                           "\".a\"@x.test", "a@[ipv6:::1]"}) {
    CAPTURE(text);
    CHECK(to_string(*parse_mailbox(text)) == text);
  }
  CHECK(to_string(*parse_mailbox("\"plain\"@x.test")) == "plain@x.test");
  CHECK(to_string(ReversePath()) == "");
}

TEST_CASE("postmaster is known in any case and at any domain (§4.5.1)") {
  CHECK(is_postmaster(*parse_mailbox("PostMaster@x.test")));
  CHECK(is_postmaster({.local_part = "postmaster", .domain = ""}));
  CHECK_FALSE(is_postmaster(*parse_mailbox("postmasters@x.test")));
}
