// libFuzzer: the arguments of XCLIENT. What is taken, written again, means the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/smtp/xclient.h"
#include "proto/smtp/xtext.h"

using namespace hooksmtpd::smtp;

namespace {

void add(std::string& line, std::string_view name, const std::optional<std::string>& value) {
  if (!value) return;
  const bool ipv6 = name.ends_with("ADDR") && value->contains(':');
  line.append(" ").append(name).append("=").append(ipv6 ? "IPV6:" : "");
  line += value->empty() ? "[UNAVAILABLE]" : encode_xtext(*value);
}

void add(std::string& line, std::string_view name, const std::optional<std::uint16_t>& port) {
  if (port) line.append(" ").append(name).append("=").append(std::to_string(*port));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto client = parse_xclient({reinterpret_cast<const char*>(data), size});
  if (!client) return 0;
  std::string line;
  add(line, "NAME", client->name);
  add(line, "ADDR", client->address);
  add(line, "PORT", client->port);
  add(line, "PROTO", client->protocol);
  add(line, "HELO", client->helo);
  add(line, "LOGIN", client->login);
  add(line, "DESTADDR", client->destination_address);
  add(line, "DESTPORT", client->destination_port);
  if (parse_xclient(line) != *client) std::abort();
  return 0;
}
