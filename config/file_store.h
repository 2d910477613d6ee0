// Where load() finds the files that a configuration names: on the disk, or in the hands of a test.

#pragma once

#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/wiped_string.h"

namespace hooksmtpd::config {

class FileStore {
 public:
  virtual ~FileStore() = default;

  struct Found {
    WipedString text;
    bool everybody_reads = false;
  };
  // Errors go on from the name: "cannot be read: No such file or directory".
  virtual std::expected<Found, std::string> text(const std::filesystem::path& file) = 0;
  // What stands in a folder, by name.
  virtual std::expected<std::vector<std::filesystem::path>, std::string> list(const std::filesystem::path& folder) = 0;
  // The file's own name, and where symbolic links lead it, one after another.
  virtual std::vector<std::filesystem::path> names(const std::filesystem::path& file) = 0;
};

class Disk : public FileStore {
 public:
  std::expected<Found, std::string> text(const std::filesystem::path& file) override;
  std::expected<std::vector<std::filesystem::path>, std::string> list(const std::filesystem::path& folder) override;
  std::vector<std::filesystem::path> names(const std::filesystem::path& file) override;
};

// These files are there, and no other.
class Texts : public FileStore {
 public:
  explicit Texts(std::span<const FileText> files) : files_(files) {}

  std::expected<Found, std::string> text(const std::filesystem::path& file) override;
  std::expected<std::vector<std::filesystem::path>, std::string> list(const std::filesystem::path& folder) override;
  std::vector<std::filesystem::path> names(const std::filesystem::path& file) override { return {file}; }

 private:
  std::span<const FileText> files_;
};

}  // namespace hooksmtpd::config
