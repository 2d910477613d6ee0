// What is wrong in a configuration is told with its place and the way out. One case a line: the text, and every
// message without the file's name, which is the same for all.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/config/problems.h"

namespace hooksmtpd::config {
namespace {

const std::vector<Case> kSettings{
    {R"(bannner = "x")", "1:1: unknown key 'bannner' — did you mean 'banner'?"},
    {R"(Banner = "x")", "1:1: unknown key 'Banner' — did you mean 'banner'?"},
    {R"(colour = "red")", "1:1: unknown key 'colour'"},
    {"recipients = 5", "1:1: unknown key 'recipients' — did you mean 'limits.recipients'?"},
    {R"(serveraddr = "x")", "1:1: unknown key 'serveraddr' — did you mean 'hostname'?"},
    {R"(loglevel = "info")", "1:1: unknown key 'loglevel' — did you mean 'log_level'?"},
    {"[limit]\nrecipients = 5", "1:2: unknown key 'limit' — did you mean 'limits'?"},
    {"[limits]\nrecipient = 5", "2:1: unknown key 'limits.recipient' — did you mean 'recipients'?"},
    {"[timeouts]\nidel = \"5m\"", "2:1: unknown key 'timeouts.idel' — did you mean 'idle'?"},
    {"[tlss]\nkey = \"x\"", "1:2: unknown key 'tlss' — did you mean 'tls'?"},
    {"[[hooks]]\nname = \"x\"", "1:3: unknown key 'hooks' — did you mean 'hook'?"},
    {"limits = 5", "1:10: limits must be a table, [limits], not an integer"},
    {"limits.recipients.x = 5", "1:8: limits.recipients must be a whole number, not a table"},
    {"banner = 7", "1:10: banner must be a string in quotes, not an integer"},
    {R"(banner = "")", R"(1:10: banner must be 1 to 150 printable ASCII characters, not "")"},
    {"banner = \"a\\nb\"", R"(1:10: banner must be 1 to 150 printable ASCII characters, not "a\x0ab")"},
    {R"(banner = "grüße")", R"(1:10: banner must be 1 to 150 printable ASCII characters, not "grüße")"},
    {R"(hostname = "a b")", R"(1:12: hostname must be a domain name or an address such as "[127.0.0.1]", not "a b")"},
    {R"(hostname = "")", R"(1:12: hostname must be a domain name or an address such as "[127.0.0.1]", not "")"},
    {R"(hostname = "-a.test")",
     R"(1:12: hostname must be a domain name or an address such as "[127.0.0.1]", not "-a.test")"},
    {R"(hostname = "[1.2.3]")",
     R"(1:12: hostname must be a domain name or an address such as "[127.0.0.1]", not "[1.2.3]")"},
    {"hostname = true", "1:12: hostname must be a string in quotes, not a boolean"},
    {R"(log_level = "warning")", R"(1:13: log_level is "warning", which is unknown — did you mean "warn"?)"},
    {R"(log_level = "verbose")",
     R"(1:13: log_level must be "trace", "debug", "info", "warn" or "error", not "verbose")"},
    {"log_level = 3", "1:13: log_level must be a string in quotes, not an integer"},
    {"limits.recipients = 0", "1:21: limits.recipients must be from 1 to 10000, not 0"},
    {"limits.recipients = -1", "1:21: limits.recipients must be from 1 to 10000, not -1"},
    {"limits.recipients = 10001", "1:21: limits.recipients must be from 1 to 10000, not 10001"},
    {R"(limits.recipients = "5")", "1:21: limits.recipients must be a whole number, not a string"},
    {"limits.recipients = 1.5", "1:21: limits.recipients must be a whole number, not a number with a fraction"},
    {"limits.errors = 99999999999999999999",
     "1:37: not valid TOML: Error while parsing decimal integer: '99999999999999999999' is not representable in 64 "
     "bits"},
    {R"(limits.strict_lines = "yes")", "1:23: limits.strict_lines must be true or false, not a string"},
    {"limits.strict_lines = 1", "1:23: limits.strict_lines must be true or false, not an integer"},
    {R"(limits.message_size = "25MB")",
     R"(1:23: limits.message_size must be a size such as "25M", "64K", "1G" or a number of octets, not "25MB")"},
    {R"(limits.message_size = "M")",
     R"(1:23: limits.message_size must be a size such as "25M", "64K", "1G" or a number of octets, not "M")"},
    {"limits.message_size = 0", "1:23: limits.message_size must be from 1 to 1T, not 0"},
    {R"(limits.message_size = "-5")",
     R"(1:23: limits.message_size must be a size such as "25M", "64K", "1G" or a number of octets, not "-5")"},
    {R"(limits.message_size = "99999999T")",
     R"(1:23: limits.message_size must be a size such as "25M", "64K", "1G" or a number of octets, not )"
     R"("99999999T")"},
    {"limits.message_size = true",
     R"(1:23: limits.message_size must be a size such as "25M" or a number of octets, not a boolean)"},
    {"timeouts.idle = 5", R"(1:17: timeouts.idle must be a duration in quotes, such as "5s", not an integer)"},
    {R"(timeouts.idle = "5")", R"(1:17: timeouts.idle must be a duration with its unit, such as "5s", not "5")"},
    {R"(timeouts.idle = "5 parsecs")",
     R"(1:17: timeouts.idle must be a duration such as "500ms", "5s", "2m" or "1h", not "5 parsecs")"},
    {R"(timeouts.idle = "1.5s")",
     R"(1:17: timeouts.idle must be a duration such as "500ms", "5s", "2m" or "1h", not "1.5s")"},
    {R"(timeouts.idle = "0s")", "1:17: timeouts.idle must be from 1ms to 24h, not 0s"},
    {R"(timeouts.idle = "25h")", "1:17: timeouts.idle must be from 1ms to 24h, not 25h"},
    {R"(timeouts.idle = "")", R"(1:17: timeouts.idle must be a duration such as "500ms", "5s", "2m" or "1h", not "")"},
    {R"(sandbox = "off")", R"(1:11: sandbox must be "strict", "best-effort" or "none", not "off")"},
    {R"(spool_size = "1K")", "1:14: spool_size must be from 1M to 1T, not 1K"},
    {R"(hook_uids = "0-10")",
     R"(1:13: hook_uids must be the first and the last of a range from 1000 up, such as "60800-60863", not "0-10")"},
    {"hook_uids = [60863, 60800]",
     R"(1:13: hook_uids must be the first and the last of a range from 1000 up, such as "60800-60863", not )"
     R"("60863-60800")"},
    {"hook_uids = [60800]", R"(1:13: hook_uids must be a range such as "60800-60863", not an array)"},
    {"hook_uids = 60800", R"(1:13: hook_uids must be a range such as "60800-60863", not an integer)"},
    {"hook_uids = [60790, 60810]", R"(1:13: hook_uids must not contain 60797, which is not for hooks: "60790-60810")"},
    {R"(state_dir = "var")", R"(1:13: state_dir must be the absolute path of a folder, not "var")"},
    {R"(state_dir = "/")", R"(1:13: state_dir must be the absolute path of a folder, not "/")"},
    {R"(state_dir = "/a\u0000b")", R"(1:13: state_dir must be the absolute path of a folder, not "/a\x00b")"},
    {"runtime_dir = 5", "1:15: runtime_dir must be a string in quotes, not an integer"},
    {"banner = ", "1:10: not valid TOML: Error while parsing key-value pair: encountered end-of-file"},
    {R"(banner = "x)", "1:12: not valid TOML: Error while parsing string: encountered end-of-file"},
    {"a = 1\na = 2", "2:5: not valid TOML: Error while parsing key-value pair: cannot redefine existing integer 'a'"},
    {"[limits]\n[limits]",
     "2:1: not valid TOML: Error while parsing table header: cannot redefine existing table 'limits'"},
    {R"(banner "x")", R"(1:8: not valid TOML: Error while parsing key-value pair: expected '=', saw '"')"},
    {R"(x = "\q")", "1:7: not valid TOML: Error while parsing string: unknown escape sequence '\\q'"},
    {"listener = 5", "1:12: listener must be written [[listener]], in double brackets: there may be several"},
    {"listener = [5]", "1:13: listener must be written as [[listener]] tables, not an integer"},
    {"[hook]\nname = \"h\"", "1:1: hook must be written [[hook]], in double brackets: there may be several"},
    {R"(hook = "h")", "1:8: hook must be written [[hook]], in double brackets: there may be several"},
    {"[[hook]]\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     R"(1:1: hook.name is missing, as in name = "my-hook")"},
    {"[[hook]]\nname = \"H\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     R"(2:8: hook.name must be 1 to 32 of a-z, 0-9 and -, and not begin with -: "H")"},
    {"[[hook]]\nname = \"a b\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     R"(2:8: hook.name must be 1 to 32 of a-z, 0-9 and -, and not begin with -: "a b")"},
    {"[[hook]]\nname = \"-a\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     R"(2:8: hook.name must be 1 to 32 of a-z, 0-9 and -, and not begin with -: "-a")"},
    {"[[hook]]\nname = 5\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     "2:8: hook.name must be a string in quotes, not an integer"},
    {"[[hook]]\nname = \"incoming\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     R"(2:8: hook.name must not be "incoming": the spool has a folder of that name)"},
    {"[[hook]]\nname = \"h\"\nevents = [\"deliver\"]",
     R"(1:1: hook.h.command is missing, as in command = ["/usr/bin/python3", "./policy.py"])"},
    {"[[hook]]\nname = \"h\"\ncommand = \"python3 policy.py --x\"\nevents = [\"deliver\"]",
     R"(3:11: hook.h.command is an argument vector, never a shell string: write command = ["python3", "policy.py", )"
     R"("--x"])"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"python3\", \"x.py\"]\nevents = [\"deliver\"]",
     R"(3:12: hook.h.command[0] must be an absolute path, not "python3": `command -v python3` prints it; "./python3" )"
     "is one beside this file"},
    {"[[hook]]\nname = \"h\"\ncommand = []\nevents = [\"deliver\"]",
     "3:11: hook.h.command must be an array of strings, not an empty array"},
    {"[[hook]]\nname = \"h\"\ncommand = [1]\nevents = [\"deliver\"]",
     "3:12: hook.h.command must hold strings only, not an integer"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\", 1]\nevents = [\"deliver\"]",
     "3:22: hook.h.command must hold strings only, not an integer"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"~/h\"]\nevents = [\"deliver\"]",
     R"(3:12: hook.h.command[0] must name the home folder in full, not "~/h")"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\", \"a\\u0000\"]\nevents = [\"deliver\"]",
     "3:22: hook.h.command must not contain a NUL"},
    {"[[hook]]\nname = \"h\"\ncommand = {}\nevents = [\"deliver\"]",
     "3:11: hook.h.command must be an array of strings, not a table"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]", R"(1:1: hook.h.events is missing, as in events = ["deliver"])"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = []",
     "4:10: hook.h.events must be an array of event names, not an empty array"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [\"delivr\"]",
     "4:11: unknown event 'delivr' — did you mean 'deliver'?"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver-mime\"]",
     "4:11: unknown event 'deliver-mime' — did you mean 'deliver_mime'?"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\", \"deliver\"]",
     "4:22: hook.h.events names 'deliver' twice"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [1]",
     "4:11: hook.h.events must hold strings only, not an integer"},
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = true",
     "4:10: hook.h.events must be an array of event names, not a boolean"},
    {"hook_uids = \"2000-2000\"\n[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = "
     "[\"deliver\"]\n[[hook]]\nname = \"i\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     "6:1: hook_uids has room for 1 of 2 hooks: widen the range"},
};

const std::vector<Case> kListeners{
    {"[listener]\naddress = \"127.0.0.1:25\"",
     "1:1: listener must be written [[listener]], in double brackets: there may be several"},
    {"[[listener]]", R"(1:1: listener.smtp.address is missing, as in address = ["127.0.0.1:25"])"},
    {"[[listener]]\naddress = []",
     R"(2:11: listener.smtp.address must be an array of strings such as ["127.0.0.1:25"], not an empty array)"},
    {"[[listener]]\naddress = 25",
     R"(2:11: listener.smtp.address must be an array of strings such as ["127.0.0.1:25"], not an integer)"},
    {"[[listener]]\naddress = [25]", "2:12: listener.smtp.address must hold strings only, not an integer"},
    {"[[listener]]\nname = \"Smtp\"\naddress = \"127.0.0.1:25\"",
     R"(2:8: listener.name must be 1 to 32 of a-z, 0-9 and -, and not begin with -: "Smtp")"},
    {"[[listener]]\nname = \"\"\naddress = \"127.0.0.1:25\"",
     R"(2:8: listener.name must be 1 to 32 of a-z, 0-9 and -, and not begin with -: "")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\ncolour = \"red\"", "3:1: unknown key 'listener.smtp.colour'"},
    {"[[listener]]\nadress = \"127.0.0.1:25\"",
     "1:1: listener.smtp.address is missing, as in address = [\"127.0.0.1:25\"]\n2:1: unknown key "
     "'listener.smtp.adress' — did you mean 'address'?"},
    {"[[listener]]\naddress = \":25\"",
     R"(2:11: ":25" is not an address to listen on: write "127.0.0.1:25" for this machine only, or "0.0.0.0:25" )"
     "for all"},
    {"[[listener]]\naddress = \"*:25\"",
     R"(2:11: "*:25" is not an address to listen on: write "127.0.0.1:25" for this machine only, or "0.0.0.0:25" )"
     "for all"},
    {"[[listener]]\naddress = \"25\"",
     R"(2:11: "25" is not an address to listen on: write "127.0.0.1:25" for this machine only, or "0.0.0.0:25" for )"
     "all"},
    {"[[listener]]\naddress = \"127.0.0.1\"",
     R"(2:11: "127.0.0.1" is not an address to listen on: write the port too, as in "127.0.0.1:25")"},
    {"[[listener]]\naddress = \"[::1]\"",
     R"(2:11: "[::1]" is not an address to listen on: write the port too, as in "127.0.0.1:25")"},
    {"[[listener]]\naddress = \"::1:25\"",
     R"(2:11: "::1:25" is not an address to listen on: an IPv6 address stands in brackets and the port behind, as in )"
     R"("[::1]:25")"},
    {"[[listener]]\naddress = \"::1\"",
     R"(2:11: "::1" is not an address to listen on: an IPv6 address stands in brackets and the port behind, as in )"
     R"("[::1]:25")"},
    {"[[listener]]\naddress = \"[127.0.0.1]:25\"",
     R"(2:11: "[127.0.0.1]:25" is not an address to listen on: between the brackets stands no IPv6 address)"},
    {"[[listener]]\naddress = \"1.2.3:25\"",
     R"(2:11: "1.2.3:25" is not an address to listen on: "1.2.3" is neither an IP address nor a host name)"},
    {"[[listener]]\naddress = \"256.1.1.1:25\"",
     R"(2:11: "256.1.1.1:25" is not an address to listen on: "256.1.1.1" is neither an IP address nor a host name)"},
    {"[[listener]]\naddress = \"a_b:25\"",
     R"(2:11: "a_b:25" is not an address to listen on: "a_b" is neither an IP address nor a host name)"},
    {"[[listener]]\naddress = \"a:x\"",
     R"(2:11: "a:x" is not an address to listen on: the port must be from 0 to 65535, not "x")"},
    {"[[listener]]\naddress = \"a:65536\"",
     R"(2:11: "a:65536" is not an address to listen on: the port must be from 0 to 65535, not "65536")"},
    {"[[listener]]\naddress = \"a:\"",
     R"(2:11: "a:" is not an address to listen on: the port must be from 0 to 65535, not "")"},
    {"[[listener]]\naddress = \"\"",
     R"(2:11: "" is not an address to listen on: write the port too, as in "127.0.0.1:25")"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[[listener]]\naddress = \"127.0.0.1:26\"",
     "3:1: listener 'smtp' is defined twice, first at /c/h.toml:1:1"},
    {"[[listener]]\naddress = [\"127.0.0.1:25\", \"127.0.0.1:25\"]",
     R"(1:1: listener.smtp.address "127.0.0.1:25" is already used by listener 'smtp')"},
    {"[[listener]]\naddress = \"127.0.0.1:25\"\n[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:25\"",
     R"(3:1: listener.b.address "127.0.0.1:25" is already used by listener 'smtp')"},
};

// Each of these stands below four lines that are right.
constexpr std::string_view kGoodHook = "[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]\n";
const std::vector<Case> kHooks{
    {"[[hook]]\nname = \"h\"\ncommand = [\"/bin/h\"]\nevents = [\"deliver\"]",
     "5:1: hook 'h' is defined twice, first at /c/h.toml:1:1"},
    {"timeout = 5", R"(5:11: hook.h.timeout must be a duration in quotes, such as "5s", not an integer)"},
    {R"(timeout = "5")", R"(5:11: hook.h.timeout must be a duration with its unit, such as "5s", not "5")"},
    {R"(timeout = "0s")", "5:11: hook.h.timeout must be from 1ms to 1h, not 0s"},
    {R"(timeout = "2h")", "5:11: hook.h.timeout must be from 1ms to 1h, not 2h"},
    {R"(timeout = { delivr = "5s" })", "5:13: unknown key 'hook.h.timeout.delivr' — did you mean 'deliver'?"},
    {"timeout = { deliver = 5 }",
     R"(5:23: hook.h.timeout.deliver must be a duration in quotes, such as "5s", not an integer)"},
    {"timeout = []", R"(5:11: hook.h.timeout must be a duration in quotes, such as "5s", not an array)"},
    {R"(start_timeout = "1h")", "5:17: hook.h.start_timeout must be from 1ms to 10m, not 1h"},
    {R"(on_failure = "accept")",
     R"(5:14: hook.h.on_failure must not be "accept" for deliver, which would acknowledge mail that nobody has: use { )"
     R"(default = "accept", deliver = "tempfail" })"},
    {R"(on_failure = { deliver = "accept" })",
     R"(5:26: hook.h.on_failure must not be "accept" for deliver, which would acknowledge mail that nobody has: use { )"
     R"(default = "accept", deliver = "tempfail" })"},
    {R"(on_failure = { default = "accept" })",
     R"(5:26: hook.h.on_failure must not be "accept" for deliver, which would acknowledge mail that nobody has: use { )"
     R"(default = "accept", deliver = "tempfail" })"},
    {R"(on_failure = "tempfial")",
     R"(5:14: hook.h.on_failure is "tempfial", which is unknown — did you mean "tempfail"?)"},
    {R"(on_failure = "drop")", R"(5:14: hook.h.on_failure must be "tempfail", "accept" or "reject", not "drop")"},
    {R"(on_failure = { default = "x" })",
     R"(5:26: hook.h.on_failure.default must be "tempfail", "accept" or "reject", not "x")"},
    {"instances = 0", "5:13: hook.h.instances must be from 1 to 64, not 0"},
    {"instances = 65", "5:13: hook.h.instances must be from 1 to 64, not 65"},
    {R"(instances = "2")", "5:13: hook.h.instances must be a whole number, not a string"},
    {R"(stores = "yes")", "5:10: hook.h.stores must be true or false, not a string"},
    {R"(options = "x")", "5:11: hook.h.options must be a table, [hook.h.options], not a string"},
    {"options = { a = inf }", "5:17: hook.h.options.a must be finite: JSON has no other numbers"},
    {"environment = 5", "5:15: hook.h.environment must be a table, [hook.h.environment], not an integer"},
    {R"(environment = { HOME = "/" })", "5:17: hook.h.environment.HOME is set by the daemon"},
    {R"(environment = { HOOK_NAME = "x" })", "5:17: hook.h.environment.HOOK_NAME is set by the daemon"},
    {R"(environment = { "a-b" = "x" })", "5:17: hook.h.environment.a-b is not a variable's name: use A-Z, 0-9 and _"},
    {"environment = { A = 5 }", "5:21: hook.h.environment.A must be a string, not an integer"},
    {R"(environment = { A = "\u0000" })", "5:21: hook.h.environment.A must not contain a NUL"},
    {"sandbox = 5", "5:11: hook.h.sandbox must be a table, [hook.h.sandbox], not an integer"},
    {"[hook.sandbox]\nuser = \"root\"", "6:8: hook.h.sandbox.user must not be root: no hook ever runs as root"},
    {"[hook.sandbox]\nuser = \"0\"", "6:8: hook.h.sandbox.user must not be root: no hook ever runs as root"},
    {"[hook.sandbox]\nuser = \"a:b\"", R"(6:8: hook.h.sandbox.user must be the name of a user, not "a:b")"},
    {"[hook.sandbox]\nuser = 5", "6:8: hook.h.sandbox.user must be a string in quotes, not an integer"},
    {"[hook.sandbox]\nread = [\"data\"]",
     R"(6:9: hook.h.sandbox.read must be an absolute path, not "data" (or "./data", beside this file))"},
    {"[hook.sandbox]\nread = [\"/\"]",
     R"(6:9: hook.h.sandbox.read must not be "/": name the folders that the hook needs)"},
    {"[hook.sandbox]\nread = [\"~/x\"]", R"(6:9: hook.h.sandbox.read must name the home folder in full, not "~/x")"},
    {"[hook.sandbox]\nread = [5]", "6:9: hook.h.sandbox.read must hold strings only, not an integer"},
    {"[hook.sandbox]\nnetwork = \"lan\"",
     R"(6:11: hook.h.sandbox.network must be "none", "loopback" or "host", not "lan")"},
    {"[hook.sandbox]\nwrite = [\"/\"]",
     R"(6:10: hook.h.sandbox.write must not be "/": name the folders that the hook needs)"},
    {"[hook.sandbox]\nwrite = [\"out\"]",
     R"(6:10: hook.h.sandbox.write must be an absolute path, not "out" (or "./out", beside this file))"},
    {"[hook.sandbox]\nmemory = \"1M\"", "6:10: hook.h.sandbox.memory must be from 4M to 1024T, not 1M"},
    {"[hook.sandbox]\nprocesses = 0", "6:13: hook.h.sandbox.processes must be from 1 to 4194304, not 0"},
    {"[hook.sandbox]\ncpu = \"half\"",
     R"(6:7: hook.h.sandbox.cpu must be percent of one core, as "50%", or "none", not "half")"},
    {"[hook.sandbox]\ncpu = \"0%\"", "6:7: hook.h.sandbox.cpu must be from 1 to 102400, not 0"},
    {"[hook.sandbox]\nfiles = 3", "6:9: hook.h.sandbox.files must be from 16 to 1048576, not 3"},
    {"[hook.sandbox]\nmemry = \"64M\"", "6:1: unknown key 'hook.h.sandbox.memry' — did you mean 'memory'?"},
    {"[hook.sandbox]\nreed = [\"/x\"]", "6:1: unknown key 'hook.h.sandbox.reed' — did you mean 'read'?"},
    {R"(banner = "x")",
     "5:1: unknown key 'hook.h.banner' — 'banner' belongs at the top of the file, above the first [section]"},
    {R"(timout = "5s")", "5:1: unknown key 'hook.h.timout' — did you mean 'timeout'?"},
    {R"(line_buffer = "yes")", "5:15: hook.h.line_buffer must be true or false, not a string"},
    {"reload_on_change = 1", "5:20: hook.h.reload_on_change must be true or false, not an integer"},
    {"memory = true", "5:1: unknown key 'hook.h.memory'"},
};

TEST_CASE("a wrong setting is told with line, column and the right way to write it") {
  for (const auto& [text, problems] : kSettings) CHECK_EQ(problems_of(text), problems);
}

TEST_CASE("a wrong listener is told with line, column and the right way to write it") {
  for (const auto& [text, problems] : kListeners) CHECK_EQ(problems_of(text), problems);
}

TEST_CASE("a wrong hook is told with line, column and the right way to write it") {
  CHECK_EQ(problems_of(kGoodHook), "no error");
  for (const auto& [text, problems] : kHooks) CHECK_EQ(problems_of(fmt::format("{}{}", kGoodHook, text)), problems);
}

TEST_CASE("a ready-made hook is named right, and brings its own command") {
  CHECK_EQ(problems_of("[[hook]]\nuse = \"mbox\""), "no error");
  CHECK_EQ(problems_of("[[hook]]\nuse = \"mbx\""),
           "2:7: hook.mbx.use names no hook that comes with hooksmtpd — did you mean 'mbox'?");
  CHECK_EQ(problems_of("[[hook]]\nuse = \"mbox\"\ncommand = [\"/x\"]"),
           "3:11: hook.mbox.command goes not with `use`, which names the program");
  CHECK_EQ(problems_of("[[hook]]\nname = \"mime\"\nuse = \"mbox\""),
           "2:8: hook.name must not be \"mime\": that is our own hook behind deliver_mime");
}

TEST_CASE("what would not fit into a frame or a hello is refused") {
  const auto hook_with = [](std::string_view line) { return problems_of(fmt::format("{}{}", kGoodHook, line)); };
  CHECK_EQ(hook_with(fmt::format("options = {{ a = \"{}\" }}", std::string(49144, 'x'))), "no error");
  CHECK_EQ(hook_with(fmt::format("options = {{ a = \"{}\" }}", std::string(49145, 'x'))),
           "5:11: hook.h.options must be at most 49152 octets as JSON, not 49153");
  CHECK(hook_with("options.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1")
            .ends_with(" is nested too deep"));
  const auto command_of = [](std::size_t length) {
    return problems_of(
        fmt::format("[[hook]]\nname = \"h\"\nevents = [\"deliver\"]\ncommand = [\"/{}\"]", std::string(length, 'x')));
  };
  CHECK_EQ(command_of(32766), "no error");
  CHECK_EQ(command_of(32767), "4:11: hook.h.command must be at most 32768 octets long in all");
}

TEST_CASE("a name is cut and escaped where it is repeated") {
  CHECK_EQ(problems_of(fmt::format("{} = 1", std::string(100, 'x'))),
           fmt::format("1:1: unknown key '{}…'", std::string(80, 'x')));
  CHECK_EQ(problems_of("\"a\\nb\" = 1"), "1:1: unknown key 'a\\x0ab'");
}

TEST_CASE("all errors are told at once, in the order of their places") {
  CHECK_EQ(problems_of("limits.errors = 0\nbannner = 1\n[[hook]]\nname = \"h\"\ninstances = 0\n[[listener]]\n"),
           "1:17: limits.errors must be from 1 to 1000000, not 0\n"
           "2:1: unknown key 'bannner' — did you mean 'banner'?\n"
           "3:1: hook.h.command is missing, as in command = [\"/usr/bin/python3\", \"./policy.py\"]\n"
           "3:1: hook.h.events is missing, as in events = [\"deliver\"]\n"
           "5:13: hook.h.instances must be from 1 to 64, not 0\n"
           "6:1: listener.smtp.address is missing, as in address = [\"127.0.0.1:25\"]");
}

}  // namespace
}  // namespace hooksmtpd::config
