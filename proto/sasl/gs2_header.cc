#include "proto/sasl/gs2_header.h"

#include "proto/sasl/bounds.h"

namespace hooksmtpd::sasl {

std::optional<std::string> decode_saslname(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.starts_with("=2C")) {
      name += ',';
      text.remove_prefix(3);
    } else if (text.starts_with("=3D")) {
      name += '=';
      text.remove_prefix(3);
    } else if (text.front() == '=' || text.front() == ',') {
      return std::nullopt;
    } else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  if (!is_name(name)) return std::nullopt;
  return name;
}

std::optional<Gs2Header> parse_gs2_header(std::string_view message) {
  const std::size_t first = message.find(',');
  if (first == message.npos) return std::nullopt;
  const std::size_t second = message.find(',', first + 1);
  if (second == message.npos) return std::nullopt;

  Gs2Header header{.size = second + 1};
  // "n" and "y" come from clients that cannot do channel binding, or see that we cannot.
  const std::string_view binding = message.substr(0, first);
  if (binding.starts_with("p=") && binding.size() > 2) {
    header.wants_binding = true;
  } else if (binding != "n" && binding != "y") {
    return std::nullopt;
  }

  const std::string_view authorization = message.substr(first + 1, second - first - 1);
  if (authorization.empty()) return header;
  if (!authorization.starts_with("a=")) return std::nullopt;
  const auto name = decode_saslname(authorization.substr(2));
  if (!name) return std::nullopt;
  header.authorization_id = *name;
  return header;
}

}  // namespace hooksmtpd::sasl
