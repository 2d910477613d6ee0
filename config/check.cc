#include "config/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>

#include "config/address.h"
#include "config/spelling.h"
#include "config/suggest.h"
#include "proto/sasl/mechanism.h"

namespace hooksmtpd::config {
namespace {

constexpr std::uint16_t kSmtpPort = 25;

sasl::Source to_sasl(AuthSource source) {
  if (source == AuthSource::kPasswords) return sasl::Source::kPasswords;
  return source == AuthSource::kHook ? sasl::Source::kHook : sasl::Source::kAcceptAny;
}

// CRAM-MD5 counts: whether some entry of the password file was made for it may be another day by day.
std::vector<std::string_view> mechanisms_of(AuthSource source) {
  std::vector<std::string_view> names;
  for (const sasl::Mechanism mechanism : sasl::offered(to_sasl(source), nullptr)) {
    names.push_back(sasl::to_string(mechanism));
  }
  if (source == AuthSource::kPasswords) names.push_back(sasl::to_string(sasl::Mechanism::kCramMd5));
  return names;
}

class Check {
 public:
  Check(const Config& config, const Origins& origins) : config_(config), origins_(origins) {}

  void names() {
    names(config_.listeners, "listener");
    names(config_.hooks, "hook");
    addresses();
    hook_numbers();
  }

  void parts() {
    certificates();
    for (const Listener& listener : config_.listeners) {
      const Config own = for_listener(config_, listener);
      hooks_of(listener);
      protocol(listener);
      hidden(listener, own);
      auth(listener, own);
    }
    auth_anywhere();
  }

  std::vector<Problem> take() { return std::move(problems_); }

 private:
  void wrong(const Source& where, std::string text) {
    problems_.push_back({.severity = Severity::kError, .where = where, .text = std::move(text)});
  }
  Source place(std::string_view key) const { return place_of(origins_, key); }
  // Where a listener's value was set: with the listener, or for all.
  Source place(const Listener& listener, const std::string& key) const {
    return listener.own.contains(key) ? listener.source : place(key);
  }

  void names(const auto& things, std::string_view what) {
    for (auto thing = things.begin(); thing != things.end(); ++thing) {
      const auto first = std::ranges::find(things.begin(), thing, thing->name, [](const auto& t) { return t.name; });
      if (first == thing || thing->name.empty()) continue;
      wrong(thing->source, fmt::format("{} '{}' is defined twice, first at {}", what, thing->name,
                                       to_string(Origin{Origin::Kind::kFile, first->source})));
    }
  }

  // Port 0 may stand there often: the kernel picks another one each time.
  void addresses() {
    std::map<std::string, std::string> users;
    for (const Listener& listener : config_.listeners) {
      for (const std::string& text : listener.address) {
        const Address address = *parse_address(text);
        if (is_ours(address)) {
          wrong(listener.source, fmt::format("listener.{}.address {} is in a place that hooksmtpd itself uses",
                                             listener.name, in_quotes(text)));
        }
        if (!address.is_unix() && address.port == 0) continue;
        const auto [user, is_new] = users.emplace(text, listener.name);
        if (is_new) continue;
        wrong(listener.source, fmt::format("listener.{}.address {} is already used by listener '{}'", listener.name,
                                           in_quotes(text), user->second));
      }
    }
  }

  // The control socket, or in the spool, which is mounted over what stood there.
  bool is_ours(const Address& address) const {
    if (!address.is_unix()) return false;
    const std::string name = std::filesystem::path(address.path).lexically_normal().string();
    return name == config_.runtime_dir / "control.sock" || name.starts_with((config_.runtime_dir / "spool/").string());
  }

  void hook_numbers() {
    const std::size_t numbers = std::size_t{config_.hook_uids.second} - config_.hook_uids.first + 1;
    if (config_.hooks.size() <= numbers) return;
    wrong(config_.hooks[numbers].source,
          fmt::format("hook_uids has room for {} of {} hooks: widen the range", numbers, config_.hooks.size()));
  }

  void certificates() {
    const Tls& tls = config_.tls;
    for (const Certificate& certificate : tls.certificates) {
      const bool is_first = &certificate == &tls.certificates.front();
      const std::string_view table = is_first ? "tls" : "tls.sni";
      if (certificate.chain.file.empty()) {
        const bool has_key = !certificate.key.empty();
        const std::string_view set = has_key ? "tls.key" : "tls.key_password_file";
        const bool alone = tls.certificates.size() == 1;
        wrong(alone ? place(set) : tls.certificates[1].source,
              alone ? fmt::format("{} is set, but tls.certificate is not", set)
                    : "tls.certificate is missing: it is for clients whose server name no [[tls.sni]] has");
      } else if (certificate.key.empty() && !certificate.chain.text.empty()) {
        wrong(certificate.source, fmt::format("{0}.key is missing: the file of the private key of {0}.certificate {1}",
                                              table, in_quotes(certificate.chain.file.string())));
      }
    }
    if (tls.client_certificates == ClientCertificates::kRequire && tls.ca_file.empty() && tls.ca_dir.empty()) {
      wrong(place("tls.client_certificates"),
            "tls.client_certificates is \"require\", but nobody is known to make good ones: set tls.ca_file or "
            "tls.ca_dir");
    }
  }

  void hooks_of(const Listener& listener) {
    if (!listener.hooks) return;
    std::vector<std::string_view> known;
    for (const Hook& hook : config_.hooks) known.push_back(hook.name);
    for (const std::string& name : *listener.hooks) {
      if (std::ranges::find(known, name) != known.end()) continue;
      wrong(listener.source, fmt::format("listener.{}.hooks names '{}', which is no hook{}", listener.name,
                                         printable(name), did_you_mean(name, known)));
    }
  }

  // RFC 2033 §5: "LMTP MUST NOT be used on TCP port 25".
  void protocol(const Listener& listener) {
    if (listener.protocol != ListenerProtocol::kLmtp) return;
    for (const std::string& text : listener.address) {
      if (parse_address(text)->port != kSmtpPort) continue;
      wrong(
          listener.source,
          fmt::format("listener.{}.address {}: LMTP must not use port 25 (RFC 2033 §5): 24 is usual, or a unix socket",
                      listener.name, in_quotes(text)));
    }
  }

  void hidden(const Listener& listener, const Config& own) {
    const auto hides = [&](std::string_view keyword) {
      return std::ranges::find(listener.hide, keyword) != listener.hide.end();
    };
    if (own.tls.mode == TlsMode::kRequired && hides("STARTTLS")) {
      wrong(
          listener.source,
          fmt::format("listener.{0}.tls is \"required\", but listener.{0}.hide has STARTTLS: nobody could do anything",
                      listener.name));
    }
    if (own.auth.required && own.auth.source != AuthSource::kNone && hides("AUTH")) {
      wrong(listener.source, fmt::format("auth.required is true for listener '{0}', but listener.{0}.hide has AUTH: "
                                         "nobody could send mail",
                                         listener.name));
    }
  }

  bool asks_about_auth(const Listener& listener) const {
    return std::ranges::any_of(config_.hooks, [&](const Hook& hook) {
      const bool asked = !listener.hooks || std::ranges::find(*listener.hooks, hook.name) != listener.hooks->end();
      return asked && hook.on(HookEvent::kAuth).subscribed;
    });
  }

  void auth(const Listener& listener, const Config& own) {
    if (own.auth.source == AuthSource::kNone) {
      if (!own.auth.required) return;
      wrong(place(listener, "auth.required"),
            fmt::format("auth.required is true for listener '{}', but auth.source is \"none\": nobody could send mail",
                        listener.name));
      return;
    }
    if (own.auth.source == AuthSource::kPasswords && own.auth.password_file.empty()) {
      wrong(place(listener, "auth.source"),
            "auth.source is \"passwords\", but auth.passwords names no file: `hooksmtpd passwd` writes one");
    }
    if (own.auth.source == AuthSource::kHook && !asks_about_auth(listener)) {
      wrong(place(listener, "auth.source"),
            fmt::format("auth.source is \"hook\", but no hook{} has the event 'auth'",
                        listener.hooks ? fmt::format(" of listener '{}'", listener.name) : ""));
    }
    mechanisms(listener, own.auth);
    if (can_log_in(own)) {
      somebody_logs_in_ = true;
    } else if (own.auth.required || std::ranges::any_of(listener.own, [](const auto& setting) {
                 return setting.first.starts_with("auth.");
               })) {
      never(listener);
    } else {
      silent_ = silent_ == nullptr ? &listener : silent_;
    }
  }

  static bool can_log_in(const Config& own) { return own.tls.mode != TlsMode::kNone || own.auth.before_tls; }

  void never(const Listener& listener) {
    told_never_ = true;
    wrong(
        listener.source.line != 0 ? listener.source : place("auth.source"),
        fmt::format("listener '{}' has no TLS, and without TLS there is no AUTH: give it tls = \"starttls\", or allow "
                    "passwords in the clear with auth.before_tls = true",
                    listener.name));
  }

  // Nobody at all can log in. Where only some listeners have no TLS they just do not offer AUTH.
  void auth_anywhere() {
    if (silent_ != nullptr && !somebody_logs_in_ && !told_never_) never(*silent_);
  }

  void mechanisms(const Listener& listener, const Auth& auth) {
    if (auth.mechanisms.empty()) return;
    const auto possible = mechanisms_of(auth.source);
    for (const std::string& name : auth.mechanisms) {
      if (std::ranges::find(possible, name) != possible.end()) continue;
      wrong(place(listener, "auth.mechanisms"),
            fmt::format("auth.mechanisms names {}, which auth.source = \"{}\" cannot do: it can {}", name,
                        to_string(auth.source), joined(possible, ", ")));
    }
  }

  const Config& config_;
  const Origins& origins_;
  std::vector<Problem> problems_;
  bool somebody_logs_in_ = false;
  bool told_never_ = false;
  const Listener* silent_ = nullptr;  // it would have AUTH, if it had TLS
};

}  // namespace

std::vector<Problem> check_names(const Config& config) {
  const Origins none;
  Check check(config, none);
  check.names();
  return check.take();
}

std::vector<Problem> check_parts(const Config& config, const Origins& origins) {
  Check check(config, origins);
  check.parts();
  return check.take();
}

}  // namespace hooksmtpd::config
