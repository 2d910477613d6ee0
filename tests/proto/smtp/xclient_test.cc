#include "proto/smtp/xclient.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace hooksmtpd::smtp;

namespace {

// What an XCLIENT says, small enough to read: one word for each attribute that was given.
std::string shown(std::string_view arguments) {
  const auto client = parse_xclient(arguments);
  if (!client) return std::string(client.error().substr(0, 9));
  std::string text;
  const auto add = [&](std::string_view name, const auto& attribute) {
    if (attribute) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, *attribute);
  };
  add("name", client->name);
  add("address", client->address);
  add("port", client->port);
  add("protocol", client->protocol);
  add("helo", client->helo);
  add("login", client->login);
  add("destination", client->destination_address);
  add("destination_port", client->destination_port);
  return text;
}

struct Case {
  const char *arguments, *result;
};

constexpr Case kCases[] = {
    {"NAME=mail.example.org ADDR=192.0.2.7", "name=mail.example.org address=192.0.2.7"},
    {"addr=IPV6:2001:DB8:0::7  port=25 ", "address=2001:db8::7 port=25"},
    {"PROTO=smtp", "protocol=SMTP"},
    {"PROTO=ESMTP HELO=laptop", "protocol=ESMTP helo=laptop"},
    {"LOGIN=a+20b+2Bc", "login=a b+c"},
    {"LOGIN=j+C3+B6rg", "login=j\xc3\xb6rg"},
    {"DESTADDR=192.0.2.1 DESTPORT=587", "destination=192.0.2.1 destination_port=587"},
    {"NAME=[UNAVAILABLE] ADDR=[tempunavail] PORT=[UNAVAILABLE] LOGIN=[UNAVAILABLE]", "name= address= port=0 login="},
    {"", "501 5.5.4"},
    {"NAME", "501 5.5.4"},
    {"NAME=", "501 5.5.4"},
    {"NAME=a NAME=b", "501 5.5.4"},
    {"PORT=1 PORT=2", "501 5.5.4"},
    {"WHAT=x", "501 5.5.4"},
    {"NAME=a+0Ab", "501 5.5.4"},
    {"NAME=a+4", "501 5.5.4"},
    {"LOGIN=+FF", "501 5.5.4"},
    {"ADDR=2001:db8::7", "501 5.5.4"},
    {"ADDR=IPV6:192.0.2.7", "501 5.5.4"},
    {"ADDR=192.0.2.07", "501 5.5.4"},
    {"ADDR=192.0.2.7+00", "501 5.5.4"},
    {"ADDR=localhost", "501 5.5.4"},
    {"PORT=65536", "501 5.5.4"},
    {"PORT=-1", "501 5.5.4"},
    {"PORT=", "501 5.5.4"},
    {"PROTO=LMTP", "501 5.5.4"},
};

}  // namespace

TEST_CASE("an XCLIENT names each thing once, as xtext") {
  for (const Case& c : kCases) {
    CAPTURE(c.arguments);
    CHECK(shown(c.arguments) == c.result);
  }
}

TEST_CASE("no value of an XCLIENT is longer than 255 octets") {
  CHECK(parse_xclient("HELO=" + std::string(255, 'x')));
  CHECK_FALSE(parse_xclient("HELO=" + std::string(256, 'x')));
}
