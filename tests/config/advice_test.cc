// What is right by the rules of TLS, AUTH and listeners, and yet may be meant otherwise.

#include "config/advice.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/config/problems.h"

namespace hooksmtpd::config {
namespace {

const std::vector<Case> kCases{
    {"[tls]\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"",
     R"(warning: tls.certificate has no effect: no listener has TLS; set tls.mode = "starttls")"},
    {"[tls]\nmode = \"starttls\"\ncertificate = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\nmin_version = \"1.0\"",
     R"(note: tls.min_version = "1.0" is for testing old clients only: TLS 1.0 and 1.1 are broken (RFC )"
     "8996)"},
    {"[[listener]]\naddress = \"127.0.0.1:465\"\ntls = \"starttls\"",
     R"(1:1: warning: listener 'smtp' has tls = "starttls" on port 465, where clients expect TLS from the )"
     "first byte"},
    {"[[listener]]\naddress = \"127.0.0.1:465\"",
     R"(1:1: warning: listener 'smtp' has tls = "none" on port 465, where clients expect TLS from the )"
     "first byte"},
    {"[[listener]]\naddress = \"127.0.0.1:587\"\ntls = \"implicit\"",
     R"(1:1: warning: listener 'smtp' has tls = "implicit" on port 587, where clients do not begin with )"
     "TLS from the first byte"},
    {"[[listener]]\naddress = [\"127.0.0.1:465\", \"127.0.0.1:2465\"]\ntls = \"implicit\"", ""},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nsocket_mode = \"0600\"",
     "1:1: warning: listener.smtp.socket_mode has no effect: no address of it is a unix socket"},
    {"[[listener]]\naddress = [\"127.0.0.1:25\", \"unix:/run/x\"]\nsocket_mode = \"0600\"", ""},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nxclient = [\"::/0\"]\nproxy_protocol = [\"0.0.0.0/0\", "
     R"("10.0.0.0/8"])",
     R"(1:1: warning: listener.smtp.proxy_protocol has "0.0.0.0/0": every client may say that it is any )"
     "other\n1:1: warning: listener.smtp.xclient has \"::/0\": every client may say that it is any other, "
     "and logged in"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nadd = [\"SIZE 5\", \"X-Y\"]",
     R"(1:1: warning: listener.smtp.add has SIZE, which the server has a line of its own for: add "SIZE" )"
     "to listener.smtp.hide"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhide = [\"SIZE\"]\nadd = [\"SIZE 5\"]", ""},
    {"[auth]\npasswords = \"/c/passwords\"", R"(warning: auth.passwords has no effect: set auth.source = "passwords")"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/h\"]\nevents = [\"auth\"]",
     R"(1:1: warning: hook 'h' is not asked about 'auth': set auth.source = "hook")"},
    {"[auth]\nsource = \"accept-any\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n[[listener]]\nname = "
     "\"b\"\naddress = \"127.0.0.1:587\"\ntls = \"required\"",
     ""},
};

TEST_CASE("what may be meant otherwise is told, and what is usual is not") {
  for (const auto& [text, problems] : kCases) CHECK_EQ(warnings_of(text), problems);
}

}  // namespace
}  // namespace hooksmtpd::config
