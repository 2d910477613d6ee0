// Certificates are found in any text, and nothing else is.

#include "config/pem.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace hooksmtpd::config {
namespace {

const std::string kOne = "-----BEGIN CERTIFICATE-----\nMIIBone+/==\n-----END CERTIFICATE-----\n";
const std::string kTwo = "-----BEGIN CERTIFICATE-----\nMIIBtwo\nMIIB\n-----END CERTIFICATE-----\n";
const std::string kKey = "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----\n";

using Blocks = std::vector<std::string>;

TEST_CASE("certificates are found in their order, between whatever else stands there") {
  CHECK_EQ(certificates_in(""), Blocks{});
  CHECK_EQ(certificates_in("hello\n"), Blocks{});
  CHECK_EQ(certificates_in(kOne), Blocks{kOne});
  CHECK_EQ(certificates_in("subject=x\n" + kTwo + "\nissuer=y\n" + kOne + "the end"), Blocks{kTwo, kOne});
}

TEST_CASE("line ends of Windows, blanks at the end and a missing last line end do no harm") {
  CHECK_EQ(certificates_in("-----BEGIN CERTIFICATE-----\r\nMIIBone+/== \r\n-----END CERTIFICATE-----"), Blocks{kOne});
}

TEST_CASE("the older names of a certificate are known") {
  const std::string old = "-----BEGIN X509 CERTIFICATE-----\nMIIB\n-----END X509 CERTIFICATE-----\n";
  CHECK_EQ(certificates_in(old), Blocks{old});
}

TEST_CASE("no private key comes along, wherever it stands and however broken the text is") {
  const std::string begin = "-----BEGIN CERTIFICATE-----\n", end = "-----END CERTIFICATE-----\n";
  for (const std::string& text : {
           kKey + kOne,
           kOne + kKey,
           kKey + kOne + kKey,
           begin + kKey + end + kOne,  // one that never ends
           begin + "MIIB\n" + kKey + end + kOne,
           begin + "SECRET \tSECRET\n" + end + kOne,
           "-----BEGIN PRIVATE KEY-----\nSECRET\n" + end + kOne,
           "-----BEGIN PRIVATE KEY-----\nSECRET\n" + kOne,
       }) {
    CHECK_EQ(certificates_in(text), Blocks{kOne});
  }
  CHECK_EQ(certificates_in(begin + "SECRET\n-----END PRIVATE KEY-----\n"), Blocks{});
}

TEST_CASE("that there is a private key is seen") {
  CHECK(has_private_key(kKey));
  CHECK(has_private_key(kOne + "-----BEGIN ENCRYPTED PRIVATE KEY-----\r\n"));
  CHECK(has_private_key("-----BEGIN PRIVATE KEY-----"));
  CHECK(!has_private_key(kOne));
  CHECK(!has_private_key("-----BEGIN PUBLIC KEY-----\n"));
  CHECK(!has_private_key("# PRIVATE KEY"));
}

}  // namespace
}  // namespace hooksmtpd::config
