#include "hooks/inbox/http/access.h"

#include <glib.h>

#include <algorithm>
#include <memory>

namespace hooksmtpd::inbox {
namespace {

constexpr std::string_view kMessages = "/api/v2/messages/";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Of "name:port", "127.0.0.1:port", "[::1]:port".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']');
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// An address in Host is one that somebody typed, or that of a page which came from there: names alone can be led
// elsewhere.
bool is_ours(const AccessRules& rules, std::string_view host) {
  const std::string name = lower_case(without_port(host));
  return name == "localhost" || name.ends_with(".localhost") || is_address(name) ||
         std::ranges::find(rules.hosts, name) != rules.hosts.end();
}

bool same_origin(const Asked& asked) {
  if (asked.fetch_site && *asked.fetch_site != "same-origin" && *asked.fetch_site != "none") return false;
  if (!asked.origin) return true;
  const std::string_view origin = *asked.origin;
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && lower_case(origin.substr(scheme + 3)) == lower_case(*asked.host);
}

// The same time for every wrong one of the same length.
bool equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

// HTTP Basic (RFC 7617), whatever the user is called.
bool is_password(std::string_view authorization, std::string_view password) {
  constexpr std::string_view kBasic = "Basic ";
  if (!authorization.starts_with(kBasic)) return false;
  gsize size = 0;
  const std::string encoded(authorization.substr(kBasic.size()));
  const std::unique_ptr<guchar, void (*)(gpointer)> decoded(g_base64_decode(encoded.c_str(), &size), g_free);
  const std::string_view both(reinterpret_cast<const char*>(decoded.get()), size);
  const std::size_t colon = both.find(':');
  return colon != std::string_view::npos && equal(both.substr(colon + 1), password);
}

}  // namespace

Access check_access(const AccessRules& rules, const Asked& asked) {
  if (!asked.host || !is_ours(rules, *asked.host)) return Access::kWrongHost;
  const bool browser = asked.origin || asked.fetch_site;
  // Whoever follows a link to the page comes from elsewhere: to the page, and to nothing else.
  const bool navigates = asked.path == "/" && !asked.changes && asked.fetch_mode == "navigate" && !asked.origin;
  // The frame that shows a message's HTML has an origin of its own, so that its pictures are asked for from elsewhere.
  // Their paths have an id in them that nobody can guess.
  const bool pictures = !asked.changes && asked.fetch_dest == "image" && asked.path.starts_with(kMessages);
  if (browser && !navigates && !pictures && !same_origin(asked)) return Access::kOtherSite;
  if (browser && asked.changes && !(asked.token && equal(*asked.token, rules.token))) return Access::kNoToken;
  if (!rules.password.empty() && !(asked.authorization && is_password(*asked.authorization, rules.password))) {
    return Access::kNoPassword;
  }
  return Access::kAllowed;
}

}  // namespace hooksmtpd::inbox
