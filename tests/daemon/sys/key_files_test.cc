#include "daemon/sys/key_files.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace hooksmtpd::sys;
using namespace std::string_view_literals;

TEST_CASE("key files arrive as they were, whatever octets they have") {
  const std::vector<KeyFile> files{
      {.path = "/etc/hooksmtpd/tls/key.pem", .error = 0, .text = "-----BEGIN PRIVATE KEY-----\n"},
      {.path = "/etc/hooksmtpd/tls/gone.pem", .error = ENOENT, .text = ""},
      {.path = "/etc/hooksmtpd/tls/password", .error = 0, .text = std::string("\0\xff\n12\0", 6)},
  };
  CHECK(parse_key_files(to_bytes(files)) == files);
  CHECK(parse_key_files("") == std::vector<KeyFile>{});
}

TEST_CASE("what nobody wrote is refused") {
  for (const std::string_view bytes :
       {"/a"sv, "/a\0"sv, "/a\0000\0"sv, "/a\0000\0003\0ab"sv, "\0000\0000\0"sv, "/a\0x\0000\0"sv, "/a\0000\0-1\0"sv,
        "/a\0000\00099999999999999999999\0"sv, "/a\0000\0002\0abc"sv}) {
    CHECK_FALSE(parse_key_files(bytes));
  }
}
