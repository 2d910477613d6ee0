#include "daemon/launcher/layers.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {
namespace {

using Kind = Layer::Kind;

// Four layers, of which `missing` is not there.
Layers without(std::initializer_list<Kind> missing) {
  std::vector<Layer> all{
      {.kind = Kind::kUsers, .name = "users", .what = "u", .wanted_by = Isolation::kFull},
      {.kind = Kind::kJails, .name = "jails", .what = "j", .wanted_by = Isolation::kNamespaced},
      {.kind = Kind::kFilter, .name = "seccomp", .what = "s", .wanted_by = Isolation::kFiltered},
      {.kind = Kind::kFixedCode, .name = "fixed-code", .what = "f", .wanted_by = Isolation::kNone},
  };
  for (Layer& layer : all) {
    layer.present = std::ranges::find(missing, layer.kind) == missing.end();
    if (!layer.present) layer.why = "so it is", layer.fix = "change it";
  }
  return Layers(std::move(all));
}

std::string refusal_of(const Layers& layers, config::SandboxMode mode) {
  try {
    require(layers, mode);
    return {};
  } catch (const StartError& error) {
    CHECK(error.status() == EX_OSERR);
    return error.what();
  }
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the level is the highest of which no layer is missing") {
  CHECK(without({}).level() == Isolation::kFull);
  CHECK(without({Kind::kFixedCode}).level() == Isolation::kFull);
  CHECK(without({Kind::kUsers}).level() == Isolation::kNamespaced);
  CHECK(without({Kind::kUsers, Kind::kJails}).level() == Isolation::kFiltered);
  CHECK(without({Kind::kJails}).level() == Isolation::kFiltered);
  CHECK(without({Kind::kFilter}).level() == Isolation::kNone);
}

TEST_CASE("what is missing is named with the reason, but not what a filter covers") {
  CHECK(without({}).missing().empty());
  CHECK(without({Kind::kUsers, Kind::kFixedCode}).missing() == std::vector<std::string>{"users (so it is)"});
  CHECK(without({Kind::kFilter, Kind::kFixedCode}).missing() ==
        std::vector<std::string>{"seccomp (so it is)", "fixed-code (so it is)"});
}

TEST_CASE("processes are asked for what their layers give") {
  CHECK(without({}).demands() == sys::Demands{.empty_bounding_set = true, .filter = true});
  CHECK(without({Kind::kUsers, Kind::kFilter}).demands() == sys::Demands{.empty_bounding_set = false, .filter = false});
  CHECK(without({Kind::kFilter}).own() == sys::OwnLayers{.filter = false, .landlock = false, .fixed_code = true});
}

TEST_CASE("a strict start without a layer is refused, with the layer, the reason and the ways out") {
  const std::string text = refusal_of(without({Kind::kFilter}), config::SandboxMode::kStrict);
  CHECK(contains(text, "seccomp: so it is (change it)"));
  CHECK(contains(text, "sandbox = \"best-effort\""));
  CHECK(refusal_of(without({Kind::kFilter}), config::SandboxMode::kBestEffort).empty());
  CHECK(refusal_of(without({Kind::kFixedCode}), config::SandboxMode::kStrict).empty());
}

TEST_CASE("root is asked for all layers, and for jails always; a plain user for the level filtered") {
  const bool root = ::geteuid() == 0;
  CHECK(refusal_of(without({Kind::kUsers}), config::SandboxMode::kStrict).empty() == !root);
  CHECK(refusal_of(without({Kind::kJails}), config::SandboxMode::kBestEffort).empty() == !root);
  CHECK(refusal_of(without({Kind::kJails}), config::SandboxMode::kNone).empty() == !root);
}

TEST_CASE("the layers as JSON") {
  const auto json = nlohmann::json::parse(as_json(without({Kind::kFilter})));
  CHECK(json["level"] == "none");
  CHECK(json["layers"].size() == 4);
  CHECK(json["layers"][2]["name"] == "seccomp");
  CHECK(json["layers"][2]["present"] == false);
  CHECK(json["layers"][2]["why"] == "so it is");
  CHECK(json["layers"][2]["fix"] == "change it");
}

TEST_CASE("names of layers as an argument of our own programs") {
  using sys::OwnLayers;
  for (const OwnLayers layers : {OwnLayers{}, OwnLayers{.filter = true}, OwnLayers{true, true, true}}) {
    CHECK(sys::parse_own_layers(to_string(layers)) == layers);
  }
  CHECK(to_string(OwnLayers{}) == "-");
  for (const char* wrong : {"", "filter,", "filters", ",filter", "filter landlock"}) {
    CHECK_THROWS_AS(sys::parse_own_layers(wrong), std::invalid_argument);
  }
}

}  // namespace hooksmtpd::launcher
