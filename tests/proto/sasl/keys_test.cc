// What is kept of a password, against the vectors of the RFCs.

#include <doctest/doctest.h>

#include "proto/sasl/base64.h"
#include "proto/sasl/digest.h"
#include "proto/sasl/hmac_md5.h"
#include "proto/sasl/saslprep.h"
#include "proto/sasl/scram_keys.h"
#include "tests/proto/sasl/users.h"

using namespace hooksmtpd::sasl;

TEST_CASE("keys for SCRAM-SHA-256 come out as in RFC 7677 §3") {
  const ScramKeys keys = derive_scram_keys("pencil", base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4096);
  CHECK(keys == users().find("user")->scram);
  CHECK(is_password_of(keys, "pencil"));
  CHECK_FALSE(is_password_of(keys, "pencil "));
  CHECK_FALSE(is_password_of(keys, ""));
}

TEST_CASE("a digest for CRAM-MD5 comes out as in RFC 2195 §2") {
  const CramKeys keys = derive_cram_keys("tanstaaftanstaaf");
  CHECK(hmac_md5_hex(keys, "<1896.697170952@postoffice.reston.mci.net>") == "b913a602c7eda7a495b4e6e7334d3890");
}

TEST_CASE("HMAC-MD5 comes out as in RFC 2202 §2, also where the key is longer than a block") {
  CHECK(hmac_md5_hex(derive_cram_keys("Jefe"), "what do ya want for nothing?") == "750c783e6ab0b503eaa86e310a5db738");
  const std::string long_key(80, '\xaa');
  CHECK(hmac_md5_hex(derive_cram_keys(long_key), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
  CHECK(hmac_md5_hex(derive_cram_keys(long_key),
                     "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data") ==
        "6f630fad67cda0ee1fb1f562db3aa53e");
}

TEST_CASE("SASLprep does what RFC 4013 §3 shows") {
  const std::pair<std::string_view, std::optional<std::string>> cases[] = {
      {"user", "user"},
      {"USER", "USER"},
      {"with space", "with space"},
      {"I\xc2\xadX", "IX"},       // a soft hyphen is nothing
      {"\xc2\xaa", "a"},          // NFKC
      {"\xe2\x85\xa8", "IX"},     // one letter that looks like two
      {"a\xc2\xa0\x62", "a b"},   // a space that does not break
      {"e\xcc\x81", "\xc3\xa9"},  // e and an accent, typed one after another
      {"\x07", {}},               // prohibited
      {"a\x7f", {}},
      {std::string_view("a\0b", 3), {}},
      {"\xd8\xa7\x31", {}},  // right to left, and not to its end
      {"\xc2\xad", {}},      // nothing is left
      {"", {}},
      {"\xf0\x9f\xa6\x84", {}},  // younger than Unicode 3.2
      {"\xe4", {}},              // Latin-1
      {"\xc3", {}},
      {"\xed\xa0\x80", {}},  // a surrogate
  };
  for (const auto& [text, prepared] : cases) {
    CAPTURE(text);
    CHECK(saslprep(text) == prepared);
  }
  std::string longest, expected;
  for (int i = 0; i < 80; ++i) longest += "\xef\xb7\xba";  // U+FDFA: the longest that one can become
  CHECK(saslprep(longest)->size() == 80 * 33);
}

TEST_CASE("equal compares all of both") {
  CHECK(equal(octets("abc"), octets("abc")));
  CHECK(equal({}, {}));
  CHECK_FALSE(equal(octets("abc"), octets("abd")));
  CHECK_FALSE(equal(octets("abc"), octets("ab")));
}
