#include "config/settings.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/defaults.h"

namespace hooksmtpd::config {
namespace {

Config some_config() { return defaults({.hostname = "mail.test", .uid = 0, .environment = {}, .hooks = "/libexec"}); }

const Setting& setting(std::string_view name) {
  const Setting* found = find_setting(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  return *found;
}

TEST_CASE("every setting is printed as it is read") {
  Config config = some_config();
  for (const Setting& each : settings()) {
    const std::string text = each.get(config);
    REQUIRE_MESSAGE(each.set(config, text), each.name);
    CHECK_EQ(each.get(config), text);
  }
  CHECK_EQ(config, some_config());
}

TEST_CASE("setting a value changes that and nothing else") {
  Config config = some_config();
  REQUIRE(setting("limits.recipients").set(config, "7"));
  Config expected = some_config();
  expected.limits.recipients = 7;
  CHECK_EQ(config, expected);
}

TEST_CASE("a wrong value leaves the configuration alone, and the error is a sentence") {
  Config config = some_config();
  const auto done = setting("limits.recipients").set(config, "many");
  REQUIRE(!done);
  CHECK_EQ(done.error(), R"(limits.recipients must be a whole number from 1 to 10000, not "many")");
  CHECK_EQ(config, some_config());
}

TEST_CASE("no text of any kind makes a setting lose its round trip") {
  for (const Setting& each : settings()) {
    for (const std::string_view text : {"",          " ",
                                        "-",         "0",
                                        "-1",        "1",
                                        "60800",     "true",
                                        "x",         "[",
                                        "[::1]",     "/",
                                        "/x/../y",   "1.2",
                                        "required",  "plain,LOGIN",
                                        "1-",        "1-2",
                                        "2000-2001", "5s",
                                        "1T",        "99999999999999999999999",
                                        "\n",        "\xff"}) {
      Config config = some_config();
      if (!each.set(config, text)) continue;
      const std::string printed = each.get(config);
      Config again = some_config();
      REQUIRE_MESSAGE(each.set(again, printed), each.name);
      CHECK_EQ(config, again);
    }
  }
}

TEST_CASE("the names of tcllib's smtpd are understood") {
  CHECK_EQ(find_setting("-banner"), find_setting("banner"));
  CHECK_EQ(find_setting("-loglevel"), find_setting("log_level"));
  CHECK_EQ(find_setting("loglevel"), find_setting("log_level"));
  CHECK_EQ(find_setting("-serveraddr"), find_setting("hostname"));
  CHECK_EQ(find_setting("-nothing"), nullptr);
}

TEST_CASE("the names of tcllib's tls options are understood, too") {
  CHECK_EQ(find_setting("-certfile"), find_setting("tls.certificate"));
  CHECK_EQ(find_setting("-keyfile"), find_setting("tls.key"));
  CHECK_EQ(find_setting("-password"), find_setting("tls.key_password_file"));
  CHECK_EQ(find_setting("-cafile"), find_setting("tls.ca_file"));
  CHECK_EQ(find_setting("-cadir"), find_setting("tls.ca_dir"));
  CHECK_EQ(find_setting("-cipher"), find_setting("tls.ciphers"));
}

TEST_CASE("what was a flag in tcllib's tls is set by a flag") {
  struct Case {
    std::string_view name, before, value, setting, after;
  };
  const std::vector<Case> cases{
      {"-usetls", "none", "true", "tls.mode", "starttls"},
      {"-usetls", "starttls", "false", "tls.mode", "none"},
      {"-request", "none", "true", "tls.client_certificates", "request"},
      {"-request", "request", "false", "tls.client_certificates", "none"},
      {"-request", "require", "false", "tls.client_certificates", "require"},
      {"-require", "request", "true", "tls.client_certificates", "require"},
      {"-require", "require", "false", "tls.client_certificates", "none"},
      {"-require", "request", "false", "tls.client_certificates", "request"},
      {"-tls1", "1.2", "true", "tls.min_version", "1.0"},
      {"-tls1", "1.0", "false", "tls.min_version", "1.2"},
      {"-tls1", "1.3", "false", "tls.min_version", "1.3"},
  };
  for (const auto& [name, before, value, real, after] : cases) {
    Config config = some_config();
    REQUIRE(setting(real).set(config, before));
    CHECK_EQ(setting(name).name, real);
    CHECK(setting(name).set(config, value));
    CHECK_EQ(setting(real).get(config), after);
    CHECK(!setting(name).set(config, "starttls"));
  }
}

TEST_CASE("SSLv3 is refused with the reason, under its old names too") {
  for (const std::string_view name : {"-ssl2", "-ssl3", "ssl3"}) {
    CHECK_EQ(find_setting(name), nullptr);
    CHECK_EQ(unknown_setting(name), std::string(name) +
                                        ": SSLv2 and SSLv3 are broken and do not exist any more (RFC 6176, RFC 7568); "
                                        "the oldest is TLS \"1.0\"");
  }
}

TEST_CASE("[tls] names the first certificate, and takes it back") {
  Config config = some_config();
  REQUIRE(setting("tls.key").set(config, "/k"));
  REQUIRE(setting("tls.certificate").set(config, "/c"));
  REQUIRE_EQ(config.tls.certificates.size(), 1);
  CHECK_EQ(config.tls.certificates[0].chain.file, "/c");
  CHECK_EQ(config.tls.certificates[0].key, "/k");
  REQUIRE(setting("tls.key").set(config, ""));
  REQUIRE(setting("tls.certificate").set(config, ""));
  CHECK_EQ(config, some_config());
}

TEST_CASE("what a listener may have of its own is no more than the session and the stream look at") {
  std::set<std::string_view> own;
  for (const Setting& each : settings()) {
    if (each.per_listener) own.insert(each.name);
  }
  CHECK_EQ(own,
           std::set<std::string_view>{"auth.before_tls", "auth.mechanisms", "auth.required", "auth.source", "banner",
                                      "hostname", "limits.commands", "limits.errors", "limits.message_size",
                                      "limits.recipients", "limits.strict_lines", "timeouts.command", "timeouts.data",
                                      "timeouts.handshake", "timeouts.idle", "tls.mode"});
}

TEST_CASE("an unknown setting is told with the nearest one") {
  CHECK_EQ(unknown_setting("bannner"), "unknown setting 'bannner' — did you mean 'banner'?");
  CHECK_EQ(unknown_setting("limits.recipient"),
           "unknown setting 'limits.recipient' — did you mean 'limits.recipients'?");
  CHECK_EQ(unknown_setting("colour"), "unknown setting 'colour'");
}

TEST_CASE("each setting has a help line, and a variable of its own") {
  std::set<std::string> variables;
  for (const Setting& each : settings()) {
    CHECK_MESSAGE(!each.help.empty(), each.name);
    CHECK(variables.insert(environment_name(each)).second);
  }
  CHECK_EQ(environment_name(setting("limits.recipients")), "HOOKSMTPD_LIMITS_RECIPIENTS");
  CHECK_EQ(environment_name(setting("banner")), "HOOKSMTPD_BANNER");
}

TEST_CASE("what needs a privilege cannot be changed while the daemon runs") {
  std::set<std::string_view> restart;
  for (const Setting& each : settings()) {
    if (!each.live) restart.insert(each.name);
  }
  CHECK_EQ(restart, std::set<std::string_view>{"hook_uids", "runtime_dir", "sandbox", "spool_size", "state_dir"});
}

}  // namespace
}  // namespace hooksmtpd::config
