#include "hooks/inbox/api/v1/blank.h"

#include <cstddef>
#include <initializer_list>

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr std::size_t kWidth = 180, kHeight = 120;
constexpr std::size_t kBlocks = ((kWidth + 7) / 8) * ((kHeight + 7) / 8);

void put(std::string& out, std::initializer_list<unsigned> octets) {
  for (const unsigned octet : octets) out += static_cast<char>(octet);
}

// Bits, the highest first, filled up with ones. None of ours makes an octet 0xff before the last.
std::string octets_of(const std::string& bits) {
  std::string out;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    unsigned octet = 0;
    for (std::size_t bit = i; bit < i + 8; ++bit) octet = octet << 1 | (bit >= bits.size() || bits[bit] == '1' ? 1 : 0);
    put(out, {octet});
  }
  return out;
}

}  // namespace

// ITU-T T.81, baseline, one component. A block is one coefficient, its mean, as the difference to the block before, and
// "no more" (§F.1.2): the first says 127 * 8 in quantization steps of 8, all others 0.
std::string blank_jpeg() {
  std::string out;
  put(out, {0xff, 0xd8});            // start
  put(out, {0xff, 0xdb, 0, 67, 0});  // quantization table 0
  out.append(64, 8);
  put(out, {0xff, 0xc0, 0, 11, 8, kHeight >> 8, kHeight & 0xff, kWidth >> 8, kWidth & 0xff, 1, 1, 0x11, 0});  // frame
  put(out, {0xff, 0xc4, 0, 21, 0x00, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7});  // means: 00 is 0, 01 is 7
  put(out, {0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});  // the rest: 0 is "no more"
  put(out, {0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0});                                      // scan
  std::string bits =
      "01"
      "1111111"
      "0";
  for (std::size_t block = 1; block < kBlocks; ++block) bits += "000";
  out += octets_of(bits);
  put(out, {0xff, 0xd9});  // end
  return out;
}

}  // namespace hooksmtpd::inbox::v1
