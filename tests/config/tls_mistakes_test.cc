// What is wrong with TLS and AUTH in a configuration. One case a line: the text, and every message.

#include <doctest/doctest.h>

#include <vector>

#include "tests/config/problems.h"

namespace hooksmtpd::config {
namespace {

const std::vector<Case> kCases{
    {"[tls]\nmod = \"starttls\"", "2:1: unknown key 'tls.mod' — did you mean 'mode'?"},
    {"tls = true", "1:7: tls must be a table, [tls], not a boolean"},
    {"[[tls]]\nmode = \"none\"", "1:1: tls must be a table, [tls], not an array"},
    {"tls.mode = true", "1:12: tls.mode must be a string in quotes, not a boolean"},
    {R"(tls.mode = "start")", R"(1:12: tls.mode is "start", which is unknown — did you mean "starttls"?)"},
    {R"(tls.mode = "ssl")", R"(1:12: tls.mode must be "none", "starttls", "required" or "implicit", not "ssl")"},
    {"usetls = true", "1:1: unknown key 'usetls' — did you mean 'tls.mode'?"},
    {R"(certfile = "/c/cert.pem")", "1:1: unknown key 'certfile' — did you mean 'tls.certificate'?"},
    {"[tls]\ncertfile = \"/c/cert.pem\"", "2:1: unknown key 'tls.certfile' — did you mean 'certificate'?"},
    {"[tls]\ncafile = \"/c/cert.pem\"", "2:1: unknown key 'tls.cafile' — did you mean 'ca_file'?"},
    {"[tls]\nbanner = \"x\"",
     "2:1: unknown key 'tls.banner' — 'banner' belongs at the top of the file, above the first [section]"},
    {"[tls]\npassword = \"geheim\"",
     "2:1: unknown key 'tls.password': a password is not for a file that many may read: write it alone "
     "into one of its own, and name that in key_password_file"},
    {R"(password = "geheim")",
     "1:1: unknown key 'password': a password is not for a file that many may read: write it alone into "
     "one of its own, and name that in key_password_file"},
    {"ssl3 = true",
     "1:1: unknown key 'ssl3': SSLv2 and SSLv3 are broken and do not exist any more (RFC 6176, RFC "
     R"(7568); the oldest is TLS "1.0")"},
    {"[tls]\nssl2 = true",
     "2:1: unknown key 'tls.ssl2': SSLv2 and SSLv3 are broken and do not exist any more (RFC 6176, RFC "
     R"(7568); the oldest is TLS "1.0")"},
    {R"(tls.min_version = "SSLv3")",
     R"(1:19: tls.min_version must not be "SSLv3": SSLv2 and SSLv3 are broken and do not exist any more )"
     R"((RFC 6176, RFC 7568); the oldest is TLS "1.0")"},
    {"tls.min_version = 1.2", "1:19: tls.min_version must be a string in quotes, not a number with a fraction"},
    {R"(tls.min_version = "TLSv1.2")", R"(1:19: tls.min_version must be "1.0", "1.1", "1.2" or "1.3", not "TLSv1.2")"},
    {R"(tls.min_version = "1.4")", R"(1:19: tls.min_version must be "1.0", "1.1", "1.2" or "1.3", not "1.4")"},
    {R"(tls.ciphers = "HIGH;rm")",
     R"(1:15: tls.ciphers must be a list for OpenSSL such as "HIGH:!aNULL", not "HIGH;rm")"},
    {R"(tls.ciphers = "HIGH:TLS_AES_128_GCM_SHA256")",
     R"(1:15: tls.ciphers is for TLS up to 1.2: suites such as "TLS_AES_128_GCM_SHA256" belong in )"
     "tls.ciphersuites"},
    {R"(tls.ciphersuites = "a b\n")",
     "1:20: tls.ciphersuites must be a list for OpenSSL such as "
     R"("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", not "a b\x0a")"},
    {R"(tls.client_certificates = "required")",
     R"(1:27: tls.client_certificates is "required", which is unknown — did you mean "require"?)"},
    {R"(tls.client_certificates = "require")",
     R"(1:27: tls.client_certificates is "require", but nobody is known to make good ones: set )"
     "tls.ca_file or tls.ca_dir"},
    {R"(tls.key = "/c/key.pem")", "1:11: tls.key is set, but tls.certificate is not"},
    {R"(tls.key_password_file = "/c/pw")", "1:25: tls.key_password_file is set, but tls.certificate is not"},
    {R"(tls.key_password_file = "geheim")",
     "1:25: tls.key_password_file must be the absolute path of a file that holds the password, and "
     "nothing else"},
    {R"(tls.certificate = "cert.pem")",
     R"(1:19: tls.certificate must be an absolute path, not "cert.pem" (or "./cert.pem", beside this file))"},
    {"tls.certificate = 5", "1:19: tls.certificate must be a path in quotes, not an integer"},
    {R"(tls.certificate = "/c/cert.pem")",
     R"(1:19: tls.key is missing: the file of the private key of tls.certificate "/c/cert.pem")"},
    {R"(tls.certificate = "/c/both.pem")",
     R"(1:19: tls.certificate "/c/both.pem" has a private key in it, too: put the certificate into a file )"
     "without the key"},
    {"tls.certificate = \"/c/both.pem\"\ntls.key = \"/c/key.pem\"",
     R"(1:19: tls.certificate "/c/both.pem" has a private key in it, too: put the certificate into a file )"
     "without the key"},
    {"tls.certificate = \"/c/none.pem\"\ntls.key = \"/c/key.pem\"",
     R"(1:19: tls.certificate "/c/none.pem" cannot be read: No such file or directory)"},
    {"tls.certificate = \"./key.pem\"\ntls.key = \"./key.pem\"",
     R"(1:19: tls.certificate "/c/key.pem" has a private key in it, and no certificate)"},
    {R"(tls.certificate = "/c/der.crt")",
     R"(1:19: tls.certificate "/c/der.crt" is not in PEM: `openssl x509 -inform der` makes it so)"},
    {R"(tls.certificate = "/c/empty.pem")",
     R"(1:19: tls.certificate "/c/empty.pem" has no certificate in it: it must be PEM, with -----BEGIN )"
     "CERTIFICATE-----"},
    {R"(tls.ca_file = "/c/key.pem")", R"(1:15: tls.ca_file "/c/key.pem" has a private key in it, and no certificate)"},
    {R"(tls.ca_dir = "/c/cas")",
     R"(1:14: tls.ca_dir "/c/cas" has no certificate in it: a file of PEM named *.pem or *.crt)"},
    {R"(tls.ca_dir = "/c/nothing")", R"(1:14: tls.ca_dir "/c/nothing" cannot be read: No such file or directory)"},
    {"[tls.sni]\ncertificate = \"/c/both.pem\"",
     "1:1: tls.sni must be written [[tls.sni]], in double brackets: there may be several"},
    {"[[tls.sni]]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"",
     "1:1: tls.certificate is missing: it is for clients whose server name no [[tls.sni]] has"},
    {"[tls]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\n[[tls.sni]]\nkey = \"/c/key.pem\"",
     R"(4:1: tls.sni.certificate is missing, as in certificate = "/etc/hooksmtpd/tls/other.pem")"},
    {"[tls]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\n[[tls.sni]]\ncertificate = \"/c/cert.pem\"",
     R"(4:1: tls.sni.key is missing: the file of the private key of tls.sni.certificate "/c/cert.pem")"},
    {"[tls]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\n[[tls.sni]]\ncertificate = \"/c/none.pem\"\nkey = "
     "\"/c/key.pem\"",
     R"(4:1: tls.sni.certificate "/c/none.pem" cannot be read: No such file or directory)"},
    {"[tls]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\n[[tls.sni]]\ncertificate = \"both.pem\"\ncertificat "
     "= 1",
     R"(5:15: tls.sni.certificate must be an absolute path, not "both.pem" (or "./both.pem", beside this )"
     "file)\n6:1: unknown key 'tls.sni.certificat' — did you mean 'certificate'?"},
    {R"(auth = "passwords")", "1:8: auth must be a table, [auth], not a string"},
    {R"(auth.source = "password")", R"(1:15: auth.source is "password", which is unknown — did you mean "passwords"?)"},
    {R"(auth.source = "ldap")", R"(1:15: auth.source must be "none", "passwords", "hook" or "accept-any", not "ldap")"},
    {"auth.source = \"passwords\"\nauth.before_tls = true",
     R"(1:15: auth.source is "passwords", but auth.passwords names no file: `hooksmtpd passwd` writes one)"},
    {"auth.source = \"passwords\"\nauth.before_tls = true\nauth.passwords = \"/c/none\"",
     R"(3:18: auth.passwords "/c/none" cannot be read: No such file or directory)"},
    {"auth.source = \"hook\"\nauth.before_tls = true",
     R"(1:15: auth.source is "hook", but no hook has the event 'auth')"},
    {R"(auth.source = "accept-any")",
     R"(1:15: listener 'smtp' has no TLS, and without TLS there is no AUTH: give it tls = "starttls", or )"
     "allow passwords in the clear with auth.before_tls = true"},
    {"auth.required = true",
     R"(1:17: auth.required is true for listener 'smtp', but auth.source is "none": nobody could send mail)"},
    {"auth.source = \"accept-any\"\nauth.before_tls = \"yes\"",
     "2:19: auth.before_tls must be true or false, not a string"},
    {R"(auth.mechanisms = ["PLAIN", "NTLM"])",
     R"(1:19: auth.mechanisms holds "NTLM", which is unknown — known: SCRAM-SHA-256, PLAIN, LOGIN, )"
     "CRAM-MD5, XOAUTH2, OAUTHBEARER"},
    {R"(auth.mechanisms = ["PLANE"])",
     R"(1:19: auth.mechanisms holds "PLANE", which is unknown — known: SCRAM-SHA-256, PLAIN, LOGIN, )"
     "CRAM-MD5, XOAUTH2, OAUTHBEARER"},
    {R"(auth.mechanisms = ["PLAIN", "plain"])", "1:19: auth.mechanisms names PLAIN twice"},
    {R"(auth.mechanisms = ["PLAIN", 5])", "1:19: auth.mechanisms must hold strings only"},
    {"auth.mechanisms = 5", "1:19: auth.mechanisms must be an array of strings, not an integer"},
    {"[auth]\nsource = \"accept-any\"\nbefore_tls = true\nmechanisms = [\"PLAIN\", \"SCRAM-SHA-256\"]",
     R"(4:14: auth.mechanisms names SCRAM-SHA-256, which auth.source = "accept-any" cannot do: it can )"
     "PLAIN, LOGIN, CRAM-MD5, XOAUTH2, OAUTHBEARER"},
    {"[auth]\nsource = \"passwords\"\npasswords = \"/c/passwords\"\nbefore_tls = true\nmechanisms = [\"XOAUTH2\"]",
     R"(5:14: auth.mechanisms names XOAUTH2, which auth.source = "passwords" cannot do: it can )"
     "SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5"},
    {R"(timeouts.handshake = "0s")", "1:22: timeouts.handshake must be from 1ms to 24h, not 0s"},
};

TEST_CASE("a mistake about TLS or AUTH is told with line, column and the right way to write it") {
  for (const auto& [text, problems] : kCases) CHECK_EQ(problems_of(text), problems);
}

TEST_CASE("what stands where a password's file should be named is not repeated: it may be the password") {
  for (const auto* line : {"tls.key_password_file = \"geheim\"", "tls.key_password_file = \"~geheim\"",
                           "[[tls.sni]]\ncertificate = \"/c/both.pem\"\nkey_password_file = \"geheim\"",
                           "tls.password = \"geheim\"", "password = \"geheim\""}) {
    CHECK_NE(problems_of(line), "no error");
    CHECK_MESSAGE(problems_of(line).find("geheim") == std::string::npos, line);
  }
}

}  // namespace
}  // namespace hooksmtpd::config
