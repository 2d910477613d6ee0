// libFuzzer: the first octets of a connection. A header is found at one length only, however the stream was cut, and
// what it says is bounded.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/mail/ip_address.h"
#include "proto/smtp/proxy_header.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = parse_proxy_header(bytes);
  if (std::holds_alternative<ProxyNeedsMore>(whole)) expect(size < kMaxProxyHeader);
  const auto* header = std::get_if<ProxyHeader>(&whole);
  if (header != nullptr) {
    expect(header->length <= size && header->length <= kMaxProxyHeader);
    if (header->ends) {
      expect(mail::canonical_ip(header->ends->source.address) == header->ends->source.address);
      expect(mail::canonical_ip(header->ends->destination.address) == header->ends->destination.address);
    }
  }
  for (std::size_t cut = 0; cut < size && cut < 300; ++cut) {
    const auto part = parse_proxy_header(bytes.substr(0, cut));
    const bool enough = header != nullptr && cut >= header->length;
    if (enough) expect(std::get<ProxyHeader>(part) == *header);
    if (header != nullptr && !enough) expect(std::holds_alternative<ProxyNeedsMore>(part));
    if (std::holds_alternative<ProxyBroken>(part)) expect(std::holds_alternative<ProxyBroken>(whole));
  }
  return 0;
}
