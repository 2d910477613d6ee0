#include "daemon/worker/status_text.h"

#include <nlohmann/json.hpp>

namespace hooksmtpd::worker {

using nlohmann::json;

std::string status_text(const json& counters, std::span<const json> hooks, std::size_t room) {
  json status = counters;
  status["hooks"] = json::array();
  status["hooks_without_numbers"] = hooks.size();  // the most digits that it may need
  std::size_t size = status.dump().size();
  std::size_t fit = 0;
  for (const json& hook : hooks) {
    size += hook.dump().size() + 1;  // a comma
    if (size > room) break;
    status["hooks"].push_back(hook);
    ++fit;
  }
  status["hooks_without_numbers"] = hooks.size() - fit;
  if (fit == hooks.size()) status.erase("hooks_without_numbers");
  return status.dump();
}

}  // namespace hooksmtpd::worker
