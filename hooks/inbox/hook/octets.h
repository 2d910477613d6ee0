// The octets of a message's file. A large one is mapped and nobody's copy; a small one is read, since the kernel takes
// longer to map and unmap it.

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox {

class Octets {
 public:
  // The file must have `size` octets. The error is an errno; EIO: it has not as many.
  static std::expected<std::shared_ptr<Octets>, int> map(const std::string& path, std::uint64_t size);
  // A file in memory that holds these.
  static std::expected<std::shared_ptr<Octets>, int> copy(std::string_view octets);

  Octets(const Octets&) = delete;
  Octets& operator=(const Octets&) = delete;
  ~Octets();

  std::string_view view() const { return place_ ? std::string_view(static_cast<const char*>(place_), size_) : read_; }
  int file() const { return file_; }

 private:
  explicit Octets(int file) : file_(file) {}
  static std::expected<std::shared_ptr<Octets>, int> map_all(int file, std::uint64_t size);
  static std::expected<std::shared_ptr<Octets>, int> read_all(int file, std::uint64_t size);

  int file_;
  void* place_ = nullptr;  // null: they are in read_
  std::size_t size_ = 0;
  std::string read_;
};

}  // namespace hooksmtpd::inbox
