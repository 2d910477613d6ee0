// SCRAM-SHA-256.

#include "proto/sasl/scram.h"

#include <doctest/doctest.h>

#include "proto/sasl/base64.h"
#include "proto/sasl/digest.h"
#include "tests/proto/sasl/users.h"

using namespace hooksmtpd::sasl;
using namespace std::string_literals;

namespace {

const std::string kClientNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerFirst = "r=" + kClientNonce + std::string(kNonce) + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

Exchange scram(const PasswordFile& file = users()) {
  return Exchange(Mechanism::kScramSha256, &file, std::string(kNonce), "mail.test");
}

std::string first_step(std::string_view message) { return shown(scram().begin(message)); }

// `without_proof` and the proof of a client that knows the password.
std::string proven(const std::string& without_proof, std::string_view bare, const std::string& server_first,
                   std::string_view password) {
  const std::string salt =
      server_first.substr(server_first.find(",s=") + 3, server_first.rfind(',') - server_first.find(",s=") - 3);
  const Key salted = pbkdf2(password, *base64_decode(salt), 4096);
  const Key client_key = hmac_sha256(salted, "Client Key");
  const Key signature = hmac_sha256(sha256(client_key), std::string(bare) + ',' + server_first + ',' + without_proof);
  Key proof = client_key;
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];
  return without_proof + ",p=" + base64_encode(text(proof));
}

// What such a client sends as client-final, with `extensions` (",x=…") before the proof.
std::string client_final(std::string_view header, std::string_view bare, const std::string& server_first,
                         std::string_view password, std::string_view extensions = {}) {
  const std::string nonce = server_first.substr(2, server_first.find(',') - 2);
  return proven("c=" + base64_encode(header) + ",r=" + nonce + std::string(extensions), bare, server_first, password);
}

// The step after a client-final by a client that began with header and bare.
std::string second_step(std::string_view header, std::string_view bare, std::string_view password,
                        std::string_view extensions = {}) {
  Exchange exchange = scram();
  const Step first = exchange.begin(std::string(header) + std::string(bare));
  return shown(exchange.next(client_final(header, bare, std::get<Challenge>(first).bytes, password, extensions)));
}

}  // namespace

TEST_CASE("SCRAM-SHA-256 runs as in RFC 7677 §3, with an empty answer to server-final (RFC 4954 §4)") {
  Exchange exchange = scram();
  CHECK(shown(exchange.begin("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")) == "334 " + kServerFirst);
  CHECK(shown(exchange.next("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")) ==
        "334 v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  CHECK(shown(exchange.next("")) == "accepted");
  CHECK(exchange.credentials().user == "user");
}

TEST_CASE("SCRAM: nobody is accepted before the answer to server-final, and that answer is empty") {
  Exchange exchange = scram();
  CHECK(shown(exchange.begin({})) == "334 ");
  exchange.next("n,,n=user,r=" + kClientNonce);
  exchange.next(client_final("n,,", "n=user,r=" + kClientNonce, kServerFirst, "pencil"));
  CHECK(shown(exchange.next("x")) == "501");
}

TEST_CASE("SCRAM: client-first is taken to pieces exactly (RFC 5802 §7)") {
  const std::pair<std::string, std::string> cases[] = {
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "334 " + kServerFirst},
      {"y,,n=user,r=rOprNGfwEbeRWgbNEkqO", "334 " + kServerFirst},
      {"n,a=user,n=user,r=rOprNGfwEbeRWgbNEkqO", "334 " + kServerFirst},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=new,Y=a=b", "334 " + kServerFirst},
      {"n,a=root,n=user,r=rOprNGfwEbeRWgbNEkqO", "535"},
      {"p=tls-unique,,n=user,r=rOprNGfwEbeRWgbNEkqO", "535"},
      {"n,,m=must,n=user,r=rOprNGfwEbeRWgbNEkqO", "535"},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,m=must", "501"},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,", "501"},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x", "501"},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=", "501"},
      {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO,1=x", "501"},
      {"n,,n=user,r=", "501"},
      {"n,,n=user,r=a b", "501"},
      {"n,,n=user,r="s + std::string(257, 'r'), "501"},
      {"n,,n=user", "501"},
      {"n,,n=,r=abc", "501"},
      {"n,,r=abc,n=user", "501"},
      {"n,,n=us=er,r=abc", "501"},
      {"n,,n=us=2cer,r=abc", "501"},
      {"n,,n=user=,r=abc", "501"},
      {"n,,n="s + std::string(256, 'u') + ",r=abc", "501"},
      {"n,,n=us\0er,r=abc"s, "501"},
      {"n,b=user,n=user,r=abc", "501"},
      {"n,a=,n=user,r=abc", "501"},
      {"x,,n=user,r=abc", "501"},
      {"p=,,n=user,r=abc", "501"},
      {",,n=user,r=abc", "501"},
      {"n,n=user,r=abc", "501"},
      {"n=user,r=abc", "501"},
      {"n,,", "501"},
      {"n", "501"},
      {"", "501"},
      {"n,,n=user,r=abc,x="s + std::string(2048, 'x'), "501"},
  };
  for (const auto& [message, result] : cases) {
    CAPTURE(message);
    CHECK(first_step(message) == result);
  }
}

TEST_CASE("SCRAM: client-final is taken to pieces exactly, and every part of it counts (RFC 5802 §7)") {
  const std::string bare = "n=user,r=" + kClientNonce;
  const std::string good = client_final("n,,", bare, kServerFirst, "pencil");
  const std::string proof = good.substr(good.rfind(",p="));
  const std::string nonce = kClientNonce + std::string(kNonce);
  const std::pair<std::string, std::string> cases[] = {
      {"c=biws,r=" + nonce + "x" + proof, "535"},
      {"c=biws,r=" + kClientNonce + proof, "535"},
      {"c=eSws,r=" + nonce + proof, "535"},           // "y,,": not what it began with
      {"c=biws,r=" + nonce + ",x=1" + proof, "535"},  // not what was signed
      {"c=biws,r=" + nonce + ",m=1" + proof, "501"},
      {"c=biws,r=" + nonce + ",p=" + base64_encode(std::string(32, 'x')), "535"},
      {"c=biws,r=" + nonce + ",p=" + base64_encode(std::string(31, 'x')), "501"},
      {"c=biws,r=" + nonce + ",p=", "501"},
      {"c=biws,r=" + nonce + ",p=*", "501"},
      {"c=biws,r=" + nonce, "501"},
      {"c=biws" + proof, "501"},
      {"r=" + nonce + ",c=biws" + proof, "501"},
      {"c=biws,r=" + nonce + "," + proof, "501"},
      {proof, "501"},
      {good + ",x=1", "501"},
      {good + std::string(2048, 'x'), "501"},
      {"", "501"},
  };
  for (const auto& [message, result] : cases) {
    CAPTURE(message);
    Exchange exchange = scram();
    REQUIRE(shown(exchange.begin("n,," + bare)) == "334 " + kServerFirst);
    CHECK(shown(exchange.next(message)) == result);
  }
}

TEST_CASE(
    "SCRAM: who knows the password and repeats another header or nonce than was said is refused (RFC 5802 §5.1, §6)") {
  const std::string bare = "n=user,r=" + kClientNonce;
  const std::string nonce = kClientNonce + std::string(kNonce);
  const auto answer_to = [&](const std::string& without_proof) {
    Exchange exchange = scram();
    REQUIRE(shown(exchange.begin("n,," + bare)) == "334 " + kServerFirst);
    return shown(exchange.next(proven(without_proof, bare, kServerFirst, "pencil")));
  };
  CHECK(answer_to("c=biws,r=" + nonce).starts_with("334 v="));
  CHECK(answer_to("c=eSws,r=" + nonce) == "535");  // "y,,": somebody between has changed the header on its way
  CHECK(answer_to("c=biws,r=" + kClientNonce) == "535");
  CHECK(answer_to("c=biws,r=" + nonce + "x") == "535");
}

TEST_CASE("SCRAM: a password that is right is proven, whatever else a client says with it") {
  CHECK(second_step("n,,", "n=user,r=abc", "pencil").starts_with("334 v="));
  CHECK(second_step("y,,", "n=user,r=abc", "pencil").starts_with("334 v="));
  CHECK(second_step("n,a=user,", "n=user,r=abc", "pencil").starts_with("334 v="));
  CHECK(second_step("n,,", "n=user,r=abc,x=1", "pencil", ",y=2,z=3").starts_with("334 v="));
  CHECK(second_step("n,,", "n=user,r=abc", "crayon") == "535");
  CHECK(second_step("n,,", "n=us\xc2\xad\x65r,r=abc", "pencil").starts_with("334 v="));  // SASLprep
}

TEST_CASE("SCRAM: names are written with =2C and =3D (RFC 5802 §5.1)") {
  const PasswordFile file = parsed("a,b=c:" + std::string(kPencilKeys));
  Exchange exchange = scram(file);
  const std::string bare = "n=a=2Cb=3Dc,r=abc";
  const Step first = exchange.begin("n,a=a=2Cb=3Dc," + bare);
  CHECK(shown(exchange.next(client_final("n,a=a=2Cb=3Dc,", bare, std::get<Challenge>(first).bytes, "pencil")))
            .starts_with("334 v="));
  CHECK(shown(exchange.next("")) == "accepted");
  CHECK(exchange.credentials().user == "a,b=c");
}

TEST_CASE("SCRAM: a name that nobody has gets a salt, the same each time, and is refused at the end") {
  const auto challenge = [] { return std::get<Challenge>(scram().begin("n,,n=ghost,r=abc")).bytes; };
  CHECK(challenge() == challenge());
  CHECK(challenge().ends_with(",i=4096"));
  CHECK(second_step("n,,", "n=ghost,r=abc", "pencil") == "535");
  CHECK(second_step("n,,", "n=\xff,r=abc", "pencil") == "535");
}
