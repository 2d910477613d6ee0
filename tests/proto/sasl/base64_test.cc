#include "proto/sasl/base64.h"

#include <doctest/doctest.h>

using namespace hooksmtpd::sasl;

TEST_CASE("base64 goes both ways (RFC 4648 §10)") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "+/+/"},
  };
  for (const auto& [bytes, text] : cases) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
  CHECK(base64_decode("AGFubgBw") == std::string("\0ann\0p", 6));
}

TEST_CASE("base64 that an encoder would not write is none (RFC 4648 §3)") {
  for (const std::string_view text : {"Z",    "Zg",   "Zg=",      "Zg===",  "Zm9",   "====", "=",
                                      "==",   "Z===", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9", "Zm9-",
                                      "Zm9_", "Zh==", "Zm9=",     "*",      "Z*==",  "Zm=v"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}
