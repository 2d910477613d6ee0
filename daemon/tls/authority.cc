#include "daemon/tls/authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>

namespace hooksmtpd::tls {
namespace {

constexpr std::time_t kDay = 24 * 60 * 60;
constexpr std::time_t kAuthorityDays = 3652;
constexpr std::time_t kCertificateDays = 397;
constexpr std::time_t kClockSkew = 60 * 60;  // between this machine and a client of it

// The address in network order: 4 octets or 16; nothing for what is none.
std::optional<std::string> octets_of(const std::string& address) {
  std::array<char, 16> octets{};
  if (inet_pton(AF_INET, address.c_str(), octets.data()) == 1) return std::string(octets.data(), 4);
  if (inet_pton(AF_INET6, address.c_str(), octets.data()) == 1) return std::string(octets.data(), 16);
  return std::nullopt;
}

std::string address_of(std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

// RFC 1123 §2.1, the last label not a number. Also what keeps a name from being anything else where we write it into a
// list.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.back() == '.') return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    const bool plain =
        std::ranges::all_of(label, [&](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
    if (!plain || label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (label.size() == name.size()) return !std::ranges::all_of(label, is_digit);
    name.remove_prefix(label.size() + 1);
  }
}

void sort_and_unite(std::vector<std::string>& list) {
  std::ranges::sort(list);
  const auto twice = std::ranges::unique(list);
  list.erase(twice.begin(), twice.end());
}

std::string constraints(const HostNames& host) {
  std::string list = "critical";
  std::vector<std::string> names = host.names;
  names.emplace_back("test");
  for (const std::string& name : names) list += ",permitted;DNS:" + name;
  for (const std::string& address : host.addresses) {
    const bool four = octets_of(address)->size() == 4;
    list += fmt::format(",permitted;IP:{}/{}", address,
                        four ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  }
  return list;
}

std::string alternative_names(const HostNames& names) {
  std::string list;
  for (const std::string& name : names.names) list += (list.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& address : names.addresses) list += (list.empty() ? "IP:" : ",IP:") + address;
  return list;
}

std::time_t seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

}  // namespace

HostNames tidy(const HostNames& wanted, std::vector<std::string>& wrong) {
  HostNames tidied{.names = {"localhost"}, .addresses = {"127.0.0.1", "::1"}};
  for (const auto& list : {wanted.names, wanted.addresses}) {
    for (std::string name : list) {
      std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
      if (const auto octets = octets_of(name)) {
        tidied.addresses.push_back(address_of(*octets));
      } else if (is_host_name(name)) {
        tidied.names.push_back(name);
      } else {
        wrong.push_back(name);
      }
    }
  }
  sort_and_unite(tidied.names);
  sort_and_unite(tidied.addresses);
  return tidied;
}

Identity make_authority(const HostNames& for_host, std::time_t now) {
  const auto named = std::ranges::find_if(for_host.names, [](const std::string& name) { return name != "localhost"; });
  const std::string host = named == for_host.names.end() ? "localhost" : *named;
  return issue({.common_name = "hooksmtpd local authority, " + host,
                .not_before = now - kClockSkew,
                .not_after = now + kAuthorityDays * kDay,
                .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                               {NID_key_usage, "critical,keyCertSign,cRLSign"},
                               {NID_subject_key_identifier, "hash"},
                               {NID_authority_key_identifier, "keyid:always"},
                               {NID_name_constraints, constraints(for_host)}}},
               nullptr);
}

Identity make_certificate(const Identity& authority, const HostNames& names, std::time_t now) {
  const std::time_t end =
      std::min(now + kCertificateDays * kDay - kClockSkew, seconds(X509_get0_notAfter(authority.certificate.get())));
  // The name is told by subjectAltName alone: a common name that is no host name is checked against nothing.
  return issue({.common_name = "hooksmtpd server",
                .not_before = now - kClockSkew,
                .not_after = end,
                .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                               {NID_key_usage, "critical,digitalSignature"},
                               {NID_ext_key_usage, "serverAuth"},
                               {NID_subject_key_identifier, "hash"},
                               {NID_authority_key_identifier, "keyid:always"},
                               {NID_subject_alt_name, alternative_names(names)}}},
               &authority);
}

HostNames permitted_by(X509* authority, const HostNames& wanted, std::vector<std::string>& refused) {
  const std::unique_ptr<NAME_CONSTRAINTS, Release<NAME_CONSTRAINTS_free>> limits(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(authority, NID_name_constraints, nullptr, nullptr)));
  if (!limits) return wanted;  // an authority of somebody's own
  // OpenSSL knows the rules: a certificate for one name, and is it permitted?
  const auto permitted = [&](const HostNames& one) {
    const Identity probe = issue({.common_name = "probe",
                                  .not_before = 0,
                                  .not_after = 0,
                                  .extensions = {{NID_subject_alt_name, alternative_names(one)}}},
                                 nullptr);
    X509_check_purpose(probe.certificate.get(), -1, 0);  // makes OpenSSL look at the extensions
    return NAME_CONSTRAINTS_check(probe.certificate.get(), limits.get()) == X509_V_OK;
  };
  HostNames allowed;
  for (const std::string& name : wanted.names) {
    (permitted({.names = {name}, .addresses = {}}) ? allowed.names : refused).push_back(name);
  }
  for (const std::string& address : wanted.addresses) {
    (permitted({.names = {}, .addresses = {address}}) ? allowed.addresses : refused).push_back(address);
  }
  return allowed;
}

HostNames names_of(X509* certificate) {
  HostNames names;
  const std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int type = 0;
    const auto* const value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (type == GEN_DNS) {
      names.names.emplace_back(text);
    } else if (text.size() == 4 || text.size() == 16) {
      names.addresses.push_back(address_of(text));
    }
  }
  sort_and_unite(names.names);
  sort_and_unite(names.addresses);
  return names;
}

}  // namespace hooksmtpd::tls
