#include "proto/mail/mailbox.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "proto/mail/idn.h"
#include "proto/mail/ip_address.h"

using namespace hooksmtpd::mail;

namespace {

std::string shown(std::string_view text, Characters characters = Characters::kAscii) {
  const auto mailbox = parse_mailbox(text, characters);
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

// With SMTPUTF8.
const Case kUtf8Cases[] = {
    {"ann@example.org", "ann at example.org"},
    {"j\xc3\xb6rg@example.org", "j\xc3\xb6rg at example.org"},
    {"J\xc3\x96RG@example.org", "J\xc3\x96RG at example.org"},  // a local part is never mapped
    {"jo\xcc\x88rg@x.test", "jo\xcc\x88rg at x.test"},          // nor normalised
    {"\"j\xc3\xb6 rg\"@x.test", "j\xc3\xb6 rg at x.test"},
    {"\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf\xe5\x91\x8a",
     "\xe7\x94\xa8\xe6\x88\xb7 at \xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf\xe5\x91\x8a"},
    {"a@k\xc3\xb6ln.example", "a at k\xc3\xb6ln.example"},
    {"a@K\xc3\x96LN.Example", "a at k\xc3\xb6ln.example"},
    {"a@ko\xcc\x88ln.example", "a at k\xc3\xb6ln.example"},  // NFC
    {"a@stra\xc3\x9f"
     "e.example",
     "a at stra\xc3\x9f"
     "e.example"},                                          // IDNA 2008: not "strasse"
    {"a@xn--kln-sna.example", "a at xn--kln-sna.example"},  // as it was sent
    {"a@xn--kln-sna.k\xc3\xb6ln", "a at k\xc3\xb6ln.k\xc3\xb6ln"},
    {"a@\xef\xbd\x98.test", "a at x.test"},  // a wide x is an x
    {"a@k\xc3\xb6ln\xe3\x80\x82"
     "example",
     "a at k\xc3\xb6ln.example"},           // as is the ideographic full stop
    {"a@\xef\xbc\xa0.test", "bad domain"},  // and a wide '@' would be an '@'
    {"a@k\xc3\xb6ln..example", "bad domain"},
    {"a@-k\xc3\xb6ln.example", "bad domain"},
    {"a@k\xc3\xb6ln_.example", "a at k\xc3\xb6ln_.example"},
    {"a@k\xc3\xb6ln\xef\xbc\xa0"
     "b.example",
     "bad domain"},
    {"a@k\xc3\xb6ln>.example", "bad domain"},
    {"a@k\xc3\xb6ln .example", "bad domain"},
    {"a@k\xc3ln.example", "bad domain"},
    {"a@\xe2\x98\xae\xef\xb8\x8f\xe2\x80\x8d", "bad domain"},
    {"a@[\xc3\xb6]", "bad domain"},
    {"a@" + std::string(64, 'k') + "\xc3\xb6.example", "bad domain"},  // the DNS has 63 octets for a label
    {"j\xc3@x.test", "bad local part"},
    {"j\xc2\x80@x.test", "bad local part"},
    {"j\xe2\x80\xa8@x.test", "bad local part"},
    {"\"\\\xc3\xb6\"@x.test", "bad local part"},  // a backslash stands before ASCII only
    {".\xc3\xb6@x.test", "bad local part"},
    {std::string(63, 'a') + "\xc3\xb6@x.test", "local part too long"},
};

TEST_CASE("with SMTPUTF8 a mailbox may use any script (RFC 6531 §3.3)") {
  for (const Case& c : kUtf8Cases) {
    CAPTURE(c.text);
    CHECK(shown(c.text, Characters::kUtf8) == c.result);
    const auto mailbox = parse_mailbox(c.text, Characters::kUtf8);
    if (mailbox) CHECK(parse_mailbox(to_string(*mailbox), Characters::kUtf8) == *mailbox);
  }
}

TEST_CASE("without SMTPUTF8 no octet above 127 comes through") {
  for (const Case& c : kUtf8Cases) {
    CAPTURE(c.text);
    const auto mailbox = parse_mailbox(c.text);
    CHECK((!mailbox || is_ascii(*mailbox)));
  }
}

TEST_CASE("two forms of a domain are one domain") {
  CHECK(ascii_domain("k\xc3\xb6ln.example") == "xn--kln-sna.example");
  CHECK(ascii_domain("xn--kln-sna.example") == "xn--kln-sna.example");
  CHECK(ascii_domain("my_container") == "my_container");
  CHECK(ascii_domain("[127.0.0.1]") == "[127.0.0.1]");
}

TEST_CASE("an IP address is known by its form, and has one spelling (RFC 5952)") {
  for (const char* text : {"192.0.2.7", "0.0.0.0", "255.255.255.255"})
    CHECK((is_ipv4(text) && canonical_ip(text) == text));
  for (const char* text : {"", "1.2.3", "1.2.3.256", "1.2.3.04", "1.2.3.4 ", "::1", "localhost"})
    CHECK_FALSE(is_ipv4(text));
  for (const char* text : {"::", "::1", "2001:db8::7", "::ffff:192.0.2.7"})
    CHECK((is_ipv6(text) && canonical_ip(text) == text));
  for (const char* text : {"", "1", ":::", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9", "192.0.2.7"})
    CHECK_FALSE(is_ipv6(text));
  CHECK_FALSE(is_ipv4(std::string_view("1.2.3.4\0", 8)));
  CHECK(canonical_ip("2001:DB8:0:0::0007") == "2001:db8::7");
  CHECK(canonical_ip("nonsense") == std::nullopt);
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
