// What an object of the daemon has under a key, whatever came: the worker reads from the network, and what it tells is
// not to be trusted to have the right types.

#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hooksmtpd::ctl {

// Its string; empty: there is none.
template <class Json>
std::string string_member(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end()) return {};
  const auto* text = found->template get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

}  // namespace hooksmtpd::ctl
