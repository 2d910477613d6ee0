#include "daemon/tls/judge.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;
using config::Severity;

namespace {

const Pair& authority() {
  static const Pair pair = make_pair({.common_name = "authority", .names = "", .authority = true});
  return pair;
}
const Pair& good() {
  static const Pair pair = make_pair({}, &authority());
  return pair;
}
const Pair& other() {
  static const Pair pair = make_pair({.key = "RSA:2048"}, &authority());
  return pair;
}

// A configuration of one certificate and what can be read of its key.
struct Case {
  explicit Case(const Pair& pair) : tls(config_of({&pair})) { read("1.key", pair.key_pem); }

  void read(const std::string& path, const std::string& text, int error = 0) {
    std::erase_if(files, [&](const sys::KeyFile& file) { return file.path == path; });
    files.push_back({.path = path, .error = error, .text = text});
  }
  std::string& chain() { return tls.certificates[0].chain.text; }
  // "error: …" or "warning: …", one a line.
  std::string judged() const {
    std::string all;
    for (const config::Problem& problem : tls::judge(tls, files, std::chrono::system_clock::now())) {
      if (!all.empty()) all += '\n';
      all += (problem.severity == Severity::kError ? "error: " : "warning: ") + problem.text;
    }
    return all;
  }

  config::Tls tls;
  std::vector<sys::KeyFile> files;
};

std::string without_date(std::string text) {
  const auto at = text.find(" on 2");
  const auto before = text.find(" before 2");
  for (const auto start : {at == std::string::npos ? at : at + 4, before == std::string::npos ? before : before + 8}) {
    if (start != std::string::npos) text.replace(start, std::string("2026-01-02 03:04:05 UTC").size(), "DATE");
  }
  return text;
}

}  // namespace

TEST_CASE("nothing is wrong with a good certificate and its key") {
  CHECK(Case(good()).judged() == "");
  CHECK(Case(other()).judged() == "");
  CHECK(tls::judge(config::Tls{}, {}, std::chrono::system_clock::now()).empty());
}

TEST_CASE("certificate files: what is not one is told apart") {
  Case with(good());
  with.chain() = "";
  CHECK(with.judged() == "error: 1.crt holds no certificate");
  with.chain() = "hello\n";
  CHECK(with.judged() == "error: 1.crt is not a PEM file: there is no line that begins with -----BEGIN");
  with.chain() = "\x30\x82\x01\x02";
  CHECK(with.judged() ==
        "error: 1.crt is binary (DER or PKCS #12), not PEM: convert it with openssl x509, openssl pkey or openssl "
        "pkcs12");
  with.chain() = good().key_pem;
  CHECK(with.judged() == "error: 1.crt holds a private key, but no certificate");
  with.chain() = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(with.judged().starts_with("error: 1.crt: certificate 1 of 1 in it is damaged: "));
  with.chain() = good().certificate_pem + "-----BEGIN CERTIFICATE-----\ncut off";
  CHECK(with.judged().starts_with("error: 1.crt: certificate 2 of 2 in it is damaged: "));
  with.chain() = good().certificate_pem + good().key_pem;
  CHECK(with.judged().starts_with("error: 1.crt also holds a private key: "));
  with.chain() = "Bag Attributes\n" + good().certificate_pem;  // as openssl pkcs12 writes it
  CHECK(with.judged() == "");
}

TEST_CASE("key files: what does not work, and which two files do not belong together") {
  Case with(good());
  with.read("1.key", other().key_pem);
  CHECK(with.judged() ==
        "error: 1.key (RSA, 2048 bits) is not the key of the certificate in 1.crt (ECDSA, P-256): name the two files "
        "that "
        "belong together");
  with.read("1.key", good().certificate_pem);
  CHECK(with.judged() == "error: 1.key holds a certificate, but no private key");
  with.read("1.key", "");
  CHECK(with.judged() == "error: 1.key is empty");
  with.read("1.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  CHECK(with.judged().starts_with("error: 1.key: the private key in it is damaged: "));
  with.read("1.key", "", ENOENT);
  CHECK(with.judged() == "error: 1.key cannot be read: No such file or directory");
  with.read("1.key", good().certificate_pem + good().key_pem);
  CHECK(with.judged() == "");  // a combined file is fine as a key file
  with.files.clear();
  CHECK(with.judged() == "");  // nobody could read it: the keyholder will judge
}

TEST_CASE("an encrypted key needs its password") {
  Case with(good());
  with.read("1.key", encrypted(good(), "open sesame"));
  CHECK(with.judged() ==
        "error: 1.key is encrypted: name the file with its password in key_password_file, or decrypt it with openssl "
        "pkey "
        "-in 1.key");
  with.tls.certificates[0].key_password_file = "1.password";
  CHECK(with.judged() == "");  // the password could not be read here
  with.read("1.password", "wrong\n");
  CHECK(with.judged() == "error: the password in 1.password does not open 1.key: its first line must be the password");
  with.read("1.password", "");
  CHECK(with.judged() == "error: the password in 1.password does not open 1.key: its first line must be the password");
  for (const char* const text : {"open sesame", "open sesame\n", "open sesame\r\nanother line\n"}) {
    with.read("1.password", text);
    CHECK(with.judged() == "");
  }
  with.read("1.password", "", EACCES);
  CHECK(with.judged() == "error: 1.password cannot be read: Permission denied");
}

TEST_CASE("kinds of keys that cannot serve") {
  struct Row {
    std::string key, sentence;
  };
  for (const Row& row :
       {Row{"ED25519", "error: 1.crt has an Ed25519 key, with which the keyholder cannot sign, "},
        Row{"RSA:1024", "error: 1.crt has an RSA key of 1024 bits, which clients refuse as too short: "},
        Row{"RSA:4104", "error: 1.crt has an RSA key of 4104 bits, more than the keyholder takes: "},
        Row{"secp256k1", "error: 1.crt has an ECDSA key on secp256k1, which TLS does not know: "}}) {
    CAPTURE(row.key);
    CHECK(Case(make_pair({.key = row.key})).judged().starts_with(row.sentence));
  }
}

TEST_CASE("a signature that OpenSSL finds too weak is an error, unless TLS 1.0 is wanted") {
  Case with(make_pair({.digest = "SHA1"}, &authority()));
  CHECK(with.judged() == "error: 1.crt: OpenSSL refuses the certificate at security level 2: ca md too weak");
  with.tls.min_version = config::TlsVersion::k10;
  CHECK(with.judged().starts_with("warning: tls.min_version allows TLS 1.0, "));
}

TEST_CASE("what clients will not like is a warning: some test with it") {
  CHECK(without_date(Case(make_pair({.begins = -7200, .ends = -3600})).judged()) ==
        "warning: the certificate in 1.crt expired on DATE: clients that check it refuse it");
  CHECK(without_date(Case(make_pair({.begins = 3600, .ends = 7200})).judged()) ==
        "warning: the certificate in 1.crt is not valid before DATE: clients that check it refuse it");
  CHECK(Case(make_pair({.names = ""})).judged() ==
        "warning: the certificate in 1.crt has no subjectAltName: clients look there for the host name, and nowhere "
        "else");
  CHECK(Case(make_pair({.extended_usage = "clientAuth"})).judged() ==
        "warning: the certificate in 1.crt is not for TLS servers: its keyUsage or extendedKeyUsage says so");
}

TEST_CASE("a chain out of order is a warning that counts its certificates") {
  const Pair middle = make_pair({.common_name = "middle", .names = "", .authority = true}, &authority());
  const Pair leaf = make_pair({}, &middle);
  Case with(leaf);
  with.chain() = leaf.certificate_pem + middle.certificate_pem + authority().certificate_pem;
  CHECK(with.judged() == "");
  with.chain() = leaf.certificate_pem + authority().certificate_pem + middle.certificate_pem;
  CHECK(
      with.judged() ==
      "warning: 1.crt: certificate 1 in it does not come from certificate 2: put the server's own first, each followed "
      "by the one that issued it");
  with.chain() = middle.certificate_pem + leaf.certificate_pem;
  CHECK(with.judged().starts_with("error: 1.key (ECDSA, P-256) is not the key of the certificate in 1.crt"));
}

TEST_CASE("ciphers, suites and versions that leave nothing, or less than it seems") {
  struct Row {
    std::string ciphers, suites;
    config::TlsVersion version;
    std::string sentence;
  };
  using enum config::TlsVersion;
  for (const Row& row :
       {Row{"", "", k12, ""},                                    //
        Row{"ECDHE+AESGCM", "TLS_AES_128_GCM_SHA256", k12, ""},  //
        Row{"", "", k13, ""}, Row{"NONSENSE", "", k12, "error: tls.ciphers = \"NONSENSE\" selects no cipher: "},
        Row{"AES128-SHA", "", k12, "error: tls.ciphers = \"AES128-SHA\" selects only ciphers without forward secrecy "},
        Row{"", "TLS_AES_128_GCM_SHA256:RC4", k12, "error: tls.ciphersuites: \"RC4\" is no TLS 1.3 ciphersuite "},
        Row{"ECDHE+AESGCM", "", k13, "warning: tls.ciphers is for TLS 1.2 and older, and tls.min_version is 1.3: "},
        Row{"", "", k11, "warning: tls.min_version allows TLS 1.1, which signs its handshakes with MD5 and SHA-1: "},
        Row{"ECDHE-RSA-AES128-GCM-SHA256", "", k12,
            "warning: tls.ciphers selects no cipher for certificates with an ECDSA key: only TLS 1.3 will work"}}) {
    CAPTURE(row.ciphers);
    CAPTURE(row.suites);
    Case with(good());
    with.tls.ciphers = row.ciphers;
    with.tls.ciphersuites = row.suites;
    with.tls.min_version = row.version;
    if (row.sentence.empty()) {
      CHECK(with.judged() == "");
    } else {
      CHECK_MESSAGE(with.judged().starts_with(row.sentence), with.judged());
    }
  }
}

TEST_CASE("old versions without a cipher for them are a warning") {
  Case with(good());
  with.tls.min_version = config::TlsVersion::k10;
  with.tls.ciphers = "ECDHE+AESGCM";
  CHECK(with.judged().find(
            "warning: tls.min_version allows TLS 1.0, but tls.ciphers selects no cipher that is older than "
            "TLS 1.2") != std::string::npos);
}

TEST_CASE("client certificates: authorities that hold none, and none at all") {
  Case with(good());
  with.tls.client_certificates = config::ClientCertificates::kRequire;
  CHECK(with.judged() ==
        "error: tls.client_certificates = \"require\" accepts nobody without an authority to check them against: set "
        "tls.ca_file or tls.ca_dir");
  with.tls.client_certificates = config::ClientCertificates::kRequest;
  CHECK(with.judged() ==
        "warning: tls.client_certificates = \"request\" without tls.ca_file or tls.ca_dir: whatever clients show "
        "counts as "
        "not verified");
  with.tls.authorities = {{.file = "ca.pem", .text = "nothing"}};
  CHECK(with.judged() == "error: ca.pem is not a PEM file: there is no line that begins with -----BEGIN");
  with.tls.authorities = {{.file = "ca.pem", .text = authority().certificate_pem}};
  CHECK(with.judged() == "");
}

TEST_CASE("every problem is told at once, each with its place in the configuration") {
  Case with(good());
  with.tls.certificates[0].source = {.file = "hooksmtpd.toml", .line = 7, .column = 1};
  with.chain() = "";
  with.tls.ciphers = "NONSENSE";
  with.tls.client_certificates = config::ClientCertificates::kRequire;
  const auto problems = tls::judge(with.tls, with.files, std::chrono::system_clock::now());
  REQUIRE(problems.size() == 3);
  CHECK(problems[2].where.line == 7);
}
