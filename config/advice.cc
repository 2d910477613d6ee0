#include "config/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/address.h"
#include "config/extensions.h"
#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

class Advice {
 public:
  void listeners(const Config& config) {
    for (const Listener& listener : config.listeners) {
      for (const std::string& text : listener.address) {
        const Address address = *parse_address(text);
        if (!is_loopback(address)) {
          say(Severity::kInfo, listener.source,
              fmt::format("listener '{}' on {} can be reached from other machines", listener.name, text));
        }
        tls_on_port(config, listener, address.port);
      }
      unix_socket(listener);
      everybody(listener, "proxy_protocol", listener.proxy_protocol, "say that it is any other");
      everybody(listener, "xclient", listener.xclient, "say that it is any other, and logged in");
      for (const std::string& line : listener.add) twice(listener, line);
    }
  }

  // RFC 8314 §7.3: 465 is for TLS from the first byte; the other ports of mail are not.
  void tls_on_port(const Config& config, const Listener& listener, std::uint16_t port) {
    const auto own = listener.own.find("tls.mode");
    const std::string_view mode =
        own == listener.own.end() ? to_string(config.tls.mode) : std::string_view(own->second);
    const bool implicit = mode == to_string(TlsMode::kImplicit);
    if (port == 465 ? implicit : !implicit || (port != 25 && port != 587)) return;
    say(Severity::kWarning, listener.source,
        fmt::format("listener '{}' has tls = \"{}\" on port {}, where clients {} TLS from the first byte",
                    listener.name, mode, port, implicit ? "do not begin with" : "expect"));
  }

  void unix_socket(const Listener& listener) {
    const auto is_unix = [](const std::string& text) { return parse_address(text)->is_unix(); };
    if (listener.socket_mode != Listener{}.socket_mode && std::ranges::none_of(listener.address, is_unix)) {
      say(Severity::kWarning, listener.source,
          fmt::format("listener.{}.socket_mode has no effect: no address of it is a unix socket", listener.name));
    }
  }

  void everybody(const Listener& listener, std::string_view key, const std::vector<Network>& networks,
                 std::string_view may) {
    for (const Network& network : networks) {
      if (!is_everybody(network)) continue;
      say(Severity::kWarning, listener.source,
          fmt::format("listener.{}.{} has \"{}\": every client may {}", listener.name, key, to_string(network), may));
    }
  }

  void twice(const Listener& listener, const std::string& line) {
    const std::string keyword = keyword_of(line);
    if (std::ranges::find(kExtensions, keyword) == kExtensions.end()) return;
    if (std::ranges::find(listener.hide, keyword) != listener.hide.end()) return;
    say(Severity::kWarning, listener.source,
        fmt::format(
            "listener.{0}.add has {1}, which the server has a line of its own for: add \"{1}\" to listener.{0}.hide",
            listener.name, keyword));
  }

  void tls(const Config& config) {
    const Tls& tls = config.tls;
    if (!tls.certificates.empty() && !uses_tls(config)) {
      say(Severity::kWarning, {}, "tls.certificate has no effect: no listener has TLS; set tls.mode = \"starttls\"");
    }
    if (tls.min_version < TlsVersion::k12) {
      say(Severity::kInfo, {},
          fmt::format("tls.min_version = \"{}\" is for testing old clients only: TLS 1.0 and 1.1 are broken (RFC 8996)",
                      to_string(tls.min_version)));
    }
  }

  void auth(const Config& config) {
    std::set<AuthSource> sources;
    for (const Listener& listener : config.listeners) sources.insert(for_listener(config, listener).auth.source);
    if (!config.auth.password_file.empty() && !sources.contains(AuthSource::kPasswords)) {
      say(Severity::kWarning, {}, "auth.passwords has no effect: set auth.source = \"passwords\"");
    }
    if (sources.contains(AuthSource::kHook)) return;
    for (const Hook& hook : config.hooks) {
      if (!hook.on(HookEvent::kAuth).subscribed) continue;
      say(Severity::kWarning, hook.source,
          fmt::format("hook '{}' is not asked about 'auth': set auth.source = \"hook\"", hook.name));
    }
  }

  void sizes(const Config& config) {
    if (config.limits.message_size <= config.spool_size) return;
    say(Severity::kWarning, {},
        fmt::format("limits.message_size ({}) is more than spool_size ({}) can hold",
                    size_text(config.limits.message_size), size_text(config.spool_size)));
  }

  void storage(const Config& config) {
    for (const Hook& hook : config.hooks) {
      if (!hook.stores || hook.delivers()) continue;
      say(Severity::kWarning, hook.source,
          fmt::format("hook '{}' has stores = true, but its events do not name 'deliver'", hook.name));
    }
    if (std::ranges::any_of(config.hooks, &Hook::delivers)) return;
    say(Severity::kWarning, {}, "no hook has the event 'deliver': mail is accepted and thrown away");
  }

  // Hooks are asked for `deliver` one after another: when one that judges stands behind one that stores, a message is
  // kept although its sender is told that it was refused. For the other events the order does not matter: all of them
  // are over when the first hook is asked to deliver.
  void order(const std::vector<Hook>& hooks) {
    const auto stores = [](const Hook& hook) { return hook.stores && hook.delivers(); };
    const auto judges = [](const Hook& hook) { return !hook.stores && hook.delivers(); };
    const auto storing = std::ranges::find_if(hooks, stores);
    if (storing == hooks.end()) return;
    for (auto hook = storing + 1; hook != hooks.end(); ++hook) {
      if (!judges(*hook)) continue;
      say(Severity::kWarning, hook->source,
          fmt::format("hook '{}' can refuse a message that hook '{}' has stored before: put it first", hook->name,
                      storing->name));
    }
  }

  std::vector<Problem> take() { return std::move(found_); }

 private:
  void say(Severity severity, const Source& where, std::string text) {
    found_.push_back({.severity = severity, .where = where, .text = std::move(text)});
  }

  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> advice(const Config& config) {
  Advice advice;
  advice.listeners(config);
  advice.tls(config);
  advice.auth(config);
  advice.sizes(config);
  advice.storage(config);
  advice.order(config.hooks);
  return advice.take();
}

}  // namespace hooksmtpd::config
