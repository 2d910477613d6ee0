// A header field that a hook puts in front of a message.

#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace hooksmtpd::mail {

struct AddedHeader {
  std::string name;   // a field-name (RFC 5322): printable ASCII without blank and colon, not empty
  std::string value;  // printable ASCII and tab; on the wire "name: value" is one line of at most 998 octets

  friend bool operator==(const AddedHeader&, const AddedHeader&) = default;
};

// How much hooks add to one message.
struct AddedSize {
  std::size_t fields = 0;
  std::size_t octets = 0;  // of names and values

  AddedSize& operator+=(const AddedSize& more) {
    fields += more.fields;
    octets += more.octets;
    return *this;
  }
  friend AddedSize operator+(AddedSize one, const AddedSize& other) { return one += other; }
  friend bool operator==(const AddedSize&, const AddedSize&) = default;
};

// In all: each reply has a smaller limit, but a message may have a thousand recipients, and a reply for each.
inline constexpr AddedSize kMostAdded{.fields = 100, .octets = 64 * 1024};

constexpr bool fits(const AddedSize& size) {
  return size.fields <= kMostAdded.fields && size.octets <= kMostAdded.octets;
}

inline AddedSize size_of(std::span<const AddedHeader> headers) {
  AddedSize size{.fields = headers.size()};
  for (const AddedHeader& header : headers) size.octets += header.name.size() + header.value.size();
  return size;
}

}  // namespace hooksmtpd::mail
