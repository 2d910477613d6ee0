// What the mime hook answers.
//
//   options = {"folders":{"inbox":"/run/hooksmtpd/mime/inbox"},"depth":20,"parts":1000,"size":134217728}
//
// come from the daemon: where to put what each hook is to read, and the limits.

#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "hooks/mime/budget.h"
#include "hooks/mime/part_files.h"

namespace hooksmtpd::mime {

class Hook {
 public:
  // A request line -> the reply, without a line feed.
  std::string answer(std::string_view line);

 private:
  using Json = nlohmann::json;

  // The reply but for its id.
  std::string hello(const Json& request);
  std::string deliver(const Json& request, std::size_t length);
  void forget(const Json& request) const;

  std::map<std::string, Shelf> shelves_;  // by the hook that reads what is on it
  Limits limits_;
};

}  // namespace hooksmtpd::mime
