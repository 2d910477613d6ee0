#include "proto/smtp/proxy_header.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace hooksmtpd::smtp;
using namespace std::string_literals;

namespace {

std::string shown(std::string_view bytes) {
  const auto result = parse_proxy_header(bytes);
  if (std::holds_alternative<ProxyNeedsMore>(result)) return "more";
  if (std::holds_alternative<ProxyBroken>(result)) return "broken";
  const ProxyHeader& header = std::get<ProxyHeader>(result);
  if (!header.ends) return fmt::format("{} unknown", header.length);
  const auto& [source, destination] = *header.ends;
  return fmt::format("{} {} {} -> {} {}", header.length, source.address, source.port, destination.address,
                     destination.port);
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

// A header of version 2: its two octets of version, command, family and transport, and what follows the length.
std::string binary(std::string_view kind, const std::string& rest) {
  const auto length = static_cast<unsigned>(rest.size());
  return kSignature + std::string(kind) + static_cast<char>(length >> 8) + static_cast<char>(length & 255) + rest;
}

const std::string kIpv4 = "\xc0\x00\x02\x07\xc0\x00\x02\x01\xc9\x3a\x00\x19"s;
const std::string kIpv6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s + "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"s + "\xc9\x3a\x00\x19"s;
const std::string kExtra = "\x04\x00\x03"s + "abc";

struct Case {
  std::string bytes, result;
};

const Case kCases[] = {
    {"PROXY TCP4 192.0.2.7 192.0.2.1 51514 25\r\nEHLO x\r\n", "41 192.0.2.7 51514 -> 192.0.2.1 25"},
    {"PROXY TCP6 2001:DB8::7 ::1 0 65535\r\n", "36 2001:db8::7 0 -> ::1 65535"},
    {"PROXY UNKNOWN\r\n", "15 unknown"},
    {"PROXY UNKNOWN whatever it says\r\n", "32 unknown"},
    {"PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", "107 unknown"},
    {"PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", "broken"},  // §2.1: 107 octets
    {"PROXY UNKNOWN " + std::string(93, 'x'), "broken"},
    {"PROXY UNKNOWNX\r\n", "broken"},
    {"PROXY TCP5 192.0.2.7 192.0.2.1 1 2\r\n", "broken"},
    {"PROXY tcp4 192.0.2.7 192.0.2.1 1 2\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7  192.0.2.1 1 2\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 +1 2\r\n", "broken"},
    {"PROXY TCP4 ::1 ::1 1 2\r\n", "broken"},
    {"PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n", "broken"},
    {"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n", "broken"},
    {"PROXY UNKNOWN\r\r\n", "broken"},
    {"proxy UNKNOWN\r\n", "broken"},
    {"EHLO laptop\r\n", "broken"},
    {"\x16\x03\x01", "broken"},
    {"\r\n\r\nQUIT\r\n", "broken"},
    {binary("\x21\x11", kIpv4) + "EHLO x\r\n", "28 192.0.2.7 51514 -> 192.0.2.1 25"},
    {binary("\x21\x21", kIpv6), "52 2001:db8::7 51514 -> ::1 25"},
    {binary("\x21\x11", kIpv4 + kExtra + kExtra), "40 192.0.2.7 51514 -> 192.0.2.1 25"},
    {binary("\x21\x11", kIpv4 + "\x04\x00\x04" + "abc"), "broken"},  // an extra longer than the header
    {binary("\x21\x11", kIpv4 + "\x04"), "broken"},
    {binary("\x21\x11", kIpv4.substr(1)), "broken"},
    {binary("\x21\x21", kIpv4), "broken"},
    {binary("\x20\x00"s, ""), "16 unknown"},  // LOCAL
    {binary("\x20\x11", "anything"), "24 unknown"},
    {binary("\x21\x00"s, "anything"), "24 unknown"},  // UNSPEC
    {binary("\x21\x31", std::string(216, '/')), "232 unknown"},
    {binary("\x21\x31", std::string(215, '/')), "broken"},
    {binary("\x21\x12", kIpv4), "broken"},  // UDP carries no SMTP
    {binary("\x21\x41", kIpv4), "broken"},
    {binary("\x22\x11", kIpv4), "broken"},
    {binary("\x11\x11", kIpv4), "broken"},
    {binary("\x20\x00"s, std::string(4080, 'x')), "4096 unknown"},
    {binary("\x20\x00"s, std::string(4081, 'x')), "broken"},
};

}  // namespace

TEST_CASE("a PROXY header is read as haproxy's proxy-protocol.txt spells it") {
  for (const Case& c : kCases) {
    CAPTURE(c.bytes);
    CHECK(shown(c.bytes) == c.result);
  }
}

TEST_CASE("a PROXY header that is cut anywhere needs more, and never is taken for something else") {
  for (const Case& c : kCases) {
    const auto whole = parse_proxy_header(c.bytes);
    if (!std::holds_alternative<ProxyHeader>(whole)) continue;
    for (std::size_t cut = 0; cut < std::get<ProxyHeader>(whole).length; ++cut) {
      CAPTURE(cut);
      CHECK(shown(c.bytes.substr(0, cut)) == "more");
    }
  }
}
