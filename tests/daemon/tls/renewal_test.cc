#include "daemon/tls/renewal.h"

#include <doctest/doctest.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <string>

#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;
using tls::HostNames;
using tls::Renewed;

namespace {

constexpr std::time_t kDay = 24 * 60 * 60;

tls::X509Ptr certificate_of(const std::string& pem) {
  auto chain = tls::read_chain("test", pem);
  REQUIRE(chain);
  return std::move(chain->leaf);
}

// What a client that trusts only the authority says, at `when`.
std::string verified(const tls::Files& files, std::time_t when) {
  const tls::X509Ptr authority = certificate_of(files.ca_certificate);
  const tls::X509Ptr leaf = certificate_of(files.certificate);
  const std::unique_ptr<X509_STORE, tls::Release<X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), authority.get());
  const std::unique_ptr<X509_STORE_CTX, tls::Release<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_VERIFY_PARAM* const how = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(how, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(how, when);
  X509_verify_cert(context.get());
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

const HostNames kHost{.names = {"mail.test", "devbox", "Mail.Example"}, .addresses = {"192.0.2.7", "2001:DB8::7"}};

}  // namespace

TEST_CASE("first an authority and a certificate for all names and addresses, which strict clients accept") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  CHECK(made.new_authority);
  CHECK(made.new_certificate);
  CHECK(made.why == "there is none yet");
  CHECK(made.notes.empty());
  CHECK(verified(made.files, now) == "ok");
  CHECK(verified(made.files, now + 396 * kDay) == "ok");
  CHECK(verified(made.files, now + 398 * kDay) == "certificate has expired");
  const HostNames names = tls::names_of(certificate_of(made.files.certificate).get());
  CHECK(names.names == std::vector<std::string>{"devbox", "localhost", "mail.example", "mail.test"});
  CHECK(names.addresses == std::vector<std::string>{"127.0.0.1", "192.0.2.7", "2001:db8::7", "::1"});
}

TEST_CASE("what is good stays as it is") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  const Renewed again = renew(made.files, kHost, now + 366 * kDay);
  CHECK_FALSE(again.new_authority);
  CHECK_FALSE(again.new_certificate);
  CHECK(again.why == "");
  CHECK(again.files == made.files);
}

TEST_CASE("a certificate is renewed in its last 30 days, by the same authority") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  for (const std::time_t days : {368, 500}) {
    const Renewed later = renew(made.files, kHost, now + days * kDay);
    CHECK_FALSE(later.new_authority);
    CHECK(later.new_certificate);
    CHECK(later.why.starts_with(days == 368 ? "it expires on 20" : "it expired on 20"));
    CHECK(later.files.ca_certificate == made.files.ca_certificate);
    CHECK(later.files.key != made.files.key);
    CHECK(verified(later.files, now + (days + 300) * kDay) == "ok");
  }
}

TEST_CASE("an authority at its end is replaced, and its certificate with it") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  // No certificate outlives its authority.
  const std::time_t late = now + 3600 * kDay;
  const Renewed last = renew(made.files, kHost, late);
  CHECK_FALSE(last.new_authority);
  CHECK(verified(last.files, now + 3651 * kDay) == "ok");
  const Renewed next = renew(last.files, kHost, now + 3630 * kDay);
  CHECK(next.new_authority);
  CHECK(next.new_certificate);
  CHECK(next.why.starts_with("it expires on 20"));
  CHECK(verified(next.files, now + 3700 * kDay) == "ok");
}

TEST_CASE("new names make a new certificate; those that the authority may not sign for are left out and told") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  HostNames changed = kHost;
  changed.names.insert(changed.names.end(), {"imap.mail.example", "other.test", "bank.example"});
  changed.addresses.push_back("198.51.100.1");
  const Renewed later = renew(made.files, changed, now);
  CHECK_FALSE(later.new_authority);
  CHECK(later.new_certificate);
  CHECK(later.why == "the names or addresses of this host have changed");
  REQUIRE(later.notes.size() == 2);
  CHECK(later.notes[0].starts_with("\"bank.example\" is left out: the local authority may not sign for it"));
  CHECK(later.notes[1].starts_with("\"198.51.100.1\" is left out"));
  const HostNames names = tls::names_of(certificate_of(later.files.certificate).get());
  CHECK(names.names == std::vector<std::string>{"devbox", "imap.mail.example", "localhost", "mail.example", "mail.test",
                                                "other.test"});
  CHECK(verified(later.files, now) == "ok");
  CHECK_FALSE(renew(later.files, changed, now).new_certificate);  // and not at every start
}

TEST_CASE("the authority's constraints hold against its own key") {
  const std::time_t now = std::time(nullptr);
  const tls::Identity authority =
      tls::make_authority({.names = {"localhost", "mail.test"}, .addresses = {"127.0.0.1"}}, now);
  for (const HostNames& names :
       {HostNames{.names = {"bank.example"}, .addresses = {}}, HostNames{.names = {}, .addresses = {"127.0.0.2"}},
        HostNames{.names = {"test.example"}, .addresses = {}}}) {
    const tls::Identity wrong = tls::make_certificate(authority, names, now);
    CHECK(verified({.ca_certificate = tls::to_pem(authority.certificate.get()),
                    .ca_key = {},
                    .certificate = tls::to_pem(wrong.certificate.get()),
                    .key = {}},
                   now) == "permitted subtree violation");
  }
}

TEST_CASE("files that do not belong together are made anew") {
  const std::time_t now = std::time(nullptr);
  const Renewed made = renew({}, kHost, now);
  const Renewed other = renew({}, kHost, now);
  tls::Files mixed = made.files;
  mixed.key = other.files.key;
  CHECK(renew(mixed, kHost, now).why == "it cannot be read, or does not belong to its key");
  mixed = made.files;
  mixed.ca_certificate = other.files.ca_certificate;
  mixed.ca_key = other.files.ca_key;
  CHECK(renew(mixed, kHost, now).why == "it comes from another authority");
  mixed = made.files;
  mixed.ca_key = other.files.ca_key;
  CHECK(renew(mixed, kHost, now).why == "its certificate and its key cannot be read, or do not belong together");
  mixed.ca_key = "garbage";
  CHECK(renew(mixed, kHost, now).new_authority);
}

TEST_CASE("an authority whose key was moved away is kept: nothing is renewed, and that is told when it is time") {
  const std::time_t now = std::time(nullptr);
  tls::Files files = renew({}, kHost, now).files;
  files.ca_key = "";
  const Renewed same = renew(files, kHost, now);
  CHECK(same.files == files);
  CHECK(same.notes.empty());
  const Renewed later = renew(files, kHost, now + 390 * kDay);
  CHECK(later.files == files);
  REQUIRE(later.notes.size() == 1);
  CHECK(later.notes[0].starts_with("ca-key.pem is missing, so the certificate is not renewed, though it expires on"));
}

TEST_CASE("what somebody else made is not replaced") {
  const std::time_t now = std::time(nullptr);
  const Pair own = make_pair();
  tls::Files files = renew({}, kHost, now).files;
  files.certificate = own.certificate_pem;
  files.key = own.key_pem;
  const Renewed refused = renew(files, kHost, now);
  CHECK(refused.files == files);
  CHECK(refused.refusal ==
        "cert.pem was not made by hooksmtpd, so it is not replaced: move it away, or take another folder");
  const Renewed authority =
      renew({.ca_certificate = own.certificate_pem, .ca_key = "garbage", .certificate = {}, .key = {}}, kHost, now);
  CHECK(authority.refusal.starts_with("ca.pem was not made by hooksmtpd"));
}

TEST_CASE("what is no name gets nowhere near a certificate") {
  std::vector<std::string> wrong;
  const HostNames tidied = tls::tidy(
      {.names = {"", "a_b", "a,DNS:bank.example", "-a", "a-", "a..b", "a.", "*.test", "10.0.0.1", "A.Test", "a.test"},
       .addresses = {"10.0.0.256", "::ffff", "0:0::2"}},
      wrong);
  CHECK(tidied.names == std::vector<std::string>{"a.test", "localhost"});
  CHECK(tidied.addresses == std::vector<std::string>{"10.0.0.1", "127.0.0.1", "::1", "::2", "::ffff"});
  CHECK(wrong ==
        std::vector<std::string>{"", "a_b", "a,dns:bank.example", "-a", "a-", "a..b", "a.", "*.test", "10.0.0.256"});
}
