// The files that requests name: messages, decoded parts, trees. A golden line names some that are nowhere.

#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "daemon/ctl/hook/cases.h"

namespace hooksmtpd::ctl {

// A folder of its own below the one for temporary files, which goes with it.
class TemporaryFolder {
 public:
  // kEverybody: a hook with a user of its own can read what is in it. Throws std::system_error.
  enum class Readers { kOurselves, kEverybody };
  explicit TemporaryFolder(Readers readers = Readers::kOurselves);
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

enum class BodyForm { kPath, kInline };

// The request of a case with files in `folder` instead of those that it names, and what it says of them put right: a
// message that the case does not give is a small one of ours. Each has the trace header fields of the daemon in front.
// Throws std::runtime_error if a file cannot be written.
nlohmann::ordered_json place_files(const Case& one, const std::filesystem::path& folder, BodyForm form);

}  // namespace hooksmtpd::ctl
