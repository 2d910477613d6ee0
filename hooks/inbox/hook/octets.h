// The octets of a message that has come. Those of a large file are mapped and nobody's copy; a small one is read, since
// the kernel takes longer to map and unmap it.

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace hooksmtpd::inbox {

class Octets {
 public:
  // All of a file, or what came with the request. There must be `size` of them. The error is an errno; EIO: there are
  // not as many.
  static std::expected<std::shared_ptr<const Octets>, int> read(const std::string& path, std::uint64_t size);
  static std::expected<std::shared_ptr<const Octets>, int> keep(std::string octets, std::uint64_t size);

  Octets(const Octets&) = delete;
  Octets& operator=(const Octets&) = delete;
  ~Octets();

  std::string_view view() const { return place_ ? std::string_view(static_cast<const char*>(place_), size_) : own_; }

 private:
  explicit Octets(std::string own) : own_(std::move(own)) {}
  Octets(void* place, std::size_t size) : place_(place), size_(size) {}

  void* place_ = nullptr;  // null: they are in own_
  std::size_t size_ = 0;
  std::string own_;
};

}  // namespace hooksmtpd::inbox
