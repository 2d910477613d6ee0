// A fuzzer's octets as packets for a SOCK_SEQPACKET socket, as somebody sends them who keeps no rule: pieces of frames,
// frames in pieces, and descriptors that nobody asked for.
//
// A packet is: an octet of choices, two octets of length, and so many octets. Choices: 3 bits, how many descriptors
// ride along; 1 bit, whether the octets are the packet as it stands, or a kind of frame (one octet) and its body, to
// which an honest header is made; 4 bits for the target to use.

#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::fuzz {

struct Packet {
  std::size_t descriptors;
  unsigned choice;  // 0 to 15
  std::string octets;
};

inline std::string with_header(std::uint32_t kind, std::string_view body) {
  const std::array<std::uint32_t, 2> header{kind, static_cast<std::uint32_t>(body.size())};
  return std::string(reinterpret_cast<const char*>(header.data()), sizeof header).append(body);
}

inline std::vector<Packet> packets_of(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 64;  // as many as a socket holds
  std::string_view left(reinterpret_cast<const char*>(data), size);
  std::vector<Packet> packets;
  while (left.size() >= 3 && packets.size() < kMost) {
    const unsigned choices = static_cast<std::uint8_t>(left[0]);
    const std::size_t length = static_cast<std::uint8_t>(left[1]) + 256U * static_cast<std::uint8_t>(left[2]);
    const std::string_view octets = left.substr(3, length);
    left.remove_prefix(3 + octets.size());
    Packet packet{.descriptors = choices & 7U, .choice = choices >> 4U, .octets = std::string(octets)};
    if ((choices & 8U) == 0 && !octets.empty()) {
      packet.octets = with_header(static_cast<std::uint8_t>(octets[0]), octets.substr(1));
    }
    packets.push_back(std::move(packet));
  }
  return packets;
}

// False: nobody is there to read it. `descriptors` ride along in turn, the first one again after the last.
inline bool send(const sys::Fd& socket, const Packet& packet, std::span<const int> descriptors) {
  iovec part{.iov_base = const_cast<char*>(packet.octets.data()), .iov_len = packet.octets.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(7 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (packet.descriptors != 0 && !descriptors.empty()) {
    std::vector<int> numbers;
    for (std::size_t i = 0; i < packet.descriptors; ++i) numbers.push_back(descriptors[i % descriptors.size()]);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(numbers.size() * sizeof(int));
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(numbers.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), numbers.data(), numbers.size() * sizeof(int));
  }
  return ::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

}  // namespace hooksmtpd::fuzz
