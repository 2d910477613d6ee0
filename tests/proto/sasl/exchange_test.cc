// PLAIN, LOGIN, CRAM-MD5, and what all mechanisms share.

#include "proto/sasl/exchange.h"

#include <doctest/doctest.h>

#include "proto/sasl/account.h"
#include "proto/sasl/hmac_md5.h"
#include "tests/proto/sasl/users.h"

using namespace hooksmtpd::sasl;
using namespace std::string_literals;

namespace {

Exchange exchange(Mechanism mechanism, const PasswordFile* file = &users()) {
  return Exchange(mechanism, file, std::string(kNonce), "mail.test");
}

}  // namespace

TEST_CASE("a mechanism is known by its name in any case (RFC 4954 §8)") {
  CHECK(parse_mechanism("scram-sha-256") == Mechanism::kScramSha256);
  CHECK(parse_mechanism("PLAIN") == Mechanism::kPlain);
  CHECK(parse_mechanism("Login") == Mechanism::kLogin);
  CHECK(parse_mechanism("CRAM-MD5") == Mechanism::kCramMd5);
  CHECK(parse_mechanism("XOAUTH2") == Mechanism::kXoauth2);
  CHECK(parse_mechanism("OAUTHBEARER") == Mechanism::kOauthbearer);
  CHECK_FALSE(parse_mechanism("SCRAM-SHA-256-PLUS"));
  CHECK_FALSE(parse_mechanism("SCRAM-SHA-1"));
  CHECK_FALSE(parse_mechanism(""));
  CHECK(to_string(Mechanism::kOauthbearer) == "OAUTHBEARER");
}

TEST_CASE("a source offers what it can judge, strongest first") {
  using enum Mechanism;
  const PasswordFile cram = parsed("tim:" + std::string(kPencilKeys) + ":{CRAM-MD5}" + std::string(64, '0'));
  CHECK(offered(Source::kPasswords, &users()) == std::vector{kScramSha256, kPlain, kLogin});
  CHECK(offered(Source::kPasswords, &cram) == std::vector{kScramSha256, kPlain, kLogin, kCramMd5});
  CHECK(offered(Source::kPasswords, nullptr) == std::vector{kScramSha256, kPlain, kLogin});
  CHECK(offered(Source::kHook, nullptr) == std::vector{kPlain, kLogin, kXoauth2, kOauthbearer});
  CHECK(offered(Source::kAcceptAny, nullptr) == std::vector{kPlain, kLogin, kCramMd5, kXoauth2, kOauthbearer});
}

TEST_CASE("PLAIN takes one message (RFC 4616 §2)") {
  const std::pair<std::string, std::string> cases[] = {
      {"\0user\0pencil"s, "accepted"},
      {"user\0user\0pencil"s, "accepted"},
      {"root\0user\0pencil"s, "535"},  // a password file lets nobody act as another
      {"\0user\0pencils"s, "535"},
      {"\0user\0PENCIL"s, "535"},
      {"\0us\xc2\xad\x65r\0pencil"s, "accepted"},  // SASLprep: the soft hyphen goes
      {"\0user\0\xe4"s, "535"},                    // not UTF-8
      {"\0nobody\0pencil"s, "535"},
      {"\0\xff\0pencil"s, "535"},
      {"", "501"},
      {"user", "501"},
      {"\0user"s, "501"},
      {"\0user\0"s, "501"},
      {"\0\0pencil"s, "501"},
      {"\0user\0pencil\0"s, "501"},
      {"\0user\0"s + std::string(1024, 'x'), "535"},
      {"\0user\0"s + std::string(1025, 'x'), "501"},
      {"\0"s + std::string(255, 'u') + "\0pencil"s, "535"},
      {"\0"s + std::string(256, 'u') + "\0pencil"s, "501"},
      {std::string(256, 'u') + "\0user\0pencil"s, "501"},
  };
  for (const auto& [response, result] : cases) {
    CAPTURE(response);
    CHECK(shown(exchange(Mechanism::kPlain).begin(response)) == result);
    Exchange without_initial = exchange(Mechanism::kPlain);
    CHECK(shown(without_initial.begin({})) == "334 ");
    CHECK(shown(without_initial.next(response)) == result);
  }
}

TEST_CASE("LOGIN asks for both, or takes the name with the command") {
  Exchange asked = exchange(Mechanism::kLogin);
  CHECK(shown(asked.begin({})) == "334 Username:");
  CHECK(shown(asked.next("user")) == "334 Password:");
  CHECK(shown(asked.next("pencil")) == "accepted");
  CHECK(asked.credentials().user == "user");

  Exchange named = exchange(Mechanism::kLogin);
  CHECK(shown(named.begin("user")) == "334 Password:");
  CHECK(shown(named.next("crayon")) == "535");

  Exchange unknown = exchange(Mechanism::kLogin);
  CHECK(shown(unknown.begin("nobody")) == "334 Password:");
  CHECK(shown(unknown.next("pencil")) == "535");

  CHECK(shown(exchange(Mechanism::kLogin).begin("")) == "501");
  Exchange empty = exchange(Mechanism::kLogin);
  empty.begin("user");
  CHECK(shown(empty.next("")) == "501");
}

TEST_CASE("with a judge the password is handed over as it came, with whom the client wants to be") {
  Exchange plain = exchange(Mechanism::kPlain, nullptr);
  CHECK(shown(plain.begin("boss\0ann\xe4\0p\xffw"s)) == "judge");
  CHECK(plain.credentials().mechanism == Mechanism::kPlain);
  CHECK(plain.credentials().authorization_id == "boss");
  CHECK(plain.credentials().user == "ann\xe4");
  CHECK(plain.credentials().password == "p\xffw");
  CHECK(shown(exchange(Mechanism::kPlain, nullptr).begin("\0ann\0"s)) == "501");
  CHECK(shown(Refused(refused_by_judge(Mechanism::kPlain))) == "535");

  Exchange login = exchange(Mechanism::kLogin, nullptr);
  login.begin("ann");
  CHECK(shown(login.next("pw")) == "judge");
  CHECK(login.credentials().password == "pw");
}

TEST_CASE("CRAM-MD5 challenges, and accepts a digest of an entry that was made for it (RFC 2195)") {
  const std::string challenge = "<" + std::string(kNonce) + "@mail.test>";
  Entry tim{.user = "tim", .scram = users().find("user")->scram, .cram = derive_cram_keys("tanstaaftanstaaf")};
  const PasswordFile file = parsed("user:" + std::string(kPencilKeys) + "\n" + to_string(tim));
  const std::string digest = hmac_md5_hex(*tim.cram, challenge);

  const std::pair<std::string, std::string> cases[] = {
      {"tim " + digest, "accepted"},
      {"tim " + hmac_md5_hex(*tim.cram, "another"), "535"},
      {"user " + digest, "535"},  // has no key for it
      {"user " + hmac_md5_hex(CramKeys{}, challenge), "535"},
      {"nobody " + digest, "535"},
      {"two words " + digest, "535"},
      {"tim", "501"},
      {"tim ", "501"},
      {" " + digest, "501"},
      {"tim " + digest.substr(1), "501"},
      {"tim " + digest + "0", "501"},
      {"tim " + std::string(32, 'A'), "501"},
      {"", "501"},
  };
  for (const auto& [response, result] : cases) {
    CAPTURE(response);
    Exchange cram = exchange(Mechanism::kCramMd5, &file);
    CHECK(shown(cram.begin({})) == "334 " + challenge);
    CHECK(shown(cram.next(response)) == result);
  }
  CHECK(shown(exchange(Mechanism::kCramMd5, &file).begin("tim " + digest)) == "501");  // RFC 4954 §4

  Exchange judged = exchange(Mechanism::kCramMd5, nullptr);
  judged.begin({});
  CHECK(shown(judged.next("ann " + digest)) == "judge");
  CHECK(judged.credentials().challenge == challenge);
  CHECK(judged.credentials().digest == digest);
}

TEST_CASE("a name that nobody has is like one that somebody has: the same decoy again, of the shape of the others") {
  const PasswordFile file = parsed("a:{SCRAM-SHA-256}5000" + std::string(kPencilKeys.substr(19)) +
                                   "\nb:{SCRAM-SHA-256}5000" + std::string(kPencilKeys.substr(19)));
  const Account ghost = find_account(file, "ghost");
  CHECK_FALSE(ghost.exists);
  CHECK(ghost.scram == find_account(file, "ghost").scram);
  CHECK(ghost.scram.iterations == 5000);
  CHECK(ghost.scram.salt.size() == 16);
  CHECK(ghost.scram.salt != find_account(file, "ghost2").scram.salt);
  CHECK(ghost.scram.salt != find_account(users(), "ghost").scram.salt);
  // As a real name, it is one name however it was typed.
  CHECK(ghost.scram == find_account(file, "gh\xc2\xadost").scram);
  CHECK(find_account(file, "a").exists);
  CHECK_FALSE(find_account(parsed(""), "ghost").exists);
}
