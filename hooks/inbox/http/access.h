// Who may ask the web page's server for what. It stands on a port of the machine, where every browser of the machine
// can reach it, whatever page that browser is showing.
//
// A name that is not ours in Host is a page that has led its own name to our address (DNS rebinding). A request with
// Origin or Sec-Fetch-Site is a browser's: it must come from our own page, and to change something it has to show the
// token that only this page was given. A request with neither is a tool's, which no page can make: it needs no token.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::inbox {

struct AccessRules {
  std::vector<std::string> hosts;  // beside localhost and addresses of loopback; lower case, without ports
  std::string token;
  std::string password;  // of HTTP Basic, whatever the user; empty: none is asked for
};

struct Asked {
  std::string_view path;
  bool changes = false;  // the method is another one than GET and HEAD
  std::optional<std::string> host{}, origin{}, fetch_site{}, fetch_mode{}, fetch_dest{}, token{}, authorization{};
};

enum class Access { kAllowed, kWrongHost, kOtherSite, kNoToken, kNoPassword };
Access check_access(const AccessRules& rules, const Asked& asked);

}  // namespace hooksmtpd::inbox
