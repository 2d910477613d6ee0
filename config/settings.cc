#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/forms.h"
#include "config/spelling.h"
#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

using namespace form;

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kMebi = 1ull << 20;
constexpr std::uint64_t kTebi = 1ull << 40;

// kPath leads from the Config to the value: &Config::limits, &Limits::recipients.
template <class Form, auto... kPath>
std::string get(const Config& config) {
  return Form::print((config.*....*kPath));
}
template <class Form, auto... kPath>
Parsed<void> assign(Config& config, std::string_view text) {
  auto value = Form::parse(text);
  if (!value) return std::unexpected(std::move(value.error()));
  (config.*....*kPath) = std::move(*value);
  return {};
}

// The same for the first certificate, which [tls] itself names; there is none as long as nothing of it is said.
template <class Form, auto... kPath>
std::string get_first(const Config& config) {
  const auto& certificates = config.tls.certificates;
  return certificates.empty() ? std::string() : Form::print((certificates.front().*....*kPath));
}
template <class Form, auto... kPath>
Parsed<void> assign_first(Config& config, std::string_view text) {
  auto value = Form::parse(text);
  if (!value) return std::unexpected(std::move(value.error()));
  auto& certificates = config.tls.certificates;
  if (certificates.empty()) certificates.emplace_back();
  Certificate& first = certificates.front();
  (first.*....*kPath) = std::move(*value);
  const bool blank = first.chain.file.empty() && first.key.empty() && first.key_password_file.empty();
  if (blank && certificates.size() == 1) certificates.clear();
  return {};
}

// kOwn: a reload, and a listener may have its own.
enum class Takes : std::uint8_t { kRestart, kReload, kOwn };
using enum Takes;

constexpr Setting row(std::string_view name, Takes takes, std::string_view help, Spelling spelling,
                      decltype(Setting::get) get, decltype(Setting::assign) assign) {
  return {name, help, spelling, takes != kRestart, takes == kOwn, get, assign};
}
template <class Form, auto... kPath>
constexpr Setting row(std::string_view name, Takes takes, std::string_view help) {
  return row(name, takes, help, Form::kSpelling, get<Form, kPath...>, assign<Form, kPath...>);
}
template <class Form, auto... kPath>
constexpr Setting first_certificate(std::string_view name, std::string_view help) {
  return row(name, kReload, help, Form::kSpelling, get_first<Form, kPath...>, assign_first<Form, kPath...>);
}

constexpr auto kLimits = &Config::limits;
constexpr auto kTimeouts = &Config::timeouts;
constexpr auto kTls = &Config::tls;
constexpr auto kAuth = &Config::auth;
constexpr auto kMime = &Config::mime;
using Patience = Duration<1, 24 * 3'600'000>;

constexpr std::array kSettings{
    row<Hostname, &Config::hostname>("hostname", kOwn, "name of this server in greeting, EHLO and trace headers"),
    row<Banner, &Config::banner>("banner", kOwn, "software name in the greeting"),
    row<Level, &Config::log_level>("log_level", kReload, "trace, debug, info, warn or error"),

    row<Size<1, kTebi>, kLimits, &Limits::message_size>("limits.message_size", kOwn, "largest message (SIZE)"),
    row<Count<1, 10'000>, kLimits, &Limits::recipients>("limits.recipients", kOwn, "recipients of one message"),
    row<Count<0, kMillion>, kLimits, &Limits::connections>("limits.connections", kReload,
                                                           "connections in all; 0: as many as the system allows"),
    row<Count<0, kMillion>, kLimits, &Limits::connections_per_address>(
        "limits.connections_per_address", kReload,
        "connections of one client address, or of one IPv6 network (/64); 0: no limit"),
    row<Count<1, kMillion>, kLimits, &Limits::errors>("limits.errors", kOwn,
                                                      "5yz replies in one session, then it ends"),
    row<Count<0, 1000 * kMillion>, kLimits, &Limits::commands>("limits.commands", kOwn,
                                                               "commands in one session; 0: no limit"),
    row<Flag, kLimits, &Limits::strict_lines>("limits.strict_lines", kOwn, "refuse text lines over 1,000 octets"),

    row<Patience, kTimeouts, &Timeouts::idle>("timeouts.idle", kOwn, "between two commands"),
    row<Patience, kTimeouts, &Timeouts::command>("timeouts.command", kOwn, "within one command line"),
    row<Patience, kTimeouts, &Timeouts::data>("timeouts.data", kOwn, "between two pieces of a message"),
    row<Patience, kTimeouts, &Timeouts::handshake>("timeouts.handshake", kOwn,
                                                   "for the TLS handshake, and for a PROXY header"),
    row<Duration<0, 24 * 3'600'000>, kTimeouts, &Timeouts::drain>("timeouts.drain", kReload,
                                                                  "for open sessions when the daemon stops"),

    row<Choice<parse_tls_mode>, kTls, &Tls::mode>("tls.mode", kOwn, "none, starttls, required or implicit"),
    first_certificate<File, &Certificate::chain, &Pem::file>("tls.certificate",
                                                             "file of the server's certificate and its chain, in PEM"),
    first_certificate<File, &Certificate::key>("tls.key", "file of its private key"),
    first_certificate<PasswordFile, &Certificate::key_password_file>("tls.key_password_file",
                                                                     "file of the password of an encrypted key"),
    row<Choice<parse_tls_version>, kTls, &Tls::min_version>("tls.min_version", kReload, "1.0, 1.1, 1.2 or 1.3"),
    row<Ciphers<false>, kTls, &Tls::ciphers>("tls.ciphers", kReload, "OpenSSL's list for TLS up to 1.2"),
    row<Ciphers<true>, kTls, &Tls::ciphersuites>("tls.ciphersuites", kReload, "OpenSSL's list for TLS 1.3"),
    row<Choice<parse_client_certificates>, kTls, &Tls::client_certificates>("tls.client_certificates", kReload,
                                                                            "none, request or require"),
    row<File, kTls, &Tls::ca_file>("tls.ca_file", kReload, "file of authorities that clients' certificates are from"),
    row<File, kTls, &Tls::ca_dir>("tls.ca_dir", kReload, "folder of such files"),

    row<Choice<parse_auth_source>, kAuth, &Auth::source>("auth.source", kOwn, "none, passwords, hook or accept-any"),
    row<Flag, kAuth, &Auth::required>("auth.required", kOwn, "no mail from clients that did not log in"),
    row<Flag, kAuth, &Auth::before_tls>("auth.before_tls", kOwn, "offer AUTH to clients without TLS, too"),
    row<Mechanisms, kAuth, &Auth::mechanisms>("auth.mechanisms", kOwn, "which to offer; none: all there are"),
    row<File, kAuth, &Auth::password_file>("auth.passwords", kReload, "file that `hooksmtpd passwd` writes"),

    row<Duration<1, 3'600'000>, kMime, &Mime::timeout>("mime.timeout", kReload,
                                                       "for taking a message apart (deliver_mime)"),
    row<Count<1, 100>, kMime, &Mime::depth>("mime.depth", kReload, "how deep parts may be nested"),
    row<Count<1, 100'000>, kMime, &Mime::parts>("mime.parts", kReload, "how many parts a message may have"),
    row<Size<kMebi, kTebi>, kMime, &Mime::size>("mime.size", kReload, "octets of all parts, decoded"),

    row<Choice<parse_sandbox_mode>, &Config::sandbox_mode>("sandbox", kRestart, "strict, best-effort or none"),
    row<Size<kMebi, kTebi>, &Config::spool_size>("spool_size", kRestart, "room for messages under way"),
    row<Uids, &Config::hook_uids>("hook_uids", kRestart, "user numbers for hooks, first-last"),
    row<Folder, &Config::state_dir>("state_dir", kRestart, "folder of what hooks keep"),
    row<Folder, &Config::runtime_dir>("runtime_dir", kRestart, "folder of the control socket and the spool"),
};

// The names of tcllib's smtpd and of the tls package below it.
struct Alias {
  std::string_view seed, name;
};
constexpr std::array kAliases{
    Alias{"loglevel", "log_level"}, Alias{"serveraddr", "hostname"}, Alias{"certfile", "tls.certificate"},
    Alias{"keyfile", "tls.key"},    Alias{"cafile", "tls.ca_file"},  Alias{"password", "tls.key_password_file"},
    Alias{"cadir", "tls.ca_dir"},   Alias{"cipher", "tls.ciphers"},
};

// Those that were flags. To switch off what is not on changes nothing: `-require false` leaves `request` alone.
template <auto kMember, auto kOn, auto kOff>
Parsed<void> flag(Config& config, std::string_view text) {
  const auto on = parse_boolean(text);
  if (!on) return std::unexpected(on.error());
  auto& value = config.tls.*kMember;
  if (*on || value == kOn) value = *on ? kOn : kOff;
  return {};
}
struct AliasFlag {
  std::string_view seed;
  Setting setting;
};
constexpr AliasFlag alias_flag(std::string_view seed, std::string_view name, decltype(Setting::assign) assign) {
  Setting setting = *std::ranges::find(kSettings, name, &Setting::name);
  setting.spelling = Spelling::kBoolean;
  setting.assign = assign;
  return {seed, setting};
}
constexpr std::array kAliasFlags{
    alias_flag("usetls", "tls.mode", flag<&Tls::mode, TlsMode::kStarttls, TlsMode::kNone>),
    alias_flag("request", "tls.client_certificates",
               flag<&Tls::client_certificates, ClientCertificates::kRequest, ClientCertificates::kNone>),
    alias_flag("require", "tls.client_certificates",
               flag<&Tls::client_certificates, ClientCertificates::kRequire, ClientCertificates::kNone>),
    alias_flag("tls1", "tls.min_version", flag<&Tls::min_version, TlsVersion::k10, TlsVersion::k12>),
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::vector<std::string_view> keys_below(std::string_view path) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : kSettings) {
    std::string_view key = setting.name;
    if (!path.empty()) {
      if (!key.starts_with(fmt::format("{}.", path))) continue;
      key.remove_prefix(path.size() + 1);
    }
    key = key.substr(0, key.find('.'));
    if (keys.empty() || keys.back() != key) keys.push_back(key);
  }
  return keys;
}

const Setting* find_setting(std::string_view name) {
  if (name.starts_with('-')) name.remove_prefix(1);
  if (const auto flag = std::ranges::find(kAliasFlags, name, &AliasFlag::seed); flag != kAliasFlags.end()) {
    return &flag->setting;
  }
  if (const auto alias = std::ranges::find(kAliases, name, &Alias::seed); alias != kAliases.end()) name = alias->name;
  const auto found = std::ranges::find(kSettings, name, &Setting::name);
  return found == kSettings.end() ? nullptr : &*found;
}

std::expected<void, std::string> Setting::set(Config& config, std::string_view text) const {
  const auto done = assign(config, text);
  if (!done) return std::unexpected(fmt::format("{} {}", name, done.error()));
  return {};
}

std::string unknown_setting(std::string_view name) {
  if (const std::string_view reason = refused_key(name); !reason.empty()) return fmt::format("{}: {}", name, reason);
  std::vector<std::string_view> known;
  for (const Setting& setting : kSettings) known.push_back(setting.name);
  return fmt::format("unknown setting '{}'{}", printable(name), did_you_mean(name, known));
}

std::string_view refused_key(std::string_view name) {
  if (name.starts_with('-')) name.remove_prefix(1);
  if (name == "ssl2" || name == "ssl3") return kNoSsl;
  if (name == "password") {
    return "a password is not for a file that many may read: write it alone into one of its own, and name that in "
           "key_password_file";
  }
  return {};
}

std::string environment_name(const Setting& setting) {
  std::string name = "HOOKSMTPD_";
  for (const char c : setting.name)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace hooksmtpd::config
