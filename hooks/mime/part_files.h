// The folder of one message's decoded parts: files of ours by number ("1", "2.1"), which the hook that they are for can
// read and nobody can change.

#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace hooksmtpd::mime {

class PartFiles {
 public:
  // Makes the folder `transaction` in `folder`, anew if there is one. Transactions are letters, digits and hyphens.
  // All errors are errno: ENOSPC and EDQUOT mean that there is no room; EINVAL that it is no transaction.
  static std::expected<PartFiles, int> make(const std::string& folder, const std::string& transaction);
  PartFiles(PartFiles&&) noexcept;
  PartFiles& operator=(PartFiles&&) = delete;
  ~PartFiles();

  // A new file, open for writing. `name`: a number of a part, or "tree.json".
  std::expected<int, int> create(std::string_view name) const;
  std::string path(std::string_view name) const;

  static void remove(const std::string& folder, const std::string& transaction);
  // All transactions of a folder.
  static void remove_all(const std::string& folder);

 private:
  PartFiles(std::string path, int folder) : path_(std::move(path)), folder_(folder) {}

  std::string path_;
  int folder_;
};

}  // namespace hooksmtpd::mime
