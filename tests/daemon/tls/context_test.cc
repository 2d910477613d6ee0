#include "daemon/tls/context.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;

namespace {

std::unique_ptr<tls::Context> serve(const config::Tls& config, const std::vector<const Pair*>& pairs) {
  auto made = tls::Context::make(config, keys_of(pairs));
  REQUIRE_MESSAGE(made, made.error());
  return *std::move(made);
}

}  // namespace

TEST_CASE("facts of a connection: version, cipher, bits and the name that the client wants") {
  const Pair pair = make_pair();
  const auto context = serve(config_of({&pair}), {&pair});
  const Met met = meet(*context, {.server_name = "mail.test"});
  REQUIRE_MESSAGE(met.server, met.server_error);
  CHECK(met.facts.version == "TLSv1.3");
  CHECK(met.facts.cipher == "TLS_AES_256_GCM_SHA384");
  CHECK(met.facts.bits == 256);
  CHECK(met.facts.server_name == "mail.test");
  CHECK(met.facts.client_subject == "");
  CHECK(met.facts.client_fingerprint == "");
  CHECK_FALSE(met.facts.client_verified);
}

TEST_CASE("versions below tls.min_version fail, and 1.0 works where it is wanted") {
  const Pair pair = make_pair();
  config::Tls config = config_of({&pair});
  CHECK_FALSE(meet(*serve(config, {&pair}), {.max_version = TLS1_1_VERSION}).server);
  CHECK(meet(*serve(config, {&pair}), {.max_version = TLS1_2_VERSION}).facts.version == "TLSv1.2");
  config.min_version = config::TlsVersion::k13;
  CHECK_FALSE(meet(*serve(config, {&pair}), {.max_version = TLS1_2_VERSION}).server);
  config.min_version = config::TlsVersion::k10;
  CHECK(meet(*serve(config, {&pair}), {.max_version = TLS1_VERSION}).facts.version == "TLSv1");
}

TEST_CASE("no cipher whose key exchange would have the key decrypt") {
  const Pair pair = make_pair({.key = "RSA:2048"});
  const auto context = serve(config_of({&pair}), {&pair});
  CHECK_FALSE(meet(*context, {.max_version = TLS1_2_VERSION, .ciphers = "kRSA"}).server);
  CHECK(meet(*context, {.max_version = TLS1_2_VERSION, .ciphers = "kECDHE"}).server);
}

TEST_CASE("SNI chooses the certificate: exact names before wildcards, the first one for all others") {
  const Pair first = make_pair({.common_name = "first", .names = "DNS:first.test"});
  const Pair wildcard = make_pair({.common_name = "wildcard", .names = "DNS:*.example.test"});
  // Of another kind of key, which OpenSSL would put beside the wildcard's.
  const Pair exact =
      make_pair({.key = "RSA:2048", .common_name = "exact", .names = "DNS:smtp.example.test,DNS:xn--bcher-kva.test"});
  const std::vector<const Pair*> pairs{&first, &wildcard, &exact};
  const auto context = serve(config_of(pairs), pairs);
  struct Row {
    std::string name, certificate;
  };
  for (const Row& row :
       {Row{"", "first"}, Row{"first.test", "first"}, Row{"FIRST.TEST", "first"}, Row{"other.test", "first"},
        Row{"imap.example.test", "wildcard"}, Row{"smtp.example.test", "exact"}, Row{"a.b.example.test", "first"},
        Row{"example.test", "first"}, Row{".example.test", "first"}, Row{"xn--bcher-kva.test", "exact"}}) {
    CAPTURE(row.name);
    CHECK(meet(*context, {.server_name = row.name}).certificate_name == row.certificate);
    CHECK(meet(*context, {.max_version = TLS1_2_VERSION, .server_name = row.name}).certificate_name == row.certificate);
  }
}

TEST_CASE("of two certificates for one name with the same kind of key, the first of the configuration is shown") {
  const Pair first = make_pair({.common_name = "first"});
  const Pair second = make_pair({.common_name = "second"});
  const std::vector<const Pair*> pairs{&first, &second};
  CHECK(meet(*serve(config_of(pairs), pairs), {.server_name = "mail.test"}).certificate_name == "first");
}

TEST_CASE("RSA and ECDSA certificates for one name: each client gets what it can verify") {
  const Pair ecdsa = make_pair({.common_name = "ecdsa"});
  const Pair rsa = make_pair({.key = "RSA:2048", .common_name = "rsa"});
  const std::vector<const Pair*> pairs{&ecdsa, &rsa};
  const auto context = serve(config_of(pairs), pairs);
  const ClientWish old{.max_version = TLS1_2_VERSION, .server_name = "mail.test", .ciphers = "aRSA"};
  CHECK(meet(*context, old).certificate_name == "rsa");
  const ClientWish modern{.server_name = "mail.test", .sigalgs = "ECDSA+SHA256"};
  CHECK(meet(*context, modern).certificate_name == "ecdsa");
}

TEST_CASE("request: a client certificate is recorded, good or not") {
  const Pair pair = make_pair();
  const Pair authority = make_pair({.common_name = "authority", .names = "", .authority = true});
  config::Tls config = config_of({&pair});
  config.client_certificates = config::ClientCertificates::kRequest;
  config.authorities = {{.file = "ca.pem", .text = authority.certificate_pem}};
  const auto context = serve(config, {&pair});

  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Pair ann = make_pair({.common_name = "Ann, B\xc3\xbc"
                                               "cher\n"},
                               &authority);
    const Met good = meet(*context, {.max_version = version, .certificate = &ann});
    REQUIRE_MESSAGE(good.server, good.server_error);
    CHECK(good.facts.client_subject == "CN=Ann\\, B\\C3\\BCcher\\0A");
    CHECK(good.facts.client_fingerprint.size() == 64);
    CHECK(good.facts.client_verified);
    CHECK(good.facts.client_problem == "");

    const Pair stranger = make_pair({.common_name = "stranger"});
    const Met bad = meet(*context, {.max_version = version, .certificate = &stranger});
    REQUIRE_MESSAGE(bad.server, bad.server_error);
    CHECK(bad.facts.client_subject == "CN=stranger");
    CHECK_FALSE(bad.facts.client_verified);
    CHECK(bad.facts.client_problem != "");

    const Met none = meet(*context, {.max_version = version});
    REQUIRE(none.server);
    CHECK(none.facts.client_subject == "");
    CHECK_FALSE(none.facts.client_verified);
  }
}

TEST_CASE("the chain that is shown is the one in the file, whatever else is known of its issuers") {
  const Pair root = make_pair({.common_name = "root", .names = "", .authority = true});
  const Pair middle = make_pair({.common_name = "middle", .names = "", .authority = true}, &root);
  const Pair leaf = make_pair({}, &middle);
  config::Tls config = config_of({&leaf});
  config.authorities = {{.file = "ca.pem", .text = root.certificate_pem + middle.certificate_pem}};
  CHECK(meet(*serve(config, {&leaf})).chain == 1);
  config.certificates[0].chain.text += middle.certificate_pem;
  CHECK(meet(*serve(config, {&leaf})).chain == 2);
  CHECK(meet(*serve(config, {&leaf}), {.max_version = TLS1_2_VERSION}).chain == 2);
}

TEST_CASE("require: without a good client certificate the handshake fails") {
  const Pair pair = make_pair();
  const Pair authority = make_pair({.common_name = "authority", .names = "", .authority = true});
  config::Tls config = config_of({&pair});
  config.client_certificates = config::ClientCertificates::kRequire;
  config.authorities = {{.file = "ca.pem", .text = authority.certificate_pem}};
  const auto context = serve(config, {&pair});
  const Pair ann = make_pair({.common_name = "Ann"}, &authority);
  const Pair stranger = make_pair({.common_name = "stranger"});
  CHECK(meet(*context, {.certificate = &ann}).facts.client_verified);
  CHECK_FALSE(meet(*context, {.certificate = &stranger}).server);
  CHECK_FALSE(meet(*context).server);
}

TEST_CASE("a session is resumed by its ticket, with what was verified then") {
  const Pair pair = make_pair();
  const Pair authority = make_pair({.common_name = "authority", .names = "", .authority = true});
  config::Tls config = config_of({&pair});
  config.client_certificates = config::ClientCertificates::kRequest;
  config.authorities = {{.file = "ca.pem", .text = authority.certificate_pem}};
  const Pair ann = make_pair({.common_name = "Ann"}, &authority);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = serve(config, {&pair});
    const Met first = meet(*context, {.max_version = version, .certificate = &ann});
    REQUIRE_MESSAGE(first.server, first.server_error);
    CHECK_FALSE(first.resumed);
    const Met second = meet(*context, {.max_version = version, .resume = first.session.get()});
    CHECK(second.resumed);
    CHECK(second.facts.client_subject == "CN=Ann");
    CHECK(second.facts.client_verified);
    // Another configuration has other ticket keys: a full handshake under its rules.
    CHECK_FALSE(meet(*serve(config, {&pair}), {.max_version = version, .resume = first.session.get()}).resumed);
  }
}

TEST_CASE("make fails with the sentence of what is wrong") {
  const Pair pair = make_pair();
  config::Tls config = config_of({&pair});
  const auto error_of = [&]() -> std::string {
    const auto made = tls::Context::make(config, keys_of({&pair}));
    return made ? "nothing" : made.error();
  };
  config.ciphers = "NONSENSE";
  CHECK(error_of().starts_with("tls.ciphers = \"NONSENSE\" selects no cipher"));
  config.ciphers = "";
  config.certificates[0].chain.text = "";
  CHECK(error_of() == "1.crt holds no certificate");
  config.certificates.clear();
  CHECK(error_of() == "there is no certificate: set tls.certificate and tls.key");
}
