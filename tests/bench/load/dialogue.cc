#include "tests/bench/load/dialogue.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace hooksmtpd::bench {
namespace {

constexpr std::string_view kHeader =
    "From: Sender <sender@example.test>\r\nTo: user@example.test\r\nSubject: load test message\r\n"
    "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <load.1@example.test>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n\r\n";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Lines as wide as base64 has them; every fiftieth begins with a dot, which is doubled.
std::string make_body(std::size_t size) {
  constexpr std::size_t kWidth = 76;
  std::string body(kHeader);
  std::uint32_t seed = 12345;
  for (std::size_t line = 1; body.size() + 2 < size; ++line) {
    std::size_t width = std::min(kWidth, size - body.size() - 2);
    if (line % 50 == 0) body += "..";
    while (width-- > 0) {
      seed = seed * 1664525u + 1013904223u;
      body += kAlphabet[(seed >> 24) & 63];
    }
    body += "\r\n";
  }
  return body += ".\r\n";
}

}  // namespace

Dialogue make_dialogue(const Options& options) {
  Dialogue dialogue{
      .ehlo = "EHLO client.test\r\n",
      .mail = "MAIL FROM:<sender@example.test>\r\n",
      .rcpt = "RCPT TO:<user@example.test>\r\n",
      .data = "DATA\r\n",
      .noop = "NOOP\r\n",
      .quit = "QUIT\r\n",
      .group = {},
      .body = make_body(options.size),
  };
  dialogue.group = dialogue.mail;
  for (std::size_t i = 0; i < options.recipients; ++i) dialogue.group += dialogue.rcpt;
  dialogue.group += dialogue.data;
  return dialogue;
}

}  // namespace hooksmtpd::bench
