// A Config travels to the worker and arrives as it was.

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/defaults.h"

namespace hooksmtpd::config {
namespace {

using namespace std::chrono_literals;

// No member has its default.
Config unusual() {
  Config c;
  c.hostname = "mail.test";
  c.banner = "b";
  c.log_level = LogLevel::kTrace;
  c.listeners = {{.name = "l",
                  .address = {"127.0.0.1:1", "[::1]:2"},
                  .protocol = ListenerProtocol::kLmtp,
                  .socket_mode = 0640,
                  .own = {{"banner", "c"}, {"tls.mode", "implicit"}},
                  .hooks = {{"h"}},
                  .hide = {"SIZE"},
                  .add = {"X-Y 1"},
                  .lenient = true,
                  .proxy_protocol = {*parse_network("10.0.0.0/8")},
                  .xclient = {*parse_network("::1"), *parse_network("::/0")},
                  .source = {"f", 1, 2}},
                 {.hooks = std::vector<std::string>{}, .source = {}},
                 {}};
  c.limits = {1, 2, 3, 4, 5, 6, true};
  c.timeouts = {1ms, 2ms, 3ms, 5ms, 4ms};
  c.tls = {
      .mode = TlsMode::kRequired,
      .certificates = {{.chain = {"/c", "chain\n"}, .key = "/k", .key_password_file = "/p", .source = {"f", 2, 3}}},
      .min_version = TlsVersion::k10,
      .ciphers = "HIGH",
      .ciphersuites = "TLS_AES_128_GCM_SHA256",
      .client_certificates = ClientCertificates::kRequire,
      .ca_file = "/a",
      .ca_dir = "/d",
      .authorities = {{"/a", "one"}, {"/d/x", "two"}}};
  c.auth = {.source = AuthSource::kPasswords,
            .required = true,
            .before_tls = true,
            .mechanisms = {"PLAIN"},
            .password_file = "/w",
            .passwords = "ann:x"};
  c.mime = {.timeout = 6ms, .depth = 7, .parts = 8, .size = ~0ull};
  c.sandbox_mode = SandboxMode::kNone;
  c.spool_size = ~0ull;
  c.hook_uids = {7, ~0u};
  c.state_dir = "/s";
  c.runtime_dir = "/r";
  Hook h;
  h.name = "h";
  h.command = {"/h", "", "two\nlines"};
  h.on(HookEvent::kValidateHost) = {true, 9ms, OnFailure::kAccept};
  h.on(HookEvent::kDisconnect) = {true, 8ms, OnFailure::kReject};
  h.start_timeout = 7ms;
  h.instances = 64;
  h.stores = true;
  h.line_buffer = true;
  h.reload_on_change = true;
  h.options = R"({"a":"\u00fc"})";
  h.environment = {{"A", "b"}, {"C", ""}};
  h.sandbox = {.user = "ann",
               .read = {"/x", "/y"},
               .write = {"/z"},
               .listen = {"127.0.0.1:80"},
               .network = NetworkAccess::kHost,
               .memory = 5,
               .processes = 6,
               .cpu = 7,
               .files = 8};
  h.source = {"g", 3, 4};
  h.command_source = {"g", 5, 6};
  c.hooks = {h, {}};
  return c;
}

TEST_CASE("every member arrives") {
  CHECK_EQ(from_json(to_json(unusual())), unusual());
  CHECK_EQ(from_json(to_json(Config{})), Config{});
  const Config usual = defaults({.hostname = "m", .uid = 0, .environment = {}, .hooks = "/m"});
  CHECK_EQ(from_json(to_json(usual)), usual);
}

TEST_CASE("who sees private keys is told about TLS and nothing else") {
  const Config part = from_json(to_json(for_keyholder(unusual())));
  CHECK_EQ(part.tls, unusual().tls);
  CHECK_EQ(part.log_level, unusual().log_level);
  Config rest = part;
  rest.tls = {};
  rest.log_level = {};
  Config nothing;
  nothing.log_level = {};
  CHECK_EQ(rest, nothing);
}

TEST_CASE("bytes that are no text arrive") {
  Config config = unusual();
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  config.hooks[0].command[1] = all;
  config.hooks[0].environment["X"] = all;
  config.hooks[0].sandbox.read = {all};
  config.state_dir = "/\xff";
  CHECK_EQ(from_json(to_json(config)), config);
}

TEST_CASE("equal configurations have equal texts") { CHECK_EQ(to_json(unusual()), to_json(unusual())); }

TEST_CASE("anything else is refused") {
  std::string cut = to_json(unusual());
  cut.pop_back();
  std::string wide = to_json(unusual());
  wide.replace(wide.find("mail.test"), 4, "\u0100");
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"), cut, wide}) {
    CHECK_THROWS_AS(from_json(text), std::runtime_error);
  }
}

}  // namespace
}  // namespace hooksmtpd::config
