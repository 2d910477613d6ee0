// The layers of the sandbox: which of them this machine gives to whoever starts us, and why not the others.
// `hooksmtpd check-sandbox` prints them; a start refuses to go on without those that `sandbox` asks for (promise P6).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/sandbox.h"

namespace hooksmtpd::launcher {

// How far apart the processes are: the highest level of which no layer is missing.
//   kFull        what root can give: all layers
//   kNamespaced  one user for all, each process in namespaces, jail, filter and Landlock of its own
//   kFiltered    filter and Landlock
enum class Isolation : std::uint8_t { kNone, kFiltered, kNamespaced, kFull };
std::string_view to_string(Isolation level);  // "none", "filtered", "namespaced", "full"

struct Layer {
  // kUsers, kJails: also what promises P1 and P2 rest on when root starts us.
  enum class Kind : std::uint8_t { kUsers, kJails, kNamespaces, kFilter, kLandlock, kFixedCode, kLimits };
  Kind kind;
  std::string_view name;  // "landlock"
  std::string_view what;  // "files and sockets that are not needed cannot be used"
  Isolation wanted_by;    // the lowest level that is not reached without it; kNone: it is an extra
  bool present = false;
  std::string why{};       // not; or which version of it
  std::string_view fix{};  // what to do about it
};

class Layers {
 public:
  explicit Layers(std::vector<Layer> all) : all_(std::move(all)) {}

  const std::vector<Layer>& all() const { return all_; }
  bool has(Layer::Kind kind) const;
  Isolation level() const;
  // What every process has to be, and what our own programs put in force for themselves.
  sys::Demands demands() const;
  sys::OwnLayers own() const;
  // For people, each with the reason; not what another layer covers.
  std::vector<std::string> missing() const;

 private:
  std::vector<Layer> all_;
};

// Tries what can be tried, in processes of their own. kNone: the layers beyond users and jails count as missing, and a
// plain user's jails, too. Throws std::system_error.
Layers find_layers(config::SandboxMode mode);

// Throws a StartError that names each layer that `mode` wants and that is missing, why, and the ways out.
void require(const Layers& layers, config::SandboxMode mode);

// What `hooksmtpd check-sandbox` prints: a line a layer, or one JSON object.
std::string as_text(const Layers& layers);
std::string as_json(const Layers& layers);

}  // namespace hooksmtpd::launcher
