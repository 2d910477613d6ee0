// What is wrong with what a listener has of its own. One case a line: the text, and every message.

#include <doctest/doctest.h>

#include <vector>

#include "tests/config/problems.h"

namespace hooksmtpd::config {
namespace {

const std::vector<Case> kCases{
    {"[[listener]]\naddress = \"unix:smtp.sock\"",
     R"(2:11: "unix:smtp.sock" is not an address to listen on: the path of a unix socket is absolute, as )"
     R"(in "unix:/run/hooksmtpd/smtp.sock")"},
    {"[[listener]]\naddress = \"unix:\"",
     R"(2:11: "unix:" is not an address to listen on: the path of a unix socket is absolute, as in )"
     R"("unix:/run/hooksmtpd/smtp.sock")"},
    {"[[listener]]\naddress = \"unix:/run/\"",
     R"(2:11: "unix:/run/" is not an address to listen on: it names no file)"},
    {"[[listener]]\naddress = \"/run/smtp.sock\"",
     R"(2:11: "/run/smtp.sock" is not an address to listen on: write "unix:/run/smtp.sock" for a unix )"
     "socket"},
    {"[[listener]]\naddress = "
     R"("unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"
     R"(aaaaaaaaaaaaaaaa")",
     R"(2:11: "unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is not )"
     "an address to listen on: the path of a unix socket has at most 107 octets, not 108"},
    {"[[listener]]\naddress = [\"unix:/a\", \"unix://a\"]",
     R"(1:1: listener.smtp.address "unix:/a" is already used by listener 'smtp')"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nprotokol = \"lmtp\"",
     "3:1: unknown key 'listener.smtp.protokol' — did you mean 'protocol'?"},
    {"[[listener]]\naddress = \"127.0.0.1:24\"\nprotocol = \"lmpt\"",
     R"(3:12: listener.smtp.protocol is "lmpt", which is unknown — did you mean "lmtp"?)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nprotocol = \"lmtp\"",
     R"(1:1: listener.smtp.address "127.0.0.1:25": LMTP must not use port 25 (RFC 2033 §5): 24 is usual, )"
     "or a unix socket"},
    {"[[listener]]\naddress = \"unix:/a\"\nsocket_mode = 660",
     "3:15: listener.smtp.socket_mode must be a string in quotes, not an integer"},
    {"[[listener]]\naddress = \"unix:/a\"\nsocket_mode = \"rw\"",
     R"(3:15: listener.smtp.socket_mode must be a mode such as "0660", not "rw")"},
    {"[[listener]]\naddress = \"unix:/a\"\nsocket_mode = \"1777\"",
     R"(3:15: listener.smtp.socket_mode must be a mode such as "0660", not "1777")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ntls = \"always\"",
     R"(3:7: listener.smtp.tls must be "none", "starttls", "required" or "implicit", not "always")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ntls = true",
     "3:7: listener.smtp.tls must be a string in quotes, not a boolean"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.tls]\nmode = \"none\"",
     "3:1: listener.smtp.tls must be a string in quotes, not a table"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nlog_level = \"debug\"",
     "3:1: unknown key 'listener.smtp.log_level' — 'log_level' belongs at the top of the file, above "
     "the first [section]"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nusetls = true",
     "3:1: unknown key 'listener.smtp.usetls' — did you mean 'tls'?"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhostname = \"a b\"",
     R"(3:12: listener.smtp.hostname must be a domain name or an address such as "[127.0.0.1]", not "a b")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nbanner = \"\"",
     R"(3:10: listener.smtp.banner must be 1 to 150 printable ASCII characters, not "")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nlimits.recipients = 0",
     "3:21: listener.smtp.limits.recipients must be from 1 to 10000, not 0"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.limits]\nconnections = 5",
     "4:15: listener.smtp.limits.connections is for all listeners: it belongs in [limits]"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.limits]\nrecipient = 5",
     "4:1: unknown key 'listener.smtp.limits.recipient' — did you mean 'recipients'?"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.timeouts]\nidle = 5\ndrain = \"1s\"",
     "4:8: listener.smtp.timeouts.idle must be a duration in quotes, such as \"5s\", not an integer\n5:9: "
     "listener.smtp.timeouts.drain is for all listeners: it belongs in [timeouts]"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nauth = \"accept-any\"",
     "3:8: listener.smtp.auth must be a table, [listener.smtp.auth], not a string"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.auth]\nsource = \"accept-all\"\npasswords = \"/c/p\"",
     R"(4:10: listener.smtp.auth.source is "accept-all", which is unknown — did you mean )"
     "\"accept-any\"?\n5:13: listener.smtp.auth.passwords is for all listeners: it belongs in [auth]"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.auth]\nsource = \"accept-any\"",
     R"(1:1: listener 'smtp' has no TLS, and without TLS there is no AUTH: give it tls = "starttls", or )"
     "allow passwords in the clear with auth.before_tls = true"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[listener.auth]\nrequired = true",
     R"(1:1: auth.required is true for listener 'smtp', but auth.source is "none": nobody could send mail)"},
    {"[auth]\nsource = \"accept-any\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n[[listener]]\nname = "
     "\"b\"\naddress = \"127.0.0.1:26\"\n[listener.auth]\nrequired = true",
     R"(5:1: listener 'b' has no TLS, and without TLS there is no AUTH: give it tls = "starttls", or )"
     "allow passwords in the clear with auth.before_tls = true"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhooks = [\"polcy\"]\n[[hook]]\nname = \"policy\"\ncommand = "
     "[\"/h\"]\nevents = [\"deliver\"]",
     "1:1: listener.smtp.hooks names 'polcy', which is no hook — did you mean 'policy'?"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ntls = \"starttls\"\nhooks = []\nauth.source = "
     "\"hook\"\n[[hook]]\nname = \"policy\"\ncommand = [\"/h\"]\nevents = [\"auth\"]",
     R"(1:1: auth.source is "hook", but no hook of listener 'smtp' has the event 'auth')"},
    {"runtime_dir = \"/r\"\n[[listener]]\naddress = [\"unix:/r/control.sock\", \"unix:/r/spool/a\", "
     "\"unix:/r/spooler\"]",
     R"(2:1: listener.smtp.address "unix:/r/control.sock" is in a place that hooksmtpd itself uses)"
     "\n"
     R"(2:1: listener.smtp.address "unix:/r/spool/a" is in a place that hooksmtpd itself uses)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhooks = [5]",
     "3:10: listener.smtp.hooks must hold strings only, not an integer"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhide = [\"SIZE\", \"size\"]",
     R"(3:17: listener.smtp.hide names "size" twice)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhide = \"SZE\"",
     R"(3:8: listener.smtp.hide holds "SZE", which this server does not offer — did you mean 'SIZE'?)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nhide = [\"VRFY\"]",
     R"(3:9: listener.smtp.hide holds "VRFY", which this server does not offer — known: PIPELINING, SIZE, )"
     "8BITMIME, ENHANCEDSTATUSCODES, STARTTLS, AUTH, CHUNKING, BINARYMIME, SMTPUTF8, DSN, REQUIRETLS, "
     "LIMITS, DELIVERBY, FUTURERELEASE, MT-PRIORITY, XCLIENT, HELP"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ntls = \"required\"\nhide = [\"STARTTLS\"]",
     R"(1:1: listener.smtp.tls is "required", but listener.smtp.hide has STARTTLS: nobody could do )"
     "anything"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ntls = \"implicit\"\nhide = [\"AUTH\"]\nauth = { source = "
     R"("accept-any", required = true })",
     "1:1: auth.required is true for listener 'smtp', but listener.smtp.hide has AUTH: nobody could "
     "send mail"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nadd = [\"X-GRÜN\"]",
     R"(3:8: listener.smtp.add holds "X-GRÜN", which has other than printable ASCII in it)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nadd = [\"X_Y\", \"X  Y\", \"\", \"X Y\\r\\n250 Z\"]",
     R"(3:8: listener.smtp.add holds "X_Y", which does not begin with a keyword: letters, digits and )"
     "-\n3:15: listener.smtp.add holds \"X  Y\", which has other than one space between its words\n3:23: "
     "listener.smtp.add holds \"\", which does not begin with a keyword: letters, digits and -\n3:27: "
     R"(listener.smtp.add holds "X Y\x0d\x0a250 Z", which has other than printable ASCII in it)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nlenient = \"yes\"",
     "3:11: listener.smtp.lenient must be true or false, not a string"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nproxy_protocol = true",
     "3:18: listener.smtp.proxy_protocol must be an array of networks, not a boolean"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nproxy_protocol = [\"10.0.0.1/8\", \"localhost\", \"::1\", "
     R"("::1/128"])",
     R"(3:19: listener.smtp.proxy_protocol has "10.0.0.1/8", which is one address of a network: write )"
     "\"10.0.0.0/8\" or \"10.0.0.1\"\n3:33: listener.smtp.proxy_protocol must hold networks such as "
     "\"127.0.0.0/8\", \"::1/128\" or \"10.1.2.3\", not \"localhost\"\n3:53: listener.smtp.proxy_protocol names "
     R"("::1/128" twice)"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\nxclient = [\"10.0.0.0/33\"]",
     R"(3:12: listener.smtp.xclient must have a prefix from 0 to 32 behind the slash: "10.0.0.0/33")"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/h\"]\nevents = [\"auth\"]\non_failure = \"accept\"",
     R"(5:14: hook.h.on_failure must not be "accept" for auth, which would let everybody in: use { )"
     R"(default = "accept", auth = "tempfail" })"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/h\"]\nevents = [\"auth\", \"deliver\"]\non_failure = { default = "
     R"("accept", deliver = "tempfail" })",
     R"(5:26: hook.h.on_failure must not be "accept" for auth, which would let everybody in: use { )"
     R"(default = "accept", auth = "tempfail" })"},
};

TEST_CASE("a mistake about a listener's own is told with line, column and the right way to write it") {
  for (const auto& [text, problems] : kCases) CHECK_EQ(problems_of(text), problems);
}

}  // namespace
}  // namespace hooksmtpd::config
