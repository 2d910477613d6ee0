// How many connections each client has, for limits.connections_per_address.

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace hooksmtpd::worker {

// Whom a connection from `address` is counted for: an IPv4 address, also one that came as ::ffff:192.0.2.1, or the /64
// of an IPv6 address ("2001:db8:1:2::/64"), any of which a single host may have for itself (RFC 4291 §2.5.4). nullopt:
// this machine, over loopback or a unix socket (an empty address), which no limit is for.
std::optional<std::string> counted_as(const std::string& address);

class AddressCounts {
  using Counts = std::map<std::string, std::size_t, std::less<>>;

 public:
  // One connection of a client, for as long as it lives; the counts outlive it.
  class Place {
   public:
    Place() = default;  // of nobody: not counted
    Place(Place&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), where_(other.where_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(where_, other.where_);
      return *this;
    }
    ~Place() {
      if (counts_ && --where_->second == 0) counts_->erase(where_);
    }

   private:
    friend class AddressCounts;
    Place(Counts& counts, Counts::iterator where) : counts_(&counts), where_(where) { ++where->second; }

    Counts* counts_ = nullptr;
    Counts::iterator where_{};
  };

  // nullopt: it has `most` already.
  std::optional<Place> take(const std::string& client, std::size_t most) {
    const auto where = counts_.try_emplace(client, 0).first;
    if (where->second < most) return Place(counts_, where);
    if (where->second == 0) counts_.erase(where);
    return std::nullopt;
  }

  std::size_t clients() const { return counts_.size(); }

 private:
  Counts counts_;
};

}  // namespace hooksmtpd::worker
