// What a Config is made of, and which layer wins.

#include "config/load.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hooksmtpd::config {
namespace {

using namespace std::chrono_literals;

Request request(uid_t uid = 0) {
  Request request;
  request.machine = {.hostname = "mail.test", .uid = uid, .environment = {}, .hooks = "/libexec"};
  return request;
}

Loaded load_good(std::vector<FileText> files, const Request& how = request()) {
  auto loaded = load_texts(files, how);
  if (!loaded) FAIL(to_string(loaded.error()));
  return std::move(*loaded);
}
Loaded load_good(std::string text, const Request& how = request()) {
  return load_good({{.name = "/c/h.toml", .text = std::move(text)}}, how);
}

std::string warnings_of(const Loaded& loaded) { return to_string(loaded.warnings); }

std::string errors_of(const std::vector<FileText>& files, const Request& how) {
  const auto loaded = load_texts(files, how);
  return loaded ? "no error" : to_string(loaded.error());
}

TEST_CASE("without a file there is a listener on loopback and a hook that stores") {
  const Loaded loaded = load_good(std::vector<FileText>{});
  CHECK_EQ(loaded.config, defaults(request().machine));
  CHECK_EQ(loaded.config.hostname, "mail.test");
  REQUIRE_EQ(loaded.config.listeners.size(), 1);
  CHECK_EQ(loaded.config.listeners[0].name, "smtp");
  CHECK_EQ(loaded.config.listeners[0].address, std::vector<std::string>{"127.0.0.1:25", "[::1]:25"});
  REQUIRE_EQ(loaded.config.hooks.size(), 1);
  const Hook& hook = loaded.config.hooks[0];
  CHECK_EQ(hook.name, "inbox");
  CHECK_EQ(hook.command, std::vector<std::string>{"/libexec/inbox"});
  CHECK_EQ(hook.sandbox.listen, std::vector<std::string>{"127.0.0.1:8025"});
  CHECK(hook.web_page);
  CHECK(hook.on(HookEvent::kDeliver).subscribed);
  CHECK(!hook.on(HookEvent::kValidateSender).subscribed);
  CHECK_EQ(hook.on(HookEvent::kDeliver).timeout, 60s);
  CHECK(hook.stores);
  CHECK_EQ(loaded.config.state_dir, "/var/lib/hooksmtpd");
  CHECK_EQ(loaded.config.runtime_dir, "/run/hooksmtpd");
  CHECK(loaded.warnings.empty());
  CHECK(loaded.files.empty());
}

TEST_CASE("a plain user has a high port and folders of her own") {
  Request how = request(1000);
  how.machine.environment = {{"HOME", "/home/ann"}};
  const Config at_home = load_good(std::vector<FileText>{}, how).config;
  CHECK_EQ(at_home.listeners[0].address, std::vector<std::string>{"127.0.0.1:1025", "[::1]:1025"});
  CHECK_EQ(at_home.state_dir, "/home/ann/.local/state/hooksmtpd");
  CHECK_EQ(at_home.runtime_dir, "/home/ann/.local/state/hooksmtpd/run");

  how.machine.environment = {{"HOME", "/home/ann"}, {"XDG_STATE_HOME", "/s"}, {"XDG_RUNTIME_DIR", "/run/user/1000"}};
  const Config by_xdg = load_good(std::vector<FileText>{}, how).config;
  CHECK_EQ(by_xdg.state_dir, "/s/hooksmtpd");
  CHECK_EQ(by_xdg.runtime_dir, "/run/user/1000/hooksmtpd");

  how.machine.environment = {{"HOME", "relative"}};
  CHECK_EQ(load_good(std::vector<FileText>{}, how).config.state_dir, "/tmp/hooksmtpd-1000");
}

TEST_CASE("a machine with a name that SMTP does not allow is localhost, and that is said") {
  Request how = request();
  how.machine.hostname = "my_host";
  const Loaded loaded = load_good(std::vector<FileText>{}, how);
  CHECK_EQ(loaded.config.hostname, "localhost");
  CHECK_EQ(warnings_of(loaded),
           R"(warning: "my_host" is not a host name that SMTP allows: set hostname, "localhost" is used)");
  // Nobody needs to hear of it once a name is set.
  how.set = {"hostname=a.test"};
  CHECK_EQ(warnings_of(load_good(std::vector<FileText>{}, how)), "");
}

TEST_CASE("a listener's own settings hold for it, and for nobody else") {
  Config config = load_good("banner = \"all\"\nlimits.errors = 5\n").config;
  config.listeners[0].own = {{"banner", "own"}, {"limits.recipients", "7"}};
  const Config own = for_listener(config, config.listeners[0]);
  Config expected = config;
  expected.banner = "own";
  expected.limits.recipients = 7;
  CHECK_EQ(own, expected);
  CHECK_EQ(for_listener(config, Listener{}), config);
}

TEST_CASE("where a file exists there are the hooks that it names, and the default listener unless it names one") {
  const Loaded loaded = load_good("banner = \"x\"\n");
  CHECK(loaded.config.hooks.empty());
  CHECK_EQ(loaded.config.listeners, std::vector{default_listener(request().machine)});
  CHECK_EQ(warnings_of(loaded), "warning: no hook has the event 'deliver': mail is accepted and thrown away");
}

TEST_CASE("everything that can be written about a hook arrives") {
  const Config config = load_good(R"(
[[hook]]
name = "policy"
command = ["./policy.py", "--x", "a b"]
events = ["validate_sender", "deliver", "disconnect"]
timeout = { default = "5s", deliver = "2m" }
on_failure = { default = "accept", deliver = "reject" }
start_timeout = "3s"
instances = 64
stores = true
options = { b = 1, a = [true, 1.5, "ü", 2020-01-02, 10:11:12, 2020-01-02T10:11:12Z], c.d = {} }
environment = { DEBUG = "1", X = "" }
[hook.sandbox]
user = "ann"
read = ["/srv/a/", "../x"]
write = ["/srv/b"]
memory = "1G"
processes = 5
cpu = "150%"
files = 99
)")
                            .config;
  REQUIRE_EQ(config.hooks.size(), 1);
  Hook expected;
  expected.name = "policy";
  expected.command = {"/c/policy.py", "--x", "a b"};
  expected.on(HookEvent::kValidateSender) = {.subscribed = true, .timeout = 5s, .on_failure = OnFailure::kAccept};
  expected.on(HookEvent::kDeliver) = {.subscribed = true, .timeout = 2min, .on_failure = OnFailure::kReject};
  expected.on(HookEvent::kDisconnect) = {.subscribed = true, .timeout = 5s, .on_failure = OnFailure::kAccept};
  expected.start_timeout = 3s;
  expected.instances = 64;
  expected.stores = true;
  expected.options = R"({"a":[true,1.5,"\u00fc","2020-01-02","10:11:12","2020-01-02T10:11:12Z"],"b":1,"c":{"d":{}}})";
  expected.environment = {{"DEBUG", "1"}, {"X", ""}};
  expected.sandbox = {.user = "ann",
                      .read = {"/srv/a/", "/x"},
                      .write = {"/srv/b"},
                      .listen = {},
                      .memory = 1 << 30,
                      .processes = 5,
                      .cpu = 150,
                      .files = 99};
  expected.source = {"/c/h.toml", 2, 1};
  expected.command_source = {"/c/h.toml", 4, 11};
  CHECK_EQ(to_json(config), [&] {
    Config same = config;
    same.hooks = {expected};
    return to_json(same);
  }());
}

TEST_CASE("everything that can be written about a listener arrives") {
  const Config config = load_good(R"(
[[hook]]
name = "h"
command = ["/h"]
events = ["deliver", "auth"]
[[listener]]
name = "full"
address = ["127.0.0.1:587", "unix:/run//x/../full.sock"]
socket_mode = "0660"
protocol = "lmtp"
tls = "required"
hostname = "full.test"
banner = "full"
hooks = ["h"]
hide = ["size", "8bitmime"]
add = ["X-Y 1", "SIZE"]
lenient = true
proxy_protocol = "10.0.0.0/8"
xclient = ["::1", "127.0.0.0/8"]
[listener.auth]
source = "hook"
required = true
mechanisms = ["plain", "LOGIN"]
[listener.limits]
message_size = "1024K"
[listener.timeouts]
handshake = "60s"
[[listener]]
name = "bare"
address = "127.0.0.1:26"
hooks = []
hide = []
)")
                            .config;
  REQUIRE_EQ(config.listeners.size(), 2);
  const Listener expected{.name = "full",
                          .address = {"127.0.0.1:587", "unix:/run/full.sock"},
                          .protocol = ListenerProtocol::kLmtp,
                          .socket_mode = 0660,
                          .own = {{"tls.mode", "required"},
                                  {"hostname", "full.test"},
                                  {"banner", "full"},
                                  {"auth.source", "hook"},
                                  {"auth.required", "true"},
                                  {"auth.mechanisms", "PLAIN LOGIN"},
                                  {"limits.message_size", "1M"},
                                  {"timeouts.handshake", "1m"}},
                          .hooks = {{"h"}},
                          .hide = {"SIZE", "8BITMIME"},
                          .add = {"X-Y 1", "SIZE"},
                          .lenient = true,
                          .proxy_protocol = {*parse_network("10.0.0.0/8")},
                          .xclient = {*parse_network("::1"), *parse_network("127.0.0.0/8")},
                          .source = {"/c/h.toml", 6, 1}};
  CHECK_EQ(config.listeners[0], expected);
  CHECK_EQ(config.listeners[1].hooks, std::vector<std::string>{});

  const Config own = for_listener(config, config.listeners[0]);
  CHECK_EQ(own.tls.mode, TlsMode::kRequired);
  CHECK_EQ(own.auth.mechanisms, std::vector<std::string>{"PLAIN", "LOGIN"});
  CHECK_EQ(own.limits.message_size, 1024 * 1024);
  CHECK_EQ(own.timeouts.handshake, 1min);
  CHECK(uses_tls(config));
  CHECK(!uses_tls(load_good("").config));
  CHECK(uses_tls(load_good("tls.mode = \"starttls\"").config));
  CHECK(
      !uses_tls(load_good("tls.mode = \"starttls\"\n[[listener]]\naddress = \"127.0.0.1:1\"\ntls = \"none\"").config));
}

TEST_CASE("one time limit speaks of all events, and of each there is a default") {
  const std::string hook = "[[hook]]\nname = \"h\"\ncommand = [\"/h\"]\nevents = [\"deliver\", \"validate_host\"]\n";
  const auto times = [&](const std::string& line) {
    const Hook read = load_good(hook + line).config.hooks[0];
    return std::pair(read.on(HookEvent::kDeliver).timeout, read.on(HookEvent::kValidateHost).timeout);
  };
  CHECK_EQ(times(""), std::pair<Milliseconds, Milliseconds>(60s, 10s));
  CHECK_EQ(times("timeout = \"5s\""), std::pair<Milliseconds, Milliseconds>(5s, 5s));
  CHECK_EQ(times("timeout.deliver = \"5s\""), std::pair<Milliseconds, Milliseconds>(5s, 10s));
  CHECK_EQ(times("timeout = { deliver = \"5s\", default = \"1s\" }"), std::pair<Milliseconds, Milliseconds>(5s, 1s));
}

TEST_CASE("accept is a fine answer for everything but deliver") {
  const std::string hook = "[[hook]]\nname = \"h\"\ncommand = [\"/h\"]\nevents = [\"validate_host\"]\n";
  CHECK_EQ(load_good(hook + "on_failure = \"accept\"").config.hooks[0].on(HookEvent::kValidateHost).on_failure,
           OnFailure::kAccept);
}

TEST_CASE("of two files the later wins, while listeners and hooks add up") {
  const auto hook = [](const std::string& name) {
    return "[[hook]]\nname = \"" + name + "\"\ncommand = [\"./h\"]\nevents = [\"deliver\"]\nstores = true\n";
  };
  const Loaded loaded =
      load_good({{.name = "/c/h.toml",
                  .text = "banner = \"one\"\nlimits.errors = 5\n[[listener]]\naddress = \"127.0.0.1:1\"\n" + hook("a")},
                 {.name = "/c/conf.d/b.toml",
                  .text = "banner = \"two\"\n[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:2\"\n" + hook("b")}});
  CHECK_EQ(loaded.config.banner, "two");
  CHECK_EQ(loaded.config.limits.errors, 5);
  REQUIRE_EQ(loaded.config.listeners.size(), 2);
  REQUIRE_EQ(loaded.config.hooks.size(), 2);
  CHECK_EQ(loaded.config.hooks[0].command[0], "/c/h");
  CHECK_EQ(loaded.config.hooks[1].command[0], "/c/conf.d/h");
  CHECK_EQ(loaded.files, std::vector<std::filesystem::path>{"/c/h.toml", "/c/conf.d/b.toml"});
  CHECK_EQ(to_string(loaded.origins.at("banner")), "/c/conf.d/b.toml:1:10");
  CHECK_EQ(to_string(loaded.origins.at("limits.errors")), "/c/h.toml:2:17");
  CHECK_EQ(to_string(loaded.origins.at("hook.b")), "/c/conf.d/b.toml:5:1");
}

TEST_CASE("the errors of all files are told, and one hook may not have two definitions") {
  const std::string hook = "[[hook]]\nname = \"h\"\ncommand = [\"./h\"]\nevents = [\"deliver\"]\n";
  CHECK_EQ(
      errors_of({{.name = "/c/h.toml", .text = "x = 1\n" + hook}, {.name = "/c/conf.d/b.toml", .text = hook + "y = 1"}},
                request()),
      "/c/h.toml:1:1: unknown key 'x'\n"
      "/c/conf.d/b.toml:5:1: unknown key 'hook.h.y'\n"
      "/c/conf.d/b.toml:1:1: hook 'h' is defined twice, first at /c/h.toml:2:1");
}

TEST_CASE("the command line wins over the environment, that over files, those over the defaults") {
  Request how = request();
  const std::string file = "banner = \"file\"\n";
  CHECK_EQ(load_good("").config.banner, "hooksmtpd");
  CHECK_EQ(load_good(file).config.banner, "file");
  how.machine.environment["HOOKSMTPD_BANNER"] = "environment";
  CHECK_EQ(load_good(file, how).config.banner, "environment");
  CHECK_EQ(to_string(load_good(file, how).origins.at("banner")), "environment");
  how.set = {"banner=command line"};
  CHECK_EQ(load_good(file, how).config.banner, "command line");
  CHECK_EQ(to_string(load_good(file, how).origins.at("banner")), "command line");
  CHECK_EQ(to_string(load_good(file, how).origins.at("hostname")), "default");
  how.set = {"-banner=a=b"};
  CHECK_EQ(load_good(file, how).config.banner, "a=b");
}

TEST_CASE("--listen stands in for every listener") {
  Request how = request();
  how.listen = {"127.0.0.1:2525", "[::1]:0"};
  const Loaded loaded = load_good("[[listener]]\nname = \"other\"\naddress = \"0.0.0.0:25\"\n", how);
  REQUIRE_EQ(loaded.config.listeners.size(), 1);
  CHECK_EQ(loaded.config.listeners[0].name, "smtp");
  CHECK_EQ(loaded.config.listeners[0].address, std::vector<std::string>{"127.0.0.1:2525", "[::1]:0"});
  CHECK_EQ(to_string(loaded.origins.at("listener.smtp")), "command line");
  CHECK_EQ(loaded.origins.count("listener.other"), 0);
}

TEST_CASE("mistakes on the command line and in the environment are errors too") {
  Request how = request();
  how.machine.environment = {{"HOOKSMTPD_LIMITS_ERRORS", "many"}, {"HOOKSMTPD_BANER", "x"}, {"HOME", "/"}};
  how.set = {"banner", "bannner=x", "limits.errors=0"};
  how.listen = {":25"};
  CHECK_EQ(errors_of({}, how),
           "HOOKSMTPD_LIMITS_ERRORS: limits.errors must be a whole number from 1 to 1000000, not \"many\"\n"
           "--set: \"banner\" is not KEY=VALUE, as in banner=mail\n"
           "--set: unknown setting 'bannner' — did you mean 'banner'?\n"
           "--set: limits.errors must be from 1 to 1000000, not 0\n"
           "--listen: \":25\" is not an address to listen on: write \"127.0.0.1:25\" for this machine only, or "
           "\"0.0.0.0:25\" for all");
}

TEST_CASE("a variable that nobody reads is a warning: it may belong to somebody else") {
  Request how = request();
  how.machine.environment = {{"HOOKSMTPD_BANER", "x"}};
  CHECK_EQ(warnings_of(load_good(std::vector<FileText>{}, how)),
           "HOOKSMTPD_BANER: warning: no setting has this name — did you mean 'HOOKSMTPD_BANNER'?");
}

TEST_CASE("what is right by the rules and yet may be meant otherwise is a warning") {
  const auto hook = [](const std::string& name, const std::string& rest) {
    return "[[hook]]\nname = \"" + name + "\"\ncommand = [\"/h\"]\n" + rest + "\n";
  };
  const std::string store = hook("store", "events = [\"deliver\"]\nstores = true");
  const std::string judge = hook("judge", "events = [\"deliver\"]");
  const std::string early = hook("early", "events = [\"validate_sender\"]");

  CHECK_EQ(warnings_of(load_good(judge + store)), "");
  CHECK_EQ(
      warnings_of(load_good(store + judge)),
      "/c/h.toml:6:1: warning: hook 'judge' can refuse a message that hook 'store' has stored before: put it first");
  // Senders are judged long before a message is stored, wherever the hook stands.
  CHECK_EQ(warnings_of(load_good(store + early)), "");
  CHECK_EQ(warnings_of(load_good(store + hook("second", "events = [\"deliver\"]\nstores = true"))), "");

  CHECK_EQ(warnings_of(load_good(early + "stores = true\n" + store)),
           "/c/h.toml:1:1: warning: hook 'early' has stores = true, but its events do not name 'deliver'");
  CHECK_EQ(warnings_of(load_good(early + "timeout.deliver = \"5s\"\n" + store)),
           "/c/h.toml:5:19: warning: hook.early.timeout.deliver has no effect: the hook's events do not name it");
  CHECK_EQ(warnings_of(load_good("[[listener]]\naddress = [\"127.0.0.1:25\", \"0.0.0.0:26\"]\n" + store)),
           "/c/h.toml:1:1: note: listener 'smtp' on 0.0.0.0:26 can be reached from other machines");
  CHECK_EQ(warnings_of(load_good("spool_size = \"1M\"\n" + store)),
           "warning: limits.message_size (25M) is more than spool_size (1M) can hold");
}

}  // namespace
}  // namespace hooksmtpd::config
