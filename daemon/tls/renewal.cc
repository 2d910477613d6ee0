#include "daemon/tls/renewal.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "daemon/tls/chain.h"
#include "daemon/tls/date.h"
#include "daemon/tls/private_key.h"

namespace hooksmtpd::tls {
namespace {

constexpr std::time_t kRenewBefore = 30 * 24 * 60 * 60;

// A certificate and its key; nothing where they cannot be read or do not belong together.
std::optional<Identity> read_identity(const std::string& certificate, const std::string& key) {
  auto chain = read_chain("certificate", certificate);
  if (!chain) return std::nullopt;
  auto made = read_private_key_of(X509_get0_pubkey(chain->leaf.get()), "certificate",
                                  {.file = "key", .text = key, .password_file = {}, .password_text = {}});
  if (!made) return std::nullopt;
  return Identity{.certificate = std::move(chain->leaf), .key = *std::move(made)};
}

// Whether a certificate was made here: issue() names us as the organization.
bool is_ours(const X509* certificate) {
  std::array<char, 32> organization{};
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_organizationName,
                                               organization.data(), static_cast<int>(organization.size()));
  return length >= 0 && std::string_view(organization.data()) == "hooksmtpd";
}

// A sentence where `pem` is a certificate that must not be lost; empty where it may be replaced.
std::string keep(std::string_view name, const std::string& pem) {
  const auto chain = read_chain(std::filesystem::path(name), pem);
  if (!chain || is_ours(chain->leaf.get())) return {};
  return fmt::format("{} was not made by hooksmtpd, so it is not replaced: move it away, or take another folder", name);
}

// Why it is too old at `now`; empty: it is not.
std::string too_old(const X509* certificate, std::time_t now) {
  const ASN1_TIME* const end = X509_get0_notAfter(certificate);
  std::time_t last = now + kRenewBefore;
  if (X509_cmp_time(end, &last) > 0) return {};
  return fmt::format("it {} on {}", X509_cmp_time(end, &now) > 0 ? "expires" : "expired", date(end));
}

std::string authority_problem(const Files& files, const std::optional<Identity>& authority, std::time_t now) {
  if (files.ca_certificate.empty() && files.ca_key.empty()) return "there is none yet";
  if (!authority) return "its certificate and its key cannot be read, or do not belong together";
  if (X509_check_ca(authority->certificate.get()) != 1) return "it is no authority";
  return too_old(authority->certificate.get(), now);
}

std::string certificate_problem(const Files& files, const std::optional<Identity>& server, X509* authority,
                                const HostNames& names, std::time_t now) {
  if (files.certificate.empty() && files.key.empty()) return "there is none yet";
  if (!server) return "it cannot be read, or does not belong to its key";
  X509* const certificate = server->certificate.get();
  if (X509_check_issued(authority, certificate) != X509_V_OK ||
      X509_verify(certificate, X509_get0_pubkey(authority)) != 1) {
    ERR_clear_error();
    return "it comes from another authority";
  }
  if (names_of(certificate) != names) return "the names or addresses of this host have changed";
  return too_old(certificate, now);
}

}  // namespace

Renewed renew(const Files& files, const HostNames& wanted, std::time_t now) {
  Renewed result;
  result.files = files;
  std::vector<std::string> wrong;
  const HostNames host = tidy(wanted, wrong);
  for (const std::string& name : wrong) {
    result.notes.push_back(fmt::format("\"{}\" is neither a host name nor an address: it is left out", name));
  }

  const auto server = read_identity(files.certificate, files.key);
  std::optional<Identity> authority = read_identity(files.ca_certificate, files.ca_key);
  // Whoever keeps the authority's key elsewhere has an authority still.
  if (const auto alone = read_chain("ca.pem", files.ca_certificate); alone && files.ca_key.empty()) {
    std::vector<std::string> others;
    const HostNames names = permitted_by(alone->leaf.get(), host, others);
    const std::string problem = certificate_problem(files, server, alone->leaf.get(), names, now);
    if (problem.empty()) return result;
    if (server) {
      result.notes.push_back(
          fmt::format("ca-key.pem is missing, so the certificate is not renewed, though {}: put it "
                      "back, or make a new authority (tls init --new-ca)",
                      problem));
      return result;
    }
  }
  if (const std::string problem = authority_problem(files, authority, now); !problem.empty()) {
    result.refusal = keep("ca.pem", files.ca_certificate);
    if (!result.refusal.empty()) return result;
    authority = make_authority(host, now);
    result.new_authority = true;
    result.why = problem;
    result.files.ca_certificate = to_pem(authority->certificate.get());
    result.files.ca_key = to_pem(authority->key.get());
  }

  std::vector<std::string> refused;
  const HostNames names = permitted_by(authority->certificate.get(), host, refused);
  for (const std::string& name : refused) {
    result.notes.push_back(fmt::format(
        "\"{}\" is left out: the local authority may not sign for it; without its files a new one is made, which "
        "clients then have to trust",
        name));
  }

  if (names.names.empty() && names.addresses.empty()) {
    throw std::runtime_error("the local authority may sign for no name of this host");
  }
  const std::string problem = certificate_problem(files, server, authority->certificate.get(), names, now);
  if (problem.empty()) return result;
  result.refusal = keep("cert.pem", files.certificate);
  if (!result.refusal.empty()) return result;
  const Identity made = make_certificate(*authority, names, now);
  result.new_certificate = true;
  if (result.why.empty()) result.why = problem;
  result.files.certificate = to_pem(made.certificate.get());
  result.files.key = to_pem(made.key.get());
  return result;
}

}  // namespace hooksmtpd::tls
