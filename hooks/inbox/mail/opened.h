// A stored message, taken apart again to be shown.

#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/mime/node.h"

namespace hooksmtpd::inbox {

class Opened {
 public:
  // A message that is beyond the limits of digest.h has a header only.
  explicit Opened(std::string octets);

  const mime::Node& root() const { return *root_; }
  bool whole() const { return whole_; }  // within the limits

  // Every part but multiparts, in order; those of messages within it as well.
  void each(const std::function<void(const mime::Node& part)>& look) const;
  const mime::Node* part(std::string_view number) const;
  const mime::Node* by_content_id(std::string_view id) const;
  // What people read first, of this type, "text/plain" or "text/html"; null: there is none.
  const mime::Node* body(std::string_view type) const;

  // Decoded; of a text in the charset that it has.
  std::string octets(const mime::Node& part) const;
  std::uint64_t size(const mime::Node& part) const;
  // Decoded into UTF-8, at most `most` octets.
  std::string text(const mime::Node& part, std::size_t most) const;

  // As deliver_mime has it, without texts and paths: PROTOCOL.md, "The tree"; with `part`, the number.
  nlohmann::ordered_json tree() const;
  std::vector<std::string> defects() const;

 private:
  nlohmann::ordered_json tree(const mime::Node& node) const;

  std::string octets_;
  std::unique_ptr<mime::Node> root_;
  bool whole_ = true;
};

// [name, raw value, decoded value].
nlohmann::ordered_json headers_of(const mime::Node& node);

}  // namespace hooksmtpd::inbox
