#include "config/reload.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "config/defaults.h"

namespace hooksmtpd::config {
namespace {

using namespace std::chrono_literals;

Config running() {
  Config config = defaults({.hostname = "mail.test", .uid = 0, .environment = {}, .hooks = "/libexec"});
  Hook policy;
  policy.name = "policy";
  policy.command = {"/policy", "-v"};
  policy.on(HookEvent::kValidateSender).subscribed = true;
  config.hooks.insert(config.hooks.begin(), policy);
  return config;
}

Changes after(const std::function<void(Config&)>& change) {
  Config wanted = running();
  change(wanted);
  return compare(running(), wanted);
}

using Names = std::vector<std::string>;
using Indices = std::vector<std::size_t>;

TEST_CASE("nothing changed is no change, wherever it now stands in the file") {
  CHECK_EQ(after([](Config&) {}), Changes{});
  CHECK_EQ(after([](Config& c) {
             c.hooks[0].source = {"x", 1, 2};
             c.hooks[0].command_source = {"x", 1, 2};
             c.listeners[0].source = {"x", 3, 4};
           }),
           Changes{});
}

TEST_CASE("a reload changes what needs no privilege") {
  struct Case {
    std::function<void(Config&)> change;
    Changes changes;
  };
  const std::vector<Case> cases{
      {[](Config& c) { c.banner = std::string("x"); }, {{}, {"banner"}, {}}},
      {[](Config& c) { c.hostname = std::string("x"); }, {{}, {"hostname"}, {}}},
      {[](Config& c) { c.log_level = LogLevel::kDebug; }, {{}, {"log_level"}, {}}},
      {[](Config& c) { c.limits.errors = 5; }, {{}, {"limits.errors"}, {}}},
      {[](Config& c) { c.timeouts.idle = 1s; }, {{}, {"timeouts.idle"}, {}}},
      {[](Config& c) { c.hooks[0].on(HookEvent::kDeliver).timeout = 1s; }, {{}, {"hook.policy.timeout"}, {}}},
      {[](Config& c) { c.hooks[0].on(HookEvent::kValidateSender).on_failure = OnFailure::kReject; },
       {{}, {"hook.policy.on_failure"}, {}}},
      {[](Config& c) { c.hooks[0].start_timeout = 1s; }, {{}, {"hook.policy.start_timeout"}, {}}},
      {[](Config& c) { c.hooks[0].stores = true; }, {{}, {"hook.policy.stores"}, {}}},
      {[](Config& c) { c.tls.min_version = TlsVersion::k13; }, {{}, {"tls.min_version"}, {}}},
      {[](Config& c) { c.tls.client_certificates = ClientCertificates::kRequest; },
       {{}, {"tls.client_certificates"}, {}}},
      {[](Config& c) { c.auth.source = AuthSource::kAcceptAny; }, {{}, {"auth.source"}, {}}},
      {[](Config& c) { c.listeners[0].hide = {"SIZE"}; }, {{}, {"listener.smtp.hide"}, {}}},
      {[](Config& c) { c.listeners[0].add = {"X"}; }, {{}, {"listener.smtp.add"}, {}}},
      {[](Config& c) { c.listeners[0].hooks.emplace(); }, {{}, {"listener.smtp.hooks"}, {}}},
      {[](Config& c) { c.listeners[0].lenient = true; }, {{}, {"listener.smtp.lenient"}, {}}},
      {[](Config& c) { c.listeners[0].xclient.resize(1); }, {{}, {"listener.smtp.xclient"}, {}}},
      {[](Config& c) { c.listeners[0].proxy_protocol.resize(1); }, {{}, {"listener.smtp.proxy_protocol"}, {}}},
      {[](Config& c) { c.listeners[0].own["limits.errors"] = std::string("5"); },
       {{}, {"listener.smtp.limits.errors"}, {}}},
      // The file's name is the same, what stands in it is not.
      {[](Config& c) { c.auth.passwords = std::string("x"); }, {{}, {"auth.passwords"}, {}}},
      {[](Config& c) { c.tls.authorities.resize(1); }, {{}, {"tls.ca_dir"}, {}}},
      // These a hook learns at its start.
      {[](Config& c) { c.hooks[0].command[1] = std::string("-q"); }, {{}, {"hook.policy.command"}, {0}}},
      {[](Config& c) { c.hooks[1].command.push_back("-q"); }, {{}, {"hook.inbox.command"}, {1}}},
      {[](Config& c) { c.hooks[0].on(HookEvent::kDeliver).subscribed = true; }, {{}, {"hook.policy.events"}, {0}}},
      {[](Config& c) { c.hooks[0].options = R"({"a":1})"; }, {{}, {"hook.policy.options"}, {0}}},
  };
  for (const auto& [change, changes] : cases) CHECK_EQ(after(change), changes);
}

TEST_CASE("what needs a privilege needs a restart, and is named") {
  struct Case {
    std::function<void(Config&)> change;
    Names restart;
  };
  const std::vector<Case> cases{
      {[](Config& c) { c.sandbox_mode = SandboxMode::kNone; }, {"sandbox"}},
      {[](Config& c) { c.spool_size += 1; }, {"spool_size"}},
      {[](Config& c) { c.hook_uids.second += 1; }, {"hook_uids"}},
      {[](Config& c) { c.state_dir = std::string("/x"); }, {"state_dir"}},
      {[](Config& c) { c.runtime_dir = std::string("/x"); }, {"runtime_dir"}},
      {[](Config& c) { c.listeners[0].address.pop_back(); }, {"listener.smtp.address"}},
      {[](Config& c) { c.listeners[0].protocol = ListenerProtocol::kLmtp; }, {"listener.smtp.protocol"}},
      {[](Config& c) { c.listeners[0].socket_mode = 0600; }, {"listener.smtp.socket_mode"}},
      {[](Config& c) { c.listeners[0].name = std::string("b"); }, {"listener.smtp (removed)", "listener.b (new)"}},
      {[](Config& c) { c.hooks.pop_back(); }, {"hook.inbox (removed)"}},
      {[](Config& c) { c.hooks.emplace_back().name = std::string("x"); }, {"hook.x (new)"}},
      {[](Config& c) { std::swap(c.hooks[0], c.hooks[1]); }, {"hook (order)"}},
      {[](Config& c) { c.hooks[0].command[0] = std::string("/x"); }, {"hook.policy.command[0]"}},
      {[](Config& c) { c.hooks[0].instances = 2; }, {"hook.policy.instances"}},
      {[](Config& c) { c.hooks[0].environment["A"] = std::string("b"); }, {"hook.policy.environment"}},
      {[](Config& c) { c.hooks[0].sandbox.user = std::string("ann"); }, {"hook.policy.sandbox.user"}},
      {[](Config& c) { c.hooks[0].sandbox.read = {"/x"}; }, {"hook.policy.sandbox.read"}},
      {[](Config& c) { c.hooks[0].sandbox.listen = {"127.0.0.1:1"}; }, {"hook.policy.sandbox.listen"}},
      {[](Config& c) { c.hooks[0].sandbox.write = {"/x"}; }, {"hook.policy.sandbox.write"}},
      {[](Config& c) { c.hooks[0].sandbox.memory = 0; }, {"hook.policy.sandbox.memory"}},
      {[](Config& c) { c.hooks[0].sandbox.processes = 1; }, {"hook.policy.sandbox.processes"}},
      {[](Config& c) { c.hooks[0].sandbox.cpu = 1; }, {"hook.policy.sandbox.cpu"}},
      {[](Config& c) { c.hooks[0].sandbox.files = 1; }, {"hook.policy.sandbox.files"}},
  };
  for (const auto& [change, restart] : cases) CHECK_EQ(after(change).restart_needed, restart);
}

TEST_CASE("TLS can be changed at will where some listener has it, and takes a restart where none had") {
  Config plain = running(), one = running(), all = running();
  for (Config* config : {&plain, &one, &all}) config->listeners.push_back({.name = "b", .address = {"127.0.0.1:1"}});
  one.listeners[1].own["tls.mode"] = "starttls";
  all.tls.mode = TlsMode::kRequired;

  CHECK_EQ(compare(plain, one),
           Changes{.restart_needed = {"listener.b.tls"}, .reloadable = {}, .hooks_to_restart = {}});
  CHECK_EQ(compare(plain, all), Changes{.restart_needed = {"tls.mode"}, .reloadable = {}, .hooks_to_restart = {}});
  CHECK_EQ(compare(one, all).restart_needed, Names{});
  CHECK_EQ(compare(one, all).reloadable, Names{"tls.mode", "listener.b.tls"});
  CHECK_EQ(compare(all, plain).restart_needed, Names{});
  CHECK_EQ(compare(all, plain).reloadable, Names{"tls.mode"});
  // A keyholder that is there stays when TLS is switched off.
  CHECK_EQ(compare(plain, all, Keyholder::kThere).reloadable, Names{"tls.mode"});
}

TEST_CASE("a certificate that was renewed in its file is a change") {
  Config before = running();
  before.tls.certificates = {{.chain = {.file = "/a", .text = "old"}, .key = "/k"},
                             {.chain = {.file = "/b", .text = "b"}}};
  Config after = before;
  after.tls.certificates[0].chain.text = "new";
  CHECK_EQ(compare(before, after).reloadable, Names{"tls.certificate"});
  after = before;
  after.tls.certificates[1].key = "/other";
  CHECK_EQ(compare(before, after).reloadable, Names{"tls.sni"});
  after = before;
  after.tls.certificates[1].source.line = 9;
  CHECK_EQ(compare(before, after), Changes{});
}

TEST_CASE("both kinds of change are told at once") {
  const Changes changes = after([](Config& c) {
    c.banner = std::string("x");
    c.spool_size += 1;
  });
  CHECK_EQ(changes.reloadable, Names{"banner"});
  CHECK_EQ(changes.restart_needed, Names{"spool_size"});
  CHECK_EQ(changes.hooks_to_restart, Indices{});
}

}  // namespace
}  // namespace hooksmtpd::config
