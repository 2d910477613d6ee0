#include "daemon/sys/sandbox.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "daemon/sys/error.h"

namespace hooksmtpd::sys {
namespace {

// Younger than the headers (prctl(2)).
constexpr int kSetFixedCode = 65;  // PR_SET_MDWE
constexpr int kGetFixedCode = 66;
constexpr unsigned long kRefuseExecGain = 1;

struct Name {
  std::string_view name;
  bool OwnLayers::* layer;
};
constexpr std::array kNames{Name{"filter", &OwnLayers::filter}, Name{"landlock", &OwnLayers::landlock},
                            Name{"fixed-code", &OwnLayers::fixed_code}};

}  // namespace

std::string to_string(OwnLayers layers) {
  std::string text;
  for (const auto& [name, layer] : kNames) {
    if (layers.*layer) text.append(text.empty() ? "" : ",").append(name);
  }
  return text.empty() ? "-" : text;
}

OwnLayers parse_own_layers(std::string_view text) {
  OwnLayers layers;
  if (text == "-") return layers;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto found = std::ranges::find(kNames, text.substr(0, comma), &Name::name);
    if (found == kNames.end()) throw std::invalid_argument("a layer of the sandbox that is none");
    layers.*(found->layer) = true;
    if (comma == text.size()) return layers;
    text.remove_prefix(comma + 1);
  }
}

bool knows_fixed_code() { return ::prctl(kGetFixedCode, 0, 0, 0, 0) >= 0; }

void fix_code() { must(::prctl(kSetFixedCode, kRefuseExecGain, 0, 0, 0), "prctl PR_SET_MDWE"); }

ProcessReport enter_sandbox(const OwnSandbox& sandbox, OwnLayers layers) {
  umask(077);
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  const SelfReport self;
  // exec made us dumpable again: without this, others of our uid could trace us, and a core file could hold mail.
  must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE");
  limit(sandbox.limits);
  if (layers.fixed_code) fix_code();
  if (layers.landlock) restrict_self(sandbox.landlock);
  if (layers.filter) install(sandbox.filter);
  const ProcessReport report = self.read();
  const Demands demands{.empty_bounding_set = false, .filter = layers.filter};
  if (const auto left = privilege_left(report, demands); !left.empty()) {
    throw std::runtime_error("refusing to serve: " + left);
  }
  return report;
}

}  // namespace hooksmtpd::sys
