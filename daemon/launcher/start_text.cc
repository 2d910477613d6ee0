#include "daemon/launcher/start_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace hooksmtpd::launcher {

std::string_view to_string(Isolation level) {
  switch (level) {
    case Isolation::kNone:
      return "none";
    case Isolation::kFiltered:
      return "filtered";
    case Isolation::kNamespaced:
      return "namespaced";
    case Isolation::kFull:
      return "full";
  }
  return "?";
}

std::vector<std::string> first_message(std::span<const BoundAddress> bound) {
  if (bound.empty()) return {};
  const std::string& server = bound.front().address;
  return {
      "send a first message:",
      fmt::format("  swaks --server {} --from you@example.test --to dev@example.test", server),
      fmt::format("  printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -sS smtp://{} "
                  "--mail-from you@example.test --mail-rcpt dev@example.test -T -",
                  server),
  };
}

std::vector<std::string> missing_isolation(Isolation level) {
  if (level == Isolation::kFull) return {};
  std::vector<std::string> missing;
  if (level < Isolation::kNamespaced) {
    missing = {"a user of its own for each process (start as root)", "mount and pid namespaces", "jails"};
  }
  for (const char* one : {"network namespaces", "seccomp", "Landlock", "control groups"}) missing.emplace_back(one);
  return missing;
}

std::string bound_as_json(std::span<const BoundAddress> bound) {
  auto json = nlohmann::ordered_json::object();
  for (const BoundAddress& one : bound) json[one.listener].push_back(one.address);
  return json.dump();
}

}  // namespace hooksmtpd::launcher
