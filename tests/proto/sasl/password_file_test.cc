#include "proto/sasl/password_file.h"

#include <doctest/doctest.h>

#include "proto/sasl/hmac_md5.h"
#include "tests/proto/sasl/users.h"

using namespace hooksmtpd::sasl;

namespace {

const std::string kKeys(kPencilKeys);

std::string first_error(std::string_view text) {
  const auto file = PasswordFile::parse(text);
  if (file) return "";
  const LineError& error = file.error().front();
  return std::to_string(error.line) + ':' + std::to_string(error.column) + ' ' + error.text;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a password file has comments, empty lines and entries") {
  const PasswordFile file = parsed("# people\n\nzoe:" + kKeys + "\nann@example.org:" + kKeys + ":{CRAM-MD5}" +
                                   std::string(64, 'a') + "\nwith space:" + kKeys);
  CHECK(file.entries().size() == 3);
  CHECK(file.find("zoe"));
  CHECK(file.find("with space"));
  CHECK(file.find("ann@example.org")->cram->outer[0] == 0xaa);
  CHECK_FALSE(file.find("ann"));
  CHECK_FALSE(file.find(""));
  CHECK_FALSE(file.find("Zoe"));
  CHECK(file.has_cram());
  CHECK_FALSE(users().has_cram());
}

TEST_CASE("an empty password file is one that lets nobody in") {
  CHECK(parsed("").entries().empty());
  CHECK_FALSE(parsed("").find("ann"));
}

TEST_CASE("an entry is written as it is read") {
  Entry entry = *users().find("user");
  CHECK(to_string(entry) == "user:" + kKeys);
  entry.cram = derive_cram_keys("pencil");
  CHECK(*parsed(to_string(entry)).find("user") == entry);
}

TEST_CASE("a mistake in a password file is named with its place and the fix") {
  const std::string good = "a:" + kKeys;
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"ann", "1:4", "after the name comes \":{SCRAM-SHA-256}\""},
      {"secret", "1:7", "`hooksmtpd passwd NAME --file"},
      {"ann:secret", "1:4", "`hooksmtpd passwd ann --file"},
      {"a;b:secret", "1:4", "`hooksmtpd passwd NAME --file"},
      {"ann:{PLAIN}secret", "1:4", "passwords and other hashes cannot stand here"},
      {"ann:$2y$10$abcdefg", "1:4", "other hashes"},
      {":" + kKeys, "1:1", "a name is missing"},
      {"a\tb:" + kKeys, "1:1", "control characters"},
      {std::string(256, 'a') + ":" + kKeys, "1:1", "at most 255 octets"},
      {"ann:{SCRAM-SHA-256}", "1:20", "iterations"},
      {"ann:{SCRAM-SHA-256}4095,W22ZaJ0SNY7soEsUEjb6gQ==$", "1:20", "4096 to 100000"},
      {"ann:{SCRAM-SHA-256}100001,W22ZaJ0SNY7soEsUEjb6gQ==$", "1:20", "4096 to 100000"},
      {"ann:{SCRAM-SHA-256}99999999999999999999,W22", "1:20", "iterations"},
      {"ann:{SCRAM-SHA-256}-4096,W22", "1:20", "iterations"},
      {"ann:{SCRAM-SHA-256}4096", "1:24", "salt"},
      {"ann:{SCRAM-SHA-256}4096,c2FsdA==$", "1:25", "8 to 64 octets"},
      {"ann:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ$", "1:25", "base64"},
      {"ann:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==$AAAA$BBBB", "1:50", "StoredKey"},
      {"ann:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==", "1:49", "StoredKey"},
      {good.substr(0, good.size() - 5), "1:93", "ServerKey"},
      {good + " ", "1:93", "ServerKey"},
      {good + ":", "1:137", "the line should end here"},
      {good + ":{CRAM-MD5}", "1:148", "64 digits"},
      {good + ":{CRAM-MD5}" + std::string(64, 'A'), "1:148", "64 digits"},
      {good + ":{CRAM-MD5}" + std::string(64, 'a') + ":x", "1:212", "the line should end here"},
      {good + "\r\n", "1:137", "line feed"},
      {good + "\nb:x\n", "2:2", "after the name"},
      {good + "\n\n" + good, "3:1", "line 1 has an entry of that name"},
  };
  for (const auto& [text, place, part] : cases) {
    CAPTURE(text);
    const std::string error = first_error(text);
    CHECK(error.substr(0, error.find(' ')) == place);
    CHECK_MESSAGE(has(error, part), error);
  }
}

TEST_CASE("all mistakes of a password file are told, and none quotes what may be a secret") {
  const auto file = PasswordFile::parse("ann:hunter2\nbob:{PLAIN}hunter2\n");
  REQUIRE_FALSE(file);
  CHECK(file.error().size() == 2);
  for (const LineError& error : file.error()) CHECK_FALSE(has(error.text, "hunter2"));
}
