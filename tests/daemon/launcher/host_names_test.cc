#include "daemon/launcher/host_names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

namespace hooksmtpd::launcher {
namespace {

bool has(const std::vector<std::string>& list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

TEST_CASE("what is asked for besides is a name or an address, as it is written") {
  const std::array<std::string, 4> more{"mail.test", "192.0.2.7", "2001:db8::7", "300.1.1.1"};
  const HostNames host = names_of_this_host(more);
  CHECK(has(host.names, "mail.test"));
  CHECK(has(host.names, "300.1.1.1"));  // whoever makes the certificate says what is wrong with it
  CHECK(has(host.addresses, "192.0.2.7"));
  CHECK(has(host.addresses, "2001:db8::7"));
}

TEST_CASE("addresses that hold on one link only are left out") {
  for (const std::string& address : names_of_this_host({}).addresses) CHECK_FALSE(address.starts_with("fe80:"));
}

}  // namespace
}  // namespace hooksmtpd::launcher
