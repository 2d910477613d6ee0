#include "config/named_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "config/pem.h"
#include "config/spelling.h"
#include "proto/sasl/password_file.h"

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

// Of all authorities together; a system's whole store is a quarter of a megabyte.
constexpr std::size_t kMostAuthorities = 4 * 1024 * 1024;

std::string joined(const std::vector<std::string>& blocks) {
  std::string text;
  for (const std::string& block : blocks) text += block;
  return text;
}

// "ca.pem", "ca.crt", "ca.cer", and the "9d66eef0.0" of c_rehash.
bool is_certificate_name(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".pem" || extension == ".crt" || extension == ".cer") return true;
  return file.stem().string().size() == 8 && extension.size() == 2 && extension[1] >= '0' && extension[1] <= '9';
}

class Collector {
 public:
  Collector(const Origins& origins, FileStore& store) : origins_(origins), store_(store) {}

  void certificates(Tls& tls) {
    for (Certificate& certificate : tls.certificates) {
      const bool is_first = &certificate == &tls.certificates.front();
      if (is_first) certificate.source = place_of(origins_, "tls.certificate");
      const std::string key = is_first ? "tls.certificate" : "tls.sni.certificate";
      if (certificate.chain.file.empty()) continue;
      const auto found = text(key, certificate.source, certificate.chain.file);
      if (!found) continue;
      certificate.chain.text = joined(certificates_in(found->text));
      if (certificate.chain.text.empty()) {
        wrong(key, certificate.source, certificate.chain.file, why_none(found->text));
      } else if (has_private_key(found->text)) {
        certificate.chain.text.clear();
        wrong(key, certificate.source, certificate.chain.file,
              "has a private key in it, too: put the certificate into a file without the key");
      }
    }
  }

  void authorities(Tls& tls) {
    tls.authorities.clear();
    if (!tls.ca_file.empty()) {
      const Source where = place_of(origins_, "tls.ca_file");
      if (const auto found = text("tls.ca_file", where, tls.ca_file)) {
        add(tls, tls.ca_file, found->text);
        if (tls.authorities.empty()) wrong("tls.ca_file", where, tls.ca_file, why_none(found->text));
      }
    }
    if (tls.ca_dir.empty()) return;
    const Source where = place_of(origins_, "tls.ca_dir");
    const auto files = store_.list(tls.ca_dir);
    if (!files) return wrong("tls.ca_dir", where, tls.ca_dir, files.error());
    bool any = false;
    for (const fs::path& file : *files) {
      if (!is_certificate_name(file)) continue;
      const auto found = text("tls.ca_dir", where, file);
      if (!found) continue;
      any |= !certificates_in(found->text).empty();
      add(tls, file, found->text);
    }
    if (!any) wrong("tls.ca_dir", where, tls.ca_dir, "has no certificate in it: a file of PEM named *.pem or *.crt");
    if (size_ > kMostAuthorities) wrong("tls.ca_dir", where, tls.ca_dir, "has more than 4 MiB of certificates in it");
  }

  void passwords(Auth& auth) {
    auth.passwords.clear();
    if (auth.password_file.empty()) return;
    const Source where = place_of(origins_, "auth.passwords");
    auto found = text("auth.passwords", where, auth.password_file);
    if (!found) return;
    if (found->everybody_reads) {
      say(Severity::kWarning, where,
          fmt::format("auth.passwords {0}: every user can read it, and try passwords on it: chmod o-r {1}",
                      in_quotes(auth.password_file.string()), auth.password_file.string()));
    }
    if (found->text.starts_with("-----BEGIN ") || has_private_key(found->text)) {
      return wrong("auth.passwords", where, auth.password_file,
                   "is PEM, with a certificate or a key in it: `hooksmtpd passwd` writes what belongs here");
    }
    if (const auto parsed = sasl::PasswordFile::parse(found->text); !parsed) {
      for (const sasl::LineError& error : parsed.error()) {
        say(Severity::kError,
            {.file = auth.password_file.string(),
             .line = static_cast<std::uint32_t>(error.line),
             .column = static_cast<std::uint32_t>(error.column)},
            error.text);
      }
    }
    auth.passwords = found->text;
  }

  NamedFiles take() { return std::move(result_); }

 private:
  void say(Severity severity, const Source& where, std::string sentence) {
    result_.problems.push_back({.severity = severity, .where = where, .text = std::move(sentence)});
  }
  void wrong(std::string_view key, const Source& where, const fs::path& file, std::string_view error) {
    say(Severity::kError, where, fmt::format("{} {} {}", key, in_quotes(file.string()), error));
  }

  std::optional<FileStore::Found> text(std::string_view key, const Source& where, const fs::path& file) {
    auto found = store_.text(file);
    if (!found) {
      wrong(key, where, file, found.error());
      return std::nullopt;
    }
    for (fs::path& name : store_.names(file)) {
      if (std::ranges::find(result_.read, name) == result_.read.end()) result_.read.push_back(std::move(name));
    }
    return std::move(*found);
  }

  static std::string why_none(std::string_view text) {
    if (has_private_key(text)) return "has a private key in it, and no certificate";
    // DER begins with a SEQUENCE of more than 255 octets.
    if (text.starts_with("\x30\x82")) return "is not in PEM: `openssl x509 -inform der` makes it so";
    return "has no certificate in it: it must be PEM, with -----BEGIN CERTIFICATE-----";
  }

  // Hashed names are links to the others: each certificate once.
  void add(Tls& tls, const fs::path& file, std::string_view text) {
    Pem pem{.file = file};
    for (std::string& block : certificates_in(text)) {
      if (!seen_.insert(block).second) continue;
      size_ += block.size();
      pem.text += block;
    }
    if (!pem.text.empty()) tls.authorities.push_back(std::move(pem));
  }

  const Origins& origins_;
  FileStore& store_;
  std::set<std::string> seen_;
  std::size_t size_ = 0;
  NamedFiles result_;
};

}  // namespace

NamedFiles read_named_files(Config& config, const Origins& origins, FileStore& store, std::string_view only) {
  const auto wanted = [only](std::string_view names) { return only.empty() || only.starts_with(names); };
  Collector collector(origins, store);
  if (wanted("tls.certificate") || wanted("tls.key")) collector.certificates(config.tls);
  if (wanted("tls.ca_")) collector.authorities(config.tls);
  if (wanted("auth.passwords")) collector.passwords(config.auth);
  return collector.take();
}

}  // namespace hooksmtpd::config
