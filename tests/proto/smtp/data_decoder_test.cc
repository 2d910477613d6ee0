#include "proto/smtp/data_decoder.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using hooksmtpd::smtp::BodySink;
using hooksmtpd::smtp::DataDecoder;

namespace {

struct Collected final : BodySink {
  void body(std::string_view run) override { text += run; }
  std::string text;
};

struct Decoded {
  std::string text;
  std::size_t consumed = 0;
  bool finished = false, bare = false, high = false;
  std::uint64_t long_lines = 0;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// `cuts`: where the stream is cut into pieces.
Decoded decode(std::string_view stream, const std::vector<std::size_t>& cuts = {}) {
  DataDecoder decoder;
  Collected sink;
  std::size_t consumed = 0, begin = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(stream.size());
  for (const std::size_t end : ends) {
    if (decoder.finished()) break;
    consumed += decoder.decode(stream.substr(begin, end - begin), &sink);
    begin = end;
  }
  CHECK(decoder.size() == sink.text.size());
  return {sink.text, consumed, decoder.finished(), decoder.bare_line_end(), decoder.eight_bit(), decoder.long_lines()};
}

// The same, an octet at a time, written to be obviously right.
Decoded stepwise(std::string_view stream) {
  Decoded result;
  std::string seen = "\r\n", line;
  for (const char c : stream) {
    ++result.consumed;
    seen += c;
    if (seen.ends_with("\r\n.\r\n")) {
      result.finished = true;
      break;
    }
  }
  const std::string all = seen.substr(2);
  const std::size_t length = result.finished ? all.size() - 3 : all.size();
  for (std::size_t i = 0; i < length; ++i) {
    const std::string before = seen.substr(0, i + 2);
    if (all[i] == '.' && before.ends_with("\r\n")) continue;                                           // stuffed
    if (i + 1 == length && !result.finished && all[i] == '\r' && before.ends_with("\r\n.")) continue;  // held back
    const bool cr_before = before.ends_with('\r');
    if (all[i] == '\n' && !cr_before) result.bare = true;
    if (all[i] == '\r' && i + 1 < all.size() && all[i + 1] != '\n') result.bare = true;
    if (all[i] & 0x80) result.high = true;
    result.text += all[i];
    line += all[i];
    if (all[i] == '\n') {
      result.long_lines += line.size() > 1000;
      line.clear();
    }
  }
  return result;
}

}  // namespace

TEST_CASE("CRLF . CRLF ends a message, also an empty one (§4.1.1.4)") {
  CHECK(decode(".\r\n").finished);
  CHECK(decode(".\r\n").text.empty());
  CHECK(decode("a\r\n.\r\nQUIT\r\n") == Decoded{"a\r\n", 6, true, false, false, 0});
}

TEST_CASE("nothing else ends a message, and a CR or LF alone is remembered (§2.3.8, SMTP smuggling)") {
  // Every sequence of up to three of these before and after the dot.
  const std::string parts[] = {"", "\r", "\n", "\r\n", std::string(1, '\0')};
  for (const std::string& a : parts) {
    for (const std::string& b : parts) {
      for (const std::string& c : parts) {
        for (const std::string& d : parts) {
          const std::string before = a + b, after = c + d;
          const std::string stream = "x" + before + "." + after;
          CAPTURE(stream);
          const Decoded got = decode(stream);
          const bool is_end = before.ends_with("\r\n") && after.starts_with("\r\n");
          CHECK(got.finished == is_end);
          if (!is_end) CHECK(decode(stream + "x\r\n.\r\n").finished);
        }
      }
    }
  }
  for (const char* bare : {"a\n.\r\n\r\n.\r\n", "a\r\n.\n\r\n.\r\n", "a\r.\r\n\r\n.\r\n", "a\r\n.\rb\r\n.\r\n"}) {
    CAPTURE(bare);
    CHECK(decode(bare).finished);
    CHECK(decode(bare).bare);
  }
}

TEST_CASE("a stuffed dot goes, any other stays (§4.5.2)") {
  CHECK(decode("..\r\n.a\r\na.b\r\n..b\r\n.\r\n").text == ".\r\na\r\na.b\r\n.b\r\n");
}

TEST_CASE("text lines over 1,000 octets are counted (§4.5.3.1.6)") {
  for (const std::size_t length : {1u, 997u, 998u, 999u, 1100u, 5000u}) {
    CAPTURE(length);
    const std::string line = std::string(length, 'x') + "\r\n";
    CHECK(decode("a\r\n" + line + "b\r\n" + line + ".\r\n").long_lines == (length + 2 > 1000 ? 2 : 0));
  }
}

TEST_CASE("however the stream is cut, the message is the same") {
  const std::string stream = std::string(60, 'a') + "\r\n..b\r\n" + std::string(1001, 'c') + "\r\n.\rd\n\xff.\r\n" +
                             std::string(61, 'e') + "\r\n.\r\nrest";
  const Decoded whole = decode(stream);
  CHECK(whole == stepwise(stream));
  CHECK(whole.finished);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    CHECK(decode(stream, {cut}) == whole);
  }
  std::vector<std::size_t> everywhere;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) everywhere.push_back(cut);
  CHECK(decode(stream, everywhere) == whole);
}

TEST_CASE("the search agrees with a decoder that steps octet by octet") {
  std::uint32_t random = 1;
  const auto next = [&random] { return random = random * 1664525 + 1013904223, random >> 16; };
  for (int round = 0; round < 20000; ++round) {
    constexpr std::string_view kAlphabet = "\r\n.a\x80";
    std::string stream;
    for (std::size_t length = next() % 200; length > 0; --length) {
      stream += next() % 3 == 0 ? "\r\n" : std::string(1, kAlphabet[next() % kAlphabet.size()]);
    }
    if (decode(stream) != stepwise(stream)) {
      CAPTURE(round);
      CAPTURE(stream);
      CHECK(decode(stream) == stepwise(stream));
    }
  }
}
