// The folder of one message's decoded parts: files of ours by number ("1", "2.1"), which the hook that they are for can
// read and nobody can change.

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hooksmtpd::mime {

// A descriptor.
class File {
 public:
  explicit File(int descriptor = -1) : descriptor_(descriptor) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// All of it, or the errno.
std::expected<void, int> write_all(const File& file, std::string_view octets);

class PartFiles {
 public:
  // Takes everything along that is in there when it goes, unless it was kept.
  PartFiles(PartFiles&&) noexcept;
  PartFiles& operator=(PartFiles&&) = delete;
  ~PartFiles();
  void keep() { kept_ = true; }

  // A new file, open to write and read. `name`: a number of a part, or "tree.json". The error is an errno.
  std::expected<File, int> create(const std::string& name) const;
  // One of them, to read.
  std::expected<File, int> open(const std::string& name) const;
  std::string path(std::string_view name) const;

 private:
  friend class Shelf;
  PartFiles(int shelf, std::string name, std::string path, File folder);

  int shelf_;  // of the Shelf, which outlives this
  std::string name_, path_;
  File folder_;
  bool kept_ = false;
};

// A folder that holds one folder for each message that a hook reads. No link in it is followed.
class Shelf {
 public:
  // `path` is there already. The error is an errno.
  static std::expected<Shelf, int> open(const std::string& path);

  // Anew, if there is one. `transaction` is made of letters, digits and hyphens, or the error is EINVAL.
  std::expected<PartFiles, int> make(const std::string& transaction) const;
  void remove(const std::string& transaction) const;
  void remove_all() const;

 private:
  Shelf(std::string path, File folder) : path_(std::move(path)), folder_(std::move(folder)) {}

  std::string path_;
  File folder_;
};

}  // namespace hooksmtpd::mime
