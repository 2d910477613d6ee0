// The bodies of the parts, decoded, as files.

#pragma once

#include <functional>
#include <string_view>

#include "hooks/mime/budget.h"
#include "hooks/mime/node.h"
#include "hooks/mime/part_files.h"
#include "hooks/mime/source.h"

namespace hooksmtpd::mime {

// Calls `take` with piece after piece of `range` of the message. The error is an errno; false of `take` ends it without
// one.
std::expected<void, int> read_range(const Source& message, Range range,
                                    const std::function<bool(std::string_view)>& take);

class Bodies {
 public:
  Bodies(const PartFiles& files, Budget& budget) : files_(files), budget_(budget) {}

  // Writes those of `node`, which find_parts() found in `from`, and of all below it; finds the parts of messages that
  // were encoded. Sizes and what is broken go into the nodes. Look at the budget's refusal afterwards.
  void write(const Source& from, Node& node, std::size_t depth, bool utf8);

 private:
  void write_file(const Source& from, Node& node, const File& to);

  const PartFiles& files_;
  Budget& budget_;
};

}  // namespace hooksmtpd::mime
