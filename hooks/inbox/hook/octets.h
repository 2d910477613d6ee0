// The octets of a message's file, mapped: however large it is, they are nobody's copy.

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

  std::string_view view() const { return {static_cast<const char*>(place_), size_}; }
  int file() const { return file_; }

 private:
  Octets(int file, void* place, std::size_t size) : file_(file), place_(place), size_(size) {}
  static std::expected<std::shared_ptr<Octets>, int> map_all(int file, std::uint64_t size);

  int file_;
  void* place_;
  std::size_t size_;
};

}  // namespace hooksmtpd::inbox
